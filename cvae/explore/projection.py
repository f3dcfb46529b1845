"""This module maps codes to two or three dimensions: some of their own, principal components, or t-SNE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Project codes onto orthonormal `axes` (k, d) through `mean` (d,)."""

    mean: Floats
    axes: Floats

    def __call__(self, codes: ArrayLike) -> Floats:
        """Project codes (N, d) → (N, k)."""
        projected: Floats = (np.asarray(codes, dtype=np.float64) - self.mean) @ self.axes.T
        return projected

    def gaussian(self, mean: ArrayLike, covariance: ArrayLike) -> tuple[Floats, Floats]:
        """Project mean (d,) and covariance (d, d) of a Gaussian over codes: (k,) and (k, k)."""
        projected: Floats = self.axes @ np.asarray(covariance, dtype=np.float64) @ self.axes.T
        return self(np.asarray(mean)[None])[0], projected


def dimensions(latent_dim: int, dims: Sequence[int]) -> Projection:
    """Return the projection onto some dimensions of the codes."""
    return Projection(np.zeros(latent_dim), np.eye(latent_dim)[list(dims)])


def pca(codes: ArrayLike, components: int) -> tuple[Projection, Floats]:
    """Return the first principal components of codes (N, d) and their shares of the variance, (components,).

    The largest coordinate of each component is positive.
    """
    values = np.asarray(codes, dtype=np.float64)
    variances, vectors = np.linalg.eigh(np.atleast_2d(np.cov(values, rowvar=False)))
    axes = vectors.T[::-1][:components]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    return Projection(values.mean(0), axes), variances[::-1][:components] / max(variances.sum(), 1e-12)


def tsne(codes: ArrayLike, *, perplexity: float = 30.0, seed: int = 0) -> Floats:
    """Map codes (N, d), N > 3, to (N, 2) by t-SNE (van der Maaten & Hinton 2008) from the principal components.

    Neighbours stay neighbours; distances between groups, their sizes and their densities mean nothing.
    """
    from sklearn.manifold import TSNE  # the import takes a second, and only this function needs it
    from threadpoolctl import threadpool_limits

    values = np.asarray(codes, dtype=np.float64)
    perplexity = min(perplexity, (len(values) - 1) / 3)
    with threadpool_limits(1):  # two threads are no faster alone, and four times slower beside a training
        embedded: Floats = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values)
    return embedded
