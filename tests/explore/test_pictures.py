"""Pictures: where every image lies in the grid, what its pixels become, and files that open."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cvae.explore.pictures import GAP, GAP_ON_PAPER, gif, grid, png


def flat(*values: float, channels: int = 1, size: tuple[int, int] = (2, 3)) -> np.ndarray:
    """Images of one value each."""
    return np.stack([np.full((channels, *size), value, dtype=np.float32) for value in values])


def test_images_are_laid_out_row_by_row() -> None:
    pixels = grid(flat(0.0, 0.2, 0.4, 0.6, 0.8), columns=3)
    assert pixels.shape == (4, 9)
    np.testing.assert_array_equal(pixels[::2, ::3], [[0, 51, 102], [153, 204, 0]])


def test_a_grid_of_images_keeps_its_rows() -> None:
    images = flat(*np.arange(6) / 5).reshape(3, 2, 1, 2, 3)
    np.testing.assert_array_equal(grid(images)[::2, ::3], [[0, 51], [102, 153], [204, 255]])


def test_columns_default_to_a_square_picture() -> None:
    assert grid(flat(*[0.5] * 16, size=(8, 8))).shape == (32, 32)
    assert grid(flat(*[0.5] * 8, size=(4, 8))).shape == (16, 16)
    assert grid(flat(0.5)).shape == (2, 3)


def test_rounding_and_clipping() -> None:
    np.testing.assert_array_equal(grid(flat(-1, 0.501, 2), columns=3)[0, ::3], [0, 128, 255])


def test_bytes_stay_bytes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1, 1, 5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(grid(images), images[0, 0])


def test_gaps_lie_between_the_images_only() -> None:
    for paper, line in ((False, GAP), (True, GAP_ON_PAPER)):
        pixels = grid(flat(1, 1, 1, 1), columns=2, gap=1, paper=paper)
        assert pixels.shape == (5, 7)
        assert (pixels[2] == line).all()
        assert (pixels[:, 3] == line).all()
        assert (np.delete(np.delete(pixels, 2, 0), 3, 1) == (0 if paper else 255)).all()


def test_what_a_last_row_lacks_is_blank() -> None:
    pixels = grid(flat(1, 1, 1), columns=2, gap=1)
    assert (pixels[3:, 4:] == 0).all()
    assert (grid(flat(1, 1, 1), columns=2, gap=1, paper=True)[3:, 4:] == 255).all()


def test_on_paper_grey_is_inverted_and_colour_is_not() -> None:
    np.testing.assert_array_equal(grid(flat(0, 0.2, 1), columns=2, paper=True)[::2, ::3], [[255, 204], [0, 255]])
    colour = grid(flat(0, 0.2, channels=3), columns=2, paper=True)
    assert colour.shape == (2, 6, 3)
    assert colour[0, ::3, 0].tolist() == [0, 51]


def test_channels_end_up_last() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1, 3, 4, 5), dtype=np.uint8)
    np.testing.assert_array_equal(grid(images), images[0].transpose(1, 2, 0))


@pytest.mark.parametrize("channels", [1, 3])
def test_png_holds_the_pixels_enlarged(channels: int) -> None:
    pixels = grid(np.random.default_rng(0).random((4, channels, 5, 5)))
    with Image.open(io.BytesIO(png(pixels, 35))) as picture:
        assert picture.size == (40, 40)
        np.testing.assert_array_equal(np.asarray(picture)[::4, ::4], pixels)
    with Image.open(io.BytesIO(png(pixels))) as picture:
        assert picture.size == (10, 10)


@pytest.mark.parametrize("channels", [1, 3])
def test_gif_shows_every_image_in_turn_without_end(channels: int) -> None:
    values = [0.0, 0.2, 0.6, 1.0]
    with Image.open(io.BytesIO(gif(flat(*values, channels=channels), seconds=2, width=30))) as picture:
        assert picture.n_frames == 4
        assert picture.size == (30, 20)
        assert picture.info["loop"] == 0
        for i, value in enumerate(values):
            picture.seek(i)
            assert picture.info["duration"] == 500
            np.testing.assert_allclose(np.asarray(picture.convert("L")), round(255 * value), atol=1)


def test_gif_on_paper() -> None:
    with Image.open(io.BytesIO(gif(flat(0.0, 1.0), paper=True))) as picture:
        assert (np.asarray(picture.convert("L")) == 255).all()
