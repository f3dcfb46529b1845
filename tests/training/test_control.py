"""What a training obeys, asked through its run folder while it runs in another thread."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.engine import tiny_run, wait_until

from cvae.data import ImageData
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.training.loop import fit


class Background(threading.Thread):
    """A training in a thread of its own, as a page or another process would watch it: through the run folder."""

    def __init__(self, run: Run, *args: Any, **options: Any) -> None:
        super().__init__(daemon=True)
        self.run_folder, self.args, self.options = run, args, options
        self.records: list[dict[str, Any]] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for record in fit(self.run_folder.path, *self.args, **self.options):
                self.records.append(record)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Background:
        self.start()
        wait_until(lambda: (self.run_folder.path / "status.json").exists() and self.run_folder.status().step > 0)
        return self

    def __exit__(self, *error: object) -> None:
        self.run_folder.request("stop")
        self.join(10)
        assert not self.is_alive()


def test_pause_step_and_go_on(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        run.request("pause")
        wait_until(lambda: run.status().state == "paused")
        step = run.status().step
        time.sleep(0.2)
        assert run.status().step == step  # it stays where it is
        assert run.locked()

        for moved in (1, 2):
            run.request("step")
            wait_until(lambda moved=moved: run.status().step == step + moved)
        time.sleep(0.1)
        assert run.status().step == step + 2
        assert run.history()[-1]["step"] == step + 2  # a single step is shown
        run.request("step", 5)
        wait_until(lambda: run.status().step == step + 7)
        assert run.status().state == "paused"

        run.request("run")
        wait_until(lambda: run.status().state == "running" and run.status().step > step + 7)
    assert training.error is None
    assert run.status().state == "stopped"
    assert not run.locked()


def test_stop_while_paused_saves_and_ends(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        training.run_folder.request("pause")
        wait_until(lambda: training.run_folder.status().state == "paused")
        step = training.run_folder.status().step
    assert training.run_folder.status().step == step
    assert training.run_folder.status().state == "stopped"
    assert (path / "checkpoint.safetensors").exists()


def test_slow_motion_keeps_its_pace(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        run.request("slow", 20)
        time.sleep(0.3)  # until the trainer has seen it

        def steps() -> int:
            return sum(record["split"] == "train" for record in run.history())

        before, began = steps(), time.monotonic()
        wait_until(lambda: steps() >= before + 10, 30)
        assert time.monotonic() - began > 8 / 20  # ten steps, at most 20 a second


def test_time_spent_paused_does_not_count(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        run.request("pause")
        wait_until(lambda: run.status().state == "paused")
        time.sleep(1.5)
        before = run.history()[-1]["seconds"]
        run.request("step")
        wait_until(lambda: len(run.history()) > 0 and run.history()[-1]["step"] == run.control().until)
        assert run.history()[-1]["seconds"] - before < 1.5


def test_while_someone_watches_there_is_a_live_picture(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        assert run.live() is None
        run.watch()
        wait_until(lambda: run.live() is not None)
        live = run.live()
        assert live["codes"].shape == (64, 2)
        assert live["strip"].shape == (16, 1, 8, 8)
        wait_until(lambda: run.status().step >= int(live["step"][0]) > 0)


def test_one_run_is_trained_once_at_a_time(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        before = training.run_folder.config()
        with pytest.raises(InputError, match="already being trained"):
            next(fit(path, data=few_digits, resume=True))
        assert training.run_folder.status().state == "running"
        assert training.run_folder.config() == before
