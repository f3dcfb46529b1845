"""The predictive CVAE models p(t|c), a structured output from a condition (Sohn, Lee & Yan 2015, "Learning structured
output representation using deep conditional generative models").

    log p(t|c) ≥ E_q(z|c,t) log p(t|c,z) − KL(q(z|c,t) ‖ p(z|c)) =: L_CVAE

In the task `quadrants`, c is the visible part of an image and t the hidden quadrants; q sees the whole image. In the
task `label`, c is the image and t its label. Training draws z from q, and prediction from p(z|c); the hybrid
α·L_CVAE + (1−α)·L_GSNN closes this gap, where L_GSNN = E_p(z|c) log p(t|c,z). The baseline, a plain network c → t of
the same size, trains at the same time.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvae.conditions import ConditionBatch, visible_mask
from cvae.config import ModelConfig, ObjectiveConfig
from cvae.families.cvae_predictive import Options
from cvae.families.family import PRIOR_LOG_VAR
from cvae.models.base import Autoencoder, BoundTerms, Given, objective_loss, set_output_bias
from cvae.models.distributions import Gaussian, categorical_nll, gaussian_kl, soft_bound
from cvae.models.nets import Net


class PredictiveCVAE(Autoencoder):
    """The model has encoder q(z|c,t), prior p(z|c), decoder p(t|c,z), and baseline p(t|c)."""

    prior_net: Net
    baseline: Net
    visible: Tensor  # (H, W) of bool
    hidden: Tensor  # flat indices of the pixels to predict, in one image

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.options: Options = config.options
        channels, height, width = config.image_shape
        visible = torch.from_numpy(visible_mask(height, width, self.options.quadrants))
        self.register_buffer("visible", visible, persistent=False)
        self.register_buffer("hidden", (~visible).expand(channels, -1, -1).flatten().nonzero()[:, 0], persistent=False)
        self.predicts_label = config.predicts_label

    @torch.no_grad()
    def init_output_bias(self, mean: Tensor) -> None:
        """Set the last bias of the decoder and of the baseline; do nothing for labels, which have no mean image."""
        if not self.predicts_label:
            set_output_bias(self.decoder, mean)
            set_output_bias(self.baseline, mean)

    def seen(self, image: Tensor) -> Tensor:
        """Return c (N, C, H, W): the image for the task `label`, else the image with hidden quadrants set to 0."""
        return image if self.predicts_label else image * self.visible

    def prior(self, condition: Given = None, *, n: int = 1) -> Gaussian:
        """Return p(z|c): images (N, C, H, W), of which only the visible part counts → mean and log-variance (N, d)."""
        mean, raw = self.prior_net(image=self.seen(_image(condition))).chunk(2, -1)
        return Gaussian(mean, soft_bound(raw, PRIOR_LOG_VAR))

    def logits(self, z: Tensor, condition: Given = None) -> Tensor:
        """Return logits of t, (..., C, H, W) or for the label (..., K), of z (N, d) or (k, N, d) and images."""
        features = self.decoder.trunk(self.seen(_image(condition)))
        lead = z.shape[:-1]
        features = features.expand(*lead, features.shape[-1]).flatten(0, -2)
        out = self.decoder.run_head(z.reshape(-1, z.shape[-1]), features, None)
        return out.reshape(*lead, *out.shape[1:])

    def decode(self, z: Tensor, condition: Given = None) -> Tensor:
        """Return images (N, C, H, W) with the hidden part filled in; for the task `label`, p(t|c, z) (N, K)."""
        return self._complete(self.logits(z, condition), _image(condition))

    def predict(self, image: Tensor) -> Tensor:
        """Return the baseline's prediction, in the shape of `decode`."""
        return self._complete(self.baseline(image=self.seen(image)), image)

    def _complete(self, logits: Tensor, image: Tensor) -> Tensor:
        if self.predicts_label:
            return torch.softmax(logits, -1)
        return torch.where(self.visible, image, torch.sigmoid(logits))

    def target_nll(self, x: Tensor, label: Tensor | None, logits: Tensor) -> Tensor:
        """Return −log p(t|·) in nats of the hidden pixels of x, or of the label (N, K): (k, N)."""
        if self.predicts_label:
            assert label is not None
            return categorical_nll(logits, label)
        return self.nll(x.flatten(1)[:, self.hidden], logits.flatten(2)[..., self.hidden])

    def baseline_nll(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Return −log p(t|c) of the baseline in nats, (N,)."""
        return self.target_nll(x, label, self.baseline(image=self.seen(x)).unsqueeze(0))[0]

    def forward(
        self, x: Tensor, condition: Given = None, *, k: int = 1, generator: torch.Generator | None = None
    ) -> BoundTerms:
        label = ConditionBatch.of(condition).vector
        q, p = self.encode(x, label), self.prior(x)  # q(z|c, t), where x holds both or t is the label; p(z|c)
        assert isinstance(q, Gaussian)
        z = q.sample(k, generator)  # (k, N, d)
        reconstruction = self.target_nll(x, label, self.logits(z, x))  # −log p(t|c, z): (k, N)
        return BoundTerms(reconstruction, kl=gaussian_kl(q, p), z=z, q=q, p=p)

    def loss(
        self,
        x: Tensor,
        condition: Given,
        objective: ObjectiveConfig,
        beta: float,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, BoundTerms]:
        """Return α·L_CVAE + (1−α)·L_GSNN plus the baseline's loss, and the terms; the two share no weights."""
        label = ConditionBatch.of(condition).vector
        terms = self(x, label, k=objective.k, generator=generator)
        loss = objective_loss(terms, objective, beta)
        alpha = self.options.alpha
        if alpha < 1:
            assert terms.p is not None
            z = terms.p.sample(1, generator)
            gsnn = self.target_nll(x, label, self.logits(z, x)).mean()
            loss = alpha * loss + (1 - alpha) * objective.recon_weight * gsnn
        return loss + self.baseline_nll(x, label).mean(), terms


def _image(condition: Given) -> Tensor:
    batch: ConditionBatch[Tensor] = ConditionBatch.of(condition)
    image = batch.image
    if image is None:
        raise ValueError("cvae-predictive needs the images whose visible part is given")
    return image


MODEL = PredictiveCVAE
