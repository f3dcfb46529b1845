"""Measures on codes and features whose answer is known, and bounds from weights that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from cvae.measuring.metrics import (
    Bounds,
    active_units,
    active_units_within_class,
    bounds,
    chunks,
    frechet_distance,
    gaussian_frechet_distance,
    knn_accuracy,
    linear_probe_accuracy,
    mean_distance,
    pareto_shape,
)
from cvae.models.distributions import log_mean_exp

LABELS = np.repeat(np.arange(4), 50)
CORNERS = np.array([[0, 0], [0, 9], [9, 0], [9, 9]], np.float32)


def noise(*shape: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def perfect(seed: int = 0) -> np.ndarray:
    """A tight cluster a class."""
    return CORNERS[LABELS] + noise(200, 2, scale=0.1, seed=seed)


CONSTANT = np.zeros((200, 2), np.float32)


# --- active units


def test_constant_codes_have_no_active_unit():
    assert active_units(CONSTANT) == 0
    assert active_units(CONSTANT + 7) == 0


def test_the_threshold_is_a_hundredth_in_variance():
    exact = np.tile([[-1.0], [1.0]], (100, 1))  # variance 1
    assert active_units(exact * math.sqrt(0.0101)) == 1
    assert active_units(exact * math.sqrt(0.0099)) == 0


def test_every_dimension_that_moves_counts_even_a_duplicate():
    codes = noise(200, 3)
    codes[:, 1] = codes[:, 0]
    codes[:, 2] = 5
    assert active_units(codes) == 2


def test_half_precision_codes_far_from_zero_are_measured_rightly():
    """The codes of a run folder are float16, whose own sums would overflow or swallow the small ones."""
    codes = (noise(10_000, 2) * 0.5 + 300).astype(np.float16)
    assert active_units(codes) == 2
    assert active_units((CONSTANT + 300).astype(np.float16)) == 0


def test_within_a_class_only_what_differs_there_is_active():
    only_class = CORNERS[LABELS]
    assert active_units(only_class) == 2
    assert active_units_within_class(only_class, LABELS) == 0
    assert active_units_within_class(only_class + noise(200, 2) * [1, 0], LABELS) == 1
    assert (only_class == CORNERS[LABELS]).all()  # the argument is left alone


# --- what the codes know of the classes


@pytest.mark.parametrize("accuracy", [knn_accuracy, linear_probe_accuracy])
def test_perfect_codes_give_the_class(accuracy):
    assert accuracy(perfect(), LABELS, perfect(1), LABELS) == 1
    duplicated = np.concatenate([perfect(), perfect()], 1)
    assert accuracy(duplicated, LABELS, np.concatenate([perfect(1), perfect(1)], 1), LABELS) == 1


@pytest.mark.parametrize("accuracy", [knn_accuracy, linear_probe_accuracy])
def test_constant_codes_give_chance(accuracy):
    assert accuracy(CONSTANT, LABELS, CONSTANT, LABELS) == pytest.approx(0.25)


@pytest.mark.parametrize("accuracy", [knn_accuracy, linear_probe_accuracy])
def test_codes_of_noise_give_about_chance(accuracy):
    assert accuracy(noise(200, 2), LABELS, noise(200, 2, seed=1), LABELS) < 0.4


def test_neighbours_see_what_a_linear_map_does_not():
    """Two classes in a ring around another: only neighbours tell them apart."""
    labels = np.tile([0, 1], 100)
    angle = np.linspace(0, 2 * np.pi, 200)
    ring = np.array([np.cos(angle), np.sin(angle)]).T * np.where(labels, 5, 1)[:, None]
    assert knn_accuracy(ring, labels, ring, labels) == 1
    assert linear_probe_accuracy(ring, labels, ring, labels) < 0.7


def test_the_linear_probe_does_not_mind_the_scale():
    scale = [1e-3, 1e3]
    assert linear_probe_accuracy(perfect() * scale, LABELS, perfect(1) * scale, LABELS) == 1


@pytest.mark.parametrize("accuracy", [knn_accuracy, linear_probe_accuracy])
def test_training_codes_of_one_class_predict_that_class(accuracy):
    """A small data set of the user's own may be divided so."""
    assert accuracy(perfect()[:50], LABELS[:50], perfect(1)[:100], LABELS[:100]) == 0.5


# --- distances between features


def test_every_pair_counts_once_in_the_mean_distance():
    assert mean_distance(np.array([[0, 0], [3, 4], [3, 0]])) == pytest.approx((5 + 3 + 4) / 3)
    assert mean_distance(CONSTANT + 1e4) == 0


def test_two_draws_of_a_normal_distribution_are_as_far_apart_as_they_should():
    """Their difference is √2 times a standard normal vector, whose length has the chi distribution."""
    expected = 2 * math.gamma(5.5) / math.gamma(5)
    assert mean_distance(noise(3000, 10)) == pytest.approx(expected, rel=0.01)


