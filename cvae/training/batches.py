"""A split of a data set on the training's device: bytes in, batches of floats out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cvae.conditions import Condition, vectors
from cvae.config import Binarize
from cvae.data import Split

BINARIZE_SEED = 0  # of the one draw of every measured image

Batch = tuple[Tensor, Tensor | None]  # images x (B, C, H, W) in [0, 1]; the vectors y (B, width) of their conditions


def tensor(array: NDArray[Any]) -> Tensor:
    """Turn images into what a model takes: bytes 0 … 255 become floats in [0, 1], floats stay as they are."""
    values = torch.from_numpy(np.ascontiguousarray(array))
    return values.float() / 255 if values.dtype == torch.uint8 else values.float()


class DeviceSplit:
    """Images x (B, C, H, W) in [0, 1] and the vectors y (B, width) of their conditions, or None, by index.

    binarize: pixels become Bernoulli draws with their grey value as probability (Salakhutdinov & Murray 2008): one
    fixed draw in `eval_batch`, for measuring; in `train_batch`, for training, the same draw (static) or a fresh one
    (dynamic).
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
        """Return the order of the images in one epoch, (N,): it depends on nothing but seed and epoch.

        count: how many images the epoch takes, where these are not the images that make the epoch: they go around,
        each time in another order.
        """
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        rounds = 1 if count is None else -(-count // len(self))
        orders = [torch.randperm(len(self), generator=generator) for _ in range(rounds)]
        return torch.cat(orders)[:count].to(self.device)

    def train_batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """Return the images at `index` (B,), for training."""
        if self.binarize != "dynamic":
            return self.eval_batch(index)
        return torch.bernoulli(self._grey(index), generator=generator), self._conditions(index)

    def eval_batch(self, index: Tensor) -> Batch:
        """Return the images at `index` (B,), the same every time, for measuring."""
        if self.binarize is None:
            return self._grey(index), self._conditions(index)
        if self._draw is None:  # on the processor, so that every device measures the same images
            generator = torch.Generator().manual_seed(BINARIZE_SEED)
            grey = self.images.cpu().float() / 255
            self._draw = torch.bernoulli(grey, generator=generator).to(torch.uint8).to(self.device)
        return self._draw.index_select(0, index).float(), self._conditions(index)

    def _grey(self, index: Tensor) -> Tensor:
        return torch.mul(self.images.index_select(0, index), 1 / 255)

    def _conditions(self, index: Tensor) -> Tensor | None:
        return None if self._vectors is None else self._vectors.index_select(0, index)
