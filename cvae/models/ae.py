"""The autoencoder gives a code with no density (Hinton & Salakhutdinov 2006).

    minimise −log p(x|f(x))        f the encoder, g the decoder

The loss puts no constraint on the space between the codes. The model has no prior: to draw from the model, fit a
Gaussian to its codes after training.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.models.base import Autoencoder, BoundTerms, Given
from cvae.models.distributions import Gaussian, PointMass


class AE(Autoencoder):
    """An AE has encoder f(x), no prior, and decoder g(z)."""

    def encode(self, x: Tensor, condition: Given = None) -> PointMass:
        """Return the code f(x): (N, C, H, W) → (N, d)."""
        return PointMass(self.encoder(image=x))

    def prior(self, condition: Given = None, *, n: int = 1) -> Gaussian:
        raise ValueError("an autoencoder has no prior; fit a Gaussian to its codes to draw from it")

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        code = self.encode(x)  # (N, d)
        z = code.sample(1)  # (1, N, d): more samples would all be equal
        return BoundTerms(self.nll(x, self.logits(z)), kl=None, z=z, q=code, p=None)


MODEL = AE
