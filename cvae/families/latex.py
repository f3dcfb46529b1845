"""This module makes the parts of the families' formulas, in LaTeX."""

from __future__ import annotations

STANDARD = r"\mathcal N(0, I)"
NOISE = rf"\varepsilon \sim {STANDARD}"


def gaussian(net: str, given: str) -> str:
    """Return N(μ(given), diag σ²(given)) of a network."""
    return rf"\mathcal N\big(\mu_\{net}({given}),\, \operatorname{{diag}} \sigma^2_\{net}({given})\big)"


def bound(decoder: str, posterior: str, prior: str) -> str:
    """Return −ELBO: the reconstruction and the KL."""
    return rf"\mathbb E_{{{posterior}}}\big[-\log {decoder}\big] + \mathrm{{KL}}\big({posterior} \,\|\, {prior}\big)"


def mean_picture(density: str, variable: str = "x") -> str:
    """Return the picture as the mean of the decoder's density."""
    return rf"\hat {variable} = \mathbb E_{{{density}}}[{variable}]"


Q_XY = rf"q_\phi(z\mid x, y) = {gaussian('phi', 'x, y')}"
PRIOR_Y = rf"p_\psi(z\mid y) = {gaussian('psi', 'y')}"
DRAW_STANDARD = rf"z = T\,\varepsilon,\quad {NOISE}"


def draw_learned(given: str) -> str:
    """Return a draw from a learned prior."""
    return rf"z = \mu_\psi({given}) + T\,\sigma_\psi({given})\odot\varepsilon,\quad {NOISE}"
