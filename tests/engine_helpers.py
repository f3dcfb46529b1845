"""What the tests of the engine share beside the fixtures of conftest.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from cvae.config import DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
from cvae.families import FAMILIES
from cvae.runs import Run
from cvae.train import fit

DIGITS = tuple("0123456789")

# Every family, cvae-predictive with both of its tasks.
KINDS = [(family, "quadrants") for family in FAMILIES] + [("cvae-predictive", "label")]


def tiny_model(family: str = "vae", **changes: Any) -> ModelConfig:
    """A model of the 8×8 digits, small enough to train in a fraction of a second."""
    return replace(ModelConfig(family, hidden=(16,), channels=(4, 8), class_names=DIGITS), **changes)


def tiny_run(family: str = "vae", *, epochs: int = 2, batch_size: int = 64, **changes: Any) -> RunConfig:
    """A run of a tiny model; `changes` are the fields of any of the config's sections."""
    sections = {
        "data": DataConfig(),
        "model": tiny_model(family),
        "objective": ObjectiveConfig(),
        "train": TrainConfig(epochs=epochs, batch_size=batch_size, lr=3e-3, threads=1, device="cpu"),
    }
    for name, value in changes.items():
        section = next(s for s, config in sections.items() if hasattr(config, name))
        sections[section] = replace(sections[section], **{name: value})
    return RunConfig(**sections)


def one_hot(*labels: int, classes: int = 10) -> Tensor:
    return torch.eye(classes)[list(labels)]


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return as soon as `true()` is; fail when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.005)


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
