"""Predictive CVAE: given a picture c, what is not seen of it, t: its hidden quadrants, or its label."""

from __future__ import annotations

from cvae.families import latex
from cvae.families.family import Family

FAMILY = Family(
    id="cvae-predictive",
    title="Predictive CVAE",
    encoder_sees=("image",),
    decoder_sees=("z", "image"),
    prior="learned",
    bound="E_q(z|c,t) log p(t|c,z) − KL(q(z|c,t) ‖ p(z|c))",
    posterior=(
        rf"q_\phi(z\mid c, t) = {latex.gaussian('phi', 'c, t')}",
        rf"p_\psi(z\mid c) = {latex.gaussian('psi', 'c')}",
    ),
    draw=(latex.draw_learned("c"), latex.mean_picture(r"p_\theta(t\mid c, z)", "t")),
    objective=latex.bound(r"p_\theta(t\mid c, z)", r"q_\phi(z\mid c, t)", r"p_\psi(z\mid c)"),
    kinds=("image",),
    place=4,
)
