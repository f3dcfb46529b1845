"""The predictive CVAE predicts t, the hidden quadrants or the label of a picture, from c, the visible part."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, Literal

from cvae.errors import InputError
from cvae.families import latex
from cvae.families.family import Family
from cvae.options import Section, option

Task = Literal["quadrants", "label"]
TASKS: tuple[str, ...] = typing.get_args(Task)


def _no_quadrants(config: Any) -> InputError | None:
    task = config.model.options.task
    return InputError("effect.task", task=task) if task == "label" else None


@dataclass(frozen=True)
class Options(Section):
    """The options set the target of the prediction and its input."""

    task: Task = option("quadrants", "choice", "--task", "of cvae-predictive: {either} ({default})", choices=TASKS)
    quadrants: int = option(
        1, "whole", "--quadrants", "how many cvae-predictive is given: 1, 2 or 3 ({default})",
        low=1, high=3, no_effect=_no_quadrants,
    )  # fmt: skip
    # α of the hybrid α·CVAE + (1−α)·GSNN (Sohn et al. 2015)
    alpha: float = option(1.0, "number", "--alpha", "of cvae-predictive's hybrid ({default}: plain)", high=1, step=0.1)


FAMILY = Family(
    id="cvae-predictive",
    title="Predictive CVAE",
    encoder_sees=("image",),
    decoder_sees=("z", "image"),
    prior_sees=("image",),
    prior="learned",
    bound="E_q(z|c,t) log p(t|c,z) − KL(q(z|c,t) ‖ p(z|c))",
    posterior=(
        rf"q_\phi(z\mid c, t) = {latex.gaussian('phi', 'c, t')}",
        rf"p_\psi(z\mid c) = {latex.gaussian('psi', 'c')}",
    ),
    draw=(latex.draw_learned("c"), latex.mean_picture(r"p_\theta(t\mid c, z)", "t")),
    objective=latex.bound(r"p_\theta(t\mid c, z)", r"q_\phi(z\mid c, t)", r"p_\psi(z\mid c)"),
    options=Options,
    predicts_label=lambda options: options.task == "label",
    visible_quadrants=lambda options: None if options.task == "label" else options.quadrants,
    place=4,
)
