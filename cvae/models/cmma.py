"""CMMA is the conditional multimodal autoencoder (Pandey & Dukkipati 2016, "Variational methods for conditional
multimodal deep learning", arXiv:1603.01801).

    log p(x|y) ≥ E_q(z|x,y) log p(x|z) − KL(q(z|x,y) ‖ p(z|y))

The decoder never sees the label: y reaches x only through z, so the codes must separate by class.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.models.base import BoundTerms, Given
from cvae.models.cvae_learned_prior import LabelPrior
from cvae.models.distributions import Gaussian, gaussian_kl


class CMMA(LabelPrior):
    """A CMMA has encoder q(z|x,y), prior p(z|y), and decoder p(x|z)."""

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        q, p = self.encode(x, condition), self.prior(condition)  # q(z|x, y), p(z|y)
        assert isinstance(q, Gaussian)
        z = q.sample(k, generator)  # (k, N, d)
        reconstruction = self.nll(x, self.logits(z))  # (k, N)
        return BoundTerms(reconstruction, kl=gaussian_kl(q, p), z=z, q=q, p=p)


MODEL = CMMA
