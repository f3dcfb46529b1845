"""This module reads the user's images from an `.npz` file of `numpy.savez(path, images=…, labels=…, class_names=…)`.

The file may come from anyone: the reader unpickles nothing, and checks the declared sizes before decompression.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvae.data.images import (
    MAX_BYTES,
    MAX_CLASSES,
    ImageData,
    Images,
    Labels,
    check_class_names,
    check_sides,
    reason,
    shuffled_splits,
    sorted_names,
)
from cvae.errors import InputError

KEYS = ("images", "labels", "class_names")
BLOCK = 4096  # images converted at a time; this limits the memory of floats
SLACK = 1e-3  # allowed share of the range beyond its ends, as resizing in floats overshoots

Array = NDArray[Any]


def load_npz(path: Path) -> ImageData:
    """Read the user's `.npz` file into shuffled 80/10/10 splits.

    The file has these arrays:
        images: (N, H, W), (N, H, W, 1) or (N, H, W, 3), height and width 8 to 64. Whole numbers, floats or booleans.
            If the largest value is at most 1, the range is 0..1, otherwise 0..255.
        labels: (N,), optional: whole numbers from 0, or texts. Leave it out for an unlabelled set.
        class_names: (K,), optional texts: `class_names[i]` names label i. Without it the labels are the names.

    Raise `InputError` for all other input: another kind of file, a damaged one, Python objects, values that are not
    finite or out of range, fewer than 30 images, a single class, more than 256 classes, over 512 MB decompressed.
    """
    arrays = _read(path)
    if "images" not in arrays:
        raise InputError("npz.no_images", path=path)
    images, note = _pixels(arrays["images"], f"{path}: images")
    if "labels" in arrays:
        labels, names = _classes(arrays["labels"], arrays.get("class_names"), len(images), str(path))
    elif "class_names" in arrays:
        raise InputError("npz.no_labels", path=path)
    else:
        labels, names = None, ()
    return shuffled_splits(path.stem, images, labels, names, note)


def _read(path: Path) -> dict[str, Array]:
    """Read those arrays of `KEYS` that the file holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            wanted = {key: members[f"{key}.npy"] for key in KEYS if f"{key}.npy" in members}
            size = sum(info.file_size for info in wanted.values())
            if size > MAX_BYTES:
                raise InputError("npz.too_large", path=path, size=size / 2**20, most=MAX_BYTES // 2**20)
            return {key: _array(archive, info, f"{path}: {key}") for key, info in wanted.items()}
    except InputError:
        raise
    except Exception as error:  # the parsers of zip and npy raise errors of many types for a damaged file
        raise InputError("npz.unreadable", path=path, reason=reason(error)) from error


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Array:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError("npz.packing", where=where)
    # Read only the header first: read_array would allocate any shape that a forged header announces.
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise InputError("npz.version", where=where, version=version)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise InputError("npz.objects", where=where)
        if math.prod(shape) * dtype.itemsize != info.file_size - file.tell():
            raise InputError("npz.wrong_size", where=where, dtype=dtype, shape=shape)
    with archive.open(info) as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _pixels(images: Array, where: str) -> tuple[Images, str]:
    """Convert all images that `load_npz` allows to bytes (N, C, H, W), and return them with a note."""
    if images.dtype.kind not in "buif":
        raise InputError("npz.not_numbers", where=where, dtype=images.dtype)
    shape = images.shape
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        if len(shape) == 4 and shape[1] in (1, 3):
            raise InputError("npz.channels_first", where=where, shape=shape)
        if len(shape) == 2:
            raise InputError("npz.flat", where=where, shape=shape)
        raise InputError("npz.shape", where=where, shape=shape)
    if len(images) == 0:
        raise InputError("npz.empty", where=where)
    count, height, width, channels = images.shape
    check_sides(where, height, width)

    low, high = float(images.min()), float(images.max())  # both are NaN if any pixel is NaN
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError("npz.not_finite", where=where)
    top = 1 if high <= 1 + SLACK else 255
    if low < -SLACK * top or high > top * (1 + SLACK):
        raise InputError("npz.pixel_range", where=where, low=low, high=high)
    if low == high:
        raise InputError("npz.blank", where=where, value=low)

    pixels = np.empty((count, channels, height, width), np.uint8)
    for start in range(0, count, BLOCK):
        block = images[start : start + BLOCK] * np.float32(255 / top)
        pixels[start : start + BLOCK] = np.rint(np.clip(block, 0, 255)).transpose(0, 3, 1, 2)
    dark = top == 255 and high < 64
    return pixels, f"The pixels were read as 0 to 255, and the brightest is {high:g}." if dark else ""


def _classes(labels: Array, names: Array | None, count: int, where: str) -> tuple[Labels, tuple[str, ...]]:
    """Convert all labels that `load_npz` allows to numbers 0..K-1 (N,), and return them with the K names."""
    if labels.shape != (count,):
        raise InputError("npz.labels_shape", where=where, count=count, shape=labels.shape)
    given = None if names is None else _names(names, where)
    if labels.dtype.kind in "US":
        words = _texts(labels, f"{where}: labels")
        class_names = given or check_class_names(where, sorted_names(set(words)))
        number = {name: index for index, name in enumerate(class_names)}
        if unknown := set(words) - set(number):
            raise InputError("npz.unknown_label", where=where, label=min(unknown))
        numbers = np.array([number[word] for word in words], np.int64)
    elif labels.dtype.kind in "biu":
        if labels.min() < 0:
            raise InputError("npz.negative_label", where=where, label=int(labels.min()))
        values, positions = np.unique(labels, return_inverse=True)
        if given is None:
            class_names = check_class_names(where, [str(value) for value in values.astype(np.uint64)])
            numbers = positions.astype(np.int64)
        elif values[-1] < len(given):
            class_names, numbers = given, labels.astype(np.int64)
        else:
            raise InputError("npz.unnamed_label", where=where, label=int(values[-1]), last=len(given) - 1)
    else:
        raise InputError("npz.labels_type", where=where, dtype=labels.dtype)
    if len(np.unique(numbers)) < 2:
        raise InputError("npz.same_labels", where=where)
    return numbers, class_names


def _names(names: Array, where: str) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind not in "US" or not 1 <= len(names) <= MAX_CLASSES:
        raise InputError("npz.class_names", where=where, most=MAX_CLASSES, dtype=names.dtype, shape=names.shape)
    return check_class_names(where, _texts(names, f"{where}: class_names"))


def _texts(array: Array, where: str) -> list[str]:
    try:
        texts: list[str] = (np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array).tolist()
    except (UnicodeError, ValueError, SystemError) as error:  # some code points do not exist
        raise InputError("npz.not_text", where=where, reason=reason(error)) from error
    return texts
