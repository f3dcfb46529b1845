"""Densities and divergences against torch's own and against closed forms, in double precision."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch import distributions as td
from torch.nn import functional as F

from cvae.models.distributions import (
    Gaussian,
    PointMass,
    bernoulli_nll,
    categorical_nll,
    gaussian_kl,
    gaussian_nll,
    log_mean_exp,
    soft_bound,
    standard_normal,
    standard_normal_kl,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def random_gaussian(*shape: int, seed: int) -> Gaussian:
    return Gaussian(draw(*shape, seed=seed), draw(*shape, seed=seed + 1))


def in_torch(g: Gaussian) -> td.Normal:
    return td.Normal(g.mean, (0.5 * g.log_var).exp())


# --- Gaussians


def test_kl_equals_the_closed_form_of_torch():
    q, p = random_gaussian(50, 3, seed=0), random_gaussian(50, 3, seed=10)
    torch.testing.assert_close(gaussian_kl(q, p), td.kl_divergence(in_torch(q), in_torch(p)))
    torch.testing.assert_close(standard_normal_kl(q), gaussian_kl(q, standard_normal(q.mean)))


def test_kl_of_known_values():
    """N(1, 1) and N(0, 4) from N(0, 1): ½ nat, and ½ (4 − 1 − ln 4)."""
    q = Gaussian(torch.tensor([1.0, 0.0]), torch.tensor([0.0, math.log(4)]))
    torch.testing.assert_close(standard_normal_kl(q), torch.tensor([0.5, 0.5 * (3 - math.log(4))]))


def test_kl_equals_its_monte_carlo_estimate():
    q, p = random_gaussian(5, 2, seed=0), random_gaussian(5, 2, seed=10)
    z = q.sample(200_000, generator())
    ratio = q.log_prob(z) - p.log_prob(z)
    error = ratio.std(0) / math.sqrt(len(z))
    assert ((ratio.mean(0) - gaussian_kl(q, p).sum(-1)).abs() < 4 * error).all()
    assert (error < 0.05).all()


def test_kl_vanishes_only_between_equals():
    q = random_gaussian(20, 2, seed=3)
    torch.testing.assert_close(gaussian_kl(q, q), torch.zeros(20, 2, dtype=torch.float64))
    assert (gaussian_kl(q, Gaussian(q.mean + 0.1, q.log_var)) > 0).all()


def test_log_prob_equals_torch():
    q, z = random_gaussian(7, 3, seed=0), draw(4, 7, 3, seed=5)
    torch.testing.assert_close(q.log_prob(z), in_torch(q).log_prob(z).sum(-1))


def test_samples_have_the_mean_the_variance_and_a_gradient():
    q = Gaussian(torch.tensor([[1.0, -2.0]], requires_grad=True), torch.tensor([[0.0, -2.0]], requires_grad=True))
    z = q.sample(100_000, generator())
    assert z.shape == (100_000, 1, 2)
    torch.testing.assert_close(z.mean(0), q.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(0).log(), q.log_var, atol=0.02, rtol=0)
    z.mean(0).sum().backward()
    torch.testing.assert_close(q.mean.grad, torch.ones(1, 2))  # ∂z/∂μ = 1


def test_a_generator_decides_the_samples():
    q = random_gaussian(3, 2, seed=0)
    assert torch.equal(q.sample(4, generator(1)), q.sample(4, generator(1)))
    assert not torch.equal(q.sample(4, generator(1)), q.sample(4, generator(2)))


def test_a_point_mass_has_one_sample():
    mean = draw(3, 2)
    assert torch.equal(PointMass(mean).sample(4), torch.stack([mean] * 4))


def test_soft_bound_is_the_identity_near_zero_and_never_without_a_gradient():
    raw = torch.linspace(-40, 40, 401, dtype=torch.float64, requires_grad=True)
    bounded = soft_bound(raw, 4.0)
    bounded.sum().backward()
    assert bounded.abs().max() <= 4
    assert (raw.grad > 0).all()
    torch.testing.assert_close(soft_bound(draw(9, scale=0.01), 4.0), draw(9, scale=0.01), atol=1e-6, rtol=0)


# --- likelihoods


@pytest.mark.parametrize("scale", [1.0, 10.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_nll_and_its_gradient_equal_torch(dtype: torch.dtype, scale: float):
    logits = draw(3, 6, 40, scale=scale).to(dtype).requires_grad_()  # (k, N, D)
    x = torch.rand(6, 40, generator=generator(1)).to(dtype)
    weights = torch.rand(3, 6, generator=generator(2)).to(dtype)
    ours = bernoulli_nll(logits, x)
    stock = F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(-1)
    torch.testing.assert_close(ours, stock)
    found, expected = (torch.autograd.grad((nll * weights).sum(), logits)[0] for nll in (ours, stock))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("logit", [-100.0, -30.0, 0.0, 30.0, 100.0])
@pytest.mark.parametrize("pixel", [0.0, 0.3, 1.0])
def test_bernoulli_nll_of_extreme_logits(logit: float, pixel: float):
    logits = torch.tensor([[logit]], requires_grad=True)
    x = torch.tensor([[pixel]])
    ours, stock = bernoulli_nll(logits, x), F.binary_cross_entropy_with_logits(logits, x)
    torch.testing.assert_close(ours[0], stock, atol=1e-6, rtol=1e-6)
    found, expected = (torch.autograd.grad(nll.sum(), logits)[0] for nll in (ours, stock))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_bernoulli_nll_leaves_its_arguments_alone():
    logits, x = draw(2, 3, 5), torch.full((3, 5), 0.25, dtype=torch.float64)
    before = logits.clone(), x.clone()
    bernoulli_nll(logits, x)
    assert torch.equal(logits, before[0])
    assert torch.equal(x, before[1])


def test_a_nan_is_never_hidden():
    assert bernoulli_nll(torch.tensor([[float("nan"), 0.0]]), torch.zeros(1, 2)).isnan().all()


def test_binary_images_have_a_probability_each():
    """Over all 2³ images of three pixels the probabilities sum to 1."""
    logits = draw(3)
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    total = torch.exp(-bernoulli_nll(logits.expand(8, 3), images)).sum()
    torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize("sigma", [0.05, 1.0, 3.0])
def test_gaussian_nll_equals_torch(sigma: float):
    mean, x = draw(3, 6, 10), draw(6, 10, seed=1)
    expected = -td.Normal(mean, sigma).log_prob(x).sum(-1)
    torch.testing.assert_close(gaussian_nll(mean, x, math.log(sigma)), expected)
    torch.testing.assert_close(gaussian_nll(mean, x, torch.tensor(math.log(sigma))), expected, rtol=1e-6, atol=1e-6)


def test_unit_sigma_is_half_the_sum_of_squares():
    mean, x = draw(2, 4, 10), draw(4, 10, seed=1)
    constant = 10 * 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(gaussian_nll(mean, x, 0.0) - constant, 0.5 * ((mean - x) ** 2).sum(-1))


def test_the_best_sigma_is_the_root_of_the_mean_square():
    """Rybkin et al. 2021: the gradient with respect to log σ vanishes at σ² = MSE."""
    mean, x = draw(1, 4, 10), draw(4, 10, seed=1)
    log_sigma = (0.5 * (mean - x).square().mean().log()).requires_grad_()
    (gradient,) = torch.autograd.grad(gaussian_nll(mean, x, log_sigma).sum(), log_sigma)
    assert abs(float(gradient)) < 1e-10


def test_categorical_nll_equals_torch_and_is_linear_in_the_label():
    logits = draw(5, 4, 10)
    labels = torch.tensor([3, 0, 9, 9])
    y = F.one_hot(labels, 10).double()
    expected = F.cross_entropy(logits.flatten(0, 1), labels.repeat(5), reduction="none").view(5, 4)
    torch.testing.assert_close(categorical_nll(logits, y), expected)
    mixed = 0.25 * y + 0.75 * y.flip(0)
    parts = 0.25 * categorical_nll(logits, y) + 0.75 * categorical_nll(logits, y.flip(0))
    torch.testing.assert_close(categorical_nll(logits, mixed), parts)


def test_log_mean_exp_does_not_overflow():
    torch.testing.assert_close(log_mean_exp(torch.tensor([1000.0, 1000.0])), torch.tensor(1000.0))
    x = draw(7, 3)
    torch.testing.assert_close(log_mean_exp(x), x.exp().mean(0).log())
    torch.testing.assert_close(log_mean_exp(x, dim=1), x.exp().mean(1).log())
