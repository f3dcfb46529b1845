"""Besides z, a model may take named conditions, each of one kind.

A kind is a subclass of `Condition` in this module. It alone turns raw values of the data into a vector and knows the
vector's width, default and showcase, its form in a link and on the command line, and its form in the explorer's state.
The controls for a condition have the kind's name: assets/explorer in the browser, `cvae.ui.parts.condition_input` on a
page.

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

LABEL = "label"  # the name of the condition made from the classes of a data set
LARGEST_WEIGHT = 1e6  # the largest weight of a class in a link
EXAMPLES = 12  # how many images a page offers for completion


@dataclass(frozen=True)
class ConditionBatch(Generic[A]):
    """Networks see the conditions of N images in this form; one row stands for N equal ones.

    `vector` (N, width) holds the vectors of all conditions side by side, `image` (N, C, H, W) the given pictures.
    """

    vector: A | None = None
    image: A | None = None

    @classmethod
    def of(cls, value: Any) -> ConditionBatch[Any]:
        """Make a batch of None, a batch, a vector (width,) or (N, width), or a picture (C, H, W) or (N, C, H, W)."""
        if value is None or isinstance(value, ConditionBatch):
            return value or cls()
        if value.ndim in (1, 3):
            value = value[None]
        return cls(vector=value) if value.ndim == 2 else cls(image=value)


KINDS: dict[str, type[Condition]] = {}  # by name


@dataclass(frozen=True)
class Condition:
    """A Condition has a name and a kind, its subclass; config.json holds its fields."""

    kind: ClassVar[str] = ""
    name: str

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.kind:
            raise ValueError(f"{cls.__name__} states no kind")
        if cls.kind in KINDS:
            raise ValueError(f"two classes state a kind of condition {cls.kind!r}: each needs a name of its own")
        KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or not self.name.isprintable():
            raise ValueError(f"{self.name!r} cannot name a condition")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes an equal condition."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @staticmethod
    def from_json(values: Any) -> Condition:
        """Return the condition that `to_json` wrote; any other value raises `InputError`."""
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
        """Return the length of the vector; it is 0 for a condition that is no vector."""
        return 0

    def vector(self, values: ArrayLike) -> Vector:
        """Turn raw values of the data (N,) into vectors (N, width)."""
        raise NotImplementedError

    def default(self) -> Vector:
        """Return the vector (width,) that a page shows first."""
        raise NotImplementedError

    def showcase(self) -> Vector:
        """Return vectors (M, width) that show the condition's effect: every class, or values over the whole range."""
        raise NotImplementedError

    def to_link(self, vector: Sequence[float]) -> str:
        """Return a vector (width,) in the form of a link."""
        raise NotImplementedError

    def from_link(self, text: str) -> Vector:
        """Return the vector (width,) of the text in a link.

        Raise `ValueError` for invalid text, and `IndexError` for a value that another data set may have.
        """
        raise NotImplementedError

    def from_option(self, text: str) -> Vector:
        """Return the vector (width,) of a command line value; a wrong one raises `InputError`."""
        raise NotImplementedError

    def to_state(self, vector: Sequence[float]) -> Any:
        """Return a vector (width,) in the form of the explorer's state, in JSON."""
        raise NotImplementedError

    def from_state(self, value: Any) -> Vector:
        """Return the vector (width,) in a state of the explorer; a wrong state raises `ValueError`."""
        raise NotImplementedError

    def describe(self, vector: ArrayLike) -> str:
        """Describe a vector (width,) in words of the data."""
        raise NotImplementedError


