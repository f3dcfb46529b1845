"""`train … --resume`: the same command goes on, other settings are refused by name, other devices are told of."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.engine import weights_equal
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from cvae.cli import main
from cvae.errors import Notice
from cvae.runs.folder import Run
from cvae.training.loop import fit

QUICK = ["--hidden", "16", "--batch-size", "300", "--threads", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVAE_RUNS", raising=False)


@pytest.fixture
def train(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """train(...): the command, which must succeed; what it prints to the standard error."""

    def run(*words: object) -> str:
        code = main(["train", *map(str, words)])
        err = capsys.readouterr().err
        assert code == 0, err
        return err

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: object) -> str:
        assert main(["train", *map(str, words)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return run


def stop_early(name: str) -> Run:
    """The finished run of that name, anew, and stopped after its first records."""
    run = Run(Path("runs") / name)
    config = run.config()
    stopped = run.path.with_name("stopped")
    records = fit(stopped, config)
    for _ in range(2):
        next(records)
    records.close()
    return Run(stopped)


@pytest.mark.parametrize(
    "options",
    [
        "--hidden 16 8 --lr 0.01 --beta 2 --binarize --full-train --lr-schedule cosine",
        "--model cvae --condition label --likelihood gaussian --sigma 0.5 --k 1",
        "--sigma 2 --alpha 0.5 --channels 4 --condition label",  # all without effect
        "--data digits --data-dir data --download",
    ],
)
def test_the_same_command_goes_on_to_the_same_weights(options: str, train: Callable[..., str]):
    words = ["--epochs", 2, *QUICK, *options.split()]
    before = train(*words, "--run", "whole")
    stopped = stop_early("whole")
    assert stopped.status().state == "stopped"
    assert train(*words, "--run", "stopped", "--resume") == before
    assert stopped.status().state == "finished"
    assert weights_equal(stopped, Run("runs/whole"))


def test_the_same_command_on_own_data_that_moved(train: Callable[..., str]):
    np.savez("own.npz", images=np.random.RandomState(0).randint(0, 256, (60, 8, 8)).astype(np.uint8))
    words = [*QUICK, "--data", "own.npz", "--epochs", 1, "--run", "mine"]
    train(*words)
    Path("elsewhere").mkdir()
    Path("own.npz").rename("elsewhere/own.npz")
    train(*words, "--epochs", 2, "--resume", "--data-dir", "elsewhere")
    assert Run("runs/mine").status().epoch == 2


def test_all_settings_that_differ_are_named_with_both_values(train: Callable[..., str], refused: Callable[..., str]):
    train(*QUICK, "--epochs", 1, "--run", "mine")
    config = (Run("runs/mine").path / "config.json").read_bytes()
    line = refused(
        *QUICK, "--run", "mine", "--resume", "--epochs", 2, "--model", "cvae", "--hidden", 12, 8, "--lr", 0.5,
        "--binarize", "--full-train", "--seed", 0,
    )  # fmt: skip
    for words in (
        "--model is cvae here and vae in the run",
        "--hidden is 12 8 here and 16 in the run",
        "--lr is 0.5 here and 0.001 in the run",
        "--binarize is dynamic here and not set in the run",
        "--full-train is on here and off in the run",
    ):
        assert words in line
    for flag in ("--seed", "--epochs", "--batch-size", "--threads"):
        assert flag not in line
    assert (Run("runs/mine").path / "config.json").read_bytes() == config


def test_a_value_that_cannot_be_is_refused_though_it_has_no_effect(
    train: Callable[..., str], refused: Callable[..., str]
):
    train(*QUICK, "--epochs", 1, "--run", "mine")
    assert "alpha" in refused("--run", "mine", "--resume", "--alpha", 7)


def test_threads_may_change(train: Callable[..., str]):
    train(*QUICK, "--epochs", 1, "--run", "mine")
    assert train("--run", "mine", "--resume", "--epochs", 2, "--threads", 2, "--device", "auto") == ""
    config = Run("runs/mine").config().train
    assert (config.threads, config.device, config.epochs) == (2, "auto", 2)


# --- a run of a GPU on the processor


@pytest.fixture
def of_a_gpu(train: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """of_a_gpu(says=…): a run after 2 of 3 epochs, with the files that a training on CUDA leaves, and no GPU here.

    The state of a generator of CUDA is 16 bytes, its seed and its offset. Older checkpoints do not name the device.
    """

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)  # on a machine with one, it is out of sight

    def make(says: str | None) -> Run:
        train(*QUICK, "--epochs", 2, "--run", "mine")
        run = Run("runs/mine")
        path = run.path / "checkpoint.safetensors"
        with safe_open(path, framework="numpy") as file:
            state = json.loads(file.metadata()["state"])
        assert state.pop("device") == "cpu"
        if says is not None:
            state["device"] = says
        arrays = load_file(path)
        arrays["generator"] = np.frombuffer(np.array([0, 400], np.int64).tobytes(), np.uint8)
        save_file(arrays, path, {"state": json.dumps(state)})
        config = json.loads((run.path / "config.json").read_text())
        config["train"]["device"] = "cuda"
        (run.path / "config.json").write_text(json.dumps(config))
        return run

    return make


@pytest.mark.parametrize("says", ["cuda", None])
@pytest.mark.parametrize("options", [[], ["--device", "cpu"], ["--device", "auto"]])
def test_a_run_of_a_gpu_goes_on_without_one(
    says: str | None, options: list[str], of_a_gpu: Callable[..., Run], train: Callable[..., str]
):
    run = of_a_gpu(says)
    (line,) = train("--run", "mine", "--resume", "--epochs", 3, *options).splitlines()
    assert "mine was trained on a GPU (CUDA) and goes on on the processor" in line
    assert "no longer bit for bit the same" in line
    assert run.status().state == "finished"
    assert run.config().train.device == (options[1] if options else "auto")
    last = [record["loss"] for record in run.history() if record["split"] == "validation"]
    assert len(last) == 3
    assert last[2] < last[1]
    assert train("--run", "mine", "--resume", "--epochs", 4) == ""  # from here on it is one of the processor


def test_a_device_that_is_asked_for_must_be_here(of_a_gpu: Callable[..., Run], refused: Callable[..., str]):
    of_a_gpu("cuda")
    assert "no CUDA device" in refused("--run", "mine", "--resume", "--epochs", 3, "--device", "cuda")


def test_the_queue_goes_on_with_a_run_of_a_gpu(of_a_gpu: Callable[..., Run]):
    """It gives no config."""
    run = of_a_gpu("cuda")
    config = json.loads((run.path / "config.json").read_text())
    config["train"]["epochs"] = 3
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.warns(Notice, match="goes on on the processor"):
        assert len(list(fit(run.path, resume=True))) > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(fit(run.path, resume=True)) == []


def test_other_draws_than_those_of_the_first_steps_follow(of_a_gpu: Callable[..., Run], train: Callable[..., str]):
    run = of_a_gpu("cuda")
    train("--run", "mine", "--resume", "--epochs", 3)
    generator = torch.Generator()
    generator.set_state(torch.from_numpy(load_file(run.path / "checkpoint.safetensors")["generator"]))
    assert generator.initial_seed() != 0
