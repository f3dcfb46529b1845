"""The public interface for Python: it leaves torch's random numbers alone, and refuses arrays that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.engine import tiny_run

import cvae
from cvae.config import DataConfig
from cvae.data import ImageData
from cvae.errors import InputError
from cvae.training.load import load_data_of


def test_every_public_name_is_found_and_listed() -> None:
    assert [name for name in cvae.__all__ if getattr(cvae, name).__name__ != name] == []
    assert cvae.__all__ == sorted(cvae.__all__)
    with pytest.raises(AttributeError, match="no attribute 'decode'"):
        cvae.decode  # noqa: B018


@pytest.mark.parametrize("family", ["cvae", "cvae-predictive"])
def test_reading_a_run_leaves_the_global_generator_as_it_was(family: str, few_digits: ImageData, tmp_path: Path):
    run = cvae.Run(tmp_path / "run")
    for _ in cvae.fit(run, tiny_run(family, epochs=1), data=few_digits):
        pass
    reads: list[Callable[[], Any]] = [
        lambda: cvae.load(run),
        lambda: cvae.Inference.load(run),
        lambda: cvae.Inference.of(cvae.load(run)),
        lambda: cvae.evaluate(run, data=few_digits, samples=2),
        lambda: cvae.load_data(DataConfig("digits")),
        lambda: load_data_of(run),
    ]
    torch.manual_seed(3)
    before = torch.get_rng_state()
    for read in reads:
        read()
        assert torch.equal(torch.get_rng_state(), before)


def test_a_tensor_holds_images_from_0_to_1_or_vectors() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8), dtype=np.uint8)
    assert torch.equal(cvae.tensor(grey), torch.from_numpy(grey).float() / 255)
    assert torch.equal(cvae.tensor(grey / 255), torch.from_numpy(grey / 255).float())
    for kind in (np.float32, np.float64, np.uint8):
        found = cvae.tensor(np.eye(3, dtype=kind))
        assert found.dtype == torch.float32
        assert torch.equal(found, torch.eye(3))


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.full((2, 1, 8, 8), 255.0), "divide them by 255"),
        (np.full((2, 1, 8, 8), np.nan), "floats lie from 0 to 1"),
        (np.zeros((2, 1, 8, 8), np.int64), "not int64"),
        (np.zeros((2, 8, 8)), r"shape \(N, C, H, W\) with C = 1 or 3, not \(2, 8, 8\)"),
        (np.zeros((2, 8, 8, 1)), r"not \(2, 8, 8, 1\)"),
        (np.arange(3), r"shape \(N, width\), not \(3,\)"),
        (np.array([[0.0, np.inf]]), "not finite"),
        (np.array([["a"]]), "numbers, not <U1"),
    ],
)
def test_a_tensor_of_other_arrays_is_refused(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        cvae.tensor(array)
