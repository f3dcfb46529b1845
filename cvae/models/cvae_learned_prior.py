"""This conditional VAE learns its prior p(z|y) (the conditional prior of Sohn, Lee & Yan 2015, given the label).

    log p(x|y) ≥ E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ p(z|y))

With a diagonal Gaussian p(z|y) and a free decoder this is the same class of models as `cvae`: the decoder can undo any
shift and scale of a label. Only the places of each class's codes differ.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.families.family import PRIOR_LOG_VAR
from cvae.models.base import Autoencoder, BoundTerms, Given
from cvae.models.distributions import Gaussian, gaussian_kl, soft_bound
from cvae.models.nets import Net


class LabelPrior(Autoencoder):
    """The prior is a small network of the condition: p(z|y) = N(μ(y), diag σ²(y)); y may be a blend."""

    prior_net: Net

    def prior(self, condition: Given = None, *, n: int = 1) -> Gaussian:
        """Return p(z|y): vectors (N, width) → mean and log-variance (N, d)."""
        mean, raw = self.prior_net(condition=self._vector(condition, self.prior_net)).chunk(2, -1)
        return Gaussian(mean, soft_bound(raw, PRIOR_LOG_VAR))


class LearnedPriorCVAE(LabelPrior):
    """The model has encoder q(z|x,y), prior p(z|y), and decoder p(x|z,y)."""

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        q, p = self.encode(x, condition), self.prior(condition)  # q(z|x, y), p(z|y)
        assert isinstance(q, Gaussian)
        z = q.sample(k, generator)  # (k, N, d)
        reconstruction = self.nll(x, self.logits(z, condition))  # (k, N)
        return BoundTerms(reconstruction, kl=gaussian_kl(q, p), z=z, q=q, p=p)


MODEL = LearnedPriorCVAE
