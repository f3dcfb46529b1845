"""A small convolutional classifier of each data set is frozen and shipped; it judges the pictures of models.

Its network is the one of `cvae.architecture` for image → label, the baseline of `cvae-predictive`. Its last hidden
layer gives the features for comparing samples with data (`cvae.measuring.generation`).
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cvae.architecture import architecture
from cvae.assets import CLASSIFIERS
from cvae.config import DataConfig, ModelConfig
from cvae.data import DATASETS, Split, load_data
from cvae.errors import InputError
from cvae.explore.judge import Judge
from cvae.models.nets import Net
from cvae.training.batches import tensor
from cvae.training.schedule import lr_factor

JUDGED = 500  # images judged at a time
BATCH = 128  # images a step of training
LR = 2e-3  # Adam's first rate; it falls to 0 along a cosine

Images = NDArray[np.uint8] | NDArray[np.float32]  # (N, C, H, W), bytes or [0, 1]
Report = Callable[[int, float | None], None]  # epochs done, accuracy on the validation images


class Classifier:
    """Classify images (N, C, H, W) by p(y|x); `card` says how the classifier was made, and its test accuracy."""

    def __init__(self, config: ModelConfig, card: Mapping[str, Any] | None = None) -> None:
        self.config, self.card = config, dict(card or {})
        self.net = Net(architecture(config)["baseline"]).eval()

    @classmethod
    def load(cls, data: str, folder: Path = CLASSIFIERS) -> Classifier | None:
        """Load the shipped classifier of a data set, or return None; a damaged one raises `InputError`."""
        judge = Judge.load(data, folder)
        if judge is None:
            return None
        with torch.random.fork_rng(devices=[]):  # the first weights are drawn, and then replaced
            classifier = cls(judge.config, judge.card)
        classifier.net.load_state_dict({name: torch.from_numpy(w).float() for name, w in judge.weights.items()})
        return classifier

    def save(self, data: str, folder: Path = CLASSIFIERS) -> None:
        """Write <data>.safetensors, in half precision, and <data>.json, the card."""
        weights = {name: w.numpy().astype(np.float16) for name, w in self.net.state_dict().items()}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{data}.safetensors").write_bytes(safetensors.numpy.save(weights))
        card = json.dumps({**self.card, "network": self.config.to_json()}, indent=1, ensure_ascii=False)
        (folder / f"{data}.json").write_text(card + "\n", encoding="utf-8")

    def fits(self, image_shape: tuple[int, ...], class_names: tuple[str, ...]) -> bool:
        """Return whether the classifier knows these classes and this shape of images."""
        return self.config.image_shape == image_shape and self.config.class_names == class_names

    @torch.no_grad()
    def features(self, images: Images) -> NDArray[np.float32]:
        """Return the last hidden layer, (N, F)."""
        parts = [tensor(images[i : i + JUDGED]) for i in range(0, len(images), JUDGED)]
        found: NDArray[np.float32] = torch.cat([self.net.head[:-1](self.net.trunk(x)) for x in parts]).numpy()
        return found

    @torch.no_grad()
    def classes(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the most likely classes (N,) of features (N, F)."""
        found: NDArray[np.int64] = self.net.head[-1](torch.from_numpy(features)).argmax(-1).numpy()
        return found

    def accuracy(self, split: Split) -> float:
        """Return the share of right answers on the images, 0 … 1."""
        return float((self.classes(self.features(split.images)) == split.labels).mean())


def classifier_config(
    image_shape: tuple[int, int, int],
    class_names: tuple[str, ...],
    channels: tuple[int, ...] = (16, 32, 64),
    features: int = 128,
) -> ModelConfig:
    """Return a network of strided convolutions, as many as the image size allows, and one hidden layer of features."""
    return ModelConfig(
        "cvae-predictive", "conv", (features,), channels,
        image_shape=image_shape, class_names=class_names, options={"task": "label"},
    )  # fmt: skip


def train_classifier(
    config: ModelConfig,
    train: Split,
    validation: Split | None = None,
    *,
    epochs: int = 15,
    seed: int = 0,
    report: Report | None = None,
) -> Classifier:
    """Train by cross-entropy on images with random shifts by up to a fourteenth of their smaller side.

    Keep the weights of the epoch with the best validation accuracy, or without validation images the last ones.
    A split without labels raises `InputError`.
    """
    if train.labels is None:
        raise InputError("classifier.no_labels")
    generator = torch.Generator().manual_seed(seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(config)
        net = classifier.net
        images, labels = torch.from_numpy(train.images), torch.from_numpy(train.labels)
        optimizer = torch.optim.Adam(net.parameters(), LR, fused=True)
        per_epoch = -(-len(images) // BATCH)
        best, weights = -1.0, net.state_dict()
        for epoch in range(epochs):
            for i, rows in enumerate(torch.randperm(len(images), generator=generator).split(BATCH)):
                optimizer.param_groups[0]["lr"] = LR * lr_factor("cosine", epoch * per_epoch + i, per_epoch, epochs)
                x = shifted(images[rows].float() / 255, min(config.image_shape[1:]) // 14, generator)
                optimizer.zero_grad()
                functional.cross_entropy(net(image=x), labels[rows]).backward()
                optimizer.step()
            right = None if validation is None else classifier.accuracy(validation)
            if right is None or right > best:
                best, weights = right or 0.0, {name: w.clone() for name, w in net.state_dict().items()}
            if report is not None:
                report(epoch + 1, right)
        net.load_state_dict(weights)
    return classifier


def build_classifier(
    data: DataConfig, *, epochs: int = 15, seed: int = 0, folder: Path = CLASSIFIERS, report: Report | None = None
) -> Classifier:
    """Train the classifier of a registered data set, write it to `folder`, and return it.

    The card states the test accuracy of the written weights, in half precision; no choice used it. Another data set
    raises `InputError`.
    """
    if data.name not in DATASETS:
        raise InputError("classifier.other_data", names=", ".join(DATASETS), name=data.name)
    images = load_data(data)
    config = classifier_config(images.image_shape, images.class_names)
    start = time.process_time()
    trained = train_classifier(config, images.train, images.validation, epochs=epochs, seed=seed, report=report)
    seconds = round(time.process_time() - start, 1)  # of one core
    trained.net.half().float()  # the files hold half precision
    trained.card = {
        "data": data.name,
        "test_accuracy": trained.accuracy(images.test),
        "validation_accuracy": trained.accuracy(images.validation),
        "epochs": epochs,
        "seed": seed,
        "seconds": seconds,
        "command": f"python -m cvae classifier --data {data.name} --epochs {epochs} --seed {seed}",
    }
    trained.save(data.name, folder)
    return trained


def shifted(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each image (N, C, H, W) by up to `most` pixels down or up, right or left; new pixels are 0."""
    if most == 0:
        return x
    n, _, height, width = x.shape
    down, right = torch.randint(0, 2 * most + 1, (2, n, 1), generator=generator)
    padded = functional.pad(x, (most,) * 4).permute(0, 2, 3, 1)
    rows, columns = down + torch.arange(height), right + torch.arange(width)  # (N, H), (N, W)
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread: it is as fast for so small a network, and every machine gets the same weights."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
