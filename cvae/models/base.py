"""What every model of the family offers: encode, prior, decode, and the terms of its bound.

Symbols: x images (N, C, H, W) in [0, 1]; y what is given beside them, the labels as float vectors (N, K), one-hot or
mixtures; z codes (N, d), or (k, N, d) for k samples an image; q(z|·) the encoder, p(z|·) the prior, p(x|z,·) the
decoder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cvae.architecture import POSTERIOR_LOG_VAR, architecture
from cvae.config import ModelConfig, ObjectiveConfig
from cvae.families import FAMILIES
from cvae.models.distributions import (
    Gaussian,
    PointMass,
    bernoulli_nll,
    gaussian_nll,
    log_mean_exp,
    soft_bound,
)
from cvae.models.nets import Net

LOG_SIGMA = 6.0  # soft bound of a learned log σ, after Rybkin et al. 2021
LOG_SIGMA_GAIN = 10.0  # a learned log σ moves ten learning rates a step, else a short training ends before it arrives


@dataclass(frozen=True)
class Terms:
    """The parts of a bound on log p(x|·) in nats, for N images and k samples of each."""

    reconstruction: Tensor  # (k, N): −log p(x|z, ·)
    kl: Tensor | None  # (N, d): KL(q ‖ p) a dimension; None for an autoencoder
    z: Tensor  # (k, N, d): the samples
    q: Gaussian | PointMass
    p: Gaussian | None

    @property
    def neg_elbo(self) -> Tensor | None:
        """reconstruction + kl an image, (N,), at β = 1 whatever β the model is trained with."""
        return None if self.kl is None else self.reconstruction.mean(0) + self.kl.sum(-1)

    def log_ratio(self) -> Tensor:
        """log q(z|·) − log p(z|·), (k, N)."""
        assert isinstance(self.q, Gaussian), "an autoencoder has no densities"
        assert self.p is not None
        return self.q.log_prob(self.z) - self.p.log_prob(self.z)

    def log_weight(self) -> Tensor:
        """log p(x|z) + log p(z) − log q(z|x), (k, N): its log-mean-exp estimates log p(x)."""
        return -self.reconstruction - self.log_ratio()


class Autoencoder(nn.Module):
    """Base of the family; a subclass states its objective in `forward`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.family = FAMILIES[config.family]
        for role, network in architecture(config).items():
            self.add_module(role, Net(network))
        if config.likelihood == "gaussian-learned":
            self.raw_log_sigma = nn.Parameter(torch.zeros(()))

    encoder: Net
    decoder: Net

    @torch.no_grad()
    def start_at(self, mean: Tensor) -> None:
        """Set the decoder's last bias so that an untrained model draws the mean training image (C, H, W).

        As in the experiments of Burda et al. 2016: no step is spent on learning where the ink never is.
        """
        start_bias(self.decoder, mean)

    # --- the three maps -----------------------------------------------------------------------------------------

    def encode(self, x: Tensor, y: Tensor | None = None) -> Gaussian | PointMass:
        """q(z|x) or q(z|x, y): images (N, C, H, W) → a Gaussian over codes, mean and log-variance (N, d)."""
        label = self._labels(y, "label" in self.family.encoder_sees, len(x))
        mean, raw = self.encoder(image=x, behind=label).chunk(2, -1)
        return Gaussian(mean, soft_bound(raw, POSTERIOR_LOG_VAR))

    def prior(self, y: Tensor | None = None, *, n: int = 1) -> Gaussian:
        """p(z) or p(z|y): a Gaussian with mean and log-variance of shape (N, d); n rows where nothing is given."""
        zero = torch.zeros(n if y is None else len(y), self.config.latent_dim, device=self.device)
        return Gaussian(zero, zero)

    def logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The decoder's output before any squashing: z (N, d) or (k, N, d) → (..., C, H, W)."""
        lead = z.shape[:-1]
        given = self._labels(y, "label" in self.family.decoder_sees, lead[-1])
        if given is not None:
            given = given.expand(*lead, given.shape[-1]).flatten(0, -2)
        out: Tensor = self.decoder(front=z.reshape(-1, z.shape[-1]), behind=given)
        return out.reshape(*lead, *out.shape[1:])

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (N, d), and labels (N, K) where the model has them, → mean images (N, C, H, W) in [0, 1]."""
        return torch.sigmoid(self.logits(z, y))

    # --- the bound ----------------------------------------------------------------------------------------------

    def forward(
        self, x: Tensor, y: Tensor | None = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> Terms:
        """The terms of the bound for images x (N, C, H, W) and what is given, y."""
        raise NotImplementedError

    def loss(
        self,
        x: Tensor,
        y: Tensor | None,
        objective: ObjectiveConfig,
        beta: float,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Terms]:
        """What training minimises, in nats an image, and the terms it is made of. `beta` is the KL weight of now."""
        terms = self(x, y, k=objective.k, generator=generator)
        return weigh(terms, objective, beta), terms

    def nll(self, x: Tensor, logits: Tensor) -> Tensor:
        """−log p(x|z) under the model's likelihood, summed over pixels: (N, C, H, W), (k, N, C, H, W) → (k, N)."""
        x, logits = x.flatten(1), logits.flatten(2)
        if self.config.likelihood == "bernoulli":
            return bernoulli_nll(logits, x)
        return gaussian_nll(torch.sigmoid(logits), x, self.log_sigma())

    def log_sigma(self) -> Tensor | float:
        """log of the pixels' standard deviation, for the Gaussian likelihoods: fixed, or one learned number."""
        if self.config.likelihood == "gaussian-learned":
            return soft_bound(LOG_SIGMA_GAIN * self.raw_log_sigma, LOG_SIGMA)
        return math.log(self.config.sigma)

    # --- helpers ------------------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def _labels(self, y: Tensor | None, seen: bool, n: int | None = None) -> Tensor | None:
        """y where the network sees it, one row for all n or a row each; a clear error where it does not fit."""
        if not seen:
            return None
        if y is None or y.ndim != 2 or y.shape[1] != self.config.classes or (n is not None and len(y) not in (1, n)):
            shape = f"({'N' if n is None else n}, {self.config.classes})"
            got = "none" if y is None else f"shape {tuple(y.shape)}"
            raise ValueError(f"{self.family.id} needs labels of shape {shape}, one-hot or mixtures; got {got}")
        return y.float() if n is None else y.float().expand(n, -1)


