"""Manifold, traversals, interpolation, label swaps, draws and completions, on models small enough to reason about."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
import torch
from helpers.engine import model_config

from cvae.conditions import visible_mask
from cvae.explore.decoding import (
    complete,
    draw,
    interpolate,
    label_swap,
    label_vector,
    manifold,
    neighbours,
    path,
    sample,
    traversal,
)
from cvae.explore.inference import Inference
from cvae.models import build

K = 3
LABELS = np.eye(K, dtype=np.float32)


def model_of(family: str, latent_dim: int = 2, codes: np.ndarray | None = None, **changes: object) -> Inference:
    config = model_config(family, hidden=(8,), latent_dim=latent_dim, class_names=("a", "b", "c"), **changes)
    torch.manual_seed(3)
    return Inference.of(build(config), codes)


def codes_behind(pictures: np.ndarray, model: Inference, z: np.ndarray, given: np.ndarray | None = None) -> None:
    """The pictures (..., C, H, W) are those of the codes z (..., d)."""
    expected = model.decode(z.reshape(-1, z.shape[-1]), given)
    np.testing.assert_allclose(pictures.reshape(expected.shape), expected, atol=1e-6)


# --- labels -------------------------------------------------------------------------------------------------------


def test_label_vectors_are_one_hot_or_mixtures() -> None:
    np.testing.assert_array_equal(label_vector(2, 4), [0, 0, 1, 0])
    np.testing.assert_allclose(label_vector({0: 1, 3: 3}, 4), [0.25, 0, 0, 0.75])


@pytest.mark.parametrize("label", [4, -1, {5: 1.0}, {0: -1.0, 1: 2.0}, {0: 0.0}, {}])
def test_impossible_labels_are_refused(label: int | dict[int, float]) -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        label_vector(label, 4)


# --- manifold -----------------------------------------------------------------------------------------------------


def test_manifold_lies_at_the_quantiles_with_the_second_dimension_pointing_up() -> None:
    model = model_of("vae")
    q = [NormalDist().inv_cdf(p) for p in np.linspace(0.01, 0.99, 20)]
    assert q[0] == pytest.approx(-2.3263, abs=1e-4)
    z = np.array([[(x, y) for x in q] for y in reversed(q)])
    pictures = manifold(model)
    assert pictures.shape == (20, 20, 1, 8, 8)
    codes_behind(pictures, model, z)


def test_manifold_of_more_dimensions_shows_two_and_leaves_the_others_at_the_prior_s_mean() -> None:
    model = model_of("cmma", latent_dim=4)
    y = label_vector(1, K)
    mean, std = model.prior(y[None])
    z = np.tile(mean[0], (3, 3, 1))
    q = np.array([NormalDist().inv_cdf(p) for p in (0.1, 0.5, 0.9)])
    z[:, :, 3] = mean[0, 3] + std[0, 3] * q
    z[:, :, 1] = mean[0, 1] + std[0, 1] * q[::-1, None]
    codes_behind(manifold(model, 3, dims=(3, 1), condition=y, quantiles=(0.1, 0.9)), model, z)


def test_manifold_of_an_autoencoder_spans_its_codes() -> None:
    codes = np.random.default_rng(0).normal([5, -3], [2, 0.1], (500, 2))
    model = model_of("ae", codes=codes)
    edge = NormalDist().inv_cdf(0.99)
    corner = codes.mean(0) + codes.std(0) * [-edge, edge]
    codes_behind(manifold(model)[0, 0], model, corner[None])


def test_manifold_of_one_dimension_is_a_row() -> None:
    assert manifold(model_of("vae", latent_dim=1), 5).shape == (1, 5, 1, 8, 8)


def test_manifold_takes_a_torch_model() -> None:
    torch_model = build(model_config(hidden=(8,)))
    np.testing.assert_array_equal(manifold(torch_model, 4), manifold(Inference.of(torch_model), 4))


def test_manifold_completes_one_image() -> None:
    model = model_of("cvae-predictive")
    image = np.random.default_rng(0).random((1, 8, 8))
    pictures = manifold(model, 4, condition=image)
    assert pictures.shape == (4, 4, 1, 8, 8)
    np.testing.assert_allclose(pictures[..., 4:, :4] - image[:, 4:, :4], 0, atol=1e-6)


# --- traversal and interpolation ----------------------------------------------------------------------------------


def test_traversal_moves_one_dimension_and_keeps_the_others() -> None:
    model = model_of("vae", latent_dim=3)
    z = np.array([0.5, -1.0, 2.0])
    expected = np.tile(z, (2, 5, 1))
    expected[0, :, 2] = expected[1, :, 0] = [-2, -1, 0, 1, 2]
    codes_behind(traversal(model, z, dims=(2, 0), steps=5, span=2), model, expected)
    assert traversal(model).shape == (3, 9, 1, 8, 8)


def test_a_straight_path_is_the_line() -> None:
    np.testing.assert_allclose(path([[0, 0], [4, 2]], 5), [[0, 0], [1, 0.5], [2, 1], [3, 1.5], [4, 2]])


def test_a_path_passes_all_its_points() -> None:
    points = np.array([[0, 1], [2, 0], [-3, 0], [0, 1]], dtype=float)
    for course in ("linear", "spherical"):
        np.testing.assert_allclose(path(points, 7, course)[::2], points, atol=1e-6)  # type: ignore[arg-type]


def test_a_spherical_path_follows_the_circle() -> None:
    codes = path([[1, 0], [0, 1]], 4, "spherical")
    angles = np.radians([0, 30, 60, 90])
    np.testing.assert_allclose(codes, np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-6)


def test_the_radius_of_a_spherical_path_changes_evenly() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 20))
    b = 3 * b
    lengths = np.linalg.norm(path([a, b], 6, "spherical"), axis=1)
    np.testing.assert_allclose(lengths, np.linspace(np.linalg.norm(a), np.linalg.norm(b), 6), rtol=1e-5)


def test_a_spherical_path_turns_about_the_mean_of_the_prior() -> None:
    mean = np.full(20, 10.0)
    a, b = mean + np.random.default_rng(0).normal(size=(2, 20))
    lengths = np.linalg.norm(path([a, b], 6, "spherical", centre=mean) - mean, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(lengths[0], lengths[-1], 6), rtol=1e-4)
    model = model_of("cvae-learned-prior", latent_dim=20)
    label = label_vector(2, 3)
    codes = path([a, b], 6, "spherical", centre=model.prior(label[None])[0][0])
    expected = model.decode(codes, label[None])
    np.testing.assert_allclose(interpolate(model, [a, b], 6, course="spherical", condition=label), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("a", "b"), [([1, 2], [2, 4]), ([1, 2], [-1, -2]), ([0, 0], [1, 1]), ([1, 1], [1, 1]), ([1, 1], [1, 1 + 1e-7])]
)
def test_where_no_circle_joins_them_the_path_is_straight(a: list[float], b: list[float]) -> None:
    np.testing.assert_allclose(path([a, b], 5, "spherical"), path([a, b], 5), atol=1e-6)


def test_interpolation_can_mix_labels_on_the_way() -> None:
    model = model_of("cvae")
    points = [[-1, 0], [1, 1]]
    pictures = interpolate(model, points, 3, condition=LABELS[:2])
    codes_behind(pictures, model, path(points, 3), np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0]]))
    codes_behind(interpolate(model, points, 3, condition=LABELS[2]), model, path(points, 3), LABELS[2:])


# --- labels swapped -----------------------------------------------------------------------------------------------


def test_label_swap_keeps_z_where_the_prior_ignores_the_label() -> None:
    model = model_of("cvae")
    z = np.array([[0.3, -1.0], [2.0, 0.1]])
    pictures = label_swap(model, z, LABELS[:2])
    assert pictures.shape == (2, K, 1, 8, 8)
    codes_behind(pictures, model, np.repeat(z, K, axis=0), np.tile(LABELS, (2, 1)))


def test_label_swap_keeps_the_place_in_a_learned_prior() -> None:
    model = model_of("cmma")
    mean, std = model.prior(LABELS)
    noise = np.array([0.7, -1.2])
    pictures = label_swap(model, (mean[1] + noise * std[1])[None], LABELS[1:2])
    codes_behind(pictures, model, mean + noise * std)
    assert not np.allclose(pictures[0, 0], pictures[0, 1])


def test_a_model_without_labels_swaps_none() -> None:
    with pytest.raises(ValueError, match="vae has no labels"):
        label_swap(model_of("vae"), np.zeros((1, 2)), LABELS[:1])


# --- draws --------------------------------------------------------------------------------------------------------


def test_draws_follow_prior_and_temperature() -> None:
    model = model_of("cvae-learned-prior")
    mean, std = (v[0] for v in model.prior(LABELS[2:]))
    z = draw(model, 20_000, LABELS[2], temperature=0.5, seed=1)
    np.testing.assert_allclose(z.mean(0), mean, atol=0.02)
    np.testing.assert_allclose(z.std(0), 0.5 * std, rtol=0.03)
    np.testing.assert_allclose(draw(model, 3, LABELS[2], temperature=0), np.tile(mean, (3, 1)))


def test_a_seed_is_a_draw() -> None:
    model = model_of("cvae")
    first = sample(model, 4, LABELS[0], seed=5)
    np.testing.assert_array_equal(first, sample(model, 4, LABELS[0], seed=5))
    assert not np.allclose(first, sample(model, 4, LABELS[0], seed=6))
    assert not np.allclose(first, sample(model, 4, LABELS[1], seed=5))
    codes_behind(first, model, draw(model, 4, LABELS[0], seed=5), LABELS[:1])


def test_completions_differ_where_hidden_and_agree_where_visible() -> None:
    model = model_of("cvae-predictive", quadrants=2)
    images = np.random.default_rng(0).random((3, 1, 8, 8)).astype(np.float32)
    pictures = complete(model, images, 5, temperature=3.0)
    assert pictures.shape == (3, 5, 1, 8, 8)
    mask = visible_mask(8, 8, 2)
    np.testing.assert_array_equal(
        pictures[..., mask], np.broadcast_to(images[:, None, :, mask], pictures[..., mask].shape)
    )
    assert (pictures[..., ~mask].std(axis=1) > 0).all()


@pytest.mark.parametrize("model", [model_of("vae"), model_of("cvae-predictive", task="label")])
def test_only_the_predictive_model_completes_images(model: Inference) -> None:
    with pytest.raises(ValueError, match="completes no images"):
        complete(model, np.zeros((1, 1, 8, 8)), 2)


# --- neighbours ---------------------------------------------------------------------------------------------------


def test_neighbours_are_the_nearest_first() -> None:
    codes = np.random.default_rng(0).normal(size=(60, 4))
    at = np.random.default_rng(1).normal(size=(5, 4))
    distances = np.linalg.norm(codes - at[:, None], axis=-1)
    np.testing.assert_array_equal(neighbours(codes, at, 7), np.argsort(distances, axis=1)[:, :7])
    assert neighbours(codes, codes[3], 1).tolist() == [[3]]
