"""log p(x) by quadrature: against closed forms, importance sampling and finer grids."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from helpers.engine import tiny_model
from torch import Tensor

from cvae.measuring import exact
from cvae.models import Autoencoder, build
from cvae.models.distributions import Gaussian, log_mean_exp

N = 12


def model_of(family: str, gain: float = 2.0, **changes: object) -> Autoencoder:
    """An untrained model whose decoder is steep enough for posteriors to be narrower than the prior."""
    torch.manual_seed(1)
    model = build(tiny_model(family, **changes)).eval()
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.mul_(gain)
    return model


def images(model: Autoencoder) -> Tensor:
    """Binary images (N, C, H, W) that the model draws."""
    generator = torch.Generator().manual_seed(2)
    y = torch.eye(10)[:1] if model.config.takes_label else None
    z = model.prior(y, n=N).sample(N if y is not None else 1, generator).reshape(N, -1)
    return torch.bernoulli(model.decode(z, y), generator=generator)


@pytest.mark.parametrize(("likelihood", "latent_dim"), [("bernoulli", 2), ("gaussian", 1), ("gaussian-learned", 2)])
@pytest.mark.parametrize("family", ["vae", "cvae", "cvae-learned-prior", "cmma"])
@torch.inference_mode()
def test_it_is_what_many_draws_of_the_prior_say(family: str, likelihood: str, latent_dim: int) -> None:
    model = model_of(family, likelihood=likelihood, latent_dim=latent_dim)
    x = images(model)
    y = torch.eye(10)[3] if model.config.takes_label else None
    q = model.encode(x, None if y is None else y.expand(N, -1))
    assert isinstance(q, Gaussian)
    grid = exact.grid_of(model, x, q, None if y is None else torch.eye(10))
    found = exact.log_p(model, x, y, grid)
    generator = torch.Generator().manual_seed(3)
    z = model.prior(None if y is None else y[None], n=1).sample(40_000, generator)[:, 0]
    log_px = -model.nll(x, model.logits(z, None if y is None else y[None])[:, None].expand(-1, N, -1, -1, -1))
    drawn = log_mean_exp(log_px)
    spread = torch.exp(log_px - log_px.amax(0)).std(0) / torch.exp(log_px - log_px.amax(0)).mean(0) / math.sqrt(40_000)
    assert ((found - drawn).abs() < 5 * spread + 1e-3).all()


@torch.inference_mode()
def test_a_finer_grid_says_the_same() -> None:
    model = model_of("vae", gain=4.0)
    x = images(model)
    grid = exact.grid_of(model, x, model.encode(x), None)  # type: ignore[arg-type]
    finer = grid.halved().halved()
    torch.testing.assert_close(exact.log_p(model, x, None, grid), exact.log_p(model, x, None, finer), atol=0.02, rtol=0)


@torch.inference_mode()
def test_a_decoder_that_ignores_z_has_a_closed_form() -> None:
    model = model_of("vae")
    for weight in model.decoder.parameters():
        weight.zero_()  # every pixel is 1 with probability ½
    x = images(model)
    grid = exact.grid_of(model, x, model.encode(x), None)  # type: ignore[arg-type]
    expected = torch.full((N,), -64 * math.log(2))
    torch.testing.assert_close(exact.log_p(model, x, None, grid), expected, atol=1e-3, rtol=0)


@torch.inference_mode()
def test_a_linear_gaussian_model_has_a_closed_form() -> None:
    """x = sigmoid(b + W z) + noise is nearly linear for small W: p(x) is then N(m, σ² I + J Jᵀ)."""
    model = model_of("vae", likelihood="gaussian", sigma=0.1)
    generator = torch.Generator().manual_seed(5)
    slope = 0.02 * torch.randn(64, 2, generator=generator, dtype=torch.float64)

    class Linear:
        def __call__(self, *, z: Tensor, condition: Tensor | None) -> Tensor:
            return torch.logit((0.5 + z.double() @ slope.T).clamp(1e-6, 1 - 1e-6)).float().reshape(-1, 1, 8, 8)

        sees = ("z",)

    object.__setattr__(model, "__dict__", {**model.__dict__})
    del model._modules["decoder"]
    model.__dict__["decoder"] = Linear()
    x = 0.5 + 0.1 * torch.randn(N, 1, 8, 8, generator=generator)
    covariance = 0.01 * torch.eye(64, dtype=torch.float64) + slope @ slope.T
    expected = torch.distributions.MultivariateNormal(torch.full((64,), 0.5, dtype=torch.float64), covariance).log_prob(
        x.flatten(1).double()
    )
    grid = exact.Grid.over(torch.zeros(1, 2), torch.ones(1, 2)).halved().halved()
    np.testing.assert_allclose(exact.log_p(model, x, None, grid), expected, atol=2e-3)
