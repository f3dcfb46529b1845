"""The variational autoencoder has one prior, N(0, I), and no input besides z."""

from __future__ import annotations

from cvae.families import latex
from cvae.families.family import Family

FAMILY = Family(
    id="vae",
    title="VAE",
    encoder_sees=("image",),
    decoder_sees=("z",),
    prior="standard",
    bound="E_q(z|x) log p(x|z) − KL(q(z|x) ‖ N(0, I))",
    posterior=(rf"q_\phi(z\mid x) = {latex.gaussian('phi', 'x')}", rf"p(z) = {latex.STANDARD}"),
    draw=(latex.DRAW_STANDARD, latex.mean_picture(r"p_\theta(x\mid z)")),
    objective=latex.bound(r"p_\theta(x\mid z)", r"q_\phi(z\mid x)", latex.STANDARD),
    place=1,
)
