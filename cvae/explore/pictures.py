"""Images → one picture: a grid as an array, as a PNG file, or as the frames of a GIF.

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
    """Images side by side as one, in pixels 0 … 255.

    images: (rows, columns, C, H, W) as it lies, or (N, C, H, W) from left to right, by default about as wide as high;
    floats in [0, 1] or bytes, C = 1 or 3. What a last row lacks is left blank. gap: grey pixels between the images.
    paper: grey images are shown as ink on paper, 0 being white; colours are left as they are.
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
    """Return a PNG file. width: enlarged, pixel by pixel, by the whole factor that comes nearest to that many."""
    file = io.BytesIO()
    Image.fromarray(_enlarge(pixels, width)).save(file, "PNG")
    return file.getvalue()


def gif(images: NDArray[Any], *, seconds: float = 4.0, width: int = 0, paper: bool = False) -> bytes:
    """Return a GIF file that shows images (N, C, H, W) one after the other, in `seconds` altogether, again and
    again."""
    frames = [Image.fromarray(_enlarge(grid(image[None], paper=paper), width)) for image in images]
    milliseconds = max(20, round(1000 * seconds / len(frames)))  # browsers slow anything faster down
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, disposal=1)
    return file.getvalue()


def _enlarge(pixels: Pixels, width: int) -> Pixels:
    factor = max(1, round(width / pixels.shape[1]))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
