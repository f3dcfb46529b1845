"""This module reads the user's own image files: a folder with a subfolder per class, or with the images themselves."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cvae.data.images import (
    MAX_BYTES,
    MAX_SIDE,
    MIN_SIDE,
    ImageData,
    Images,
    check_class_names,
    reason,
    shuffled_splits,
    sorted_names,
)
from cvae.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
FORMATS = ("PNG", "JPEG", "BMP", "GIF")  # Pillow tries no other format, whatever the suffix is
MAX_PIXELS = 50_000_000  # the most pixels of one file; a few kilobytes can unpack to gigabytes
SIDE = 32  # the side of resized images; a power of two suits the convolutional networks


def load_folder(folder: Path) -> ImageData:
    """Read a folder of PNG, JPEG, BMP and GIF files into shuffled 80/10/10 splits.

    Each subfolder with images is a class and gives its name; images directly in the folder are an unlabelled set.
    Ignore hidden files, other files and deeper folders; take the first frame of a moving picture; make transparency
    white. If all images are grey, the data has one channel, otherwise three. If all have the same size of 8 to 64
    pixels a side, keep this size; otherwise crop each image to its central square, resize it to 32×32, and say so in
    the data's `note`.

    Raise `InputError` for an image that cannot be read, a single class, more than 256 classes, images both in the
    folder and in its subfolders, fewer than 30 images, or over 512 MB of pixels.
    """
    try:
        own = _image_files(folder)
        classes = {f.name: files for f in _subfolders(folder) if (files := _image_files(f))}
    except OSError as error:
        raise InputError("file.unreadable", path=error.filename, reason=reason(error)) from error
    name = folder.resolve().name
    if own and classes:
        raise InputError("folder.mixed", folder=folder)
    if not own and not classes:
        raise InputError("folder.no_images", folder=folder, suffixes=", ".join(SUFFIXES))
    if own:
        images, note = _read_all(own)
        return shuffled_splits(name, images, None, (), note)
    if len(classes) == 1:
        raise InputError("folder.one_class", folder=folder, name=next(iter(classes)))
    class_names = check_class_names(str(folder), sorted_names(classes))
    images, note = _read_all([file for c in class_names for file in classes[c]])
    labels = np.repeat(np.arange(len(class_names), dtype=np.int64), [len(classes[c]) for c in class_names])
    return shuffled_splits(name, images, labels, class_names, note)


def _subfolders(folder: Path) -> list[Path]:
    return [Path(e.path) for e in os.scandir(folder) if e.is_dir() and not e.name.startswith((".", "__"))]


def _image_files(folder: Path) -> list[Path]:
    """Return sorted files, so that the shuffle of the splits starts from the same order everywhere."""
    files = (Path(e.path) for e in os.scandir(folder) if e.is_file() and not e.name.startswith("."))
    return sorted(file for file in files if file.suffix.lower() in SUFFIXES)


def _read_all(files: list[Path]) -> tuple[Images, str]:
    """Read all files as bytes (N, C, H, W), with a note if they were resized."""
    pictures: list[Image.Image] = []  # none larger than MAX_SIDE
    sizes: set[tuple[int, int]] = set()
    volume = 0
    for file in files:
        picture, original = _read(file)
        pictures.append(picture)
        sizes.add(original)
        volume += 3 * picture.width * picture.height
        if volume > MAX_BYTES:
            raise InputError("folder.too_large", file=file, most=MAX_BYTES // 2**20)
    keep = len(sizes) == 1 and all(MIN_SIDE <= side <= MAX_SIDE for side in next(iter(sizes)))
    note = "" if keep else f"Images were cropped to their central square and resized to {SIDE}×{SIDE}."
    images = np.stack([np.asarray(p if keep else _square(p)) for p in pictures])  # (N, H, W, 3)
    if (images[..., :1] == images).all():
        images = images[..., :1]
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), note


def _read(file: Path) -> tuple[Image.Image, tuple[int, int]]:
    """Return the image as RGB, cropped and resized if it is larger than MAX_SIDE, and its original width and height."""
    try:
        with _open(file) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError("folder.image_too_large", file=file, width=width, height=height)
            large = max(width, height) > MAX_SIDE
            if large:
                image.draft(None, (MAX_SIDE, MAX_SIDE))  # Pillow then decodes a JPEG at about this size
            picture = _rgb(ImageOps.exif_transpose(image))
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many types for damaged files
        raise InputError("folder.unreadable", file=file, reason=reason(error)) from error
    return (_square(picture), (width, height)) if large else (picture, picture.size)


def _open(file: Path) -> Image.Image:
    """Read only the header, without Pillow's own size warning, because MAX_PIXELS is the limit here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(file, formats=FORMATS)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip to white
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
