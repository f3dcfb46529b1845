"""Every source of images becomes `ImageData`, three splits of bytes, by the rules of this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvae.conditions import LABEL, ClassCondition, Condition, whole_numbers
from cvae.errors import InputError

MIN_SIDE, MAX_SIDE = 8, 64  # pixels, of height and of width
MIN_IMAGES = 30  # with fewer images, a tenth is too few for validation or test
ROUNDING = 1e-5  # floats may lie so far outside 0 … 1, as after a resize
MAX_CLASSES = 256  # run folders store labels in one byte
MAX_NAME = 80  # characters of a class name
MAX_BYTES = 512 * 2**20  # the most bytes of one source, decompressed

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """A Split holds images and, if the data has them, labels and the raw values of further conditions.

    Images are given as bytes or as floats from 0 to 1, which become the nearest of 256 grey values; anything else, and
    labels or columns that do not fit, raise `InputError`. Bytes are kept as they are: contiguous and writable, so that
    `torch.from_numpy` shares their memory.
    """

    images: Images  # (N, C, H, W) in 0..255, C = 1 grey or 3 RGB
    labels: Labels | None  # (N,) in 0..classes-1; None if the data is unlabelled
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # (N,) each, by the condition's name

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", as_bytes(self.images))
        if self.labels is not None:
            object.__setattr__(self, "labels", _checked_labels(self.labels, len(self.images)))
        for name, values in self.columns.items():
            if np.shape(values)[:1] != (len(self.images),):
                raise InputError("images.column", name=name, count=len(self.images), shape=np.shape(values))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """Return the raw values (N,) of every condition by its name, including the label."""
        return {**({} if self.labels is None else {LABEL: self.labels}), **self.columns}

    def at(self, rows: NDArray[Any] | slice) -> Split:
        """Return the images of these rows, with their labels and columns."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Split(self.images[rows], None if self.labels is None else self.labels[rows], columns)

    def joined(self, other: Split) -> Split:
        """Return the images of both splits, with the labels and columns that both splits have."""
        labels = None
        if self.labels is not None and other.labels is not None:
            labels = np.concatenate([self.labels, other.labels])
        shared = [name for name in self.columns if name in other.columns]
        columns = {name: np.concatenate([self.columns[name], other.columns[name]]) for name in shared}
        return Split(np.concatenate([self.images, other.images]), labels, columns)


@dataclass(frozen=True, eq=False)
class ImageData:
    """ImageData is a data set in memory; `test` is only for measuring, and no choice may use it."""

    name: str  # the name in menus and cards
    class_names: tuple[str, ...]  # name of each label; empty if the data is unlabelled
    train: Split
    validation: Split
    test: Split
    further: tuple[Condition, ...] = ()  # the conditions whose values are the splits' columns
    note: str = ""  # a sentence for the owner about changes that reading made to the images; mostly empty

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", check_class_names(self.name, self.class_names))
        check_sides(self.name, *self.image_shape[1:])
        for split in (self.train, self.validation, self.test):
            if split.images.shape[1:] != self.image_shape:
                shapes = (self.image_shape, split.images.shape[1:])
                raise InputError("images.unlike", name=self.name, first=shapes[0], second=shapes[1])
            if split.labels is not None and not self.class_names:
                raise InputError("images.no_class_names", name=self.name)
            if split.labels is not None and len(split.labels) and split.labels.max() >= len(self.class_names):
                last = len(self.class_names) - 1
                raise InputError("npz.unnamed_label", where=self.name, label=int(split.labels.max()), last=last)
            if missing := [about.name for about in self.further if about.name not in split.columns]:
                raise InputError("images.no_column", name=self.name, column=missing[0])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Return channels, height, width."""
        _, channels, height, width = self.train.images.shape
        return channels, height, width

    @property
    def all_train(self) -> Split:
        """Return training and validation images together, for published protocols."""
        return self.train.joined(self.validation)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return all conditions that the data offers a model: the label, if there is one, and the further ones."""
        return (*((ClassCondition(LABEL, self.class_names),) if self.class_names else ()), *self.further)


