"""These functions explore a trained model: manifold, traversals, interpolations, label swaps, draws, completions.

Every function takes a model, `Inference` or a torch `Autoencoder`, and returns arrays: pictures (..., C, H, W) in
[0, 1], codes (..., d). Labels are vectors (K,) or (N, K), one-hot or mixtures (see `label_vector`). `seed` sets the
random numbers.

    manifold(model)                                  a 20 × 20 grid over the quantiles of two dimensions
    traversal(model, z)                              one dimension changes at a time
    interpolate(model, [a, b])                       from one code to another
    carry_code(model, z, before, after)              the effect of a changed label on a code
    label_swap(model, z, labels)                     the same style as every class
    sample(model, 16, label_vector(3, classes=10))   draws for a label
    complete(model, images, 8)                       several completions of each image (cvae-predictive)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvae.conditions import LABEL, ClassCondition, ConditionBatch, label_place
from cvae.explore.inference import Given, Inference, batch_of
from cvae.explore.numpy_nets import Array

if TYPE_CHECKING:
    from cvae.models import Autoencoder

Interpolation = Literal["linear", "spherical"]


def label_vector(label: int | Mapping[int, float], classes: int) -> Array:
    """Turn a class, or weights such as `{3: 0.5, 8: 0.5}`, into a label (classes,) that adds up to 1.

    Raise `ValueError` for a class outside 0 … classes−1, and for weights that are negative or all 0.
    """
    names = ClassCondition(LABEL, tuple(map(str, range(classes))))
    return names.blend({label: 1.0} if isinstance(label, int) else label)


def manifold(
    model: Inference | Autoencoder,
    steps: int = 20,
    *,
    dims: Sequence[int] = (0, 1),
    condition: Given = None,
    quantiles: tuple[float, float] = (0.01, 0.99),
) -> Array:
    """Return pictures on a grid of equal probability, (steps, steps, C, H, W); the second dimension grows upwards.

    Along each of the two `dims`, `steps` evenly spaced probabilities between the two `quantiles` pass through the
    inverse normal distribution function (Kingma & Welling 2013, figure 4). The prior's mean and standard deviation
    scale the result; an autoencoder uses those of its codes. The other dimensions stay at the prior's mean. A model
    with one latent dimension gives one row.

    `condition` is the model's input besides z, a single label (K,) or image (C, H, W).
    """
    model, condition = _inference(model), batch_of(condition)
    probabilities = np.linspace(*quantiles, steps)
    z = np.array([NormalDist().inv_cdf(p) for p in probabilities])
    mean, std = model.prior(condition)
    dims = tuple(dims)[: model.latent_dim]
    noise = np.zeros((1 if len(dims) == 1 else steps, steps, model.latent_dim), dtype=np.float32)
    noise[..., dims[0]] = z
    if len(dims) > 1:
        noise[..., dims[1]] = z[::-1, None]
    pictures = model.decode((mean + std * noise).reshape(-1, model.latent_dim), condition)
    return pictures.reshape(*noise.shape[:2], *pictures.shape[1:])


def traversal(
    model: Inference | Autoencoder,
    z: ArrayLike | None = None,
    *,
    dims: Sequence[int] | None = None,
    steps: int = 9,
    span: float = 3.0,
    condition: Given = None,
) -> Array:
    """Move one dimension at a time from −span to +span standard deviations of the prior: (dims, steps, C, H, W).

    The other dimensions stay at `z` (d,), by default the prior's mean; `dims` is by default all dimensions.
    """
    model, condition = _inference(model), batch_of(condition)
    mean, std = model.prior(condition)
    start = mean[0] if z is None else np.asarray(z, dtype=np.float32)
    dims = range(model.latent_dim) if dims is None else dims
    codes = np.tile(start, (len(dims), steps, 1))
    for row, d in zip(codes, dims, strict=True):
        row[:, d] = mean[0, d] + std[0, d] * np.linspace(-span, span, steps)
    pictures = model.decode(codes.reshape(-1, model.latent_dim), condition)
    return pictures.reshape(len(dims), steps, *pictures.shape[1:])


def path(points: ArrayLike, steps: int, course: Interpolation = "linear", *, centre: ArrayLike = 0.0) -> Array:
    """Return codes (steps, d) from the first of `points` (P, d) through the others to the last, at equal times.

    "linear" follows the line; this suits two dimensions and encodings. "spherical" follows the great circle about
    `centre` (d,), the mean of the prior, and changes the radius evenly; this suits draws from a prior of many
    dimensions: the line between two draws passes nearer to the mean than any draw (White 2016, "Sampling generative
    networks", arXiv:1609.04468). `along` in assets/explorer/path.js is the same.
    """
    middle = np.asarray(centre, dtype=np.float32)
    corners = np.asarray(points, dtype=np.float32) - middle
    at = np.linspace(0, len(corners) - 1, steps)
    stretch = np.minimum(at.astype(int), len(corners) - 2)
    between = _spherical if course == "spherical" else _linear
    codes = [between(corners[i], corners[i + 1], t) for i, t in zip(stretch, at - stretch, strict=True)]
    return middle + np.stack(codes)


def interpolate(
    model: Inference | Autoencoder,
    points: ArrayLike,
    steps: int = 10,
    *,
    course: Interpolation = "linear",
    condition: Given = None,
) -> Array:
    """Return the pictures (steps, C, H, W) along the `path` through at least two codes `points` (P, d).

    `condition` is one label (K,) or image for all, or several labels (M, K), which mix evenly from first to last.
    """
    model, condition = _inference(model), batch_of(condition)
    vectors = condition.vector
    rows = 1 if vectors is None else len(vectors)
    centre = model.from_noise(np.zeros((rows, model.latent_dim)), condition).mean(0) if course == "spherical" else 0.0
    if vectors is not None and len(vectors) > 1:
        condition = ConditionBatch(vector=path(vectors, steps))
    return model.decode(path(points, steps, course, centre=centre), condition)


def carry_code(model: Inference | Autoencoder, z: ArrayLike, before: Given, after: Given) -> Array:
    """Return the codes (N, d) of z (N, d) after the condition changes from `before` to `after`.

    The noise ε = (z − μ)/σ stays the same. Under a learned prior p(z|y) z therefore moves to μ′ + σ′ (z − μ)/σ; under
    a prior that does not see the condition z stays the same. `transfer` in assets/explorer/prior.js is the same rule.
    `before` and `after` are labels (K,) or (N, K), or images.
    """
    model, codes = _inference(model), np.asarray(z, dtype=np.float32)
    if model.family.prior != "learned":
        return codes
    mean, std = model.prior(batch_of(before))
    return model.from_noise((codes - mean) / std, batch_of(after))


def label_swap(model: Inference | Autoencoder, z: ArrayLike, labels: ArrayLike) -> Array:
    """Show each code as each class: z (N, d) and the vectors (N, width) of its encoding → pictures (N, K, C, H, W).

    `carry_code` changes z. Raise `ValueError` for a model without labels.
    """
    model = _inference(model)
    if not model.config.takes_label:
        raise ValueError(f"{model.family.id} has no labels to swap")
    z, labels = np.asarray(z, dtype=np.float32), np.asarray(labels, dtype=np.float32)
    classes, place = model.config.classes, label_place(model.config.conditions)
    before = np.repeat(np.broadcast_to(labels, (len(z), labels.shape[-1])), classes, axis=0)
    after = before.copy()
    after[:, place] = np.tile(np.eye(classes, dtype=np.float32), (len(z), 1))
    codes = carry_code(model, np.repeat(z, classes, axis=0), before, after)
    pictures = model.decode(codes, after)
    return pictures.reshape(len(z), classes, *pictures.shape[1:])


def draw(
    model: Inference | Autoencoder, n: int, condition: Given = None, *, temperature: float = 1.0, seed: int = 0
) -> Array:
    """Draw codes (n, d) from the prior, with its standard deviation multiplied by `temperature`.

    An autoencoder has no prior: its codes come from the Gaussian that was fitted to the codes of its `Inference`.
    """
    model = _inference(model)
    noise = np.random.default_rng(seed).standard_normal((n, model.latent_dim), dtype=np.float32)
    return model.from_noise(temperature * noise, batch_of(condition))


def sample(
    model: Inference | Autoencoder, n: int, condition: Given = None, *, temperature: float = 1.0, seed: int = 0
) -> Array:
    """Decode codes from `draw` to pictures (n, C, H, W); `condition` is one or n labels (K,) or images (C, H, W)."""
    model = _inference(model)
    return model.decode(draw(model, n, condition, temperature=temperature, seed=seed), batch_of(condition))


def complete(
    model: Inference | Autoencoder, images: ArrayLike, n: int, *, temperature: float = 1.0, seed: int = 0
) -> Array:
    """Complete each image (N, C, H, W) n times, by draws from p(z|c): (N, n, C, H, W).

    The visible part stays the same. Raise `ValueError` for a model other than cvae-predictive on quadrants.
    """
    model, x = _inference(model), np.asarray(images)
    if not model.family.completes or model.predicts_label:
        raise ValueError(f"{model.family.id} completes no images: only cvae-predictive does, on quadrants")
    given = np.repeat(x, n, axis=0)
    noise = np.random.default_rng(seed).standard_normal((len(given), model.latent_dim), dtype=np.float32)
    pictures = model.decode(model.from_noise(temperature * noise, given), given)
    return pictures.reshape(len(x), n, *pictures.shape[1:])


def neighbours(codes: ArrayLike, at: ArrayLike, k: int) -> NDArray[np.intp]:
    """Return the indices (M, k) of the k codes (N, d) nearest to each point `at` (M, d), the nearest first."""
    codes, at = np.asarray(codes, dtype=np.float32), np.atleast_2d(np.asarray(at, dtype=np.float32))
    squared = np.square(at).sum(1)[:, None] - 2 * at @ codes.T + np.square(codes).sum(1)
    return np.argsort(squared, axis=1, kind="stable")[:, :k]


def _linear(a: Array, b: Array, t: float) -> Array:
    return a + np.float32(t) * (b - a)


def _spherical(a: Array, b: Array, t: float) -> Array:
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    cosine = float(a @ b) / (lengths[0] * lengths[1]) if all(lengths) else 1.0
    if abs(cosine) > 1 - 1e-6:  # both are on one line through the origin: no unique circle joins them
        return _linear(a, b, t)
    angle = np.arccos(cosine)
    radius = lengths[0] + t * (lengths[1] - lengths[0])
    direction = np.sin((1 - t) * angle) * a / lengths[0] + np.sin(t * angle) * b / lengths[1]
    return np.asarray(radius / np.sin(angle) * direction, dtype=np.float32)


def _inference(model: Inference | Autoencoder) -> Inference:
    return model if isinstance(model, Inference) else Inference.of(model)
