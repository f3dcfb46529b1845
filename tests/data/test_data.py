"""The registered data sets: the registry, files in MNIST's format, the download. On small files that are made here."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import json
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.data import complaint, load, unshuffled

from cvae.data import DATASETS, ImageData, dataset_ids, download, one_hot
from cvae.data import __main__ as data_main
from cvae.data.idx import FILES
from cvae.errors import InputError, KeyedError

NAMES = tuple(FILES)
DOWNLOADS = [name for name in DATASETS if DATASETS[name].downloadable]


# --- the registry


def test_every_data_set_is_described():
    assert dataset_ids()[0] == "digits"
    for name, dataset in DATASETS.items():
        assert dataset.id == name
        assert dataset.title
        assert dataset.licence
        assert dataset.source
        assert len(dataset.class_names) == len(set(dataset.class_names)) > 1
        assert dataset.epochs >= 1
        assert bool(dataset.files) == dataset.downloadable  # files that nobody has can be fetched


def test_digits_are_what_scikit_learn_has():
    from sklearn.datasets import load_digits

    data = load("digits")
    images, labels = unshuffled(data)
    bunch = load_digits()
    assert images.dtype == np.uint8
    assert np.array_equal(images[:, 0], np.rint(bunch.images * 255 / 16))
    assert np.array_equal(labels, bunch.target)
    assert data.image_shape == DATASETS["digits"].image_shape
    assert tuple(map(len, (data.train, data.validation, data.test))) == DATASETS["digits"].sizes
    assert data.train.labels[:8].tolist() == [2, 8, 2, 6, 6, 7, 1, 9]  # the frozen shuffle


def test_data_is_read_without_torch():
    code = (
        "import sys; from cvae.data import load_data; from cvae.config import DataConfig; load_data(DataConfig());"
        "sys.exit('torch' in sys.modules or 'torchvision' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


def test_one_hot():
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot(np.array([], np.int64), 3).shape == (0, 3)
    assert one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.array([0, 3]), "labels must lie from 0 to 2, not 0 to 3"),
        (np.array([-1, 0]), "not -1 to 0"),
        (np.array([0.0, 1.0]), "whole numbers from 0, not float64"),
        (np.array([True, False]), "not bool"),
        (np.array([[0], [1]]), r"shape \(N,\), one for each image, not \(2, 1\)"),
        (np.int64(1), r"not \(\)"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels: Any, sentence: str):
    with pytest.raises(InputError, match=sentence):
        one_hot(labels, 3)
    assert "0 to 2, not 1 to 3" in complaint(one_hot, np.array([1, 3]), 3)


def test_unknown_name_lists_the_choices():
    message = complaint(load, "minst")
    assert all(choice in message for choice in (*DATASETS, ".npz", "folder"))


def test_path_that_leads_nowhere(tmp_path):
    assert "does not exist" in complaint(load, tmp_path / "none.npz")
    assert "does not exist" in complaint(load, tmp_path / ("x" * 5000))
    (tmp_path / "notes.txt").write_text("hello")
    assert "not an .npz" in complaint(load, tmp_path / "notes.txt")


# --- files in MNIST's format


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Contents of the four files, in miniature: 60 training images of 9×8, 20 for the test."""
    random = np.random.RandomState(1)
    shapes = ((60, 9, 8), (60,), (20, 9, 8), (20,))
    return {n: random.randint(0, 10 if len(s) == 1 else 256, s) for n, s in zip(NAMES, shapes, strict=True)}


