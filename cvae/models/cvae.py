"""The standard conditional VAE has a z independent of the label (the label-conditional model M2 of Kingma et al. 2014,
arXiv:1406.5298, with y observed).

    log p(x|y) ≥ E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ N(0, I))

All labels have the same prior, so z need not repeat the information in y: z is the style, y is the class.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.models.base import Autoencoder, BoundTerms, Given
from cvae.models.distributions import Gaussian, standard_normal_kl


class CVAE(Autoencoder):
    """A CVAE has encoder q(z|x,y), prior N(0, I), and decoder p(x|z,y)."""

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        q = self.encode(x, condition)  # q(z|x, y)
        assert isinstance(q, Gaussian)
        z = q.sample(k, generator)  # (k, N, d)
        reconstruction = self.nll(x, self.logits(z, condition))  # (k, N)
        return BoundTerms(reconstruction, kl=standard_normal_kl(q), z=z, q=q, p=self.prior(n=1))


MODEL = CVAE
