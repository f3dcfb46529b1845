"""Every model offers encode, prior, decode, and the terms of its bound.

Symbols: x images (N, C, H, W) in [0, 1]; z codes (N, d), or (k, N, d) for k samples an image; q(z|·) the encoder,
p(z|·) the prior, p(x|z,·) the decoder. The `condition` of a model is a vector y (N, width), such as one-hot or
blended labels, or a picture c (N, C, H, W), or a `ConditionBatch` of both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from cvae.architecture import architecture
from cvae.conditions import ConditionBatch, check_vectors
from cvae.config import ModelConfig, ObjectiveConfig
from cvae.families import FAMILIES
from cvae.families.family import PIXEL_LOG_SIGMA, PIXEL_LOG_SIGMA_GAIN, POSTERIOR_LOG_VAR
from cvae.models.distributions import (
    Gaussian,
    PointMass,
    bernoulli_nll,
    gaussian_nll,
    log_mean_exp,
    soft_bound,
)
from cvae.models.nets import Net


@dataclass(frozen=True)
class BoundTerms:
    """These are the parts of a bound on log p(x|·) in nats, for N images and k samples of each."""

    reconstruction: Tensor  # (k, N): −log p(x|z, ·)
    kl: Tensor | None  # (N, d): KL(q ‖ p) a dimension; None for an autoencoder
    z: Tensor  # (k, N, d): the samples
    q: Gaussian | PointMass
    p: Gaussian | None
    further: Mapping[str, Tensor] = field(default_factory=dict)  # (N,) each: the family's own terms, by name, in nats

    @property
    def neg_elbo(self) -> Tensor | None:
        """Return reconstruction + KL per image, (N,), at β = 1 for every training β; None for an autoencoder."""
        return None if self.kl is None else self.reconstruction.mean(0) + self.kl.sum(-1)

    def log_ratio(self) -> Tensor:
        """Return log q(z|·) − log p(z|·), (k, N)."""
        assert isinstance(self.q, Gaussian), "an autoencoder has no densities"
        assert self.p is not None
        return self.q.log_prob(self.z) - self.p.log_prob(self.z)

    def log_weight(self) -> Tensor:
        """Return log p(x|z) + log p(z) − log q(z|x), (k, N); its log-mean-exp estimates log p(x)."""
        return -self.reconstruction - self.log_ratio()


Given = Tensor | ConditionBatch[Tensor] | None  # the forms in which a caller passes a condition


class Autoencoder(nn.Module):
    """This is the base of all models; a subclass states its objective in `forward`."""

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
    def init_output_bias(self, mean: Tensor) -> None:
        """Set the decoder's last bias so that an untrained model draws the mean training image (C, H, W).

        Burda et al. 2016 do so too: no training step is then needed to learn which pixels are always empty.
        """
        set_output_bias(self.decoder, mean)

    # --- the three maps -----------------------------------------------------------------------------------------

    def encode(self, x: Tensor, condition: Given = None) -> Gaussian | PointMass:
        """Return q(z|x) or q(z|x, y): images (N, C, H, W) → a Gaussian of mean and log-variance (N, d)."""
        mean, raw = self.encoder(image=x, condition=self._vector(condition, self.encoder, len(x))).chunk(2, -1)
        return Gaussian(mean, soft_bound(raw, POSTERIOR_LOG_VAR))

    def prior(self, condition: Given = None, *, n: int = 1) -> Gaussian:
        """Return p(z) or p(z|y), a Gaussian of mean and log-variance (N, d); N is `n` without a condition."""
        zero = torch.zeros(rows(condition, n), self.config.latent_dim, device=self.device)
        return Gaussian(zero, zero)

    def logits(self, z: Tensor, condition: Given = None) -> Tensor:
        """Return the decoder's output before the sigmoid: z (N, d) or (k, N, d) → (..., C, H, W)."""
        lead = z.shape[:-1]
        y = self._vector(condition, self.decoder, lead[-1])
        if y is not None:
            y = y.expand(*lead, y.shape[-1]).flatten(0, -2)
        out: Tensor = self.decoder(z=z.reshape(-1, z.shape[-1]), condition=y)
        return out.reshape(*lead, *out.shape[1:])

    def decode(self, z: Tensor, condition: Given = None) -> Tensor:
        """Return mean images (N, C, H, W) in [0, 1] of codes (N, d) and the condition, if the model has one."""
        return torch.sigmoid(self.logits(z, condition))

    # --- the bound ----------------------------------------------------------------------------------------------

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        """Return the terms of the bound for images x (N, C, H, W) and their condition."""
        raise NotImplementedError

    def loss(
        self,
        x: Tensor,
        condition: Given,
        objective: ObjectiveConfig,
        beta: float,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, BoundTerms]:
        """Return the training loss in nats an image, and its terms; `beta` is the current weight of the KL."""
        terms = self(x, condition, k=objective.k, generator=generator)
        return objective_loss(terms, objective, beta), terms

    def training_loss(
        self,
        batches: Mapping[str, tuple[Tensor, Tensor | None]],
        objective: ObjectiveConfig,
        beta: float,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, BoundTerms]:
        """Return the loss of one training step: `loss` on the single stream of batches that most families use.

        `batches` maps the name of each stream of `Family.streams` to images (B, C, H, W) and the vectors (B, width)
        of their conditions. A family with several streams joins their losses here.
        """
        (batch,) = batches.values()
        return self.loss(*batch, objective, beta, generator)

    def target_nll(self, x: Tensor, label: Tensor | None, logits: Tensor) -> Tensor:
        """Return −log p(t|·) in nats of what a family that completes images predicts of x, or of its label: (k, N)."""
        raise NotImplementedError

    def baseline_nll(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Return `target_nll` (N,) of the baseline of a family that completes images."""
        raise NotImplementedError

    def predict(self, image: Tensor) -> Tensor:
        """Return the prediction of this baseline, in the shape of `decode`."""
        raise NotImplementedError

    def nll(self, x: Tensor, logits: Tensor) -> Tensor:
        """Return −log p(x|z) in nats, summed over pixels: (N, C, H, W), (k, N, C, H, W) → (k, N)."""
        x, logits = x.flatten(1), logits.flatten(2)
        if self.config.likelihood == "bernoulli":
            return bernoulli_nll(logits, x)
        return gaussian_nll(torch.sigmoid(logits), x, self.log_sigma())

    def log_sigma(self) -> Tensor | float:
        """Return log σ of the pixels for the Gaussian likelihoods: a fixed or a learned number."""
        if self.config.likelihood == "gaussian-learned":
            return soft_bound(PIXEL_LOG_SIGMA_GAIN * self.raw_log_sigma, PIXEL_LOG_SIGMA)
        return math.log(self.config.sigma)

    # --- helpers ------------------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def _vector(self, condition: Given, net: Net, n: int | None = None) -> Tensor | None:
        """Return the vectors (n, width) if `net` sees the condition, else None; a wrong shape raises `InputError`."""
        if "condition" not in net.sees:
            return None
        batch: ConditionBatch[Tensor] = ConditionBatch.of(condition)
        y = batch.vector
        check_vectors(y, self.config.batch_conditions, self.family.id, n)
        assert y is not None
        return y.float() if n is None else y.float().expand(n, -1)


def rows(condition: Given, otherwise: int) -> int:
    """Return how many rows a condition has; without a condition, return `otherwise`."""
    batch = ConditionBatch.of(condition)
    return next((len(value) for value in (batch.vector, batch.image) if value is not None), otherwise)


def set_output_bias(net: Net, mean: Tensor) -> None:
    """Set the last layer's bias to the logit of a mean image (C, H, W), per pixel, or per channel of a convolution."""
    last = [m for m in net.head if isinstance(m, (nn.Linear, nn.ConvTranspose2d))][-1]
    values = mean.flatten() if isinstance(last, nn.Linear) else mean.mean((1, 2))
    assert last.bias is not None
    last.bias.copy_(torch.logit(values.clamp(1e-3, 1 - 1e-3)))


def objective_loss(terms: BoundTerms, objective: ObjectiveConfig, beta: float) -> Tensor:
    """Return the loss in nats an image: w·reconstruction + β·KL with free bits, or for k > 1 the IWAE bound.

    Free bits: Σ_d max(λ, batch mean of KL_d) (Kingma et al. 2016, equation 15). IWAE: −log 1/k Σ_i p(x|z_i) p(z_i) /
    q(z_i|x) (Burda et al. 2016, equation 8), where w and β weight the logarithms of the same terms.
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
