"""Keep a split of a data set as bytes on the training's device, and return batches of floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cvae.conditions import Condition, as_vectors, vectors
from cvae.config import Binarize
from cvae.data import Split
from cvae.data.images import check_images

BINARIZE_SEED = 0  # the seed of the fixed draw of every image

Batch = tuple[Tensor, Tensor | None]  # images x (B, C, H, W) in [0, 1]; the vectors y (B, width) of their conditions


def tensor(array: NDArray[Any]) -> Tensor:
    """Return images (N, C, H, W) as a tensor of floats from 0 to 1, or vectors (N, width) of conditions as floats.

    Images are bytes or floats from 0 to 1, and vectors are finite numbers; anything else raises `InputError`.
    """
    array = check_images(array) if np.ndim(array) > 2 else as_vectors(array)
    values = torch.from_numpy(np.ascontiguousarray(array))
    return values.float() / 255 if values.dtype == torch.uint8 else values.float()


class DeviceSplit:
    """A DeviceSplit returns images x (B, C, H, W) in [0, 1] and their condition vectors y (B, width) or None, by index.

    With `binarize`, pixels become Bernoulli draws with their grey value as probability (Salakhutdinov & Murray 2008).
    `eval_batch`, for measuring, always returns the same draw; `train_batch`, for training, returns this draw
    ("static") or a new one ("dynamic").
    """

    def __init__(
        self, split: Split, conditions: Sequence[Condition], binarize: Binarize | None, device: torch.device
    ) -> None:
        self.images = torch.from_numpy(split.images).to(device)
        self.labels = split.labels
        self.binarize, self.device = binarize, device
        of_images = vectors(conditions, len(split), split.values)
        self._vectors = None if of_images is None else torch.from_numpy(of_images).to(device)
        self._draw: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def order(self, seed: int, epoch: int, count: int | None = None) -> Tensor:
        """Return the order of the images in one epoch, (N,) or (count,). It depends only on seed and epoch.

        `count` is the number of images in the epoch, if another stream defines it: the images then repeat, each time
        in another order.
        """
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        rounds = 1 if count is None else -(-count // len(self))
        orders = [torch.randperm(len(self), generator=generator) for _ in range(rounds)]
        return torch.cat(orders)[:count].to(self.device)

    def train_batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """Return the batch at `index` (B,) for training."""
        if self.binarize != "dynamic":
            return self.eval_batch(index)
        return torch.bernoulli(self._grey(index), generator=generator), self._conditions(index)

    def eval_batch(self, index: Tensor) -> Batch:
        """Return the batch at `index` (B,) for measuring, the same every time."""
        if self.binarize is None:
            return self._grey(index), self._conditions(index)
        if self._draw is None:  # the CPU draws, so that every device measures the same images
            generator = torch.Generator().manual_seed(BINARIZE_SEED)
            grey = self.images.cpu().float() / 255
            self._draw = torch.bernoulli(grey, generator=generator).to(torch.uint8).to(self.device)
        return self._draw.index_select(0, index).float(), self._conditions(index)

    def _grey(self, index: Tensor) -> Tensor:
        return torch.mul(self.images.index_select(0, index), 1 / 255)

    def _conditions(self, index: Tensor) -> Tensor | None:
        return None if self._vectors is None else self._vectors.index_select(0, index)
