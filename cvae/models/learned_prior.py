"""Conditional VAE with a learned prior p(z|y) (the conditional prior of Sohn, Lee & Yan 2015, given the label).

    log p(x|y) ≥ E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ p(z|y))

With a diagonal Gaussian p(z|y) and a free decoder this is the same class of models as `cvae`: the decoder can undo any
shift and scale of a label. What differs is where the codes of each class lie.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.architecture import PRIOR_LOG_VAR
from cvae.models.base import Autoencoder, Terms
from cvae.models.distributions import Gaussian, gaussian_kl, soft_bound
from cvae.models.nets import Net


class LabelPrior(Autoencoder):
    """A model whose prior is a small net of the label: p(z|y) = N(μ(y), diag σ²(y)); y may be a mixture."""

    prior_net: Net

    def prior(self, y: Tensor | None = None, *, n: int = 1) -> Gaussian:
        """p(z|y): labels (N, K) → mean and log-variance (N, d)."""
        mean, raw = self.prior_net(front=self._labels(y, True)).chunk(2, -1)
        return Gaussian(mean, soft_bound(raw, PRIOR_LOG_VAR))


class LearnedPriorCVAE(LabelPrior):
    """encoder q(z|x,y) · prior p(z|y) · decoder p(x|z,y)."""

    def forward(
        self, x: Tensor, y: Tensor | None = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> Terms:
        q, p = self.encode(x, y), self.prior(y)  # q(z|x, y), p(z|y)
        assert isinstance(q, Gaussian)
        z = q.sample(k, generator)  # (k, N, d)
        reconstruction = self.nll(x, self.logits(z, y))  # (k, N)
        return Terms(reconstruction, kl=gaussian_kl(q, p), z=z, q=q, p=p)
