"""The bounds on log p(x|·) against quadrature over a two-dimensional z, and the loss that training makes of them."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from helpers.engine import tiny_model
from torch import Tensor

from cvae.config import LIKELIHOODS, ObjectiveConfig
from cvae.data import ImageData, one_hot
from cvae.families import FAMILIES
from cvae.models import Autoencoder, build
from cvae.models.base import BoundTerms, objective_loss
from cvae.models.cvae_predictive import PredictiveCVAE
from cvae.models.distributions import Gaussian, log_mean_exp
from cvae.runs.folder import Run
from cvae.training.load import load

FAMILIES_WITH_PRIOR = [family for family in FAMILIES if FAMILIES[family].prior != "none"]
N = 6  # images


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass
class Fitted:
    """A trained model, test images with their labels, and their log p(x|·) by quadrature."""

    model: Autoencoder
    x: Tensor
    y: Tensor

    def terms(self, k: int, seed: int = 0) -> BoundTerms:
        terms: BoundTerms = self.model(self.x, self.y, k=k, generator=generator(seed))
        return terms

    @functools.cached_property
    def log_p(self) -> Tensor:
        """log ∫ p(x|z) p(z|·) dz by the trapezoidal rule, in units of the prior: z = μ + σ·u, u in [−6, 6]²."""
        given = self.y if self.model.config.takes_label else self.x if self.model.family.completes else None
        prior = self.model.prior(given, n=len(self.x))
        side = torch.linspace(-6, 6, 161, dtype=torch.float64)
        log_density = -0.5 * side.square() - 0.5 * math.log(2 * math.pi) + math.log(float(side[1] - side[0]))
        total = []
        for u, log_weight in zip(side, log_density, strict=True):  # a row of the grid at a time
            points = torch.stack([u.expand(len(side)), side], -1).float()  # (G, 2)
            z = prior.mean + (0.5 * prior.log_var).exp() * points.unsqueeze(1)  # (G, N, 2)
            logits = self.model.logits(z, given)
            if isinstance(self.model, PredictiveCVAE):
                log_likelihood = -self.model.target_nll(self.x, self.y, logits)
            else:
                log_likelihood = -self.model.nll(self.x, logits)
            total.append(torch.logsumexp(log_likelihood.double() + (log_weight + log_density).unsqueeze(1), 0))
        return torch.logsumexp(torch.stack(total), 0)  # (N,)


@pytest.fixture(scope="module")
def fitted(trained: Callable[..., Run], digits: ImageData) -> Callable[[str], Fitted]:
    @functools.cache
    def make(family: str) -> Fitted:
        x = torch.from_numpy(digits.test.images[:N]).float() / 255
        y = torch.from_numpy(one_hot(digits.test.labels[:N], 10))
        return Fitted(load(trained(family).path), x, y)

    return make


@pytest.mark.parametrize("family", FAMILIES_WITH_PRIOR)
def test_the_posterior_is_not_the_prior(family: str, fitted: Callable[[str], Fitted]):
    """What follows would say little of a model whose KL has collapsed."""
    assert fitted(family).terms(1).kl.sum(-1).mean() > 0.2


@pytest.mark.parametrize("family", FAMILIES_WITH_PRIOR)
def test_the_ladder_of_bounds_leads_to_quadrature(family: str, fitted: Callable[[str], Fitted]):
    """ELBO ≤ IWAE_5 ≤ IWAE_50 ≤ log p(x), and importance sampling reaches the last."""
    case = fitted(family)
    weights = case.terms(20_000).log_weight().double()  # (k, N)

    def iwae(k: int) -> Tensor:
        return log_mean_exp(weights.reshape(-1, k, N), dim=1).mean(0)

    ladder = [-case.terms(20_000).neg_elbo.double(), iwae(5), iwae(50), case.log_p]
    for lower, upper in itertools.pairwise(ladder):
        assert (lower < upper + 0.03).all()  # of one image; twice the Monte Carlo error
        assert lower.mean() < upper.mean()
    torch.testing.assert_close(log_mean_exp(weights), case.log_p, atol=0.05, rtol=0)


@pytest.mark.parametrize("family", FAMILIES_WITH_PRIOR)
def test_one_importance_sample_is_the_elbo_in_expectation(family: str, fitted: Callable[[str], Fitted]):
    """They share the reconstruction; what differs is the KL, sampled in the one and analytic in the other."""
    terms = fitted(family).terms(20_000)
    sampled = terms.log_ratio().double()  # log q − log p, (k, N)
    error = sampled.std(0) / math.sqrt(len(sampled))
    assert ((sampled.mean(0) - terms.kl.sum(-1)).abs() < 4 * error).all()
    torch.testing.assert_close(terms.log_weight().mean(0), -terms.neg_elbo, atol=0.05, rtol=0)


def test_a_zeroed_prior_net_makes_the_learned_prior_standard():
    """Then cvae-learned-prior is cvae: the same terms and the same gradients."""
    learned, plain = (build(tiny_model(family)) for family in ("cvae-learned-prior", "cvae"))
    plain.load_state_dict({k: v for k, v in learned.state_dict().items() if not k.startswith("prior_net.")})
    with torch.no_grad():
        for parameter in learned.prior_net.parameters():
            parameter.zero_()
    x, y = torch.rand(N, 1, 8, 8, generator=generator()), torch.eye(10)[:N]
    for objective in (ObjectiveConfig(), ObjectiveConfig(k=5), ObjectiveConfig(free_bits=0.1)):
        losses = [model.loss(x, y, objective, 1.0, generator(1))[0] for model in (learned, plain)]
        torch.testing.assert_close(*losses)
        gradients = [
            torch.autograd.grad(loss, [*model.encoder.parameters(), *model.decoder.parameters()])
            for model, loss in zip((learned, plain), losses, strict=True)
        ]
        for ours, theirs in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


# --- the loss: how the terms are weighed


def some_terms(n: int = 7, k: int = 1, d: int = 3) -> BoundTerms:
    q = Gaussian(torch.randn(n, d, generator=generator(2)), 0.3 * torch.randn(n, d, generator=generator(3)))
    p = Gaussian(torch.zeros(1, d), torch.zeros(1, d))
    kl = 0.5 * (q.log_var.exp() + q.mean.square() - 1 - q.log_var)
    reconstruction = 50 + 5 * torch.rand(k, n, generator=generator(4))
    return BoundTerms(reconstruction, kl, q.sample(k, generator(5)), q, p)


@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("weight", [0.0, 1.0, 2.0])
def test_the_loss_is_a_weighted_sum(beta: float, weight: float):
    terms = some_terms(k=3)
    expected = weight * terms.reconstruction.mean() + beta * terms.kl.sum(-1).mean()
    torch.testing.assert_close(objective_loss(terms, ObjectiveConfig(recon_weight=weight), beta), expected)


@pytest.mark.parametrize("family", FAMILIES_WITH_PRIOR)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_neg_elbo_does_not_depend_on_beta(family: str, likelihood: str):
    model = build(tiny_model(family, likelihood=likelihood))
    x, y = torch.rand(N, 1, 8, 8, generator=generator()), torch.eye(10)[:N]
    reported = [model.loss(x, y, ObjectiveConfig(beta=b), b, generator(1))[1].neg_elbo for b in (0.0, 1.0, 10.0)]
    assert torch.equal(reported[0], reported[1])
    assert torch.equal(reported[0], reported[2])


def test_without_reconstruction_only_the_kl_is_left():
    model = build(tiny_model())
    x = torch.rand(N, 1, 8, 8, generator=generator())
    loss, terms = model.loss(x, None, ObjectiveConfig(recon_weight=0), 1.0, generator(1))
    torch.testing.assert_close(loss, terms.kl.sum(-1).mean())
    loss.backward()
    assert not any(p.grad.any() for p in model.decoder.parameters())


def test_free_bits_are_free_a_dimension():
    """Σ_d max(λ, mean KL_d): below λ a dimension costs λ and has no gradient (Kingma et al. 2016)."""
    kl = torch.tensor([[0.1, 2.0], [0.3, 4.0]], requires_grad=True)  # means 0.2 and 3
    terms = BoundTerms(
        torch.zeros(1, 2), kl, torch.zeros(1, 2, 2), Gaussian(torch.zeros(2, 2), torch.zeros(2, 2)), None
    )
    loss = objective_loss(terms, ObjectiveConfig(free_bits=0.5), beta=2.0)
    torch.testing.assert_close(loss, torch.tensor(2 * (0.5 + 3.0)))
    loss.backward()
    torch.testing.assert_close(kl.grad, torch.tensor([[0.0, 1.0], [0.0, 1.0]]))


def test_the_importance_weighted_loss_is_equation_8():
    terms = some_terms(k=5)
    log_p_z = -0.5 * (terms.z.square() + math.log(2 * math.pi)).sum(-1)
    log_q = terms.q.log_prob(terms.z)
    expected = -torch.logsumexp(-terms.reconstruction + log_p_z - log_q - math.log(5), 0).mean()
    torch.testing.assert_close(objective_loss(terms, ObjectiveConfig(k=5), beta=1.0), expected)


@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
def test_the_importance_weighted_loss_weighs_its_two_densities(beta: float):
    """At β = 0 only the reconstruction is left, averaged as likelihoods are."""
    terms = some_terms(k=5)
    expected = -log_mean_exp(-2 * terms.reconstruction - beta * terms.log_ratio()).mean()
    torch.testing.assert_close(objective_loss(terms, ObjectiveConfig(k=5, recon_weight=2), beta), expected)


def test_an_autoencoder_has_but_one_term():
    model = build(tiny_model("ae"))
    x = torch.rand(N, 1, 8, 8, generator=generator())
    loss, terms = model.loss(x, None, ObjectiveConfig(beta=3, recon_weight=2, k=5), 3.0, generator(1))
    torch.testing.assert_close(loss, 2 * terms.reconstruction.mean())
