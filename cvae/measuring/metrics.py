"""These functions measure codes, features and densities: they take arrays or tensors and return numbers.

Shapes: N images, d latent dimensions, K importance samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pdist

from cvae.explore.codes import active_units as active_units  # a measure for users of this module too
from cvae.models.distributions import log_mean_exp

Codes = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


def active_units_within_class(means: Codes, labels: Labels) -> int:
    """Count the `active_units` of the codes minus the mean of their class, 0 … d.

    If the prior depends on the label, a dimension that only separates the classes has no information within a class.
    """
    centred = np.asarray(means, np.float64).copy()
    for label in np.unique(labels):
        centred[labels == label] -= centred[labels == label].mean(0)
    return active_units(centred)


def knn_accuracy(codes: Codes, labels: Labels, test_codes: Codes, test_labels: Labels, k: int = 10) -> float:
    """Return the share of test codes whose k nearest codes vote for their label, 0 … 1.

    A high share means that the codes cluster by class.
    """
    from sklearn.neighbors import KNeighborsClassifier

    return float(KNeighborsClassifier(k).fit(codes, labels).score(test_codes, test_labels))


def linear_probe_accuracy(codes: Codes, labels: Labels, test_codes: Codes, test_labels: Labels) -> float:
    """Return the share of test codes that a logistic regression on the standardised codes gets right, 0 … 1.

    A high share means that a linear map can find the class. Chance is the share of the largest class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(labels)) == 1:  # the training split of a small data set may have one class only
        return float((np.asarray(test_labels) == labels[0]).mean())
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(probe.fit(codes, labels).score(test_codes, test_labels))


def mean_distance(features: Codes) -> float:
    """Return the mean Euclidean distance of all pairs of rows (N, F), N ≥ 2: 0 … ∞; 0 means all are equal."""
    return float(pdist(torch.from_numpy(np.asarray(features, np.float64))).mean())


def frechet_distance(features: Codes, others: Codes) -> float:
    """Return the squared Fréchet distance between Gaussians fitted to features (N, F) and (M, F), 0 … ∞.

    0 means equal means and covariances. This is the FID (Heusel et al. 2017, arXiv:1706.08500, equation 6) for any
    features. The distance falls with the number of images, so compare only figures of equal counts.
    """
    moments = []
    for rows in (features, others):
        values = torch.from_numpy(np.asarray(rows, np.float64))
        moments += [values.mean(0), torch.atleast_2d(values.T.cov())]
    return gaussian_frechet_distance(*moments)


def gaussian_frechet_distance(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> float:
    """Return |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½) of N(μ₁, Σ₁) and N(μ₂, Σ₂) (Dowson & Landau 1982).

    tr (Σ₁Σ₂)^½ is the sum of the singular values of Σ₁^½ Σ₂^½. Unlike a root of the product, these exist and are real
    for singular covariances too.
    """
    cross = torch.linalg.svdvals(_root(covariance) @ _root(other_covariance)).sum()
    found = (mean - other_mean).square().sum() + covariance.trace() + other_covariance.trace() - 2 * cross
    return max(0.0, float(found))


def _root(covariance: Tensor) -> Tensor:
    """Return the symmetric square root (F, F)."""
    values, axes = torch.linalg.eigh(covariance)
    root: Tensor = (axes * values.clamp(min=0).sqrt()) @ axes.T
    return root


@dataclass(frozen=True)
class Bounds:
    """These bounds (N,) on log p(x|·) use the same K importance samples; each is at most the next in expectation."""

    elbo: Tensor
    iwae_5: Tensor
    iwae_50: Tensor
    log_p: Tensor  # the log-mean-exp of all K
    samples: Tensor  # effective ones among the K, 1 … K: those of equal weight that would tell as much
    pareto_k: Tensor  # the shape of the tail of the weights, as `pareto_shape` has it

    def __add__(self, other: Bounds) -> Bounds:
        """Join the bounds of two sets of images."""
        return Bounds(*(torch.cat(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


def bounds(log_weight: Callable[[int], Tensor], samples: int, chunk: int) -> Bounds:
    """Estimate log p(x) = log E_q [p(x|z) p(z) / q(z|x)] with `samples` draws, `chunk` at a time (Burda et al. 2016).

    `log_weight(k)` returns k fresh log-weights per image, (k, N). IWAE_5 and IWAE_50 average over the disjoint groups
    of 5 and 50 draws; with fewer draws, all of them are one group. The memory is that of decoding one chunk.
    """
    weights = torch.cat([log_weight(n) for n in chunks(samples, chunk)])  # (K, N)

    def grouped(size: int) -> Tensor:
        size = min(size, samples)
        whole = weights[: samples // size * size].reshape(-1, size, weights.shape[1])
        return log_mean_exp(whole, dim=1).mean(0)

    share = torch.softmax(weights, 0)
    bound = (weights.mean(0), grouped(5), grouped(50), log_mean_exp(weights))
    return Bounds(*bound, 1 / share.square().sum(0), pareto_shape(weights))


def pareto_shape(log_weights: Tensor) -> Tensor:
    """Fit a generalised Pareto distribution to the largest of K importance weights; return its shape k̂, (N,).

    log_weights: (K, N). Above 0.7 the mean of the weights cannot be trusted at any practical K (Vehtari, Simpson,
    Gelman, Yao & Gabry 2024, "Pareto smoothed importance sampling", arXiv:1507.02646). The fit is that of Zhang &
    Stephens 2009, "A new and efficient estimation method for the generalized Pareto distribution". NaN for fewer than
    25 weights, or where the largest are all equal. It sees only what the draws have seen: of a mode that the proposal
    never visits it says nothing.
    """
    k = len(log_weights)
    tail = min(k // 5, math.ceil(3 * math.sqrt(k)))
    if tail < 5:
        return torch.full((log_weights.shape[1],), math.nan)
    top = log_weights.double().topk(tail + 1, dim=0).values.flip(0)
    x = (top[1:] - top[-1]).exp() - (top[0] - top[-1]).exp()  # above the cutoff, rising, (tail, N)
    x = x.clamp(min=torch.finfo(x.dtype).tiny)
    m = 30 + math.isqrt(tail)
    grid = 1 - (m / (torch.arange(1, m + 1, dtype=x.dtype) - 0.5)).sqrt()
    theta = 1 / x[-1] + grid[:, None] / (3 * x[int(tail / 4 + 0.5) - 1])  # (m, N)
    shape = torch.log1p(-theta[:, None] * x).mean(1)
    fit = tail * ((-theta / shape).log() - shape - 1)
    theta = (torch.softmax(fit, 0) * theta).sum(0)
    found = torch.log1p(-theta * x).mean(0)
    shrunk = (found * tail + 0.5 * 10) / (tail + 10)  # towards ½, by as much as ten weights say
    return torch.where(top[-1] > top[0], shrunk, math.nan).float()


def chunks(total: int, size: int) -> Iterator[int]:
    """Divide `total` into parts of `size` and a rest."""
    for done in range(0, total, size):
        yield min(size, total - done)
