"""The registry of model families: a line a family. It imports nothing, so that menus need no torch.

The line says what each network sees, from which `cvae.architecture` lays out the networks, and where the class
is, which holds the objective. The command line, the menus and the tests all read this one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Family:
    """One model family.

    `given` is what the user chooses beside z: nothing, a label (a float vector, one-hot or a mixture), or a condition
    (the visible part of an image).
    """

    id: str
    title: str
    where: str  # module:class, imported when a model is built
    encoder_sees: tuple[Literal["image", "label"], ...]
    decoder_sees: tuple[Literal["z", "label", "condition"], ...]
    prior: Literal["none", "standard", "label", "condition"]  # what the prior of z depends on
    bound: str  # the objective, in the symbols of its file

    @property
    def given(self) -> Literal["nothing", "label", "condition"]:
        sees = {*self.encoder_sees, *self.decoder_sees, self.prior}
        return "condition" if "condition" in sees else "label" if "label" in sees else "nothing"

    def needs_labels(self, task: str = "quadrants") -> bool:
        """Whether training needs labelled images."""
        return self.given == "label" or (self.given == "condition" and task == "label")


FAMILIES: dict[str, Family] = {
    family.id: family
    for family in (
        Family("ae", "AE", "cvae.models.ae:AE", ("image",), ("z",), "none", "log p(x|f(x))"),
        Family(
            "vae", "VAE", "cvae.models.vae:VAE", ("image",), ("z",), "standard",
            "E_q(z|x) log p(x|z) − KL(q(z|x) ‖ N(0, I))",
        ),
        Family(
            "cvae", "CVAE", "cvae.models.cvae:CVAE", ("image", "label"), ("z", "label"), "standard",
            "E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ N(0, I))",
        ),
        Family(
            "cvae-learned-prior", "CVAE, learned prior", "cvae.models.learned_prior:LearnedPriorCVAE",
            ("image", "label"), ("z", "label"), "label",
            "E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ p(z|y))",
        ),
        Family(
            "cvae-predictive", "Predictive CVAE", "cvae.models.predictive:PredictiveCVAE",
            ("image",), ("z", "condition"), "condition",
            "E_q(z|c,t) log p(t|c,z) − KL(q(z|c,t) ‖ p(z|c))",
        ),
        Family(
            "cmma", "CMMA", "cvae.models.cmma:CMMA", ("image", "label"), ("z",), "label",
            "E_q(z|x,y) log p(x|z) − KL(q(z|x,y) ‖ p(z|y))",
        ),
    )
}  # fmt: skip
