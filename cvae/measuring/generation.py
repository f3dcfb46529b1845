"""The worth of a model's samples, judged by the frozen classifier of its data set (`cvae.measuring.classifier`).

Samples are the decoder's mean images of codes from the model's own prior at temperature 1, an autoencoder's from the
Gaussian fitted to its codes; a model that is given a label draws the same number for each. They are compared with grey
test images, whether or not the model was trained on binarised ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvae import explore
from cvae.conditions import LABEL, vectors
from cvae.data import ImageData, Split
from cvae.explore.inference import Inference
from cvae.measuring import metrics
from cvae.measuring.classifier import Classifier

SAMPLES = 10_000  # in all; as many training images give the floor of the Fréchet distance

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
    """Return `FIGURES`; all null without a classifier that knows the data, and for cvae-predictive, which completes
    images.

    `conditional_accuracy`: share of samples that the classifier takes for the label they were asked for, 0 … 1, which
    is to be read beside `classifier_accuracy`, the share of test images that it takes for theirs; also by label.
    `diversity`: mean distance between two samples of a label ÷ that of test images of the label, in the classifier's
    features, mean over labels; 1: as diverse as the data. Both are null where no label is asked for.
    `frechet_distance`: between the features of `generated` samples and of the test images, lower is better, and
    `frechet_distance_train` between training images, at most as many, and the test images: what the data itself has.
    """
    figures: dict[str, Any] = dict.fromkeys(METRICS)
    known = classifier is not None and classifier.fits(data.image_shape, data.class_names)
    if classifier is None or not known or model.family.completes:
        return figures
    labels = labels_to_draw(model, samples)
    drawn = classifier.features(draw(model, samples, labels, seed))
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


def labels_to_draw(model: Inference, samples: int) -> Labels | None:
    """Return the labels to ask a model for, (samples,), of each as many as of the others; None where it is given
    none."""
    return np.arange(samples) * model.config.classes // samples if model.config.takes_label else None


def draw(model: Inference, samples: int, labels: Labels | None, seed: int) -> NDArray[np.float32]:
    """Samples (N, C, H, W), of the labels (N,) where there are any."""
    given = vectors(model.config.conditions, samples, {LABEL: labels})
    return explore.sample(model, samples, given, seed=seed)


def diversity(drawn: Features, labels: Labels, real: Features, split: Split) -> float | None:
    """Mean distance within a label ÷ that of the real images of the split, mean over labels; None without labels.

    A label of which there are fewer than two real images says nothing and is left out.
    """
    if split.labels is None:
        return None
    ratios = [
        metrics.mean_distance(drawn[labels == k]) / metrics.mean_distance(real[split.labels == k])
        for k in np.unique(labels)
        if (split.labels == k).sum() > 1
    ]
    return float(np.mean(ratios)) if ratios else None
