"""What a run is, by its settings: the texts on a page belong to the run, not to its family alone."""

from __future__ import annotations

from cvae.config import RunConfig
from cvae.families import FAMILIES
from cvae.ui.frame.text import t

KL_ONLY, RECONSTRUCTION_ONLY = "kl-only", "reconstruction-only"


def kind(config: RunConfig) -> str:
    """Return the family of a run, or the objective that lacks a term: `kl-only` or `reconstruction-only`."""
    objective, family = config.objective, FAMILIES[config.model.family]
    if objective.recon_weight == 0:
        return KL_ONLY
    return RECONSTRUCTION_ONLY if family.prior != "none" and objective.beta == 0 else family.id


def notices(config: RunConfig, page: str) -> str:
    """Return what to notice of a run on a page, `latent`, `sample` or `compare`, in Markdown."""
    name = kind(config)
    return t(f"families.{name}.{page}" if name in FAMILIES else f"kinds.{name}.{page}")


def training_notice(config: RunConfig) -> str:
    """Return what to notice while a run is trained, in Markdown."""
    name = kind(config)
    return t(f"train.notice.{name if name in ('ae', KL_ONLY, RECONSTRUCTION_ONLY) else 'bound'}")


def settings(config: RunConfig) -> list[str]:
    """Return the settings of the objective and the pixels in which a run differs from the plain bound, as words."""
    objective, model = config.objective, config.model
    has_prior = FAMILIES[model.family].prior != "none"
    found = {
        f"β {objective.beta:g}": has_prior and objective.beta != 1,
        t("kinds.recon_weight", weight=f"{objective.recon_weight:g}"): objective.recon_weight != 1,
        t("kinds.free_bits", bits=f"{objective.free_bits:g}"): objective.free_bits > 0,
        f"k {objective.k}": objective.k > 1,
        t("kinds.gaussian"): model.likelihood != "bernoulli",
        t("kinds.conv"): model.net == "conv",
    }
    return [words for words, differs in found.items() if differs]
