"""The command line: what it makes, and bad input: one line on stderr, exit code 2, nothing left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.engine import tiny_run, wait_until
from PIL import Image

from cvae.cli import main
from cvae.data import ImageData
from cvae.runs.folder import Run
from cvae.training.loop import fit

QUICK = ["--epochs", "1", "--hidden", "16", "--threads", "1", "--device", "cpu"]
IMAGES = np.random.RandomState(0).randint(0, 256, (40, 8, 8)).astype(np.uint8)
LABELS = np.arange(40) % 2


@dataclass
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """cli("train", ...): one command in an empty directory, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVAE_RUNS", raising=False)

    def run(*argv: object) -> Answer:
        try:
            code = main([str(arg) for arg in argv])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(cli: Callable[..., Answer]) -> Callable[..., str]:
    """refused("train", ...): the one line that the command ends in, having left the directory as it was."""

    def run(*argv: object) -> str:
        before = tree(Path())
        answer = cli(*argv)
        assert answer.code == 2
        assert answer.err.startswith("cvae")
        assert answer.err.count("\n") == 1, answer.err
        assert "Traceback" not in answer.err
        assert tree(Path()) == before
        return answer.err

    return run


@pytest.fixture
def run(trained: Callable[..., Run], tmp_path: Path) -> Run:
    """A trained VAE, as runs/vae."""
    return Run(shutil.copytree(trained("vae").path, tmp_path / "runs" / "vae"))


def tree(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}


# --- what it makes


def test_train_evaluate_sample_manifold_list(cli: Callable[..., Answer]):
    trained = cli("train", "--model", "cvae", *QUICK, "--epochs", 2)
    assert trained.code == 0, trained.err
    assert "epoch   2.00/2  validation" in trained.out
    run = Run("runs/cvae-digits-1")
    assert run.status().state == "finished"

    measured = cli("evaluate", "cvae-digits-1", "--samples", 3, "--json")
    figures = json.loads(measured.out)
    keys = {"model", "split", "reconstruction", "kl", "neg_elbo", "nll", "nll_samples", "active_units", "kl_per_dim"}
    assert keys <= figures.keys()
    assert figures == run.metrics()
    assert "neg_elbo" in cli("evaluate", run.path, "--samples", 3).out

    assert cli("sample", run.path, "--label", 2, "--n", 5, "--out", "grid.png").code == 0
    assert cli("sample", run.path, "--label", "3+8", "--out", "mixture.png").code == 0
    assert cli("manifold", run.path, "--label", 2, "--steps", 4).code == 0
    for name in ("grid.png", "mixture.png", "manifold.png"):
        with Image.open(name) as picture:
            assert picture.size[0] > 30

    listed = cli("list").out
    assert "cvae-predictive" in listed
    assert "fashion-mnist" in listed
    assert "cvae-digits-1" in listed

    assert cli("train", "--model", "cvae", *QUICK).code == 0
    assert Run("runs/cvae-digits-2").status().state == "finished"


def test_every_option_reaches_the_config(cli: Callable[..., Answer]):
    options = "--model cvae-predictive --net conv --hidden 12 8 --channels 4 --activation tanh --latent-dim 3"
    options += " --likelihood gaussian --sigma 0.5 --task quadrants --quadrants 2 --beta 2 --kl-warmup 0.5"
    options += " --recon-weight 0.5 --k 2 --alpha 0.5 --epochs 1 --batch-size 500 --lr 0.01 --seed 5 --threads 1"
    options += " --lr-schedule cosine --device cpu --binarize --full-train --run mine"
    assert cli("train", *options.split()).code == 0
    expected = tiny_run(
        "cvae-predictive", net="conv", hidden=(12, 8), channels=(4,), activation="tanh", latent_dim=3,
        likelihood="gaussian", sigma=0.5, quadrants=2, beta=2.0, kl_warmup=0.5, recon_weight=0.5, k=2, alpha=0.5,
        epochs=1, batch_size=500, lr=0.01, lr_schedule="cosine", seed=5, binarize="dynamic", full_train=True,
    )  # fmt: skip
    assert Run("runs/mine").config() == expected


def test_resume_goes_on(cli: Callable[..., Answer], run: Run):
    assert cli("train", "--resume", "--run", run.path, "--epochs", 21).code == 0
    assert run.status().epoch == 21
    assert "more" in cli("train", "--resume", "--run", run.path, "--epochs", 3).err


def test_own_images_are_found_again_from_anywhere(cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch):
    np.savez("own.npz", images=IMAGES, labels=LABELS)
    assert cli("train", "--data", "own.npz", "--model", "cvae", *QUICK, "--run", "mine").code == 0
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert cli("evaluate", "../runs/mine", "--samples", 2).code == 0