@dataclass(frozen=True)
class ClassCondition(Condition):
    """The vector is one-hot for one of several classes, or blends them with weights that add up to 1."""

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
        """Turn weights of some classes into a vector (width,) that adds up to 1.

        Raise `ValueError` for an unknown class, and for weights that are negative or all 0.
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
        """Return `3`, or for a blend `3:0.5,8:0.5`."""
        parts = [(i, w) for i, w in enumerate(vector) if w > 0]
        return str(parts[0][0]) if len(parts) == 1 else ",".join(f"{i}:{w:.3g}" for i, w in parts)

    def from_link(self, text: str) -> Vector:
        weights: dict[int, float] = {}
        for part in text.split(","):
            index, _, weight = part.partition(":")
            if not index.isdecimal() or len(index) > 9:
                raise ValueError(text)
            value = float(weight or 1)
            if not 0 <= value <= LARGEST_WEIGHT:  # NaN fails this test too
                raise ValueError(text)
            if int(index) >= self.width:
                raise IndexError(text)
            weights[int(index)] = weights.get(int(index), 0.0) + value
        return self.blend(weights)

    def from_option(self, text: str) -> Vector:
        """Return a class by its name, or an even blend of names joined by +; an unknown name raises `InputError`."""
        parts = [text] if text in self.values else text.split("+")
        for part in parts:
            if part not in self.values:
                raise InputError("condition.no_class", part=repr(part), names=", ".join(self.values))
        return self.blend({self.values.index(part): float(parts.count(part)) for part in parts})

    def to_state(self, vector: Sequence[float]) -> dict[str, Any]:
        """Return `weights`, each 0 … 1, and `mixing`, true if several classes have a weight."""
        return {"weights": list(map(float, vector)), "mixing": sum(w > 0 for w in vector) > 1}

    def from_state(self, value: Any) -> Vector:
        weights = value.get("weights") if isinstance(value, Mapping) else None
        if not isinstance(weights, Sequence) or isinstance(weights, str) or len(weights) != self.width:
            raise ValueError(value)
        if not all(isinstance(weight, (int, float)) and abs(weight) <= LARGEST_WEIGHT for weight in weights):
            raise ValueError(value)
        vector = np.array(weights, dtype=np.float64)
        with np.errstate(over="ignore"):
            total = vector.sum()
        if not np.isfinite(total) or vector.min() < 0:
            raise ValueError(value)
        even = np.full(self.width, 1 / self.width)  # where all weights are 0
        return (vector / total if total > 0 else even).astype(np.float32)

    def describe(self, vector: ArrayLike) -> str:
        """Describe the classes in words: "3", or "60% 3 + 40% 8"."""
        weights = np.asarray(vector).tolist()
        parts = [(w, name) for w, name in zip(weights, self.values, strict=True) if w >= 0.005]
        return parts[0][1] if len(parts) == 1 else " + ".join(f"{w:.0%} {name}" for w, name in parts)


@dataclass(frozen=True)
class ImageCondition(Condition):
    """The model sees part of a picture: `quadrants` counts the visible ones of four; None means all of it."""

    kind: ClassVar[str] = "image"
    image_shape: tuple[int, int, int] = (1, 8, 8)  # channels, height, width
    quadrants: int | None = None

    @property
    def visible(self) -> NDArray[np.bool_]:
        """Return the mask (H, W) of the visible pixels."""
        _, height, width = self.image_shape
        if self.quadrants is None:
            return np.ones((height, width), dtype=bool)
        return visible_mask(height, width, self.quadrants)

    @staticmethod
    def examples(images: int, labels: NDArray[np.integer[Any]] | None = None) -> NDArray[np.intp]:
        """Return which of `images` images a page offers: the first of each class, then others in their order."""
        chosen = np.arange(min(EXAMPLES, images))
        if labels is not None and len(labels) <= images:
            _, firsts = np.unique(labels, return_index=True)
            chosen = np.concatenate([firsts, np.setdiff1d(chosen, firsts)])[:EXAMPLES]
        return chosen


def one_hot(labels: ArrayLike, classes: int) -> Vector:
    """Turn labels (N,) in 0 … classes−1 into vectors (N, classes).

    A label outside, another shape, and labels that are not whole numbers raise `InputError`.
    """
    labels = whole_numbers(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise InputError("labels.out_of_range", last=classes - 1, low=labels.min(), high=labels.max())
    vectors: Vector = np.eye(classes, dtype=np.float32)[labels]
    return vectors


def whole_numbers(labels: ArrayLike) -> NDArray[np.integer[Any]]:
    """Return labels (N,) as an array; another shape, and labels that are not whole numbers, raise `InputError`."""
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise InputError("labels.shape", shape=labels.shape)
    if labels.dtype.kind not in "iu":
        raise InputError("labels.type", dtype=labels.dtype)
    return labels


def check_vectors(vectors: Any, conditions: Sequence[Condition], family: str, n: int | None = None) -> None:
    """Raise `InputError` unless the array or tensor has the shape (n, width) of these conditions of a model, or
    (1, width), which stands for n equal rows."""
    rows, columns = "N" if n is None else str(n), width(conditions)
    names, shape = ", ".join(condition.name for condition in conditions), f"({rows}, {columns})"
    if vectors is None:
        raise InputError("condition.missing", family=family, names=names, shape=shape)
    if vectors.ndim != 2 or vectors.shape[1] != columns or (n is not None and len(vectors) not in (1, n)):
        raise InputError("condition.shape", family=family, names=names, shape=shape, found=tuple(vectors.shape))


def as_vectors(values: ArrayLike) -> Vector:
    """Return vectors (N, width) as floats; another shape, what is no number, NaN and infinity raise `InputError`."""
    values = np.asarray(values)
    if values.ndim != 2:
        raise InputError("condition.vectors", shape=values.shape)
    if values.dtype.kind not in "fiu":
        raise InputError("condition.type", dtype=values.dtype)
    if not np.isfinite(values).all():
        raise InputError("condition.not_finite")
    return values.astype(np.float32, copy=False)


def visible_mask(height: int, width: int, quadrants: int) -> NDArray[np.bool_]:
    """Return the mask (H, W) of the first `quadrants` of: lower left, upper left, lower right."""
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
    """Return the vectors (n, width) of n images from the raw values (n,) of their conditions, by name.

    A condition without values has its default. Return None if no condition is a vector.
    """
    parts = []
    for condition in conditions:
        if condition.width:
            raw = values.get(condition.name)
            part = np.tile(condition.default(), (n, 1)) if raw is None else condition.vector(raw)
            parts.append(part)
    return np.concatenate(parts, axis=1) if parts else None


def joined(conditions: Sequence[Condition], known: Mapping[str, ArrayLike]) -> Vector | None:
    """Join the vectors of all conditions to one (width,), from the `known` ones by name and defaults for the rest.

    Return None if no condition is a vector.
    """
    parts = [known.get(one.name, one.default()) for one in conditions if one.width]
    return np.concatenate([np.asarray(part, np.float32) for part in parts]) if parts else None


def label_place(conditions: Sequence[Condition]) -> slice:
    """Return the label's place in the vector of all conditions; raise `ValueError` if no condition is the label."""
    at = [condition.name for condition in conditions].index(LABEL)
    start = width(conditions[:at])
    return slice(start, start + conditions[at].width)
