"""A training that is killed outright, again and again, loses nothing.

The trainers are processes of their own, forked by a server that has torch imported already, so that each costs a
fraction of a second. They checkpoint all the time, so that most of what follows happens between two epochs' ends.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from helpers.engine import tiny_run, wait_until
from helpers.trainer import train

from cvae.data import ImageData
from cvae.runs.folder import Run

CONFIG = tiny_run("cvae", epochs=5, batch_size=8, binarize="dynamic")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServerContext]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cvae.training.loop", "torch._dynamo", "helpers.trainer"])  # dynamo: for Adam
    with pytest.MonkeyPatch.context() as patch:
        # AppTest leaves its script there, and each trainer would run it.
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        yield context


@pytest.fixture(scope="module")
def uninterrupted(server: ForkServerContext, few_digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("whole") / "run")
    trainer = server.Process(target=train, args=(run.path, CONFIG, few_digits, None))
    trainer.start()
    trainer.join(60)
    assert trainer.exitcode == 0
    return run


def check_opens(run: Run) -> None:
    """Everything that a page reads of a run, at any moment."""
    assert Run.open(run.path).config().model.family == "cvae"
    assert run.status().state in ("interrupted", "finished")
    assert not run.locked()
    assert all(record["step"] > 0 for record in run.history())
    for step in run.snapshot_steps():
        assert np.isfinite(run.snapshot(step)["codes"]).all()
    if run.snapshot_steps():
        assert run.weights()
        assert run.codes()["codes"].shape == (64, 2)


def check_equal(run: Run, whole: Run) -> None:
    assert run.status().state == whole.status().state == "finished"
    for file in sorted(whole.path.rglob("*.safetensors")):
        if file.name != "checkpoint.safetensors":  # which holds times
            assert (run.path / file.relative_to(whole.path)).read_bytes() == file.read_bytes(), file.name
    assert run.snapshot_steps() == whole.snapshot_steps()
    times = ("seconds", "images_per_second")
    histories = ([{k: v for k, v in r.items() if k not in times} for r in each.history()] for each in (run, whole))
    assert next(histories) == next(histories)
    assert not [path for path in run.path.rglob(".*") if path.is_file()]


def kill_at_some_moment(trainer: BaseProcess, run: Run, choose: random.Random) -> None:
    """Let it write a few records more, and kill it an instant later."""
    enough = len(run.history()) + choose.randint(0, 5)
    wait_until(lambda: len(run.history()) >= enough or not trainer.is_alive(), 60)
    time.sleep(choose.uniform(0, 0.01))
    trainer.kill()


@pytest.mark.parametrize("how", ["at some moment", "before some file operation"])
def test_killed_again_and_again_it_ends_with_the_same_weights(
    how: str, server: ForkServerContext, uninterrupted: Run, few_digits: ImageData, tmp_path: Path
):
    run, choose = Run(tmp_path / "run"), random.Random(0)
    kills = 0
    for last in [False] * 12 + [True]:
        config = None if run.path.exists() else CONFIG
        operations = choose.randint(0, 60) if how == "before some file operation" and not last else None
        trainer = server.Process(target=train, args=(run.path, config, few_digits, operations))
        trainer.start()
        if how == "at some moment" and not last:
            kill_at_some_moment(trainer, run, choose)
        trainer.join(60)
        if trainer.exitcode == -signal.SIGKILL:
            kills += 1
            if run.path.exists():
                check_opens(run)
        else:
            assert trainer.exitcode == 0
    assert kills >= 8
    check_equal(run, uninterrupted)
