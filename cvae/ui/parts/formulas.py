"""The formulas that the pages show, in LaTeX, by model family. They need no translation."""

from __future__ import annotations


def _gaussian(net: str, given: str) -> str:
    return rf"\mathcal N\big(\mu_\{net}({given}),\, \operatorname{{diag}} \sigma^2_\{net}({given})\big)"


def _bound(decoder: str, posterior: str, prior: str) -> str:
    return rf"\mathbb E_{{{posterior}}}\big[-\log {decoder}\big] + \mathrm{{KL}}\big({posterior} \,\|\, {prior}\big)"


_STANDARD = r"\mathcal N(0, I)"
_LABEL_PRIOR = rf"p_\psi(z\mid y) = {_gaussian('psi', 'y')}"
_Q_XY = rf"q_\phi(z\mid x, y) = {_gaussian('phi', 'x, y')}"
_NOISE = rf"\varepsilon \sim {_STANDARD}"
_FROM_LABEL = rf"z = \mu_\psi(y) + T\,\sigma_\psi(y)\odot\varepsilon,\quad {_NOISE}"

POSTERIOR = {  # what a point of the latent map is, and the prior it is measured against
    "ae": (r"z = f_\phi(x)", r"\hat x = g_\theta(z)"),
    "vae": (rf"q_\phi(z\mid x) = {_gaussian('phi', 'x')}", rf"p(z) = {_STANDARD}"),
    "cvae": (_Q_XY, rf"p(z) = {_STANDARD}"),
    "cvae-learned-prior": (_Q_XY, _LABEL_PRIOR),
    "cvae-predictive": (
        rf"q_\phi(z\mid c, t) = {_gaussian('phi', 'c, t')}",
        rf"p_\psi(z\mid c) = {_gaussian('psi', 'c')}",
    ),
    "cmma": (_Q_XY, _LABEL_PRIOR),
}

DRAW = {  # how a picture is drawn; T the temperature
    "ae": (r"z \sim \mathcal N(\hat\mu,\, T^2\hat\Sigma)", r"\hat x = g_\theta(z)"),
    "vae": (rf"z = T\,\varepsilon,\quad {_NOISE}", r"\hat x = \mathbb E_{p_\theta(x\mid z)}[x]"),
    "cvae": (rf"z = T\,\varepsilon,\quad {_NOISE}", r"\hat x = \mathbb E_{p_\theta(x\mid z, y)}[x]"),
    "cvae-learned-prior": (_FROM_LABEL, r"\hat x = \mathbb E_{p_\theta(x\mid z, y)}[x]"),
    "cvae-predictive": (
        rf"z = \mu_\psi(c) + T\,\sigma_\psi(c)\odot\varepsilon,\quad {_NOISE}",
        r"\hat t = \mathbb E_{p_\theta(t\mid c, z)}[t]",
    ),
    "cmma": (_FROM_LABEL, r"\hat x = \mathbb E_{p_\theta(x\mid z)}[x]"),
}

OBJECTIVE = {  # what training makes small, in nats an image, at β = 1
    "ae": r"-\log p_\theta\big(x \mid f_\phi(x)\big)",
    "vae": _bound(r"p_\theta(x\mid z)", r"q_\phi(z\mid x)", _STANDARD),
    "cvae": _bound(r"p_\theta(x\mid z, y)", r"q_\phi(z\mid x, y)", _STANDARD),
    "cvae-learned-prior": _bound(r"p_\theta(x\mid z, y)", r"q_\phi(z\mid x, y)", r"p_\psi(z\mid y)"),
    "cvae-predictive": _bound(r"p_\theta(t\mid c, z)", r"q_\phi(z\mid c, t)", r"p_\psi(z\mid c)"),
    "cmma": _bound(r"p_\theta(x\mid z)", r"q_\phi(z\mid x, y)", r"p_\psi(z\mid y)"),
    "reconstruction-only": r"\mathbb E_q\big[-\log p_\theta(x\mid z)\big] + 0\cdot\mathrm{KL}",
    "kl-only": r"0\cdot\mathbb E_q\big[-\log p_\theta\big] + \mathrm{KL}\big(q_\phi \,\|\, \mathcal N(0, I)\big)",
}

MEASURED = (  # the bound's two terms, the ladder of bounds, what an active unit is
    r"-\mathrm{ELBO} = \underbrace{\mathbb E_q\big[-\log p_\theta(x\mid z)\big]}_{\text{reconstruction}} + "
    r"\underbrace{\mathrm{KL}\big(q_\phi(z\mid x)\,\|\,p(z)\big)}_{\text{KL}}",
    r"\mathrm{IWAE}_k = \mathbb E\Big[\log \tfrac1k \textstyle\sum_{i=1}^k \tfrac{p(x,\, z_i)}{q(z_i\mid x)}\Big],"
    r"\quad \mathrm{ELBO} \le \mathrm{IWAE}_5 \le \mathrm{IWAE}_{50} \le \log p(x)",
)
ACTIVE = r"\operatorname{Var}_x\big(\mathbb E_{q_\phi(z\mid x)}[z_d]\big) > 0.01"
FRECHET = r"\lVert\mu_1-\mu_2\rVert^2 + \operatorname{tr}\big(\Sigma_1+\Sigma_2-2\,(\Sigma_1\Sigma_2)^{1/2}\big)"
