"""The command line: what it makes, how it ends, and where its runs lie."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.cli import QUICK, Answer
from helpers.engine import tiny_run, wait_until
from PIL import Image

from cvae.runs.folder import Run

IMAGES = np.random.RandomState(0).randint(0, 256, (40, 8, 8)).astype(np.uint8)
LABELS = np.arange(40) % 2


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


# --- how it ends, and how it goes on


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
