"""The frozen classifier: what is shipped does what its card says, and it can be built again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.data import complaint
from helpers.engine import DIGITS

from cvae.config import DataConfig, ModelConfig
from cvae.data import DATASETS, ImageData, Split
from cvae.measuring.classifier import (
    CLASSIFIERS,
    Classifier,
    build_classifier,
    classifier_config,
    shifted,
    train_classifier,
)

SHIPPED = sorted(path.stem for path in CLASSIFIERS.glob("*.json"))


@pytest.fixture
def small() -> ModelConfig:
    return classifier_config((1, 8, 8), DIGITS, (16, 32), 16)


def test_the_shipped_classifier_gets_as_many_right_as_its_card_says(digits: ImageData):
    classifier = Classifier.load("digits")
    assert classifier is not None
    assert classifier.fits(digits.image_shape, digits.class_names)
    assert classifier.accuracy(digits.test) == pytest.approx(classifier.card["test_accuracy"], abs=1e-9)


@pytest.mark.parametrize("data", SHIPPED)
def test_what_is_shipped_is_small_and_good(data: str):
    classifier = Classifier.load(data)
    assert classifier is not None
    assert classifier.fits(DATASETS[data].image_shape, DATASETS[data].class_names)
    assert classifier.card["test_accuracy"] > (0.99 if data == "mnist" else 0.97)
    assert classifier.card["command"].startswith(f"python -m cvae classifier --data {data} ")
    assert (CLASSIFIERS / f"{data}.safetensors").stat().st_size <= 500_000


def test_there_is_one_for_mnist_and_for_what_needs_no_download():
    assert {"digits", "mnist"} <= set(SHIPPED)


def test_other_data_has_no_classifier(tmp_path: Path):
    (tmp_path / "mine.npz.json").write_text("{}")
    assert Classifier.load("kmnist", tmp_path) is None
    assert Classifier.load(str(tmp_path / "mine.npz")) is None


def test_it_fits_the_classes_and_the_shape_that_it_knows(small: ModelConfig):
    classifier = Classifier(small)
    assert classifier.fits((1, 8, 8), DIGITS)
    assert not classifier.fits((1, 8, 9), DIGITS)
    assert not classifier.fits((1, 8, 8), DIGITS[::-1])


def test_it_is_built_again_from_data_and_seed(tmp_path: Path, digits: ImageData):
    state = torch.get_rng_state()
    built = [build_classifier(DataConfig(), epochs=2, folder=tmp_path / name) for name in ("one", "two")]
    assert torch.equal(state, torch.get_rng_state())
    read = Classifier.load("digits", tmp_path / "one")
    assert read is not None
    assert read.card.pop("seconds") >= 0
    assert {**built[0].card, "seconds": 0} == {**built[1].card, "seconds": 0} == {**read.card, "seconds": 0}
    images = digits.test.images
    assert np.array_equal(read.features(images), built[0].features(images))
    assert np.array_equal(read.features(images), built[1].features(images))


def test_only_registered_data_has_one(tmp_path: Path):
    assert "only" in complaint(lambda: build_classifier(DataConfig("mine.npz"), folder=tmp_path))


def test_damaged_files_are_told(small: ModelConfig, tmp_path: Path):
    Classifier(small).save("digits", tmp_path)
    assert Classifier.load("digits", tmp_path) is not None
    card = json.loads((tmp_path / "digits.json").read_text())
    for change in ("{", "{}", json.dumps({**card, "network": {**card["network"], "hidden": [17]}})):
        (tmp_path / "digits.json").write_text(change)
        assert "damaged" in complaint(lambda: Classifier.load("digits", tmp_path))


def test_the_epoch_that_validates_best_is_kept(small: ModelConfig, few_digits: ImageData):
    seen: list[float | None] = []
    classifier = train_classifier(
        small, few_digits.train, few_digits.validation, epochs=60, report=lambda epoch, right: seen.append(right)
    )
    assert len(seen) == 60
    assert classifier.accuracy(few_digits.validation) == max(r for r in seen if r is not None) > 0.6


def test_without_validation_images_the_last_epoch_is_kept(small: ModelConfig, few_digits: ImageData):
    classifier = train_classifier(small, few_digits.train, epochs=60)
    assert classifier.accuracy(few_digits.train) > 0.6


def test_features_and_answers_do_not_depend_on_how_images_are_stored(small: ModelConfig, digits: ImageData):
    classifier = Classifier(small)
    images = digits.test.images
    features = classifier.features(images)
    assert features.shape == (len(images), 16)
    np.testing.assert_allclose(classifier.features(np.divide(images, 255, dtype=np.float32)), features, atol=1e-6)
    with torch.no_grad():
        whole = classifier.net(image=torch.from_numpy(images).float() / 255).argmax(-1)
    assert np.array_equal(classifier.classes(features), whole.numpy())


def test_unlabelled_images_teach_nothing(small: ModelConfig, few_digits: ImageData):
    assert "labelled" in complaint(lambda: train_classifier(small, Split(few_digits.train.images, None)))


def test_a_shift_moves_the_whole_image_and_at_most_so_far():
    dots = torch.zeros(500, 2, 9, 11)
    dots[:, 0, 4, 5] = dots[:, 1, 5, 6] = 1
    moved = shifted(dots, 2, torch.Generator().manual_seed(0))
    assert moved.shape == dots.shape
    where = moved.nonzero().reshape(500, 2, 4)
    assert (where[:, 1, 2:] - where[:, 0, 2:] == 1).all()  # the channels together
    down, right = where[:, 0, 2] - 4, where[:, 0, 3] - 5
    assert set(down.tolist()) == set(right.tolist()) == {-2, -1, 0, 1, 2}
    assert len(set(zip(down.tolist(), right.tolist(), strict=True))) == 25
    assert shifted(dots, 0, torch.Generator()) is dots