def shuffled_splits(
    name: str,
    images: Images,
    labels: Labels | None,
    class_names: tuple[str, ...],
    note: str = "",
    *,
    columns: Mapping[str, NDArray[Any]] | None = None,
    further: tuple[Condition, ...] = (),
) -> ImageData:
    """Divide data without its own split: a frozen shuffle, then 80 % train, 10 % validation, 10 % test.

    The stream of `RandomState` never changes (NumPy NEP 19), so the same images in the same order always get the same
    splits. Fewer than `MIN_IMAGES` images raise `InputError`.
    """
    count = len(images)
    if count < MIN_IMAGES:
        raise InputError("data.too_few_images", name=name, count=count, least=MIN_IMAGES)
    order = np.random.RandomState(0).permutation(count)
    tenth = count // 10
    whole = Split(images, labels, columns or {})
    return ImageData(
        name,
        class_names,
        train=whole.at(order[: count - 2 * tenth]),
        validation=whole.at(order[count - 2 * tenth : count - tenth]),
        test=whole.at(order[count - tenth :]),
        further=further,
        note=note,
    )


def as_bytes(images: NDArray[Any]) -> Images:
    """Return the images of `check_images` as bytes: bytes as they are, floats from 0 to 1 to the nearest of 256."""
    images = check_images(images)
    return images if images.dtype == np.uint8 else np.rint(images * np.float32(255)).astype(np.uint8)


def as_floats(images: ArrayLike) -> NDArray[np.float32]:
    """Return the images of `check_images` as floats from 0 to 1."""
    images = check_images(images)
    found: NDArray[np.float32] = images.astype(np.float32, copy=False)
    return found / np.float32(255) if images.dtype == np.uint8 else found


def check_images(images: ArrayLike) -> NDArray[Any]:
    """Return images (N, C, H, W), C = 1 or 3, as an array of bytes or of floats from 0 to 1.

    Anything else raises `InputError`, above all floats from 0 to 255: which of the two scales was meant is not guessed.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise InputError("images.shape", shape=images.shape)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise InputError("images.type", dtype=images.dtype)
    if not images.size:
        return images
    low, high = float(images.min()), float(images.max())  # both are NaN where any pixel is
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise InputError("images.range", low=f"{low:g}", high=f"{high:g}")
    return images if low >= 0 and high <= 1 else images.clip(0, 1)


def _checked_labels(labels: NDArray[Any], count: int) -> Labels:
    """Return labels (count,) as whole numbers from 0; anything else raises `InputError`."""
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise InputError("npz.labels_shape", where="labels", count=count, shape=labels.shape)
    labels = whole_numbers(labels)
    if count and labels.min() < 0:
        raise InputError("npz.negative_label", where="labels", label=int(labels.min()))
    return labels.astype(np.int64, copy=False)


def check_sides(where: str, height: int, width: int) -> None:
    """Raise `InputError` unless models exist for images of this height and width, in pixels."""
    if not (MIN_SIDE <= height <= MAX_SIDE and MIN_SIDE <= width <= MAX_SIDE):
        raise InputError("data.image_size", where=where, height=height, width=width, low=MIN_SIDE, high=MAX_SIDE)


def check_class_names(where: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names; too many, repeated, empty, overlong or unprintable ones raise `InputError`."""
    if len(names) > MAX_CLASSES:
        raise InputError("data.too_many_classes", where=where, count=len(names), most=MAX_CLASSES)
    for name in names:
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            raise InputError("data.class_name", where=where, most=MAX_NAME, name=name[:20])
    if len(set(names)) < len(names):
        raise InputError("data.same_class_names", where=where)
    return tuple(names)


def reason(error: Exception) -> str:
    """Return an exception's message, short enough to be a part of a sentence."""
    text = getattr(error, "strerror", None) or str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def sorted_names(names: Iterable[str]) -> list[str]:
    """Sort names alphabetically, or as numbers, "2" before "10", if every name is a number."""
    names = list(names)
    if all(name.isdecimal() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)
