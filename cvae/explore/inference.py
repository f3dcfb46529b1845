"""`Inference` runs a trained model on arrays, without torch, for the pages and the pictures.

    model = Inference.load("runs/mine")
    mean, std = model.encode(images)     # (N, C, H, W) in [0, 1] → the posterior over codes, (N, d) each
    pictures = model.decode(mean)        # (N, d) → (N, C, H, W) in [0, 1]

Symbols: d latent dimensions, N rows. The `condition` of a model is None, or vectors (N, width), such as one-hot or
blended labels, or images (N, C, H, W), of which cvae-predictive sees only the visible part. One row of z or of a
condition stands for N equal ones. Images are floats from 0 to 1, or bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvae.architecture import architecture
from cvae.conditions import ConditionBatch, ImageCondition, as_vectors, check_vectors
from cvae.config import ModelConfig
from cvae.data.images import as_floats
from cvae.errors import InputError
from cvae.explore.numpy_nets import Array, NumpyNet, sigmoid, softmax
from cvae.families import FAMILIES
from cvae.families.family import PRIOR_LOG_VAR, gaussian
from cvae.runs.folder import Run

if TYPE_CHECKING:
    from cvae.models import Autoencoder

Given = ArrayLike | ConditionBatch[Array] | None  # the forms in which a caller passes a condition


class Inference:
    """An Inference has the encoder, prior and decoder of one trained model.

    `weights` have the names of a run folder, `decoder.head.0.weight`, in half or full precision; only the decoder's
    are required. An autoencoder has no prior and uses a Gaussian fitted to `codes` (N, d). Weights that do not fit
    the config raise `InputError`.
    """

    def __init__(
        self, config: ModelConfig, weights: Mapping[str, NDArray[Any]], codes: NDArray[Any] | None = None
    ) -> None:
        self.config, self.family = config, FAMILIES[config.family]
        self._nets: dict[str, NumpyNet] = {}
        self._networks = architecture(config)
        for role, network in self._networks.items():
            own = {name.removeprefix(f"{role}."): w for name, w in weights.items() if name.startswith(f"{role}.")}
            if own:
                self._nets[role] = NumpyNet(network, own)
        if "decoder" not in self._nets:
            raise InputError("weights.no_decoder")
        self._fitted = fit_gaussian(codes) if codes is not None and self.family.prior == "none" else None

    @classmethod
    def load(cls, run: Run | str | os.PathLike[str]) -> Inference:
        """Load a run folder's model with its newest weights; missing or damaged files raise `InputError`."""
        run = run if isinstance(run, Run) else Run.open(run)
        config, codes = run.config().model, None
        if FAMILIES[config.family].prior == "none":
            arrays = run.codes()
            checked_codes(run.name, config, arrays)
            codes = codes_to_fit(arrays)
        return cls(config, checked_weights(run), codes)

    @classmethod
    def at(cls, run: Run, step: int) -> Inference:
        """Load the decoder and the prior from the snapshot of a training step; `encode` raises `InputError`."""
        snapshot = run.snapshot(step)
        return cls(run.config().model, snapshot, snapshot["codes"])

    @classmethod
    def of(cls, model: Autoencoder, codes: NDArray[Any] | None = None) -> Inference:
        """Wrap a torch model; on the processor both share their memory."""
        return cls(
            model.config, {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}, codes
        )

    @property
    def latent_dim(self) -> int:
        return self.config.latent_dim

    @property
    def encodes(self) -> bool:
        """Return whether the weights hold an encoder; those of a snapshot do not."""
        return "encoder" in self._nets

    @property
    def predicts_label(self) -> bool:
        """Return whether `decode` gives class probabilities (N, K) and not pictures."""
        return self.config.predicts_label

    # --- the three maps -----------------------------------------------------------------------------------------

    def encode(self, images: ArrayLike, condition: Given = None) -> tuple[Array, Array]:
        """Return mean and standard deviation (N, d) of q(z|x) or q(z|x, y); an autoencoder's deviation is 0.

        Images (N, C, H, W) are bytes or floats from 0 to 1. Others, and a condition that does not fit, raise
        `InputError`.
        """

        def run(role: str, *, image: Array | None = None, condition: Array | None = None) -> Array:
            return self._net(role)(image=image, condition=condition)

        x = self._images(images)
        return self.family.encode(run, x, self._vector(condition, "encoder", len(x)))

    def prior(self, condition: Given = None, *, n: int = 1) -> tuple[Array, Array]:
        """Return mean and standard deviation (N, d) of p(z), p(z|y) or p(z|c); N is `n` without a condition.

        An autoencoder returns the Gaussian fitted to its codes, and raises `ValueError` if it has no codes.
        """
        batch = batch_of(condition)
        if self.family.prior == "learned":
            sees = self._networks["prior_net"].sees
            image = self.visible_part(batch.image) if "image" in sees else None
            return gaussian(
                self._net("prior_net")(image=image, condition=self._vector(batch, "prior_net")), PRIOR_LOG_VAR
            )
        rows = next((len(value) for value in (batch.vector, batch.image) if value is not None), n)
        shape = (rows, self.latent_dim)
        if self.family.prior == "none":
            mean, covariance = self.fitted()
            std = np.sqrt(np.diag(covariance)).astype(np.float32)
            return np.broadcast_to(mean, shape), np.broadcast_to(std, shape)
        return np.zeros(shape, np.float32), np.ones(shape, np.float32)

    def decode(self, z: ArrayLike, condition: Given = None) -> Array:
        """Decode codes (N, d) to mean images (N, C, H, W) in [0, 1]; cvae-predictive keeps the visible part.

        For its task `label`, return class probabilities (N, K).
        """
        net, batch = self._net("decoder"), batch_of(condition)
        if self.family.completes:
            return self._complete(net(z=_floats(z), image=self.visible_part(batch.image)), batch.image)
        return sigmoid(net(z=_floats(z), condition=self._vector(batch, "decoder")))

    # --- further maps -------------------------------------------------------------------------------------------

    def fitted(self) -> tuple[Array, Array]:
        """Return mean (d,) and covariance (d, d) of the Gaussian fitted to an autoencoder's codes.

        Raise `ValueError` if the model has no codes.
        """
        if self._fitted is None:
            raise ValueError("an autoencoder has no prior: give codes=, to which a Gaussian is fitted in its place")
        return self._fitted

    def from_noise(self, noise: ArrayLike, condition: Given = None) -> Array:
        """Turn standard normal noise ε (N, d) into codes of the prior, μ + σ ε.

        For an autoencoder the codes are μ + R ε, where R Rᵀ is the covariance fitted to its codes.
        """
        e = _floats(noise)
        if self.family.prior == "none":
            mean, covariance = self.fitted()
            values, axes = np.linalg.eigh(covariance.astype(np.float64))  # Cholesky's fails for a singular covariance
            root: Array = ((axes * np.sqrt(values.clip(min=0))) @ axes.T).astype(np.float32)
            return mean + e @ root
        mean, std = self.prior(condition, n=len(e))
        return mean + std * e

    def predict(self, images: ArrayLike) -> Array:
        """Return the prediction of cvae-predictive's baseline network, in the shape of `decode`."""
        return self._complete(self._net("baseline")(image=self.visible_part(images)), images)

    # --- helpers ------------------------------------------------------------------------------------------------

    def _net(self, role: str) -> NumpyNet:
        if role not in self._nets:
            raise InputError("weights.no_net", net=role)
        return self._nets[role]

    def _vector(self, condition: Given, role: str, n: int = 1) -> Array | None:
        """Return the vectors (n, width) if the network sees the condition, else None; others raise `InputError`.

        One row stands for n equal ones, and where n is 1, the vectors may have any number of rows.
        """
        if "condition" not in self._networks[role].sees:
            return None
        y = batch_of(condition).vector
        check_vectors(y, self.config.batch_conditions, self.family.id, n if n > 1 else None)
        assert y is not None
        return as_vectors(y)

    def _images(self, images: ArrayLike | None) -> Array:
        """Return images (N, C, H, W) of the model's shape as floats from 0 to 1; others raise `InputError`."""
        shape = "(N, {}, {}, {})".format(*self.config.image_shape)
        if images is None:
            raise InputError("images.not_given", family=self.family.id, shape=shape)
        found = np.shape(images)
        if len(found) != 4 or found[1:] != self.config.image_shape:
            raise InputError("images.other_shape", family=self.family.id, shape=shape, found=found)
        return as_floats(images)

    def visible_part(self, images: ArrayLike | None) -> Array:
        """Return the images for the task `label`, else the images with hidden quadrants set to 0, (N, C, H, W)."""
        x = self._images(images)
        if self.predicts_label:
            return x
        seen: Array = np.where(self._visible, x, 0)
        return seen

    def _complete(self, logits: Array, images: ArrayLike | None) -> Array:
        if self.predicts_label:
            return softmax(logits)
        completed: Array = np.where(self._visible, self._images(images), sigmoid(logits))
        return completed

    @property
    def _visible(self) -> NDArray[np.bool_]:
        (given,) = self.config.conditions
        assert isinstance(given, ImageCondition)
        return given.visible