@pytest.fixture
def raw(tmp_path, arrays) -> Path:
    """A data directory's MNIST/raw that holds those files."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        (folder / name).write_bytes(idx(array))
    return folder


def check_miniature(data: ImageData, arrays: dict[str, np.ndarray]) -> None:
    images, labels, test_images, test_labels = arrays.values()
    assert data.image_shape == (1, 9, 8)
    for split, wanted_images, wanted_labels in (
        (data.train, images[:50], labels[:50]),
        (data.validation, images[50:], labels[50:]),  # the last sixth: 10,000 of 60,000
        (data.test, test_images, test_labels),
    ):
        assert np.array_equal(split.images[:, 0], wanted_images)
        assert np.array_equal(split.labels, wanted_labels)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert split.images.flags.c_contiguous  # torch.from_numpy shares the memory
        assert split.images.flags.writeable


@pytest.mark.parametrize("name", DOWNLOADS)
@pytest.mark.parametrize("packed", [False, True])
def test_torchvision_layout(tmp_path, arrays, raw, name, packed):
    dataset = DATASETS[name]
    raw.parent.rename(tmp_path / dataset.torchvision)
    if packed:
        for file in dataset.folder(tmp_path).iterdir():
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
            file.unlink()
    data = load(name, tmp_path)
    check_miniature(data, arrays)
    assert data.name == name
    assert data.class_names == dataset.class_names
    assert dataset.missing(tmp_path) == []


def test_data_directory_is_below_the_working_directory_by_default(tmp_path, arrays, raw, monkeypatch):
    (tmp_path / "data").mkdir()
    raw.parent.rename(tmp_path / "data" / "MNIST")
    monkeypatch.chdir(tmp_path)
    check_miniature(load("mnist"), arrays)


def test_absent_files_are_named_with_the_ways_to_get_them(tmp_path, raw):
    message = complaint(load, "kmnist", tmp_path)
    assert str(tmp_path / "KMNIST" / "raw") in message
    assert "--data kmnist --download" in message
    assert "--data-dir" in message
    (raw / NAMES[1]).unlink()
    assert f"lacks {NAMES[1]}:" in complaint(load, "mnist", tmp_path)


DAMAGE = {
    "truncated": (0, lambda b: b[:-1], "stops after"),
    "trailing": (0, lambda b: b + b"x", "goes on after"),
    "empty": (2, lambda b: b"", "not an IDX file"),
    "foreign": (2, lambda b: b"\x89PNG" + b, "not an IDX file"),
    "labels for images": (0, lambda b: idx(np.arange(60)), "not an IDX file"),
    "forged size": (0, lambda b: struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3), "announces"),
    "other count": (1, lambda b: idx(np.arange(59) % 10), "59 labels"),
    "no images": (2, lambda b: idx(np.zeros((0, 9, 8))), "0 test images"),
    "label 10": (1, lambda b: idx(np.arange(60) % 11), "label is 10"),
    "other sides": (2, lambda b: idx(np.zeros((20, 8, 8))), "differ in size"),
    "tiny": (0, lambda b: idx(np.zeros((60, 7, 8))), "7×8"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_idx_files(tmp_path, raw, damage):
    number, change, words = DAMAGE[damage]
    file = raw / NAMES[number]
    file.write_bytes(change(file.read_bytes()))
    assert words in complaint(load, "mnist", tmp_path)


@pytest.mark.parametrize("change", [lambda b: b[:-9], lambda b: b"no gz", lambda b: b[:40] + b"\xff" * 40 + b[80:]])
def test_damaged_gz_files(tmp_path, raw, change):
    file = raw / NAMES[0]
    (raw / f"{NAMES[0]}.gz").write_bytes(change(gzip.compress(file.read_bytes())))
    file.unlink()
    assert f"{NAMES[0]}.gz" in complaint(load, "mnist", tmp_path)


# --- download


class Mirror:
    """A web server on this machine with the four files of MNIST, packed."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
        )
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def mirror(tmp_path, raw, monkeypatch):
    """torchvision's list of mirrors and checksums, pointed at a server here; its data directory is tmp_path/new."""
    import torchvision.datasets

    packed = {f"{name}.gz": gzip.compress((raw / name).read_bytes()) for name in NAMES}
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, content in packed.items():
        (folder / name).write_bytes(content)
    mirror = Mirror(folder)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    assert [name for name, _ in torchvision.datasets.MNIST.resources] == list(packed)
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", sums)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror.url + "gone/", mirror.url])
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


def test_download(tmp_path, arrays, mirror):
    reports: list[tuple[int, int | None, str]] = []
    download("mnist", tmp_path / "new", lambda *report: reports.append(report))
    check_miniature(load("mnist", tmp_path / "new"), arrays)
    assert [name for _, _, name in reports] == [f"{name}.gz" for name in NAMES]
    assert all(done == total for done, total, _ in reports)
    folder = DATASETS["mnist"].folder(tmp_path / "new")
    assert sorted(file.name for file in folder.iterdir()) == sorted(NAMES)

    mirror.asked.clear()
    download("mnist", tmp_path / "new")
    assert mirror.asked == []  # what is whole is kept
    (folder / NAMES[2]).write_bytes(b"half")
    download("mnist", tmp_path / "new")
    assert mirror.asked == [f"/gone/{NAMES[2]}.gz", f"/{NAMES[2]}.gz"]
    check_miniature(load("mnist", tmp_path / "new"), arrays)


def test_download_of_another_file_leaves_nothing(tmp_path, mirror):
    (tmp_path / "mirror" / f"{NAMES[0]}.gz").write_bytes(b"a login page")
    message = complaint(download, "mnist", tmp_path / "new")
    assert "MD5" in message
    assert "File not found" in message  # the other mirror's reason
    assert not (tmp_path / "new").exists()


def test_download_broken_off_keeps_what_is_whole(tmp_path, mirror):
    def stop(done: int, total: int | None, name: str) -> None:
        if name.startswith(NAMES[1]):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("mnist", tmp_path / "new", stop)
    folder = DATASETS["mnist"].folder(tmp_path / "new")
    assert [file.name for file in folder.iterdir()] == [NAMES[0]]


def test_download_without_network_leaves_nothing(tmp_path, mirror):
    mirror.server.shutdown()
    mirror.server.server_close()
    message = complaint(download, "mnist", tmp_path / "new")
    assert "refused" in message
    assert str(tmp_path / "new" / "MNIST" / "raw") in message
    assert not (tmp_path / "new").exists()


def test_download_to_where_nothing_can_be_written(tmp_path, mirror):
    (tmp_path / "new").write_text("a file in the way")
    assert "cannot be written" in complaint(download, "mnist", tmp_path / "new")
    assert mirror.asked == []


def test_download_of_what_is_not_downloaded(tmp_path):
    download("digits", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert "mnist" in complaint(download, "minst", tmp_path / "new")


def test_a_download_as_a_process_reports_in_lines_of_json(tmp_path, capsys, monkeypatch):
    def download(name, directory, progress):
        progress(5, None, "train.gz")
        progress(9, 9, f"{name} in {directory}")

    monkeypatch.setattr(data_main, "download", download)
    assert data_main.main("mnist", str(tmp_path)) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"done": 5, "total": None, "file": "train.gz"},
        {"done": 9, "total": 9, "file": f"mnist in {tmp_path}"},
    ]


def test_a_download_as_a_process_says_why_it_failed(tmp_path, capsys):
    assert data_main.main("nothing", str(tmp_path)) == 2
    error = KeyedError.from_json(json.loads(capsys.readouterr().out)["error"])
    assert "there is no data 'nothing'" in str(error)