def test_the_frechet_distance_in_one_dimension():
    """(μ₁ − μ₂)² + (σ₁ − σ₂)²."""
    one, two = ([1.0], [[9.0]]), ([3.0], [[25.0]])
    assert gaussian_frechet_distance(*map(torch.tensor, (*one, *two))) == pytest.approx(4 + 4)


def test_the_frechet_distance_where_covariances_do_not_commute():
    """tr (Σ₁Σ₂)^½ of 2×2 matrices is √(tr Σ₁Σ₂ + 2 √det Σ₁Σ₂)."""
    mean, one, two = torch.zeros(2), torch.tensor([[4.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    product = one @ two
    cross = math.sqrt(product.trace() + 2 * math.sqrt(product.det()))
    expected = float(one.trace() + two.trace()) - 2 * cross
    assert gaussian_frechet_distance(mean, one, mean, two) == pytest.approx(expected, rel=1e-5)
    assert gaussian_frechet_distance(mean, two, mean, one) == pytest.approx(expected, rel=1e-5)


def test_the_frechet_distance_of_features_that_were_moved_and_stretched():
    """To a·x + b it is |(a − 1) μ + b|² + (a − 1)² tr Σ; also where features are constant or repeat each other."""
    features = noise(300, 6)
    features[:, 4:] = features[:, :2]
    features[:, 3] = 2
    x = features.astype(np.float64)
    trace = x.var(0, ddof=1).sum()
    assert frechet_distance(features, 3 * x + 1) == pytest.approx(np.square(2 * x.mean(0) + 1).sum() + 4 * trace)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features[:4], features[4:]) == pytest.approx(frechet_distance(features[4:], features[:4]))


# --- bounds


def fixed(weights: Tensor):
    """log_weight(k): the next k rows."""
    rows = iter(weights)
    return lambda k: torch.stack([next(rows) for _ in range(k)])


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_bounds_do_not_depend_on_the_chunk(chunk: int):
    weights = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * 3
    found = bounds(fixed(weights), 200, chunk)
    torch.testing.assert_close(found.elbo, weights.mean(0))
    torch.testing.assert_close(found.iwae_5, log_mean_exp(weights.reshape(40, 5, 5), 1).mean(0))
    torch.testing.assert_close(found.iwae_50, log_mean_exp(weights.reshape(4, 50, 5), 1).mean(0))
    torch.testing.assert_close(found.log_p, log_mean_exp(weights))


def test_each_bound_is_above_the_one_before():
    weights = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * 3
    found = bounds(fixed(weights), 200, 64)
    assert (found.elbo < found.iwae_5).all()
    assert (found.iwae_5 < found.iwae_50).all()
    assert (found.iwae_50 < found.log_p).all()


@pytest.mark.parametrize("samples", [1, 3, 5, 49, 53])
def test_few_samples_are_all_used(samples: int):
    weights = torch.randn(samples, 2, generator=torch.Generator().manual_seed(0))
    found = bounds(fixed(weights), samples, 10)
    torch.testing.assert_close(found.log_p, log_mean_exp(weights))
    if samples <= 50:
        torch.testing.assert_close(found.iwae_50, found.log_p)
    if samples == 1:
        torch.testing.assert_close(found.elbo, found.log_p)


def test_bounds_of_some_images_and_of_others_join():
    parts = [bounds(fixed(torch.full((50, n), float(n))), 50, 50) for n in (2, 3)]
    joined = parts[0] + parts[1]
    assert isinstance(joined, Bounds)
    assert joined.log_p.tolist() == joined.elbo.tolist() == [2.0, 2.0, 3.0, 3.0, 3.0]


def test_effective_samples_are_those_of_equal_weight():
    weights = torch.full((50, 3), -700.0)
    weights[0, 1] = 0  # one tells everything
    weights[:25, 2] = 0  # half of them do
    torch.testing.assert_close(bounds(fixed(weights), 50, 50).samples, torch.tensor([50.0, 1.0, 25.0]))


@pytest.mark.parametrize("shape", [0.3, 0.7, 1.2])
def test_the_tail_of_a_pareto_distribution_has_its_shape(shape: float):
    uniform = torch.rand(20_000, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = pareto_shape(-shape * uniform.log())
    assert (found - shape).abs().mean() < 0.1
    torch.testing.assert_close(pareto_shape(-shape * uniform.log() - 1e4), found, atol=1e-3, rtol=0)


def test_a_tail_that_is_flat_or_too_short_has_no_shape():
    assert pareto_shape(torch.zeros(1000, 2)).isnan().all()
    assert pareto_shape(torch.randn(24, 2, generator=torch.Generator().manual_seed(0))).isnan().all()
    assert pareto_shape(torch.randn(25, 2, generator=torch.Generator().manual_seed(0))).isfinite().all()


def test_chunks_add_up():
    assert list(chunks(10, 4)) == [4, 4, 2]
    assert list(chunks(8, 4)) == [4, 4]
    assert list(chunks(3, 4)) == [3]
