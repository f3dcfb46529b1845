"""Bad input on the command line and full disks: one line on stderr, exit code 2, nothing left behind."""

from __future__ import annotations

import contextlib
import resource
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.cli import QUICK, Answer
from helpers.engine import tiny_run

from cvae.data import ImageData
from cvae.runs.folder import Run
from cvae.training.loop import fit

IMAGES = np.random.RandomState(0).randint(0, 256, (40, 8, 8)).astype(np.uint8)
LABELS = np.arange(40) % 2


# --- options that cannot be


@pytest.mark.parametrize(
    "options",
    [
        "--model gan",
        "--net transformer",
        "--data imagenet",
        "--data nowhere.npz",
        "--data no/folder",
        "--likelihood poisson",
        "--activation gelu",
        "--hidden 0",
        "--hidden 400 -3",
        "--channels 0",
        "--latent-dim 0",
        "--sigma 0",
        "--task segment --model cvae-predictive",
        "--quadrants 4",
        "--beta -1",
        "--beta nan",
        "--kl-warmup -1",
        "--free-bits inf",
        "--k 0",
        "--k 5 --free-bits 0.1",
        "--alpha 2",
        "--recon-weight -1",
        "--epochs 0",
        "--batch-size 0",
        "--lr 0",
        "--lr nan",
        "--lr abc",
        "--seed -1",
        "--seed 99999999999999999999",
        "--threads 0",
        "--device tpu",
        "--surprise",
        "--resume",
        "--resume --run nowhere",
        "--run vae",  # exists
        "--run runs/vae/config.json/deeper",
    ],
)
def test_train_refuses(options: str, refused: Callable[..., str], run: Run):
    refused("train", *options.split())


def test_a_device_that_is_not_here_is_refused(refused: Callable[..., str]):
    assert "device" in refused("train", "--device", "mps" if torch.cuda.is_available() else "cuda")


@pytest.mark.parametrize(
    "command",
    [
        "evaluate nowhere",
        "evaluate .",
        "evaluate vae --samples 0",
        "evaluate vae --samples many",
        "evaluate vae --seed -1",
        "evaluate vae --seed 99999999999999999999",
        "sample nowhere",
        "sample vae --n 0",
        "sample vae --label 3",  # a plain VAE
        "sample vae --seed -1",
        "sample vae --temperature -1",
        "sample vae --temperature nan",
        "sample vae --out no/folder.png",
        "sample vae --out .",
        "manifold vae --steps 1",
        "manifold nowhere",
        "bench --data-dir nowhere",
        "dance",
        "",
    ],
)
def test_the_other_commands_refuse(command: str, refused: Callable[..., str], run: Run):
    refused(*command.split())


@pytest.mark.parametrize("label", ["10", "", "+", "3+10", "three", "-1"])
def test_a_label_out_of_range_is_refused(label: str, refused: Callable[..., str], trained: Callable[..., Run]):
    for command in ("sample", "manifold"):
        assert "label" in refused(command, trained("cvae").path, f"--label={label}")


def test_a_conditional_model_asks_for_its_label(refused: Callable[..., str], trained: Callable[..., Run]):
    assert "--label" in refused("sample", trained("cvae").path)


# --- data that cannot be used


@pytest.mark.parametrize(
    ("content", "model"),
    [
        ({"images": np.array([IMAGES[0], "picture"], dtype=object)}, "vae"),
        ({"images": np.where(IMAGES > 250, np.nan, IMAGES / 255)}, "vae"),
        ({"images": IMAGES[0]}, "vae"),
        ({"images": np.zeros((40, 5, 5), np.uint8)}, "vae"),
        ({"images": np.zeros((40, 8, 8, 2), np.uint8)}, "vae"),
        ({"images": IMAGES[:0]}, "vae"),
        ({"images": IMAGES[:5]}, "vae"),
        ({"pictures": IMAGES}, "vae"),
        ({}, "vae"),
        ({"images": IMAGES, "labels": LABELS * 0}, "cvae"),  # one class
        ({"images": IMAGES, "labels": LABELS[:-1]}, "cvae"),
        ({"images": IMAGES, "labels": LABELS - 1}, "cvae"),
        ({"images": IMAGES}, "cvae"),  # no labels
    ],
)
def test_an_npz_that_cannot_be_used_is_refused(content: dict[str, np.ndarray], model: str, refused: Callable[..., str]):
    np.savez("own.npz", **content)
    refused("train", "--data", "own.npz", "--model", model, *QUICK)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"GIF89a"])
