"""Define the fixtures of the tests: data, models that a session trains once, and the browser."""

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

# Tiny problems gain nothing from a second thread, and spinning threads slow down the test workers on the same cores.
os.environ["OMP_NUM_THREADS"] = "1"  # for scikit-learn, and for every process that a test starts
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """Return all of scikit-learn's digits: 1,439 training images."""
    return load_data(DataConfig("digits"))


@pytest.fixture(scope="session")
def few_digits(digits: ImageData) -> ImageData:
    """Return 256 training, 64 validation and 64 test images: 4 steps of 64 images in an epoch."""

    def some(split: Split, count: int) -> Split:
        assert split.labels is not None
        return Split(split.images[:count], split.labels[:count])

    return ImageData("few digits", digits.class_names, some(digits.train, 256), *(
        some(split, 64) for split in (digits.validation, digits.test)
    ))  # fmt: skip


@pytest.fixture(scope="session")
def trained(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Return `trained(family, ...)`, which makes a run on the digits. Tests share the run and must not change it.

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
    """Return a path for a new run."""
    return tmp_path / "run"


@pytest.fixture
def finish(path: Path, few_digits: ImageData) -> Callable[..., list[Record]]:
    """Return a function that trains to the end on `few_digits` and returns the records."""

    def run(config: RunConfig | None = None, **options: Any) -> list[Record]:
        return list(fit(path, config, **{"data": few_digits, **options}))

    return run
