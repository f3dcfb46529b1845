"""This conditional VAE learns its prior p(z|y)."""

from __future__ import annotations

from cvae.families import latex
from cvae.families.family import Family

FAMILY = Family(
    id="cvae-learned-prior",
    title="CVAE, learned prior",
    encoder_sees=("image", "condition"),
    decoder_sees=("z", "condition"),
    prior_sees=("condition",),
    prior="learned",
    bound="E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ p(z|y))",
    posterior=(latex.Q_XY, latex.PRIOR_Y),
    draw=(latex.draw_learned("y"), latex.mean_picture(r"p_\theta(x\mid z, y)")),
    objective=latex.bound(r"p_\theta(x\mid z, y)", r"q_\phi(z\mid x, y)", r"p_\psi(z\mid y)"),
    place=3,
)
