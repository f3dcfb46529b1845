"""The frozen classifier of a data set (`cvae.measuring.classifier`) judges a model's samples.

Samples are the decoder's mean images of codes from the model's own prior at temperature 1, or for an autoencoder from
the Gaussian fitted to its codes; a model with labels draws the same number for each label, and its further conditions
are those of real images. Samples are compared with grey test images, even if the model was trained on binarised ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvae import explore
from cvae.conditions import LABEL, vectors
from cvae.data import ImageData, Split
from cvae.explore.inference import Inference
from cvae.measuring import metrics
from cvae.measuring.classifier import Classifier

SAMPLES = 10_000  # samples in all; as many training images give the lowest possible Fréchet distance

METRICS = (
    "classifier_accuracy",
    "conditional_accuracy",
    "conditional_accuracy_per_class",
    "generated",
    "diversity",
    "frechet_distance",
    "frechet_distance_train",
)

Features = NDArray[np.float32]
Labels = NDArray[np.int64]


def generation_figures(
    model: Inference, classifier: Classifier | None, data: ImageData, samples: int = SAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Return `METRICS`; all are null without a classifier for the data, and for cvae-predictive.

    `conditional_accuracy`, also per class, is the share of samples that the classifier puts into the wanted class,
    0 … 1; compare it with `classifier_accuracy`, the same share of test images. `diversity` is the mean distance
    between two samples of a label ÷ the mean distance between two test images of the label, in the classifier's
    features, as a mean over labels; 1 means as diverse as the data. Both are null for a model without labels.
    `frechet_distance` compares the features of `generated` samples and of the test images, and lower is better;
    `frechet_distance_train` compares at most as many training images with the test images.
    """
    figures: dict[str, Any] = dict.fromkeys(METRICS)
    known = classifier is not None and classifier.fits(data.image_shape, data.class_names)
    if classifier is None or not known or model.family.completes:
        return figures
    values = values_to_draw(model, samples, data.test, seed)
    drawn, labels = classifier.features(draw(model, samples, values, seed)), values.get(LABEL)
    test = classifier.features(data.test.images)
    figures["classifier_accuracy"] = classifier.card["test_accuracy"]
    figures["generated"] = samples
    figures["frechet_distance"] = metrics.frechet_distance(drawn, test)
    train = classifier.features(data.train.images[:samples])
    figures["frechet_distance_train"] = metrics.frechet_distance(train, test)
    if labels is not None:
        right = classifier.classes(drawn) == labels
        figures["conditional_accuracy"] = float(right.mean())
        figures["conditional_accuracy_per_class"] = [float(right[labels == k].mean()) for k in np.unique(labels)]
        figures["diversity"] = diversity(drawn, labels, test, data.test)
    return figures


def values_to_draw(model: Inference, samples: int, split: Split, seed: int) -> dict[str, NDArray[Any]]:
    """Return raw values (samples,) of the model's conditions by name, equally many of each label.

    The further conditions of a sample are those of an image of the split, which the seed draws among the images with
    the sample's label, or among all where the model takes no label or the split has no such image.
    """
    values: dict[str, NDArray[Any]] = {}
    rng = np.random.default_rng((seed, 1))  # another stream than that of the codes
    rows = rng.integers(len(split), size=samples)
    if model.config.takes_label:
        values[LABEL] = labels = np.arange(samples) * model.config.classes // samples
        for k in np.unique(labels):
            if split.labels is not None and len(own := np.flatnonzero(split.labels == k)):
                rows[labels == k] = rng.choice(own, (labels == k).sum())
    further = {condition.name for condition in model.config.conditions} & split.columns.keys()
    return values | {name: np.asarray(split.columns[name])[rows] for name in further}


def draw(model: Inference, samples: int, values: Mapping[str, NDArray[Any]], seed: int) -> NDArray[np.float32]:
    """Draw samples (N, C, H, W) under the raw values (N,) of their conditions."""
    given = vectors(model.config.conditions, samples, values)
    return explore.sample(model, samples, given, seed=seed)


def diversity(drawn: Features, labels: Labels, real: Features, split: Split) -> float | None:
    """Return the mean distance within a label ÷ that of the split's real images, as a mean over labels.

    Leave out a label with fewer than two real images. Return None without labels.
    """
    if split.labels is None:
        return None
    ratios = [
        metrics.mean_distance(drawn[labels == k]) / metrics.mean_distance(real[split.labels == k])
        for k in np.unique(labels)
        if (split.labels == k).sum() > 1
    ]
    return float(np.mean(ratios)) if ratios else None
