"""What samples are worth, on models whose samples are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.engine import tiny_model

from cvae.conditions import ClassCondition
from cvae.data import ImageData, Split
from cvae.explore.inference import Inference
from cvae.measuring.classifier import Classifier
from cvae.measuring.generation import METRICS, diversity, draw, generation_figures, values_to_draw
from cvae.models import build
from cvae.runs.folder import Run


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    found = Classifier.load("digits")
    assert found is not None
    return found


def mean_images(data: ImageData, order: np.ndarray) -> Inference:
    """A cvae that draws the mean image of class order[y] whatever z is."""
    model = build(tiny_model("cvae", hidden=(10,)))
    means = [data.train.images[data.train.labels == k].mean(0) / 255 for k in order]
    first, last = model.decoder.head[0], model.decoder.head[2]
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        first.weight[:, 2:] = torch.eye(10)  # one hidden unit for each label, none for z
        last.weight[:] = torch.logit(torch.tensor(np.stack(means)).reshape(10, 64).T, eps=1e-4)
    return Inference.of(model)


def test_every_sample_that_shows_its_label_counts(classifier: Classifier, digits: ImageData):
    figures = generation_figures(mean_images(digits, np.arange(10)), classifier, digits, 100)
    assert figures["conditional_accuracy"] == 1
    assert figures["conditional_accuracy_per_class"] == [1] * 10
    assert figures["generated"] == 100
    assert figures["classifier_accuracy"] == classifier.card["test_accuracy"]


def test_samples_of_other_labels_do_not(classifier: Classifier, digits: ImageData):
    order = np.array([0, 1, 2, 3, 4, 5, 6, 7, 9, 8])
    figures = generation_figures(mean_images(digits, order), classifier, digits, 100)
    assert figures["conditional_accuracy"] == pytest.approx(0.8)
    assert figures["conditional_accuracy_per_class"] == [1] * 8 + [0, 0]


def test_one_picture_a_label_has_no_diversity_and_is_far_from_the_data(classifier: Classifier, digits: ImageData):
    figures = generation_figures(mean_images(digits, np.arange(10)), classifier, digits, 100)
    assert figures["diversity"] == pytest.approx(0, abs=1e-6)
    assert figures["frechet_distance"] > 1.5 * figures["frechet_distance_train"] > 0


def test_the_data_is_as_diverse_as_itself(classifier: Classifier, digits: ImageData):
    labels = digits.test.labels
    assert labels is not None
    features = classifier.features(digits.test.images)
    assert diversity(features, labels, features, digits.test) == pytest.approx(1)
    assert diversity(features / 2, labels, features, digits.test) == pytest.approx(0.5)
    assert diversity(features, labels, features, Split(digits.test.images, None)) is None


def test_a_trained_model_is_asked_for_every_label_alike(
    trained: Callable[..., Run], classifier: Classifier, digits: ImageData
):
    model = Inference.load(trained("cvae"))
    assert np.bincount(values_to_draw(model, 1000, digits.test, 0)["label"]).tolist() == [100] * 10
    figures, others = (generation_figures(model, classifier, digits, 1000, seed) for seed in (0, 1))
    assert 0.5 < figures["conditional_accuracy"] <= 1
    assert 0 < figures["diversity"] < 1.5
    assert figures == generation_figures(model, classifier, digits, 1000)
    assert figures["frechet_distance"] != others["frechet_distance"]


def test_further_conditions_are_those_of_real_images_with_the_label(digits: ImageData):
    labels = digits.test.labels
    assert labels is not None
    columns = (ClassCondition("parity", ("even", "odd")),)
    split = Split(digits.test.images, labels, {"parity": labels % 2})
    both, alone = (
        Inference.of(build(tiny_model("cvae", condition=names, columns=columns)))
        for names in (("label", "parity"), ("parity",))
    )
    values = values_to_draw(both, 1000, split, 0)
    np.testing.assert_array_equal(values["parity"], values["label"] % 2)
    values = values_to_draw(both, 1000, split.at(labels > 0), 0)
    assert set(values["parity"][values["label"] == 0]) == {0, 1}  # no image has this label: any image will do
    values = values_to_draw(alone, 5000, split, 0)
    assert values.keys() == {"parity"}
    assert values["parity"].mean() == pytest.approx((labels % 2).mean(), abs=0.03)
    assert values_to_draw(alone, 5000, split, 1)["parity"].tolist() != values["parity"].tolist()


def test_samples_are_drawn_under_the_conditions_that_are_asked_for():
    model = build(
        tiny_model("cvae", hidden=(2,), condition=("parity",), columns=(ClassCondition("parity", ("0", "1")),))
    )
    first, last = model.decoder.head[0], model.decoder.head[2]
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        first.weight[:, 2:] = torch.eye(2)  # one hidden unit for each value, none for z
        last.weight[:] = torch.tensor([-20.0, 20.0])  # black for 0, white for 1
    wanted = np.array([0, 1, 1, 0])
    pictures = draw(Inference.of(model), 4, {"parity": wanted}, seed=0)
    np.testing.assert_allclose(pictures.mean((1, 2, 3)), wanted, atol=1e-6)


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_a_model_without_labels_is_compared_with_the_data_alone(
    family: str, trained: Callable[..., Run], classifier: Classifier, digits: ImageData
):
    figures = generation_figures(Inference.load(trained(family)), classifier, digits, 200)
    assert figures["frechet_distance"] > figures["frechet_distance_train"]
    for name in ("conditional_accuracy", "conditional_accuracy_per_class", "diversity"):
        assert figures[name] is None


def test_where_nothing_can_be_judged_all_is_null(
    trained: Callable[..., Run], classifier: Classifier, digits: ImageData
):
    model, nothing = Inference.load(trained("cvae")), dict.fromkeys(METRICS)
    assert generation_figures(model, None, digits) == nothing
    assert generation_figures(model, classifier, replace(digits, class_names=tuple("abcdefghij"))) == nothing
    assert generation_figures(Inference.load(trained("cvae-predictive")), classifier, digits) == nothing