def test_a_console_without_arrows_is_no_reason_to_fail(cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert cli("list").code == 0
    sys.stdout.flush()
    assert b"E_q(z|x) log p(x|z) ? KL" in written.getvalue()


def test_help_is_there_for_every_command(cli: Callable[..., Answer]):
    for command in ("train", "evaluate", "sample", "manifold", "bench", "list"):
        assert command in cli("--help").out
        answer = cli(command, "--help")
        assert answer.code == 0
        assert "usage" in answer.out


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
    refused("sample", run.path, "--out", "/proc/grid.png")


# --- Ctrl-C


def test_ctrl_c_stops_and_saves(cli: Callable[..., Answer]):
    def press() -> None:
        run = Run("runs/mine")
        wait_until(lambda: run.path.exists() and run.status().step > 0)
        os.kill(os.getpid(), signal.SIGINT)

    finger = threading.Thread(target=press)
    finger.start()
    answer = cli("train", *QUICK, "--epochs", 100_000, "--run", "mine")
    finger.join()
    assert answer.code == 0
    assert "stopped after" in answer.out
    assert Run("runs/mine").status().state == "stopped"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_anything_began_ends_quietly(cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch):
    def pressed(*args: object, **options: object) -> Iterator[None]:
        os.kill(os.getpid(), signal.SIGINT)
        yield

    monkeypatch.setattr("cvae.training.loop.fit", pressed)
    answer = cli("train", *QUICK)
    assert answer.code == 130
    assert "Traceback" not in answer.err
    assert list(Path().iterdir()) == []


def test_a_training_that_diverges_exits_with_1(cli: Callable[..., Answer]):
    answer = cli("train", *QUICK, "--lr", 10, "--run", "mine")
    assert answer.code == 1
    assert "step 2" in answer.err
    assert Run("runs/mine").status().state == "failed"


def test_resume_refuses_settings_that_it_would_ignore(refused: Callable[..., str], run: Run):
    assert "--lr" in refused("train", "--run", run.path, "--resume", "--lr", "0.5")


def test_resume_takes_the_settings_that_the_run_has(cli: Callable[..., Answer], refused: Callable[..., str], run: Run):
    own = run.config()
    assert "--latent-dim" in refused("train", "--run", run.path, "--resume", "--latent-dim", own.model.latent_dim + 1)
    same = ("--latent-dim", own.model.latent_dim, "--lr", own.train.lr)
    assert cli("train", "--run", run.path, "--resume", "--epochs", own.train.epochs + 1, *same).code == 0


def test_an_option_without_effect_gets_one_line_and_the_training_goes_on(cli: Callable[..., Answer]):
    answer = cli("train", *QUICK, "--sigma", 2, "--run", "mine")
    assert answer.code == 0
    assert answer.err == "--sigma has no effect here: the likelihood is bernoulli.\n"
    assert cli("train", *QUICK, "--likelihood", "gaussian", "--sigma", 2, "--run", "other").err == ""


def test_own_data_that_moved_is_found_with_data_dir(cli: Callable[..., Answer], tmp_path: Path):
    np.savez(tmp_path / "mine.npz", images=IMAGES)
    assert cli("train", "--data", tmp_path / "mine.npz", *QUICK, "--run", "moved").code == 0
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine.npz").rename(tmp_path / "elsewhere" / "mine.npz")
    assert cli("evaluate", "moved", "--data-dir", tmp_path / "elsewhere", "--samples", 2).code == 0


# --- where runs lie


@pytest.mark.parametrize("folder", ["runs", "kept/elsewhere"])
def test_a_plain_name_is_one_below_the_runs_folder(
    folder: str, cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
):
    if folder != "runs":
        monkeypatch.setenv("CVAE_RUNS", folder)
    assert cli("train", *QUICK, "--run", "my run").code == 0
    assert Run(Path(folder) / "my run").status().state == "finished"
    assert [path.name for path in Path().iterdir()] == [folder.split("/")[0]]
    for command in ("evaluate --samples 2", "sample --out a.png", "manifold --out a.png --steps 2"):
        name, *options = command.split()
        assert cli(name, "my run", *options).code == 0
    assert cli("train", "--run", "my run", "--resume", "--epochs", 2).code == 0
    assert Run(Path(folder) / "my run").status().epoch == 2


def test_a_path_is_taken_as_it_is(cli: Callable[..., Answer], refused: Callable[..., str]):
    assert cli("train", *QUICK, "--run", "./mine").code == 0
    assert Run("mine").status().state == "finished"
    assert not Path("runs").exists()
    assert cli("evaluate", "./mine", "--samples", 2).code == 0
    assert "./mine" in refused("evaluate", "mine")


def test_a_run_of_ones_own_goes_before_a_shipped_one_of_its_name(cli: Callable[..., Answer]):
    assert cli("train", *QUICK, "--epochs", 2, "--run", "digits-vae").code == 0
    assert json.loads(cli("evaluate", "digits-vae", "--samples", 2, "--json").out) == Run("runs/digits-vae").metrics()
