"""In the conditional multimodal autoencoder, conditions reach the picture only through z, by the prior p(z|y)."""

from __future__ import annotations

from cvae.families import latex
from cvae.families.family import Family

FAMILY = Family(
    id="cmma",
    title="CMMA",
    encoder_sees=("image", "condition"),
    decoder_sees=("z",),
    prior_sees=("condition",),
    prior="learned",
    bound="E_q(z|x,y) log p(x|z) − KL(q(z|x,y) ‖ p(z|y))",
    posterior=(latex.Q_XY, latex.PRIOR_Y),
    draw=(latex.draw_learned("y"), latex.mean_picture(r"p_\theta(x\mid z)")),
    objective=latex.bound(r"p_\theta(x\mid z)", r"q_\phi(z\mid x, y)", r"p_\psi(z\mid y)"),
    place=5,
)
