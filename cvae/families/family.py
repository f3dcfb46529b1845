"""What a family states of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# A network that gives a Gaussian ends in its mean and a raw log-variance r; log σ² = B·tanh(r / B), bounded softly.
POSTERIOR_LOG_VAR = 10.0  # B of encoders: σ between e⁻⁵ and e⁵
PRIOR_LOG_VAR = 4.0  # B of prior nets, tighter: two learned Gaussians could otherwise drift in scale together

Array = NDArray[np.float32]
Seen = Literal["z", "image", "condition"]  # a code; an image, the model's own or a given one; the conditions' vector
Moments = tuple[Array, Array]  # mean and standard deviation, (N, d) each


def gaussian(out: Array, bound: float = POSTERIOR_LOG_VAR) -> Moments:
    """A network's mean and raw log-variance, (N, 2d) → mean and standard deviation, (N, d) each."""
    mean, raw = np.split(out, 2, axis=-1)
    return mean, np.exp(0.5 * bound * np.tanh(raw / bound))


def point(out: Array) -> Moments:
    """A code without a density, (N, d): its standard deviation is 0."""
    return out, np.zeros_like(out)


@dataclass(frozen=True)
class Family:
    """One model family.

    kinds: the kinds of conditions (`cvae.conditions`) that it is given beside z. encoder_sees, decoder_sees: what is
    joined in front of each network's head, in this order. prior: none, N(0, I), or learned, a network of the
    conditions. Formulas are LaTeX. code: what the encoder's output says of z, in NumPy.
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
    kinds: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()  # names of further terms of the loss, in nats an image, beside reconstruction and KL
    code: Callable[[Array], Moments] = gaussian
    place: int = 100  # in menus

    @property
    def module(self) -> str:
        """The name of its files."""
        return self.id.replace("-", "_")

    @property
    def prior_sees(self) -> tuple[Seen, ...]:
        """What the prior net sees; empty where there is none."""
        if self.prior != "learned":
            return ()
        return ("image",) if "image" in self.kinds else ("condition",)

    @property
    def prior_of(self) -> str:
        """What the prior of z depends on: none (there is no prior), standard, or a kind of condition."""
        return self.kinds[0] if self.prior == "learned" else self.prior

    @property
    def takes_class(self) -> bool:
        """Whether it is asked for a class beside z."""
        return "class" in self.kinds

    @property
    def completes(self) -> bool:
        """Whether it is given a picture, of which it predicts the rest."""
        return "image" in self.kinds

    def needs_labels(self, task: Any = "quadrants") -> bool:
        """Whether training needs labelled images."""
        return self.takes_class or (self.completes and task == "label")
