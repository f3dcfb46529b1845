"""Quadrature computes log p(x) for models of one or two latent dimensions, where the integral is tractable.

    p(x|·) = ∫ p(x|z, ·) p(z|·) dz ≈ Σ over cells of p(x|z, ·) p(z|·) × area

All images share the grid, so each cell is decoded once, and an image costs only products with the decoded cells. Cells
are halved until the result stays the same. A coarse pass finds the blocks of cells in which an image has mass, and the
fine pass computes only these. If q misses a mode of the true posterior, importance sampling misses it too (Cremer,
Li & Duvenaud 2018, "Inference suboptimality in variational autoencoders", arXiv:1801.03558); quadrature finds it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cvae.models.base import Autoencoder
from cvae.models.distributions import LOG_2PI, Gaussian

DIMENSIONS = 2  # at most, of the latent space
REACH = 5.0  # standard deviations of every prior and of every posterior that the grid holds
CELLS = 1024  # along a dimension at most
LEAST = 64  # cells along a dimension at least
TOLERANCE = 0.01  # nats that halving the cells may change
PROBES = 32  # images on which that is tried
BLOCK = 4  # cells along a side of a block; the coarse pass looks at the middle of each
SLACK = 20.0  # nats below an image's best block at which a block is left out
DECODED = 4096  # cells decoded at a time
COARSE = 512  # images that the coarse pass takes at a time


@dataclass(frozen=True)
class Grid:
    """A Grid has equal cells over all priors and posteriors: `low`, `step` (d,), and `blocks` along each side."""

    low: Tensor
    step: Tensor
    blocks: tuple[int, ...]

    @classmethod
    def over(cls, centres: Tensor, stds: Tensor) -> Grid:
        """Return a grid over Gaussians of means and standard deviations (M, d), with cells as wide as the narrowest."""
        low, high = (centres - REACH * stds).amin(0), (centres + REACH * stds).amax(0)
        counts = ((high - low) / stds.amin(0)).clamp(LEAST, CELLS)
        blocks = (counts / BLOCK).ceil()
        return cls(low, (high - low) / (blocks * BLOCK), tuple(int(n) for n in blocks))

    def halved(self) -> Grid:
        """Return the same area with cells of half the side."""
        return Grid(self.low, self.step / 2, tuple(2 * n for n in self.blocks))

    @property
    def log_area(self) -> float:
        return float(self.step.log().sum())

    def middles(self) -> Tensor:
        """Return the middle of every block, (blocks, d)."""
        sides = [torch.arange(n) + 0.5 for n in self.blocks]
        return self.low + self.step * BLOCK * torch.cartesian_prod(*sides).reshape(-1, len(sides))

    def cells(self, blocks: Tensor) -> Tensor:
        """Return the middles of the cells in blocks with these numbers (B,): (B, cells a block, d)."""
        corners = self.middles()[blocks] - 0.5 * BLOCK * self.step
        inside = torch.tensor(list(itertools.product(range(BLOCK), repeat=len(self.blocks)))) + 0.5
        return corners[:, None] + self.step * inside


def log_p(model: Autoencoder, x: Tensor, condition: Tensor | None, grid: Grid) -> Tensor:
    """Return log p(x|condition) of images x (N, C, H, W) by quadrature, (N,), in nats.

    `condition` is one vector (width,) for all images, or None. On grey pixels the Bernoulli likelihood is a loss, and
    so is the result.
    """
    prior = model.prior(None if condition is None else condition[None])
    flat, constant = _pixels(model, x)
    found = torch.full((len(x),), -torch.inf)
    pairs = list(_pairs(model, flat, condition, prior, grid))
    images, blocks = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    order = blocks.argsort(stable=True)
    images, blocks = images[order], blocks[order]
    used, counts = blocks.unique_consecutive(return_counts=True)
    ends = counts.cumsum(0)
    per_chunk = max(1, DECODED // BLOCK ** len(grid.blocks))
    parts = []
    for first in range(0, len(used), per_chunk):
        z = grid.cells(used[first : first + per_chunk])
        weights, offsets = _affine(model, z.flatten(0, 1), condition, prior)
        weights, offsets = weights.reshape(*z.shape[:2], -1), offsets.reshape(z.shape[:2])
        for i in range(len(z)):
            end = int(ends[first + i])
            rows = images[end - int(counts[first + i]) : end]
            parts.append(torch.logsumexp(torch.addmm(offsets[i], flat[rows], weights[i].T), 1))
    mass = torch.cat(parts)
    best = found.scatter_reduce(0, images, mass, "amax")
    total = torch.zeros(len(x)).index_add(0, images, torch.exp(mass - best[images]))
    return best + total.log() + constant + grid.log_area


def grid_of(model: Autoencoder, x: Tensor, q: Gaussian, conditions: Tensor | None) -> Grid:
    """Return a grid over the posteriors q (N, d) of images x (N, C, H, W) and the priors at `conditions` (M, width).

    The true posteriors may be narrower than the encoder's, or elsewhere; halving the cells then changes log p(x). The
    cells are halved until log p(x) stays the same on some images at even distances.
    """
    prior = model.prior(conditions)
    stds = torch.exp(0.5 * torch.cat([q.log_var, prior.log_var]))
    narrow = stds.quantile(0.01, 0).expand_as(stds)
    grid = Grid.over(torch.cat([q.mean, prior.mean]), torch.maximum(stds, narrow))
    probes = x[torch.arange(min(PROBES, len(x))) * len(x) // min(PROBES, len(x))]
    condition = None if conditions is None else conditions[0]
    found = log_p(model, probes, condition, grid)
    while 2 * BLOCK * max(grid.blocks) <= CELLS:
        finer = grid.halved()
        before, found = found, log_p(model, probes, condition, finer)
        if (found - before).abs().max() < TOLERANCE:
            return grid
        grid = finer
    return grid


def _pixels(model: Autoencoder, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return images as rows (N, D), and the part (N,) of their log-likelihood that does not depend on z."""
    flat = x.flatten(1)
    if model.config.likelihood == "bernoulli":
        return flat, torch.zeros(len(x))
    log_sigma = torch.as_tensor(model.log_sigma())
    squares = -0.5 * flat.square().sum(1) * torch.exp(-2 * log_sigma)
    return flat, squares - flat.shape[1] * (log_sigma + 0.5 * LOG_2PI)


