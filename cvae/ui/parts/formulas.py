"""Define further formulas of the pages, in LaTeX. The formulas of a family are in the family."""

from __future__ import annotations

from cvae.config import RunConfig
from cvae.families import FAMILIES

MEASURED = (  # the bound's two terms, and the ladder of bounds
    r"-\mathrm{ELBO} = \underbrace{\mathbb E_q\big[-\log p_\theta(x\mid z)\big]}_{\text{reconstruction}} + "
    r"\underbrace{\mathrm{KL}\big(q_\phi(z\mid x)\,\|\,p(z)\big)}_{\text{KL}}",
    r"\mathrm{IWAE}_k = \mathbb E\Big[\log \tfrac1k \textstyle\sum_{i=1}^k \tfrac{p(x,\, z_i)}{q(z_i\mid x)}\Big],"
    r"\quad \mathrm{ELBO} \le \mathrm{IWAE}_5 \le \mathrm{IWAE}_{50} \le \log p(x)",
)
ACTIVE = r"\operatorname{Var}_x\big(\mathbb E_{q_\phi(z\mid x)}[z_d]\big) > 0.01"
FRECHET = r"\lVert\mu_1-\mu_2\rVert^2 + \operatorname{tr}\big(\Sigma_1+\Sigma_2-2\,(\Sigma_1\Sigma_2)^{1/2}\big)"


def objective(config: RunConfig) -> str:
    """Return the formula of a run's training loss: that of its family, with the weights of its terms."""
    reconstruction, plus, kl = FAMILIES[config.model.family].objective.partition(r" + \mathrm{KL}")
    weight, beta = config.objective.recon_weight, config.objective.beta
    return _times(weight, reconstruction) + (f" + {_times(beta, plus[3:] + kl)}" if plus else "")


def _times(weight: float, term: str) -> str:
    return term if weight == 1 else rf"{weight:g}\cdot {term}"
