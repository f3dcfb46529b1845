"""Provide helpers for the tests of the engine, beside the fixtures of conftest.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvae.config import DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
from cvae.data import ImageData, Split
from cvae.families import FAMILIES
from cvae.options import options_of
from cvae.runs.folder import Run
from cvae.runs.status import Record

DIGITS = tuple("0123456789")
PER_EPOCH = 4  # steps of an epoch of `few_digits` in batches of 64

# Every family with a task; cvae-predictive has two.
KINDS = [(family, "quadrants") for family in FAMILIES] + [("cvae-predictive", "label")]


OWN = {name for family in FAMILIES.values() for name in options_of(family.options)}


def model_config(family: str = "vae", **fields: Any) -> ModelConfig:
    """Return the config of a model. Options of other families among `fields` have no effect."""
    own = options_of(FAMILIES[family].options)
    options = {name: fields.pop(name) for name in OWN & fields.keys()}
    return ModelConfig(family, options={name: value for name, value in options.items() if name in own}, **fields)


def tiny_model(family: str = "vae", **changes: Any) -> ModelConfig:
    """Return the config of a model of the 8×8 digits that trains in a fraction of a second."""
    return model_config(family, **{"hidden": (16,), "channels": (4, 8), "class_names": DIGITS, **changes})


def tiny_run(family: str = "vae", *, epochs: int = 2, batch_size: int = 64, **changes: Any) -> RunConfig:
    """Return the config of a run of a tiny model; `changes` are fields of any section of the config."""
    sections = {
        "data": DataConfig(),
        "model": tiny_model(family, **{name: changes.pop(name) for name in OWN & changes.keys()}),
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
    """Wait until `true()` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.005)


def changed(data: ImageData, change: Callable[[Split], Split]) -> ImageData:
    """Return the data with `change` applied to each split."""
    return replace(data, train=change(data.train), validation=change(data.validation), test=change(data.test))


def of(records: list[Record], split: str) -> list[Record]:
    """Return the records of one split."""
    return [record for record in records if record["split"] == split]


def without_times(records: list[Record]) -> list[Record]:
    """Return the records without times, so that two runs with one seed have equal records."""
    return [{k: v for k, v in r.items() if k not in ("seconds", "images_per_second")} for r in records]


def weights_equal(one: Run, other: Run) -> bool:
    a, b = one.weights(), other.weights()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
