"""What a run is, by its settings and its measured figures: what the pages say belongs to the run, not to its family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cvae.config import OPTIONS, RunConfig
from cvae.data import DATASETS
from cvae.families import FAMILIES
from cvae.numbers import fixed
from cvae.results.comparison import number
from cvae.ui.frame.text import t

Figures = Mapping[str, Any]

COLLAPSED = 0.1  # nats: with less KL, a code says nothing about its picture
PLANE = 2  # the most dimensions in which a Gaussian fitted to the codes of an AE has hardly a hole

# The settings that stand beside a run's name where they are not the defaults, β first; and those that never do.
BESIDE = (
    ("objective", ("beta", "recon_weight", "free_bits", "k", "kl_warmup")),
    ("model", ("likelihood", "sigma", "net", "condition")),
    ("data", ("binarize", "full_train")),
)
UNSAID = frozenset({"family", "dir", "threads", "device"})
USUAL = frozenset({"recon_weight", "free_bits", "k", "kl_warmup"})  # off or 1 unless a run says otherwise


def traits(config: RunConfig, figures: Figures) -> tuple[str, ...]:
    """Return what sets a run apart from the plain form of its family, as first parts of keys below `kinds`.

    `figures` are the metrics of the run, or its last validation record; empty if nothing is known.
    """
    objective, model = config.objective, config.model
    family, halfway = FAMILIES[model.family], (1 + 1 / max(model.classes, 1)) / 2  # between chance and always right
    has_prior = family.prior != "none"
    if objective.recon_weight == 0:
        return ("kl-only",) if has_prior and objective.beta > 0 else ("untrained",)
    if has_prior and objective.beta == 0:
        return ("reconstruction-only",)
    kl, weight = number(figures, "kl"), weight_of_kl(config)
    asked, probe = number(figures, "conditional_accuracy"), number(figures, "linear_probe_accuracy")
    freed = family.prior == "standard" and "condition" in family.decoder_sees  # the codes can leave out the label
    found = {
        "collapsed": has_prior and kl is not None and kl < COLLAPSED,
        "beta-low": has_prior and weight < 1,
        "beta-high": has_prior and weight > 1,
        "free-bits": objective.free_bits > 0 and OPTIONS["objective"]["free_bits"].applies(config),
        "importance": has_prior and objective.k > 1,
        "label-ignored": model.takes_label and asked is not None and asked < halfway,
        "label-kept": model.takes_label and freed and probe is not None and probe > halfway,
        "plane": not has_prior and model.latent_dim <= PLANE,
        "space": not has_prior and model.latent_dim > PLANE,
    }
    return tuple(name for name, is_so in found.items() if is_so)


def weight_of_kl(config: RunConfig) -> float:
    """Return how much the KL counts beside the reconstruction in the training loss: 1 in the bound."""
    return config.objective.beta / config.objective.recon_weight


def notices(config: RunConfig, figures: Figures, page: str, usual: str = "") -> str:
    """Return what to notice of a run on a page, in Markdown.

    The first trait with words under `kinds.<trait>.instead` replaces the words of the family (or those under the key
    `usual`); every trait with words under `kinds.<trait>.also` adds them.
    """
    found, values = traits(config, figures), _values(config, figures)
    said = {way: [key for one in found if (key := _said(f"kinds.{one}.{way}", page))] for way in ("instead", "also")}
    first = said["instead"][0] if said["instead"] else usual or f"families.{config.model.family}.{page}"
    return "\n".join(t(key, **values) for key in (first, *said["also"]))


def training_notice(config: RunConfig, figures: Figures) -> str:
    """Return what to notice while a run is trained, in Markdown."""
    bound = FAMILIES[config.model.family].prior != "none"
    return notices(config, figures, "train", "train.notice.bound" if bound else "train.notice.ae")


def _said(words: str, page: str) -> str | None:
    """Return the key of the words for a page, or for every page; None if there are none."""
    return next((key for key in (f"{words}.{page}", f"{words}.every") if t(key) != key), None)


def _values(config: RunConfig, figures: Figures) -> dict[str, str]:
    shares = {"asked": "conditional_accuracy", "probe": "linear_probe_accuracy"}
    return {
        "weight": f"{weight_of_kl(config):g}" if config.objective.recon_weight else "–",
        "title": FAMILIES[config.model.family].title,
        "bits": f"{config.objective.free_bits:g}",
        "k": str(config.objective.k),
        "d": str(config.model.latent_dim),
        "kl": fixed(number(figures, "kl") or 0.0, 2),
        **{name: f"{number(figures, figure) or 0.0:.0%}" for name, figure in shares.items()},
    }


def settings(config: RunConfig) -> list[str]:
    """Return the settings in which a run differs from the plain bound of its family, as words."""
    own = {name for name, option in OPTIONS["family"].items() if option.applies(config)}
    found = [
        _words(config, section, name)
        for section, names in (*BESIDE, ("family", sorted(own)))
        for name in names
        if OPTIONS[section][name].applies(config) and _value(config, section, name) != OPTIONS[section][name].default
    ]
    return [words for words in found if words]


def trained_with(config: RunConfig) -> list[str]:
    """Return the settings of a training as words: epochs, seed, β if there is a KL, and the unusual ones."""
    always = (("train", "epochs"), ("train", "seed"), ("objective", "beta"))
    words = [*(_words(config, section, name) for section, name in always), *settings(config)]
    return list(dict.fromkeys(filter(None, words)))


def differing(configs: Sequence[RunConfig]) -> list[list[str]]:
    """Return for each run the settings in which these runs differ, as words, where they have an effect."""
    found: list[list[str]] = [[] for _ in configs]
    for section, options in OPTIONS.items():
        for name, option in options.items():
            having = [option.applies(config) for config in configs]
            values = {_value(one, section, name) for one, has in zip(configs, having, strict=True) if has}
            if name not in UNSAID and len(values) > 1:
                for said, config, has in zip(found, configs, having, strict=True):
                    usual = name in USUAL and _value(config, section, name) == option.default
                    if has and not usual and (words := _words(config, section, name)):
                        said.append(words)
    return found


def listed(words: Sequence[str]) -> str:
    """Return words in one line, with the commas of the language."""
    return t("kinds.comma").join(words)


def _value(config: RunConfig, section: str, name: str) -> Any:
    return getattr(config.section(section), name)


def _words(config: RunConfig, section: str, name: str) -> str:
    """Return the value of an option in words; an empty text if it is off or has no effect."""
    value = _value(config, section, name)
    if not OPTIONS[section][name].applies(config) or value is None or value is False:
        return ""
    if name == "name":
        return data_title(value)
    text = ", ".join(value) if name == "condition" else _number(value)
    own = f"families.{config.model.family}.options.{name}"
    for key in (f"kinds.settings.{name}.{value}", f"kinds.settings.{name}", f"{own}_choices.{value}"):
        if (template := t(key)) != key:
            return template.format(value=text)
    return f"{t(own)} {text}"


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_number, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def data_title(name: str) -> str:
    """Return the title of a data set, or the name of the user's file."""
    return DATASETS[name].title if name in DATASETS else Path(name).stem
