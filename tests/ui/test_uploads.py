"""The user's own data and downloads on the page of a training."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.app import Open, button, checked, en, field, sentences, written
from streamlit.testing.v1 import AppTest

from cvae.runs.folder import Run
from cvae.runs.queue import Jobs

pytestmark = pytest.mark.usefixtures("folders")


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zip_bomb() -> bytes:
    """A header that promises 100,000 images of 64×64, and 2 GB of zeros that pack to almost nothing."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (500_000, 64, 64)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("images.npy", "w") as member:
        member.write(header.getvalue())
        for _ in range(64):
            member.write(bytes(2**24))
    return file.getvalue()


IMAGES = np.random.default_rng(0).integers(0, 256, (60, 12, 12), dtype=np.uint8)


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    field(app, "data").set_value("own")
    checked(app.run())
    app.file_uploader(key="train.upload").set_value((name, content, "application/octet-stream"))
    return checked(app.run())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a", "is not a readable .npz file"),
        (npz(pictures=IMAGES), "has no array `images`"),
        (npz(images=IMAGES[:3]), "at least 30"),
        (npz(images=np.array([{}, None], dtype=object)), "Python objects"),
        (npz(images=IMAGES, labels=np.arange(7)), "labels must have shape"),
        (zip_bomb(), "at most 512 MB"),
    ],
    ids=["no npz", "no images", "too few", "pickled", "labels do not fit", "zip bomb"],
)
def test_an_upload_that_is_no_data_set_is_a_sentence(open_page: Open, folders: Path, content: bytes, said: str):
    app = upload(open_page("train"), "mine.npz", content)
    box = sentences(app).replace("\\", "")
    assert said in box
    assert "mine" in box
    assert str(folders.parent) not in box
    assert not list((folders.parent / "data" / "own").iterdir())
    assert button(app, en("train.start")).disabled


@pytest.mark.parametrize("name", ["my images.npz", "../../../tmp/evil.npz", "..\\..\\evil.npz", "....npz", "图像.npz"])
def test_an_uploaded_data_set_is_kept_under_a_plain_name_and_trained_on(open_page: Open, folders: Path, name: str):
    app = upload(open_page("train"), name, npz(images=IMAGES, labels=np.arange(60) % 3))
    own = folders.parent / "data" / "own"
    (kept,) = own.iterdir()
    assert kept.suffix == ".npz"
    assert not kept.name.startswith(".")
    assert not list(folders.parent.glob("*.npz"))
    assert "60 images of 12×12 pixels, 3 classes" in written(app)
    button(app, en("train.start")).click()
    checked(app.run())
    (run,) = Jobs().waiting()
    config = Run(Jobs().folder / run).config()
    assert (config.data.name, config.model.image_shape) == (str(kept.resolve()), (1, 12, 12))
    assert config.model.class_names == ("0", "1", "2")


def test_another_file_of_the_same_name_replaces_nothing(open_page: Open, folders: Path):
    app = upload(open_page("train"), "mine.npz", npz(images=IMAGES))
    upload(app, "mine.npz", npz(images=IMAGES[::-1]))
    assert sorted(path.name for path in (folders.parent / "data" / "own").iterdir()) == ["mine-2.npz", "mine.npz"]


def test_without_labels_no_conditional_model_is_offered(open_page: Open):
    app = upload(open_page("train"), "mine.npz", npz(images=IMAGES))
    assert field(app, "family").options == ["AE", "VAE", "Predictive CVAE"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'echo \'{"error": {"key": "file.unreadable", "values": {"path": "t10k", "reason": "gone"}}}\'; exit 2',
            "t10k cannot be read (gone).",
        ),
        ("echo Killed; exit 1", "Killed"),
        ('echo \'{"done": 5000000, "total": 9000000, "file": "train.gz"}\'; exit 0', None),
    ],
)
def test_a_download_says_how_it_goes(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str | None
):
    app = open_page("train")
    field(app, "data").set_value("mnist")
    checked(app.run())
    assert button(app, en("train.start")).disabled
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    button(app, en("train.download", name="MNIST")).click()
    checked(app.run())
    assert [str(box.value).replace("\\", "") for box in app.error] == ([said] if said else [])
