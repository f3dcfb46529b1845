"""This module measures how samples of a label-conditional model help a classifier with few real images per class.

One small classifier learns from N real images per class. Another of the same kind learns from these images and an
equal number of samples; both take the same steps and are measured on the test images. The model itself was trained on
all training images, so the gain comes from its knowledge of the other images. The gain says nothing about a model that
has seen only N images per class.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cvae.conditions import LABEL
from cvae.data import ImageData, Split
from cvae.data.images import as_bytes
from cvae.errors import InputError
from cvae.explore.inference import Inference
from cvae.measuring.classifier import classifier_config, train_classifier
from cvae.measuring.evaluation import keep
from cvae.measuring.generation import draw, values_to_draw
from cvae.runs.folder import Run
from cvae.training.load import load_data_of

REAL_PER_CLASS = (10, 50, 100)
GENERATED_PER_CLASS = 1000
EPOCHS = 2  # each goes through the generated images and as many real ones, which repeat

Progress = Callable[[float], None]


def augmentation(
    path: str | os.PathLike[str],
    *,
    data_dir: str | None = None,
    data: ImageData | None = None,
    real_per_class: Sequence[int] = REAL_PER_CLASS,
    generated_per_class: int = GENERATED_PER_CLASS,
    seeds: int = 5,
    out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure the run `path`, write its augmentation.json, and return the figures as a JSON object.

    `without` and `with` hold test accuracies 0 … 1, a list over seeds for each number in `real_per_class`. A seed
    decides the real images, the samples, and the classifier's first weights; `with` and `without` share all three.
    Raise `InputError` for a model without a label as input, and for a class with too few images.
    """
    run = Run.open(path)
    step = run.weights_step()
    model = Inference.load(run)
    if not model.config.takes_label:
        raise InputError("augmentation.no_label", name=run.name)
    data = load_data_of(run, data_dir, data)
    accuracies: dict[str, list[list[float]]] = {"without": [], "with": []}
    for i, n in enumerate(real_per_class):
        found = []
        for seed in range(seeds):
            found.append(_pair(model, data, n, generated_per_class, seed))
            if progress is not None:
                progress((i * seeds + seed + 1) / (len(real_per_class) * seeds))
        for arm, values in zip(accuracies.values(), zip(*found, strict=True), strict=True):
            arm.append(list(values))
    figures = {
        "run": run.name,
        "model": model.family.id,
        "data": data.name,
        "split": "test",
        "step": step,
        "real_per_class": list(real_per_class),
        "generated_per_class": generated_per_class,
        "seeds": seeds,
        **accuracies,
    }
    keep(run, step, "augmentation.json", lambda: run.write_augmentation(figures), figures, out)
    return figures


def _pair(model: Inference, data: ImageData, n: int, generated: int, seed: int) -> tuple[float, float]:
    """Return the test accuracies without and with the model's samples, from n real images per class."""
    values = values_to_draw(model, generated * model.config.classes, data.train, seed)
    labels = values[LABEL]
    samples = Split(as_bytes(draw(model, len(labels), values, seed)), labels)
    real = few(data.train, n, seed)
    config = classifier_config(data.image_shape, data.class_names)

    def accuracy(other: Split) -> float:
        train = repeated(real, len(labels)).joined(other)
        return train_classifier(config, train, epochs=EPOCHS, seed=seed).accuracy(data.test)

    return accuracy(repeated(real, len(labels))), accuracy(samples)


def few(split: Split, n: int, seed: int) -> Split:
    """Draw n images of each class by the seed; a class with fewer raises `InputError`."""
    assert split.labels is not None
    order = np.random.default_rng(seed).permutation(len(split))
    rows = [order[split.labels[order] == k][:n] for k in np.unique(split.labels)]
    if fewest := min(len(part) for part in rows) - n:
        raise InputError("augmentation.too_few", found=n + fewest, asked=n)
    chosen = np.concatenate(rows)
    return split.at(chosen)


def repeated(split: Split, count: int) -> Split:
    """Repeat the images of the split until there are `count`."""
    return split.at(np.arange(count) % len(split))
