"""This module reads MNIST's file format (IDX), of which torchvision keeps four files below `<dir>/<Dataset>/raw`.

A file has two zero bytes, one byte for the type (8 = unsigned byte), one for the number of dimensions, the dimensions
as big-endian 32-bit numbers, then the bytes (http://yann.lecun.com/exdb/mnist).
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from cvae.data.images import MAX_BYTES, ImageData, Images, Labels, Split, check_sides, reason
from cvae.errors import InputError

FILES = {  # name: number of dimensions
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}


def find_idx(folder: Path, name: str) -> Path | None:
    """Return the file of this name, else its `.gz`, else None."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if os.path.isfile(path)), None)


def read_idx(path: Path, dimensions: int) -> Images:
    """Read an IDX file of bytes with `dimensions` dimensions, plain or `.gz`; other files raise `InputError`."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
            header = file.read(4 + 4 * dimensions)
            if len(header) < 4 + 4 * dimensions or header[:4] != bytes((0, 0, 8, dimensions)):
                raise InputError("idx.no_idx", path=path, dimensions=dimensions)
            shape = struct.unpack(f">{dimensions}I", header[4:])
            size = math.prod(shape)
            if size > MAX_BYTES:
                raise InputError("idx.too_large", path=path, size=size, most=MAX_BYTES)
            array = np.empty(shape, np.uint8)
            found = file.readinto(array.reshape(-1).data)
            if found < size:
                raise InputError("idx.too_short", path=path, found=found, size=size)
            if file.read(1):
                raise InputError("idx.too_long", path=path, size=size)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("idx.unreadable", path=path, reason=reason(error)) from error
    return array


def load_raw(folder: Path, name: str, class_names: tuple[str, ...]) -> ImageData:
    """Load the data set from the four files in torchvision's `raw` folder.

    Validation is the last sixth of the training images, in the files' order: 10,000 of MNIST's 60,000. Damaged files,
    or files that do not fit together, raise `InputError`.
    """
    arrays = [read_idx(find_idx(folder, file) or folder / file, rank) for file, rank in FILES.items()]
    train_images, train_labels = _pair(folder, "training", arrays[0], arrays[1], len(class_names))
    test_images, test_labels = _pair(folder, "test", arrays[2], arrays[3], len(class_names))
    if train_images.shape[1:] != test_images.shape[1:]:
        raise InputError("idx.sizes_differ", folder=folder)
    cut = len(train_images) - len(train_images) // 6
    return ImageData(
        name,
        class_names,
        train=Split(train_images[:cut], train_labels[:cut]),
        validation=Split(train_images[cut:], train_labels[cut:]),
        test=Split(test_images, test_labels),
    )


def _pair(folder: Path, part: str, images: Images, labels: Images, classes: int) -> tuple[Images, Labels]:
    if len(images) != len(labels) or len(images) < 6:
        raise InputError(
            "idx.training_pair" if part == "training" else "idx.test_pair",
            folder=folder, images=len(images), labels=len(labels),
        )  # fmt: skip
    if labels.max() >= classes:
        raise InputError(
            "idx.training_label" if part == "training" else "idx.test_label",
            folder=folder, label=int(labels.max()), classes=classes,
        )  # fmt: skip
    check_sides(str(folder), *images.shape[1:])
    return images[:, None], labels.astype(np.int64)