def _affine(model: Autoencoder, z: Tensor, condition: Tensor | None, prior: Gaussian) -> tuple[Tensor, Tensor]:
    """Return weights (M, D) and offsets (M,) at codes z (M, d) in log p(x|z) + log p(z) = x · weights + offset.

    Bernoulli: Σ x·l − softplus(l), where l are the logits. Gaussian: (x·m − ½ m²) / σ², where m is the mean image.
    """
    parts = []
    for some in z.split(DECODED):
        logits = model.logits(some, None if condition is None else condition[None]).flatten(1)
        if model.config.likelihood == "bernoulli":
            parts.append((logits, -torch.nn.functional.softplus(logits).sum(1)))
        else:
            precision = torch.exp(-2 * torch.as_tensor(model.log_sigma()))
            mean = torch.sigmoid(logits)
            parts.append((mean * precision, -0.5 * precision * mean.square().sum(1)))
    weights, offsets = (torch.cat(part) for part in zip(*parts, strict=True))
    return weights, offsets + prior.log_prob(z)


def _pairs(
    model: Autoencoder, flat: Tensor, condition: Tensor | None, prior: Gaussian, grid: Grid
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield, for images as rows (N, D), the image and the block, (P,) each, for all blocks where an image has mass."""
    weights, offsets = _affine(model, grid.middles(), condition, prior)
    for first in range(0, len(flat), COARSE):
        joint = torch.addmm(offsets, flat[first : first + COARSE], weights.T)
        images, blocks = (joint > joint.amax(1, keepdim=True) - SLACK).nonzero(as_tuple=True)
        yield images + first, blocks
