"""The statement that each family makes of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cvae.options import Section

if TYPE_CHECKING:
    from cvae.data import Split

# A network that gives a Gaussian ends in its mean and a raw log-variance r; log σ² = B·tanh(r / B), bounded softly.
POSTERIOR_LOG_VAR = 10.0  # B of encoders: σ between e⁻⁵ and e⁵
PRIOR_LOG_VAR = 4.0  # B of prior nets, tighter: two learned Gaussians could otherwise drift in scale together

Array = NDArray[np.float32]
Seen = Literal["z", "image", "condition"]  # a code; an image, the model's own or a given one; the conditions' vector
Moments = tuple[Array, Array]  # mean and standard deviation, (N, d) each
Choose = Callable[["Split"], NDArray[np.bool_]]  # which images of a split a stream of batches consists of, (N,)


class Networks(Protocol):
    """Runs a trained model's network by its role, in NumPy: images (N, C, H, W), vectors (N, width) → its output."""

    def __call__(self, role: str, *, image: Array | None = None, condition: Array | None = None) -> Array: ...


def gaussian(out: Array, bound: float = POSTERIOR_LOG_VAR) -> Moments:
    """Split a network's mean and raw log-variance, (N, 2d), into mean and standard deviation, (N, d) each."""
    mean, raw = np.split(out, 2, axis=-1)
    return mean, np.exp(0.5 * bound * np.tanh(raw / bound))


def gaussian_code(networks: Networks, image: Array, condition: Array | None) -> Moments:
    """Return the encoder's Gaussian q(z|x) or q(z|x, y): how most families make codes."""
    return gaussian(networks("encoder", image=image, condition=condition))


def point_code(networks: Networks, image: Array, condition: Array | None) -> Moments:
    """Return a code without a density, (N, d): its standard deviation is 0."""
    code = networks("encoder", image=image, condition=condition)
    return code, np.zeros_like(code)


def every_image(split: Split) -> NDArray[np.bool_]:
    """Return the one stream of batches that most families ask for: all images."""
    return np.ones(len(split), dtype=bool)


@dataclass(frozen=True)
class NoOptions(Section):
    """The options of a family that has none of its own."""


@dataclass(frozen=True)
class Family:
    """One model family.

    encoder_sees, decoder_sees, prior_sees: what is joined in front of each network's head, in this order. prior: none,
    N(0, I), or learned, a network of what `prior_sees`. Formulas are LaTeX. options: a frozen dataclass of the options
    that the family alone has (see `cvae.options`). encode: how codes are made of images and conditions, in NumPy; the
    same in torch is `Autoencoder.encode`. streams: the streams of batches that a step of training is given, by name;
    the first one's images make an epoch, the others go around as often as it takes.
    """

    id: str
    title: str
    encoder_sees: tuple[Seen, ...]
    decoder_sees: tuple[Seen, ...]
    prior: Literal["none", "standard", "learned"]
    bound: str  # the objective, in the symbols of its file
    posterior: tuple[str, ...]  # formulas of what a point of the latent map is, and the prior it is measured against
    draw: tuple[str, ...]  # formulas of how a picture is drawn; T is the temperature
    objective: str  # the formula of what training makes small, in nats an image, at β = 1
    prior_sees: tuple[Seen, ...] = ()
    terms: tuple[str, ...] = ()  # names of further terms of the loss, in nats an image, beside reconstruction and KL
    options: type[Section] = NoOptions
    encode: Callable[[Networks, Array, Array | None], Moments] = gaussian_code
    streams: Mapping[str, Choose] = field(default_factory=lambda: {"all": every_image})
    place: int = 100  # in menus

    @property
    def module(self) -> str:
        """Return the name of the family's two files."""
        return self.id.replace("-", "_")

    @property
    def takes(self) -> Literal["nothing", "condition", "image"]:
        """Return what the model is given beside z: the vector of the data's conditions, or a picture whose rest it
        predicts."""
        if "image" in self.decoder_sees:
            return "image"
        return "condition" if "condition" in self.encoder_sees + self.decoder_sees + self.prior_sees else "nothing"

    @property
    def prior_of(self) -> str:
        """Return what the prior of z depends on: none (there is no prior), standard, or what it is learned from."""
        return self.takes if self.prior == "learned" else self.prior

    @property
    def completes(self) -> bool:
        """Return whether the model is given a picture, of which it predicts the rest."""
        return self.takes == "image"

    def predicts_label(self, options: Any) -> bool:
        """Return whether the model answers with class probabilities in place of pictures, with these options of its
        own."""
        return self.completes and options.task == "label"
