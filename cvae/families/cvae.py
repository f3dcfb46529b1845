"""In the conditional VAE, encoder and decoder see the conditions, and the prior is N(0, I) for all of them."""

from __future__ import annotations

from cvae.families import latex
from cvae.families.family import Family

FAMILY = Family(
    id="cvae",
    title="CVAE",
    encoder_sees=("image", "condition"),
    decoder_sees=("z", "condition"),
    prior="standard",
    bound="E_q(z|x,y) log p(x|z,y) − KL(q(z|x,y) ‖ N(0, I))",
    posterior=(latex.Q_XY, rf"p(z) = {latex.STANDARD}"),
    draw=(latex.DRAW_STANDARD, latex.mean_picture(r"p_\theta(x\mid z, y)")),
    objective=latex.bound(r"p_\theta(x\mid z, y)", r"q_\phi(z\mid x, y)", latex.STANDARD),
    place=2,
)
