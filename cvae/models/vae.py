"""The VAE maximises this bound (Kingma & Welling 2013, arXiv:1312.6114; Rezende et al. 2014).

log p(x) ≥ E_q(z|x) log p(x|z) − KL(q(z|x) ‖ N(0, I))
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.models.base import Autoencoder, BoundTerms, Given
from cvae.models.distributions import Gaussian, standard_normal_kl


class VAE(Autoencoder):
    """A VAE has encoder q(z|x), prior N(0, I), and decoder p(x|z)."""

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        q = self.encode(x)  # q(z|x)
        assert isinstance(q, Gaussian)
        z = q.sample(k, generator)  # (k, N, d)
        reconstruction = self.nll(x, self.logits(z))  # (k, N)
        return BoundTerms(reconstruction, kl=standard_normal_kl(q), z=z, q=q, p=self.prior(n=1))


MODEL = VAE