def start_bias(net: Net, mean: Tensor) -> None:
    """Make the logit of a mean image (C, H, W), a pixel or for a convolution a channel, the last layer's bias."""
    last = [m for m in net.head if isinstance(m, (nn.Linear, nn.ConvTranspose2d))][-1]
    values = mean.flatten() if isinstance(last, nn.Linear) else mean.mean((1, 2))
    assert last.bias is not None
    last.bias.copy_(torch.logit(values.clamp(1e-3, 1 - 1e-3)))


def weigh(terms: Terms, objective: ObjectiveConfig, beta: float) -> Tensor:
    """The loss in nats an image: w·reconstruction + β·KL with free bits, or for k > 1 the importance-weighted bound.

    Free bits: Σ_d max(λ, batch mean of KL_d) (Kingma et al. 2016, equation 15). IWAE: −log 1/k Σ_i p(x|z_i) p(z_i) /
    q(z_i|x) (Burda et al. 2016, equation 8), its two log-densities weighted alike.
    """
    w = objective.recon_weight
    if terms.kl is None:
        return w * terms.reconstruction.mean()
    if objective.k > 1:
        return -log_mean_exp(-w * terms.reconstruction - beta * terms.log_ratio()).mean()
    kl = terms.kl.mean(0)
    if objective.free_bits:
        kl = kl.clamp(min=objective.free_bits)
    return w * terms.reconstruction.mean() + beta * kl.sum()
