"""This module defines what a family states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cvae.options import Section

if TYPE_CHECKING:
    from cvae.data import Split

# A network that gives a Gaussian ends in its mean and a raw log-variance r; log σ² = B·tanh(r / B), a soft bound.
POSTERIOR_LOG_VAR = 10.0  # B of encoders: σ between e⁻⁵ and e⁵
PIXEL_LOG_SIGMA = 6.0  # the same bound of a learned log σ of the pixels, after Rybkin et al. 2021
PIXEL_LOG_SIGMA_GAIN = 10.0  # its parameter moves a tenth as far: with 1, a short training ends too early
PRIOR_LOG_VAR = 4.0  # B of prior nets is smaller: q and a learned prior could otherwise grow or shrink together

Array = NDArray[np.float32]
Seen = Literal["z", "image", "condition"]  # the code; the encoded or the given image; the vector of the conditions
Moments = tuple[Array, Array]  # mean and standard deviation, (N, d) each
Choose = Callable[["Split"], NDArray[np.bool_]]  # the mask (N,) of the images of a split that a stream uses


class Networks(Protocol):
    """Run a trained model's network by its role, in NumPy: images (N, C, H, W), vectors (N, width) → its output."""

    def __call__(self, role: str, *, image: Array | None = None, condition: Array | None = None) -> Array: ...


def gaussian(out: Array, bound: float = POSTERIOR_LOG_VAR) -> Moments:
    """Turn mean and raw log-variance, (N, 2d), into mean and standard deviation, (N, d) each."""
    mean, raw = np.split(out, 2, axis=-1)
    return mean, np.exp(0.5 * bound * np.tanh(raw / bound))


def gaussian_code(networks: Networks, image: Array, condition: Array | None) -> Moments:
    """Return the encoder's Gaussian q(z|x) or q(z|x, y), as most families do."""
    return gaussian(networks("encoder", image=image, condition=condition))


def point_code(networks: Networks, image: Array, condition: Array | None) -> Moments:
    """Return a code without a density, (N, d); its standard deviation is 0."""
    code = networks("encoder", image=image, condition=condition)
    return code, np.zeros_like(code)


def every_image(split: Split) -> NDArray[np.bool_]:
    """Choose all images (N,), the single stream of batches of most families."""
    return np.ones(len(split), dtype=bool)


def never(options: Any) -> bool:
    """Return False: most families predict pictures, whatever their options."""
    return False


def whole_picture(options: Any) -> int | None:
    """Return None: of a given picture, all quadrants are visible."""
    return None


@dataclass(frozen=True)
class NoOptions(Section):
    """A family without own options has these."""


@dataclass(frozen=True)
class Family:
    """A Family describes one model family; its formulas are LaTeX.

    `encoder_sees`, `decoder_sees` and `prior_sees` list the inputs of each network's head, in order. `prior` is none,
    N(0, I), or a learned network of `prior_sees`. `options` is a frozen dataclass of the family's own options (see
    `cvae.options`). `encode` makes codes from images and conditions in NumPy, as `Autoencoder.encode` does in torch.
    `streams` names the streams of batches of a training step; the images of the first one make an epoch, and the
    others repeat as often as necessary.
    """

    id: str
    title: str
    encoder_sees: tuple[Seen, ...]
    decoder_sees: tuple[Seen, ...]
    prior: Literal["none", "standard", "learned"]
    bound: str  # the objective in plain text, with the symbols of the model's file
    posterior: tuple[str, ...]  # formulas of the posterior, whose mean is a point of the latent map, and of the prior
    draw: tuple[str, ...]  # formulas for drawing a picture; T is the temperature
    objective: str  # the formula of the training loss, in nats an image, at β = 1
    prior_sees: tuple[Seen, ...] = ()
    terms: tuple[str, ...] = ()  # names of the loss terms besides reconstruction and KL, in nats an image
    options: type[Section] = NoOptions
    encode: Callable[[Networks, Array, Array | None], Moments] = gaussian_code
    streams: Mapping[str, Choose] = field(default_factory=lambda: {"all": every_image})
    predicts_label: Callable[[Any], bool] = never  # with these options: class probabilities in place of pictures
    visible_quadrants: Callable[[Any], int | None] = whole_picture  # of a given picture, with these options
    place: int = 100  # position in menus

    @property
    def module(self) -> str:
        """Return the name of the family's files."""
        return self.id.replace("-", "_")

    @property
    def takes(self) -> Literal["nothing", "condition", "image"]:
        """Return the kind of input besides z: the vector of the conditions, or a picture whose rest is predicted."""
        if "image" in self.decoder_sees:
            return "image"
        return "condition" if "condition" in self.encoder_sees + self.decoder_sees + self.prior_sees else "nothing"

    @property
    def prior_of(self) -> str:
        """Return "none" without a prior, "standard", or the input (`takes`) of a learned prior."""
        return self.takes if self.prior == "learned" else self.prior

    @property
    def completes(self) -> bool:
        """Return whether the model predicts the rest of a given picture."""
        return self.takes == "image"
