"""Fixtures of the tests: data, models that are trained once a session, and the browser."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.browser import Browser, launch
from helpers.engine import tiny_run

from cvae.config import DataConfig, RunConfig
from cvae.data import ImageData, Split, load_data
from cvae.runs.folder import Run
from cvae.runs.status import Record
from cvae.training.loop import fit

# Tiny problems gain nothing from a second thread, and workers that share two cores lose much to threads that spin.
os.environ["OMP_NUM_THREADS"] = "1"  # read by scikit-learn, and by every process that a test starts
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """All of scikit-learn's digits: 1,439 to train on."""
    return load_data(DataConfig("digits"))


@pytest.fixture(scope="session")
def few_digits(digits: ImageData) -> ImageData:
    """256 of them to train on, 64 to validate, 64 to test: 4 steps of 64 an epoch."""

    def some(split: Split, count: int) -> Split:
        assert split.labels is not None
        return Split(split.images[:count], split.labels[:count])

    return ImageData("few digits", digits.class_names, some(digits.train, 256), *(
        some(split, 64) for split in (digits.validation, digits.test)
    ))  # fmt: skip


@pytest.fixture(scope="session")
def trained(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """trained(family, ...): a run of it on the digits. Shared: look, do not touch.

    With this σ the posterior is far from the prior, yet wide enough for importance sampling and a coarse quadrature.
    """
    folder = tmp_path_factory.mktemp("trained")

    @functools.cache
    def run(family: str, **changes: object) -> Run:
        path = folder / "-".join([family, *map(str, changes.values())])
        default = {"epochs": 20, "likelihood": "gaussian", "sigma": 0.4, "activation": "tanh"}
        for _ in fit(path, tiny_run(family, **{**default, **changes}), data=digits):
            pass
        return Run(path)

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launch() as chromium:
        yield Browser(chromium)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a run may be made."""
    return tmp_path / "run"


@pytest.fixture
def finish(path: Path, few_digits: ImageData) -> Callable[..., list[Record]]:
    """Train to the end on the few digits; the records."""

    def run(config: RunConfig | None = None, **options: Any) -> list[Record]:
        return list(fit(path, config, **{"data": few_digits, **options}))

    return run
