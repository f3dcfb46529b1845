"""This module turns op lists (`cvae.architecture`) into torch modules."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from cvae.architecture import Network, Op


class Reshape(nn.Module):
    """Reshape (N, ...) → (N, *shape)."""

    def __init__(self, shape: Iterable[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, *self.shape)


def layer(op: Op) -> nn.Module:
    """Return the torch module of one operation; an unknown one raises `ValueError`."""
    match op["op"]:
        case "linear":
            return nn.Linear(op["in"], op["out"])
        case "conv2d":
            return nn.Conv2d(op["in"], op["out"], op["kernel"], op["stride"], op["padding"])
        case "conv_transpose2d":
            padding = tuple(op["output_padding"])
            return nn.ConvTranspose2d(op["in"], op["out"], op["kernel"], op["stride"], op["padding"], padding)
        case "relu":
            return nn.ReLU()
        case "tanh":
            return nn.Tanh()
        case "reshape":
            return Reshape(op["shape"])
    raise ValueError(f"unknown operation {op['op']!r}")


class Net(nn.Module):
    """Compute head(concat(z, trunk(image), condition)) with those of the three that the network sees.

    Each parameter has the index of its op in its name, as `head.0.weight`; the browser finds it by this name.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.sees = network.sees
        self.trunk = nn.Sequential(*map(layer, network.trunk))
        self.head = nn.Sequential(*map(layer, network.head))

    def forward(
        self, *, z: Tensor | None = None, image: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Map the seen ones of z (N, d), image (N, C, H, W), condition (N, width) → (N, ...)."""
        return self.run_head(z, None if image is None else self.trunk(image), condition)

    def run_head(self, z: Tensor | None, features: Tensor | None, condition: Tensor | None) -> Tensor:
        """Do the same from the features (N, F) of the image."""
        inputs = {"z": z, "image": features, "condition": condition}
        seen = [value for name in self.sees if (value := inputs[name]) is not None]
        return self.head(seen[0] if len(seen) == 1 else torch.cat(seen, -1))  # type: ignore[no-any-return]
