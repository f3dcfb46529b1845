"""The user's own images: what is read is what was written, and bad input is one clear sentence."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.data import complaint, load, unshuffled
from PIL import Image

from cvae.data import npz
from cvae.errors import InputError

# --- an .npz file

GREY = np.random.RandomState(2).randint(0, 256, (50, 9, 10)).astype(np.uint8)
COLOUR = np.random.RandomState(3).randint(0, 256, (50, 8, 64, 3)).astype(np.uint8)
BINARY = GREY > 127
PAIRS = np.arange(50) % 2


def save(folder: Path, **arrays: object) -> Path:
    path = folder / "own.npz"
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        (GREY, GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (COLOUR, COLOUR.transpose(0, 3, 1, 2)),
        (np.asfortranarray(COLOUR), COLOUR.transpose(0, 3, 1, 2)),
        (GREY.astype(">i8"), GREY[:, None]),
        (GREY / 255, GREY[:, None]),
        ((GREY / 255).astype(np.float16), GREY[:, None]),
        (GREY / 255 * 1.0005, GREY[:, None]),
        (GREY.astype(np.float32), GREY[:, None]),
        (BINARY, BINARY[:, None] * 255),
        (BINARY.astype(np.uint8), BINARY[:, None] * 255),
    ],
)
def test_npz_images(tmp_path, images, wanted):
    data = load(save(tmp_path, images=images))
    read, labels = unshuffled(data)
    assert read.dtype == np.uint8
    assert np.array_equal(read, wanted)
    assert labels is None
    assert data.class_names == ()
    assert data.name == "own"
    assert data.note == ""


def test_npz_that_is_darker_than_its_range_says_so(tmp_path):
    assert "brightest is 15" in load(save(tmp_path, images=GREY // 17)).note


@pytest.mark.parametrize(
    ("extra", "names", "wanted"),
    [
        ({"labels": PAIRS}, ("0", "1"), PAIRS),
        ({"labels": PAIRS.astype(bool)}, ("0", "1"), PAIRS),
        ({"labels": (PAIRS * 3 + 7).astype(np.uint8)}, ("7", "10"), PAIRS),
        ({"labels": PAIRS + 1, "class_names": ["a", "b", "c"]}, ("a", "b", "c"), PAIRS + 1),
        ({"labels": np.array(["10", "9"])[PAIRS]}, ("9", "10"), 1 - PAIRS),
        ({"labels": np.array(["é".encode(), b"a"])[PAIRS]}, ("a", "é"), 1 - PAIRS),
        ({"labels": np.array(["cat", "dog"])[PAIRS], "class_names": ["dog", "cat"]}, ("dog", "cat"), 1 - PAIRS),
    ],
)
def test_npz_labels(tmp_path, extra, names, wanted):
    data = load(save(tmp_path, images=GREY, **extra))
    assert data.class_names == names
    assert np.array_equal(unshuffled(data)[1], wanted)


def with_pixel(value: float) -> np.ndarray:
    images = GREY / 255
    images[3, 4, 5] = value
    return images


BAD_NPZ = {
    "no images array": ({"x_train": GREY}, "no array `images`"),
    "objects": ({"images": np.array([{}] * 50)}, "Python objects"),
    "object labels": ({"images": GREY, "labels": np.array(["a", 1] * 25, object)}, "Python objects"),
    "NaN": ({"images": with_pixel(np.nan)}, "not finite"),
    "infinity": ({"images": with_pixel(np.inf)}, "not finite"),
    "negative": ({"images": with_pixel(-1)}, "range from -1 to 1"),
    "too bright": ({"images": with_pixel(300)}, "range from 0 to 300"),
    "blank": ({"images": GREY * 0}, "blank"),
    "complex": ({"images": GREY * 1j}, "must be numbers"),
    "text": ({"images": GREY.astype(str)}, "must be numbers"),
    "one image": ({"images": GREY[0]}, "not (9, 10)"),
    "flat": ({"images": GREY.reshape(50, 90)}, "reshape(-1, height, width)"),
    "channels first": ({"images": COLOUR.transpose(0, 3, 1, 2)}, "transpose(0, 2, 3, 1)"),
    "two channels": ({"images": COLOUR[..., :2]}, "not (50, 8, 64, 2)"),
    "empty": ({"images": GREY[:0]}, "is empty"),
    "few": ({"images": GREY[:29]}, "holds 29 images"),
    "small": ({"images": GREY[:, :7]}, "7×10"),
    "large": ({"images": np.ones((50, 8, 65))}, "8×65"),
    "labels too short": ({"images": GREY, "labels": PAIRS[:49]}, "(50,), one for each image, not (49,)"),
    "one-hot labels": ({"images": GREY, "labels": np.eye(2)[PAIRS]}, "not (50, 2)"),
    "float labels": ({"images": GREY, "labels": PAIRS / 1}, "not float64"),
    "negative label": ({"images": GREY, "labels": PAIRS - 1}, "one is -1"),
    "one class": ({"images": GREY, "labels": PAIRS * 0}, "leave `labels` out"),
    "one name": ({"images": GREY, "labels": ["a"] * 50}, "leave `labels` out"),
    "300 classes": ({"images": np.tile(GREY, (6, 1, 1)), "labels": np.arange(300)}, "300 classes"),
    "unnamed label": ({"images": GREY, "labels": PAIRS * 2, "class_names": ["a", "b"]}, "names 0 to 1"),
    "unknown label": ({"images": GREY, "labels": ["a", "b"] * 25, "class_names": ["a", "c"]}, "'b' is not among"),
    "names alone": ({"images": GREY, "class_names": ["a", "b"]}, "no labels"),
    "names twice": ({"images": GREY, "labels": PAIRS, "class_names": ["a", "a"]}, "name of its own"),
    "names as numbers": ({"images": GREY, "labels": PAIRS, "class_names": [1, 2]}, "texts, not int64"),
    "no names": ({"images": GREY, "labels": PAIRS, "class_names": np.array([], str)}, "texts"),
    "empty name": ({"images": GREY, "labels": PAIRS, "class_names": ["a", " "]}, "printable"),
    "unprintable name": ({"images": GREY, "labels": ["a", "b\n"] * 25}, "printable"),
    "not UTF-8": ({"images": GREY, "labels": [b"a", b"\xff"] * 25}, "not readable as text"),
}


@pytest.mark.parametrize("case", BAD_NPZ)
def test_bad_npz(tmp_path, case):
    arrays, words = BAD_NPZ[case]
    assert words in complaint(load, save(tmp_path, **arrays))


def test_npz_that_would_unpack_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    path = save(tmp_path, images=GREY)
    monkeypatch.setattr(npz, "MAX_BYTES", GREY.nbytes)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *args: pytest.fail("was opened"))
    assert "decompressed" in complaint(load, path)


def test_npz_with_a_forged_shape_is_not_allocated(tmp_path):
    member = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 9, 10)}
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("images.npy", member.getvalue() + GREY.tobytes())
    assert "is damaged" in complaint(load, tmp_path / "own.npz")


def test_npz_packed_in_a_way_that_numpy_does_not_use(tmp_path):
    member = io.BytesIO()
    np.save(member, GREY)
    with zipfile.ZipFile(tmp_path / "own.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("images.npy", member.getvalue())
    assert "packed" in complaint(load, tmp_path / "own.npz")


def test_npz_damaged_anywhere(tmp_path):
    whole = save(tmp_path, images=GREY, labels=PAIRS).read_bytes()
    path = tmp_path / "damaged.npz"
    random = np.random.RandomState(4)
    cuts = [whole[:length] for length in np.linspace(0, len(whole) - 1, 40, dtype=int)]
    for damaged in cuts:
        path.write_bytes(damaged)
        assert "not a readable .npz" in complaint(load, path)
    for _ in range(300):
        flipped = bytearray(whole)
        flipped[random.choice([random.randint(200), random.randint(len(whole))])] ^= 1 << random.randint(8)
        path.write_bytes(flipped)
        with contextlib.suppress(InputError):  # only that; and some bits, as of a date, may be anything
            load(path)


# --- the user's own folder


def put(folder: Path, images: np.ndarray, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03}{suffix}")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".PNG"])
def test_folder_of_class_folders(tmp_path, suffix):
    for name, part in (("2", GREY[:20]), ("10", GREY[20:]), (".hidden", GREY), ("__MACOSX", GREY)):
        put(tmp_path / "own" / name, part, suffix)
    (tmp_path / "own" / "empty").mkdir()
    (tmp_path / "own" / "readme.txt").write_text("not an image")
    (tmp_path / "own" / "2" / ".hidden.png").write_text("not an image")
    data = load(tmp_path / "own")
    images, labels = unshuffled(data)
    assert data.name == "own"
    assert data.class_names == ("2", "10")
    assert data.note == ""
    assert np.array_equal(images, GREY[:, None])
    assert np.array_equal(labels, [0] * 20 + [1] * 30)


def test_folder_without_classes_in_colour(tmp_path):
    put(tmp_path, COLOUR)
    images, labels = unshuffled(load(tmp_path))
    assert np.array_equal(images, COLOUR.transpose(0, 3, 1, 2))
    assert labels is None


def test_one_coloured_image_makes_the_data_coloured(tmp_path):
    put(tmp_path, GREY)
    Image.fromarray(COLOUR[0, :8, :8]).resize((10, 9)).save(tmp_path / "000.png")
    data = load(tmp_path)
    assert data.image_shape == (3, 9, 10)
    assert np.array_equal(unshuffled(data)[0][1], np.stack([GREY[1]] * 3))


def test_grey_photographs_as_jpeg(tmp_path):
    put(tmp_path, np.broadcast_to(np.arange(0, 250, 5, dtype=np.uint8)[:, None, None, None], (50, 16, 16, 3)), ".jpeg")
    images, _ = unshuffled(load(tmp_path))
    assert images.shape == (50, 1, 16, 16)
    assert abs(images[:, 0, 8, 8].astype(int) - np.arange(0, 250, 5)).max() <= 2


@pytest.mark.parametrize("sizes", [(100, 100), (30, 40), (4, 4)])
def test_images_of_other_sizes_are_cropped_and_resized(tmp_path, sizes):
    for number in range(30):
        side = sizes[number % 2]
        image = np.zeros((side, 2 * side), np.uint8)  # only its central square is white
        image[:, side // 2 : side // 2 + side] = 255
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    data = load(tmp_path)
    assert data.image_shape == (1, 32, 32)
    assert data.train.images.min() == 255
    assert "32×32" in data.note


def test_large_jpeg_is_read_in_its_orientation(tmp_path):
    put(tmp_path, GREY)
    image = Image.new("L", (800, 400))
    image.paste(255, (400, 0, 800, 400))
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by 90° clockwise
    image.save(tmp_path / "000.jpg", exif=turned)
    (tmp_path / "000.png").unlink()
    first = unshuffled(load(tmp_path))[0][0, 0]
    assert first[:12].max() < 20
    assert first[20:].min() > 235


def test_transparency_is_white_and_16_bit_grey_keeps_its_range(tmp_path):
    put(tmp_path, GREY)
    Image.fromarray(np.dstack([np.zeros((9, 10, 3), np.uint8), GREY[0]]), "RGBA").save(tmp_path / "000.png")
    Image.fromarray(GREY[1].astype(np.uint16) * 257).save(tmp_path / "001.png")
    images, _ = unshuffled(load(tmp_path))
    assert np.array_equal(images[0, 0], 255 - GREY[0])
    assert np.array_equal(images[1, 0], GREY[1])


def test_folder_that_is_no_data_set(tmp_path):
    assert "holds no images" in complaint(load, tmp_path)
    put(tmp_path / "a" / "deeper", GREY)
    assert "holds no images" in complaint(load, tmp_path)
    put(tmp_path / "a", GREY[:28])
    assert "one class alone, a;" in complaint(load, tmp_path)
    put(tmp_path / "b", GREY[:1])
    assert "holds 29 images" in complaint(load, tmp_path)
    put(tmp_path, GREY[:1])
    assert "one or the other" in complaint(load, tmp_path)


def test_folder_with_too_many_classes(tmp_path):
    for number in range(257):
        put(tmp_path / str(number), GREY[:1])
    assert "257 classes" in complaint(load, tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", "cut", "bomb"])
def test_unreadable_image_is_named(tmp_path, content):
    put(tmp_path, GREY)
    bad = tmp_path / "025.png"
    if content == "cut":
        content = bad.read_bytes()[:-60]
    if content == "bomb":
        Image.new("1", (10_000, 10_000)).save(bad)
    else:
        bad.write_bytes(content)
    assert str(bad) in complaint(load, tmp_path)
