"""Projections: principal components against their definition, t-SNE against what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from cvae.explore.projection import dimensions, pca, tsne

RNG = np.random.default_rng(0)


def test_components_are_the_directions_of_most_variance() -> None:
    rotation, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    codes = RNG.normal(size=(5000, 4)) * [3.0, 2.0, 0.5, 0.1] @ rotation.T + 7
    found, explained = pca(codes, 2)
    np.testing.assert_allclose(np.abs(found.axes @ rotation[:, :2]), np.eye(2), atol=0.05)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(explained, np.array([9, 4]) / 13.26, atol=0.02)
    projected = found(codes)
    np.testing.assert_allclose(projected.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(projected.T)[0, 1], 0, atol=1e-9)


def test_the_sign_of_a_component_is_settled() -> None:
    codes = RNG.normal(size=(50, 3))
    np.testing.assert_allclose(pca(codes, 2)[0].axes, pca(codes[::-1], 2)[0].axes, atol=1e-9)


def test_a_gaussian_is_projected_as_its_draws_are() -> None:
    mean, covariance = np.array([1.0, 2.0, 3.0]), np.diag([4.0, 1.0, 0.25])
    draws = RNG.multivariate_normal(mean, covariance, 50_000)
    for found in (pca(RNG.normal(size=(100, 3)), 2)[0], dimensions(3, (2, 0))):
        centre, spread = found.gaussian(mean, covariance)
        np.testing.assert_allclose(found(draws).mean(0), centre, atol=0.05)
        np.testing.assert_allclose(np.cov(found(draws).T), spread, atol=0.1)


def test_dimensions_are_taken_as_they_are() -> None:
    codes = RNG.normal(size=(10, 4))
    np.testing.assert_array_equal(dimensions(4, (3, 1))(codes), codes[:, [3, 1]])


def test_tsne_keeps_groups_apart_and_repeats_with_its_seed() -> None:
    codes = np.concatenate([RNG.normal(size=(30, 8)), RNG.normal(size=(30, 8)) + 20])
    found = tsne(codes, seed=3)
    assert found.shape == (60, 2)
    inside = max(np.linalg.norm(part - part.mean(0), axis=1).max() for part in (found[:30], found[30:]))
    assert np.linalg.norm(found[:30].mean(0) - found[30:].mean(0)) > inside
    np.testing.assert_array_equal(found, tsne(codes, seed=3))


@pytest.mark.parametrize("n", [4, 12])
def test_tsne_of_few_codes(n: int) -> None:
    assert tsne(RNG.normal(size=(n, 5))).shape == (n, 2)