def test_a_damaged_npz_is_refused(content: bytes, refused: Callable[..., str]):
    Path("own.npz").write_bytes(content)
    refused("train", "--data", "own.npz", *QUICK)


def test_data_that_is_not_there_is_refused_with_a_way_out(refused: Callable[..., str]):
    assert "--download" in refused("train", "--data", "mnist", "--data-dir", "nowhere")


def test_a_download_without_network_is_refused(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch):
    def offline(*args: object, **options: object) -> None:
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    assert "check the network" in refused("train", "--data", "mnist", "--data-dir", "d", "--download", *QUICK)
    assert list(Path().iterdir()) == []


def test_data_that_was_taken_away_is_refused(cli: Callable[..., Answer], refused: Callable[..., str]):
    np.savez("own.npz", images=IMAGES)
    assert cli("train", "--data", "own.npz", *QUICK, "--run", "mine").code == 0
    Path("own.npz").unlink()
    for command in (("evaluate", "mine"), ("train", "--resume", "--run", "mine", "--epochs", "2")):
        assert "own.npz" in refused(*command)


# --- runs that cannot be used


@pytest.mark.parametrize("command", ["evaluate", "sample", "manifold"])
def test_damaged_or_foreign_weights_are_refused(
    command: str, refused: Callable[..., str], run: Run, few_digits: ImageData
):
    whole = (run.path / "model.safetensors").read_bytes()
    list(fit("other", tiny_run(hidden=(17,), epochs=1), data=few_digits))
    other = Path("other/model.safetensors").read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1], b"\x80\x04 a pickle", other):
        (run.path / "model.safetensors").write_bytes(content)
        refused(command, run.path)
    (run.path / "model.safetensors").unlink()
    assert "no trained weights" in refused(command, run.path)


@pytest.mark.parametrize("command", ["evaluate", "sample", "manifold", "train --resume --run"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 99}'])
def test_a_folder_that_is_no_run_is_refused(command: str, content: str, refused: Callable[..., str], run: Run):
    (run.path / "config.json").write_text(content)
    assert "config.json" in refused(*command.split(), run.path)
    shutil.rmtree(run.path)
    run.path.mkdir()
    assert "is not a run" in refused(*command.split(), run.path)


def test_a_run_that_cannot_be_read_does_not_hide_the_others(cli: Callable[..., Answer], trained: Callable[..., Run]):
    for name in ("good", "bad"):
        shutil.copytree(trained("vae").path, Path("runs") / name)
    Path("runs/bad/config.json").write_text("{")
    answer = cli("list")
    assert answer.code == 0
    assert "unreadable" in answer.out
    assert "good" in answer.out


# --- disks


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A write beyond `size` bytes fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("digits")  # scikit-learn writes a file when it is first imported
@pytest.mark.parametrize("size", [10, 2_000])  # config.json does not fit; it does, but the weights do not
def test_a_full_disk_leaves_no_half_made_run(size: int, refused: Callable[..., str]):
    with files_of_at_most(size):
        assert "cannot write the run" in refused("train", *QUICK, "--run", "./mine")
    assert not Path("mine").exists()
    assert list(Path().iterdir()) == []


def test_a_disk_that_fills_up_ends_the_training_as_failed(cli: Callable[..., Answer]):
    with files_of_at_most(22_000):  # all but the checkpoint fit
        answer = cli("train", *QUICK, "--run", "mine")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    run = Run("runs/mine")
    assert run.status().state == "failed"
    assert "cannot write the run" in run.status().message
    assert cli("train", "--resume", "--run", "mine").code == 0
    assert run.status().state == "finished"


def test_a_picture_that_does_not_fit_on_the_disk_gets_one_line(cli: Callable[..., Answer], run: Run):
    with files_of_at_most(100):
        answer = cli("sample", run.path, "--out", "grid.png")
    assert answer.code == 2
    assert answer.err.count("\n") == 1


def test_a_read_only_disk_gets_one_line(refused: Callable[..., str], run: Run):
    """Below /proc not even root can write."""
    assert "cannot write" in refused("train", *QUICK, "--run", "/proc/run")
    assert "cannot use /proc/grid.png: " in refused("sample", run.path, "--out", "/proc/grid.png")
