"""This module decides which measured figures of several runs may be compared, and which value is the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cvae.config import RunConfig
from cvae.families import FAMILIES

Better = Literal["lower", "higher"]

METRICS: dict[str, Better | None] = {  # in nats an image, except units, accuracies, diversity and distance
    "reconstruction": "lower",
    "kl": None,  # a small one means a posterior near its prior, or a posterior without information
    "neg_elbo": "lower",
    "nll": "lower",  # −log p(x)
    "nll_given": "lower",  # −log p(x|y), −log p(t|c)
    "nll_exact": "lower",  # the same two by quadrature
    "nll_given_exact": "lower",
    "nll_poor": None,  # for how many images the sampled ones cannot be trusted
    "accuracy_bayes": "higher",
    "nll_baseline": "lower",
    "accuracy": "higher",
    "accuracy_baseline": "higher",
    "active_units": None,
    "knn_accuracy": None,  # in some models the codes should not show the class
    "linear_probe_accuracy": None,
    "conditional_accuracy": "higher",
    "diversity": None,  # 1 is as diverse as the data
    "frechet_distance": "lower",
}
OWN_TERMS: dict[str, Better | None] = {  # the further terms of the families' losses
    term: "lower" for family in FAMILIES.values() for term in family.terms
}
OF_SAMPLES = ("conditional_accuracy", "diversity", "frechet_distance")  # the data set's classifier judges these


@dataclass(frozen=True)
class Row:
    """A Row holds one figure of several runs."""

    figure: str
    better: Better | None
    values: tuple[float | None, ...]
    best: frozenset[int]  # the places of the best values among comparable ones


def comparison(runs: Sequence[tuple[RunConfig, Mapping[str, Any]]]) -> list[Row]:
    """Return a row for each figure of at least one run; `runs` are configs with metrics or a validation record.

    Compare two values only for the same quantity, under the same likelihood, on the same pixels of the same split.
    """
    rows = []
    for figure, better in {**METRICS, **OWN_TERMS}.items():
        values = tuple(_value(figure, config, measured) for config, measured in runs)
        if any(value is not None for value in values):
            rows.append(Row(figure, better, values, _best(figure, better, values, runs)))
    return rows


def number(measured: Mapping[str, Any], name: str) -> float | None:
    """Return a figure, or None: metrics.json may be older than the figure, or damaged."""
    return _finite(measured.get(name))


def numbers(measured: Mapping[str, Any], name: str) -> list[float]:
    """Return a figure with a value for each dimension or class, or an empty list."""
    values = measured.get(name)
    if not isinstance(values, list):
        return []
    known = [found for value in values if (found := _finite(value)) is not None]
    return known if len(known) == len(values) else []


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def _value(figure: str, config: RunConfig, measured: Mapping[str, Any]) -> float | None:
    family = FAMILIES[config.model.family]
    match figure:
        case "nll" if family.takes != "nothing":
            return None if family.completes else number(measured, "nll_mixture")
        case "nll_exact" if family.takes != "nothing":
            return number(measured, "nll_mixture_exact")
        case "nll_given":
            return number(measured, "nll") if family.takes != "nothing" else None
        case "nll_given_exact":
            return number(measured, "nll_exact") if family.takes != "nothing" else None
    return number(measured, figure)


def _best(
    figure: str,
    better: Better | None,
    values: Sequence[float | None],
    runs: Sequence[tuple[RunConfig, Mapping[str, Any]]],
) -> frozenset[int]:
    groups: dict[object, list[int]] = {}
    for i, (config, measured) in enumerate(runs):
        if values[i] is not None:
            groups.setdefault(_quantity(figure, config, measured), []).append(i)
    best: set[int] = set()
    for group in groups.values():
        known = [value for i in group if (value := values[i]) is not None]
        if better is not None and len(set(known)) > 1:
            top = min(known) if better == "lower" else max(known)
            best |= {i for i in group if values[i] == top}
    return frozenset(best)


def _quantity(figure: str, config: RunConfig, measured: Mapping[str, Any]) -> object:
    """Return a key that is equal for comparable values."""
    model, data = config.model, config.data
    if figure in OF_SAMPLES:
        return data.name
    family = FAMILIES[model.family]
    target = (model.predicts_label, family.visible_quadrants(model.options)) if family.completes else None
    sigma = model.sigma if model.likelihood == "gaussian" else None
    seen = data.full_train and measured.get("split") == "validation"  # the run trained on the measured images
    samples = measured.get("nll_samples") if figure in ("nll", "nll_given") else None  # more samples lower the figure
    under = (data.name, data.binarize, measured.get("split"), seen, model.likelihood, sigma, target, samples)
    given = frozenset(model.condition) if family.takes == "condition" else family.takes
    return (*under, given) if figure in ("neg_elbo", "nll_given", "nll_given_exact") else under