def checked_weights(run: Run, step: int | None = None) -> dict[str, NDArray[Any]]:
    """Return the weights of a run or of a snapshot; weights that are not finite raise `InputError`."""
    weights = run.weights() if step is None else run.snapshot(step)
    if broken := [name for name, value in weights.items() if not np.isfinite(value).all()]:
        raise InputError("weights.not_numbers", name=run.name, weight=broken[0])
    return weights


def checked_codes(
    name: str, config: ModelConfig, arrays: Mapping[str, NDArray[Any]]
) -> tuple[Array | None, NDArray[np.uint8] | None]:
    """Return codes (N, d) and labels (N,), or None for each; arrays that do not fit the model raise `InputError`."""
    codes, labels = arrays.get("codes"), arrays.get("labels")
    if codes is None:
        return None, None
    with np.errstate(over="ignore"):
        codes = codes.astype(np.float32)
    fits = codes.ndim == 2 and len(codes) > 0 and codes.shape[1] == config.latent_dim and np.isfinite(codes).all()
    if labels is None:
        fits = fits and config.classes == 0
    else:
        known = (labels >= 0) & (labels < max(config.classes, 1))
        fits = fits and labels.shape == codes.shape[:1] and bool(known.all())
    if not fits:
        raise InputError("codes.damaged", name=name)
    return codes, None if labels is None else labels.astype(np.uint8)


def codes_to_fit(arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the codes for fitting an autoencoder's Gaussian: those of training images, if the run has them."""
    return arrays["train_codes"] if "train_codes" in arrays else arrays["codes"]


def fit_gaussian(codes: ArrayLike) -> tuple[Array, Array]:
    """Fit a Gaussian to codes (N, d) by maximum likelihood: mean (d,) and covariance (d, d).

    A plain autoencoder draws from this density, fitted after training (Ghosh et al. 2020, "From variational to
    deterministic autoencoders", arXiv:1903.12436, section 4).
    """
    values = np.asarray(codes, dtype=np.float64)
    mean = values.mean(0)
    covariance = (values - mean).T @ (values - mean) / len(values)
    return mean.astype(np.float32), covariance.astype(np.float32)


def batch_of(condition: Given) -> ConditionBatch[Array]:
    """Return a condition as a batch of arrays; one vector (width,) or image (C, H, W) becomes a batch of one."""
    if condition is None or isinstance(condition, ConditionBatch):
        return ConditionBatch.of(condition)
    return ConditionBatch.of(np.asarray(condition))


def _floats(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float32)
