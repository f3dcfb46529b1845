"""Classifiers from few real images, with and without samples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.data import complaint

from cvae.data import ImageData
from cvae.measuring.augmentation import augmentation, few, repeated
from cvae.runs.folder import Run


@pytest.fixture
def run(trained: Callable[..., Run], tmp_path: Path) -> Run:
    return Run(shutil.copytree(trained("cvae").path, tmp_path / "run"))


def test_few_images_are_the_same_for_a_seed_and_as_many_of_each_class(digits: ImageData):
    chosen = few(digits.train, 5, seed=0)
    assert chosen.labels is not None
    assert np.bincount(chosen.labels).tolist() == [5] * 10
    assert np.array_equal(chosen.images, few(digits.train, 5, seed=0).images)
    assert not np.array_equal(chosen.images, few(digits.train, 5, seed=1).images)
    assert len(np.unique(chosen.images, axis=0)) == 50


def test_repeated_images_keep_their_labels(digits: ImageData):
    chosen = few(digits.train, 1, seed=0)
    many = repeated(chosen, 25)
    assert many.labels is not None
    assert chosen.labels is not None
    assert np.array_equal(many.images[10:20], chosen.images)
    assert many.labels.tolist() == [*chosen.labels, *chosen.labels, *chosen.labels[:5]]


def test_samples_of_a_model_that_knows_all_images_help_who_has_few(run: Run, digits: ImageData):
    shares: list[float] = []
    figures = augmentation(
        run.path, data=digits, real_per_class=[2, 40], generated_per_class=200, seeds=2, progress=shares.append
    )
    assert figures == json.loads((run.path / "augmentation.json").read_text())
    assert (figures["real_per_class"], figures["generated_per_class"], figures["seeds"]) == ([2, 40], 200, 2)
    without, augmented = np.array(figures["without"]), np.array(figures["with"])
    assert without.shape == augmented.shape == (2, 2)
    assert (augmented[0] > without[0] + 0.05).all()
    assert (without[1] > without[0]).all()
    assert shares == [0.25, 0.5, 0.75, 1]


def test_a_model_without_labels_cannot_be_asked(trained: Callable[..., Run], digits: ImageData):
    assert "label-conditional" in complaint(lambda: augmentation(trained("vae").path, data=digits))


def test_more_real_images_than_there_are_is_refused(run: Run, digits: ImageData):
    assert "fewer than the 500" in complaint(
        lambda: augmentation(run.path, data=digits, real_per_class=[500], generated_per_class=10)
    )
    assert not (run.path / "augmentation.json").exists()


def test_measures_of_other_weights_are_forgotten(run: Run):
    run.write_augmentation({"seeds": 1})
    run.forget_measures()
    run.forget_measures()
    assert not (run.path / "augmentation.json").exists()
