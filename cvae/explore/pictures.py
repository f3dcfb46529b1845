"""This module joins images to one picture: a grid as an array, a PNG file, or the frames of a GIF.

png(grid(manifold(model)), 1200)     # 20 × 20 decoded images, about 1,200 pixels wide
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (h, w) grey, or (h, w, 3) colour
GAP, GAP_ON_PAPER = 70, 200  # the grey between images


def grid(images: NDArray[Any], columns: int | None = None, *, gap: int = 0, paper: bool = False) -> Pixels:
    """Put images side by side in one picture, with pixels 0 … 255.

    `images` are (rows, columns, C, H, W), or (N, C, H, W) in rows, by default about as wide as high; they are floats
    in [0, 1] or bytes, C = 1 or 3. Missing images of the last row are blank. `gap` is the number of grey pixels
    between images. `paper` shows grey images as ink on paper, where 0 is white; colours stay the same.
    """
    if images.ndim == 5:
        columns = images.shape[1]
        images = images.reshape(-1, *images.shape[2:])
    count, channels, height, width = images.shape
    columns = columns or max(1, min(count, math.ceil(math.sqrt(count * height / width))))
    rows = max(1, math.ceil(count / columns))

    values = images if images.dtype == np.uint8 else np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)
    ink = paper and channels == 1
    blank = 255 if ink else 0
    line = GAP_ON_PAPER if paper else GAP
    tiles = np.full((rows * columns, height + gap, width + gap, channels), line, dtype=np.uint8)
    tiles[:, :height, :width] = tiles[count:] = blank
    tiles[:count, :height, :width] = (255 - values if ink else values).transpose(0, 2, 3, 1)
    tiles = tiles.reshape(rows, columns, height + gap, width + gap, channels)
    whole = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * (height + gap), columns * (width + gap), channels)
    whole = whole[: rows * (height + gap) - gap, : columns * (width + gap) - gap]
    return whole[..., 0] if channels == 1 else whole


def png(pixels: Pixels, width: int = 0) -> bytes:
    """Make a PNG file, enlarged by the whole factor that comes nearest to `width` pixels."""
    file = io.BytesIO()
    Image.fromarray(_enlarge(pixels, width)).save(file, "PNG")
    return file.getvalue()


def gif(images: NDArray[Any], *, seconds: float = 4.0, width: int = 0, paper: bool = False) -> bytes:
    """Make a GIF file that shows images (N, C, H, W) one after the other in a loop of `seconds`."""
    frames = [Image.fromarray(_enlarge(grid(image[None], paper=paper), width)) for image in images]
    milliseconds = max(20, round(1000 * seconds / len(frames)))  # browsers slow down faster GIFs
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, disposal=1)
    return file.getvalue()


def _enlarge(pixels: Pixels, width: int) -> Pixels:
    factor = max(1, round(width / pixels.shape[1]))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
