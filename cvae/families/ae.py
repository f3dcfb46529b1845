"""The autoencoder has a code f(x) with no density, and no prior."""

from __future__ import annotations

from cvae.families.family import Family, point_code

FAMILY = Family(
    id="ae",
    title="AE",
    encoder_sees=("image",),
    decoder_sees=("z",),
    prior="none",
    bound="log p(x|f(x))",
    posterior=(r"z = f_\phi(x)", r"\hat x = g_\theta(z)"),
    draw=(r"z \sim \mathcal N(\hat\mu,\, T^2\hat\Sigma)", r"\hat x = g_\theta(z)"),
    objective=r"-\log p_\theta\big(x \mid f_\phi(x)\big)",
    encode=point_code,
    place=0,
)
