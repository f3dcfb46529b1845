"""What a model is given beside z: a tuple of named conditions, each of one kind.

A kind is a subclass of `Condition`, found by being here. It alone says how raw values of the data become a vector, how
wide that is, what the default is and what is shown of it, how it is written in a link and on the command line, and what
the explorer's state holds of it. The controls that show it have the kind's name: assets/explorer in the browser,
`cvae.ui.parts.condition_input` on a page.

    class   one of several classes, or a blend of them: weights that add up to 1
    image   the visible part of a picture, which is no vector: networks see the picture itself

Networks see a `ConditionBatch`: the vectors of all conditions side by side, and the picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvae.errors import InputError

Vector = NDArray[np.float32]
A = TypeVar("A")  # a NumPy array or a torch tensor

LABEL = "label"  # the name of the condition that the classes of a data set are
LARGEST_WEIGHT = 1e6  # of a class in a link
EXAMPLES = 12  # images that are offered to be completed


@dataclass(frozen=True)
class ConditionBatch(Generic[A]):
    """The conditions of N images as networks see them; one row stands for N equal ones.

    vector: (N, width), the vectors of all conditions side by side. image: (N, C, H, W), the picture that is given.
    """

    vector: A | None = None
    image: A | None = None

    @classmethod
    def of(cls, value: Any) -> ConditionBatch[Any]:
        """Make a batch of a condition as it is at hand: nothing, a batch, or an array, where (width,) or (N, width) is
        a vector, and (C, H, W) or (N, C, H, W) a picture."""
        if value is None or isinstance(value, ConditionBatch):
            return value or cls()
        if value.ndim in (1, 3):
            value = value[None]
        return cls(vector=value) if value.ndim == 2 else cls(image=value)


KINDS: dict[str, type[Condition]] = {}  # by name


@dataclass(frozen=True)
class Condition:
    """One condition. A subclass is a kind; its fields describe the condition and are written into config.json."""

    kind: ClassVar[str] = ""
    name: str

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.kind in KINDS:
            raise ValueError(f"two classes state a kind of condition {cls.kind!r}: each needs a name of its own")
        KINDS[cls.kind] = cls

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes an equal condition."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @staticmethod
    def from_json(values: Any) -> Condition:
        """Return the condition that `to_json` wrote; anything else raises `InputError`."""
        try:
            fields = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name != "kind"}
            condition: Condition = KINDS[str(values["kind"])](**dict[str, Any](fields))
            if condition.width:
                condition.default()
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError("condition.not_one") from error
        return condition

    @property
    def width(self) -> int:
        """Return how many numbers of the vector it takes; 0 where it is none."""
        return 0

    def vector(self, values: ArrayLike) -> Vector:
        """Raw values of the data (N,) → (N, width)."""
        raise NotImplementedError

    def default(self) -> Vector:
        """Return the vector (width,) that is shown first."""
        raise NotImplementedError

    def showcase(self) -> Vector:
        """Return the vectors (M, width) that show what the condition does: every class, or values over the whole
        range."""
        raise NotImplementedError

    def to_link(self, vector: Sequence[float]) -> str:
        """Return a vector (width,) as a link has it."""
        raise NotImplementedError

    def from_link(self, text: str) -> Vector:
        """Return the vector (width,) that a link names.

        Raises `ValueError` for nonsense, and `IndexError` for a value that another data set may have.
        """
        raise NotImplementedError

    def from_option(self, text: str) -> Vector:
        """Return the vector (width,) that a user names on the command line. Raises `InputError`."""
        raise NotImplementedError

    def to_state(self, vector: Sequence[float]) -> Any:
        """Return a vector (width,) as the state of the explorer holds it, in JSON."""
        raise NotImplementedError

    def from_state(self, value: Any) -> Vector:
        """Return the vector (width,) that a state of the explorer holds. Raises `ValueError` where it holds none."""
        raise NotImplementedError

    def describe(self, vector: ArrayLike) -> str:
        """Return a vector (width,) in words of the data."""
        raise NotImplementedError


@dataclass(frozen=True)
class ClassCondition(Condition):
    """One of several classes, as a one-hot vector, or a blend of them: weights that add up to 1."""

    kind: ClassVar[str] = "class"
    values: tuple[str, ...] = ()  # the names of the classes

    @property
    def width(self) -> int:
        return len(self.values)

    def vector(self, values: ArrayLike) -> Vector:
        return one_hot(np.asarray(values), self.width)

    def default(self) -> Vector:
        first: Vector = self.showcase()[0]
        return first

    def showcase(self) -> Vector:
        return np.eye(self.width, dtype=np.float32)

    def blend(self, weights: Mapping[int, float]) -> Vector:
        """Weights of some classes as a vector (width,) that adds up to 1.

        Raises `ValueError` for a class that is not there, and for weights that are negative or all 0.
        """
        total = sum(weights.values())
        if not all(0 <= k < self.width for k in weights) or min(weights.values(), default=0) < 0 or total <= 0:
            raise ValueError(
                f"labels must be classes from 0 to {self.width - 1} with weights that add up, not {weights!r}"
            )
        vector = np.zeros(self.width, dtype=np.float32)
        for k, weight in weights.items():
            vector[k] = weight / total
        return vector

    def to_link(self, vector: Sequence[float]) -> str:
        """Return `3`, or a blend `3:0.5,8:0.5`."""
        parts = [(i, w) for i, w in enumerate(vector) if w > 0]
        return str(parts[0][0]) if len(parts) == 1 else ",".join(f"{i}:{w:.3g}" for i, w in parts)

    def from_link(self, text: str) -> Vector:
        weights: dict[int, float] = {}
        for part in text.split(","):
            index, _, weight = part.partition(":")
            if not index.isdecimal() or len(index) > 9:
                raise ValueError(text)
            value = float(weight or 1)
            if not 0 <= value <= LARGEST_WEIGHT:  # NaN is not
                raise ValueError(text)
            if int(index) >= self.width:
                raise IndexError(text)
            weights[int(index)] = weights.get(int(index), 0.0) + value
        return self.blend(weights)

    def from_option(self, text: str) -> Vector:
        """Return a class by its name, or several joined by + as an even blend."""
        parts = [text] if text in self.values else text.split("+")
        for part in parts:
            if part not in self.values:
                raise InputError("condition.no_class", part=repr(part), names=", ".join(self.values))
        return self.blend({self.values.index(part): float(parts.count(part)) for part in parts})

    def to_state(self, vector: Sequence[float]) -> dict[str, Any]:
        """Return `weights` as they are set, each 0 … 1, and whether several are `mixing`, rather than one chosen."""
        return {"weights": list(map(float, vector)), "mixing": sum(w > 0 for w in vector) > 1}

    def from_state(self, value: Any) -> Vector:
        weights = value.get("weights") if isinstance(value, Mapping) else None
        if not isinstance(weights, Sequence) or len(weights) != self.width:
            raise ValueError(value)
        vector = np.array(weights, dtype=np.float64)
        with np.errstate(over="ignore"):
            total = vector.sum()
        if not np.isfinite(total) or vector.min() < 0:
            raise ValueError(value)
        even = np.full(self.width, 1 / self.width)  # where all weights are 0
        return (vector / total if total > 0 else even).astype(np.float32)

    def describe(self, vector: ArrayLike) -> str:
        """Return a class in words: "3", or "60% 3 + 40% 8"."""
        weights = np.asarray(vector).tolist()
        parts = [(w, name) for w, name in zip(weights, self.values, strict=True) if w >= 0.005]
        return parts[0][1] if len(parts) == 1 else " + ".join(f"{w:.0%} {name}" for w, name in parts)


@dataclass(frozen=True)
class ImageCondition(Condition):
    """The visible part of a picture. `quadrants`: how many of the four are visible; None: the whole picture."""

    kind: ClassVar[str] = "image"
    image_shape: tuple[int, int, int] = (1, 8, 8)  # channels, height, width
    quadrants: int | None = None

    @property
    def visible(self) -> NDArray[np.bool_]:
        """Return which pixels are visible, (H, W)."""
        _, height, width = self.image_shape
        if self.quadrants is None:
            return np.ones((height, width), dtype=bool)
        return visible_mask(height, width, self.quadrants)

    @staticmethod
    def examples(images: int, labels: NDArray[np.integer[Any]] | None = None) -> NDArray[np.intp]:
        """Return which of that many images are offered to choose from: the first of each class, then others in their
        order."""
        chosen = np.arange(min(EXAMPLES, images))
        if labels is not None and len(labels) <= images:
            _, firsts = np.unique(labels, return_index=True)
            chosen = np.concatenate([firsts, np.setdiff1d(chosen, firsts)])[:EXAMPLES]
        return chosen


def one_hot(labels: NDArray[np.integer[Any]], classes: int) -> Vector:
    """Labels (N,) in 0 … classes−1 as vectors (N, classes); a label outside that range raises `InputError`."""
    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise InputError("labels.out_of_range", last=classes - 1, low=labels.min(), high=labels.max())
    vectors: Vector = np.eye(classes, dtype=np.float32)[labels]
    return vectors


def visible_mask(height: int, width: int, quadrants: int) -> NDArray[np.bool_]:
    """Return which pixels a predictive model is given, (H, W): the lower left quadrant, the upper left, the lower
    right."""
    mask = np.zeros((height, width), dtype=bool)
    h, w = height // 2, width // 2
    corners = ((slice(h, None), slice(w)), (slice(h), slice(w)), (slice(h, None), slice(w, None)))
    for rows, columns in corners[:quadrants]:
        mask[rows, columns] = True
    return mask


def width(conditions: Sequence[Condition]) -> int:
    """Return the width of the vectors of all conditions side by side."""
    return sum(condition.width for condition in conditions)


def vectors(conditions: Sequence[Condition], n: int, values: Mapping[str, ArrayLike | None]) -> Vector | None:
    """Return the vectors (n, width) of n images by the raw values (n,) of their conditions; None where no condition has
    one.

    A condition of which no values are known has its default.
    """
    parts = []
    for condition in conditions:
        if condition.width:
            raw = values.get(condition.name)
            part = np.tile(condition.default(), (n, 1)) if raw is None else condition.vector(raw)
            parts.append(part)
    return np.concatenate(parts, axis=1) if parts else None


def joined(conditions: Sequence[Condition], known: Mapping[str, ArrayLike]) -> Vector | None:
    """Return the vector (width,) of all conditions side by side from those of some (width of it,), by name; else
    defaults."""
    parts = [known.get(one.name, one.default()) for one in conditions if one.width]
    return np.concatenate([np.asarray(part, np.float32) for part in parts]) if parts else None


def label_place(conditions: Sequence[Condition]) -> slice:
    """Return where the label's numbers stand in the vector of all conditions; raises `StopIteration` where it is
    none."""
    at = next(i for i, condition in enumerate(conditions) if condition.name == LABEL)
    start = width(conditions[:at])
    return slice(start, start + conditions[at].width)
