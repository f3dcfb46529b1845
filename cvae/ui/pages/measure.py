"""Show the charts of the page Measure: the bound's terms, the ladder of bounds, samples, the classes in the codes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import streamlit as st

from cvae import plots
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.numbers import fixed
from cvae.results.comparison import number, numbers
from cvae.ui.frame.messages import formula, problem
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.parts.chart import chart
from cvae.ui.parts.formulas import ACTIVE, FRECHET
from cvae.ui.parts.kinds import listed, traits
from cvae.ui.parts.metrics_table import RunMetrics

KL_COLUMNS = 2  # charts beside each other in half a page
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
QUANTITY = {"nothing": "log p(x)", "condition": "log p(x|y)", "image": "log p(t|c)"}


def split(chosen: Sequence[RunMetrics]) -> None:
    """Show −ELBO of each run as its two terms."""
    terms = {
        one.title: (reconstruction, number(one.figures, "kl"))
        for one in chosen
        if (reconstruction := number(one.figures, "reconstruction")) is not None
    }
    if not terms:
        _nothing()
        return
    words = (t("compare.table.reconstruction"), t("compare.table.kl"), t("compare.curves.unit"))
    chart(plots.split, terms, words=words, key="split", alt=t("measure.split.alt", names=", ".join(terms)))
    bare = any(one.family.prior == "none" for one in chosen if one.title in terms)
    st.caption(t("measure.split.note") + (" " + t("measure.split.note_ae") if bare else ""))
    again(chosen)


def kl(chosen: Sequence[RunMetrics]) -> None:
    """Show the KL of each dimension, and the number of active dimensions."""
    known = [(i, one, values) for i, one in enumerate(chosen) if (values := numbers(one.figures, "kl_per_dim"))]
    if not known:
        _nothing()
        return
    for begin in range(0, len(known), KL_COLUMNS):
        for (i, one, values), column in zip(known[begin:], st.columns(KL_COLUMNS), strict=False):
            with column:
                active = number(one.figures, "active_units")
                use = "" if active is None else " · " + t("measure.kl.active", n=f"{active:.0f}", d=len(values))
                st.markdown(f"**{escape_markdown(one.title)}**{use}")
                chart(
                    plots.kl_bars, values, unit=t("latent.kl.unit"), color=i, height=230, key=f"kl-{one.entry.name}",
                    alt=f"{one.title}: {t('latent.kl.alt', total=fixed(sum(values), 1))}",
                )  # fmt: skip
    formula(ACTIVE)
    st.caption(t("measure.kl.note"))
    again([one for _, one, _ in known])


def ladder(chosen: Sequence[RunMetrics]) -> None:
    """Show ELBO ≤ IWAE₅ ≤ IWAE₅₀ ≤ log p of each run."""
    known = [(i, one, rungs) for i, one in enumerate(chosen) if len(rungs := bounds(one)) > 1]
    if not known:
        _nothing()
        return
    for (i, one, rungs), column in zip(known, st.columns(max(len(known), 2), gap="medium"), strict=False):
        with column:
            st.markdown(f"**{escape_markdown(one.title)}**")
            words = ", ".join(f"{name} {fixed(value, 2)}" for name, value in rungs.items())
            chart(
                plots.ladder, rungs, color=i, unit=t("latent.kl.unit"), key=f"ladder-{one.entry.name}",
                alt=f"{one.title}: {words}",
            )  # fmt: skip
    samples = {int(k) for _, one, _ in known if (k := number(one.figures, "nll_samples"))}
    st.caption(t("measure.ladder.note", k=", ".join(f"{k:,}" for k in sorted(samples))))
    again([one for _, one, _ in known])


def bounds(one: RunMetrics) -> dict[str, float]:
    """Return the measured bounds on log p of a run in nats, by name, the loosest first."""
    if not one.evaluated:
        return {}
    quantity, exact = QUANTITY[one.family.takes], number(one.figures, "nll_exact")
    samples = str(int(number(one.figures, "nll_samples") or 0)).translate(SUBSCRIPTS)
    names = {"neg_elbo": "ELBO", "neg_iwae_5": "IWAE₅", "neg_iwae_50": "IWAE₅₀"}
    names |= {"nll": quantity} if exact is None else {"nll": f"IWAE{samples}", "nll_exact": quantity}
    return {name: -value for key, name in names.items() if (value := number(one.figures, key)) is not None}


def samples(chosen: Sequence[RunMetrics]) -> None:
    """Show how often a draw has the requested class, beside the judge's own accuracy, and the Fréchet distances."""
    shares = {one.title: values for one in chosen if (values := numbers(one.figures, "conditional_accuracy_per_class"))}
    distances = {one.title: value for one in chosen if (value := number(one.figures, "frechet_distance")) is not None}
    if not shares and not distances:
        st.info(t("measure.samples.nothing"), icon=":material/image_search:")
        return
    colors = _colors(chosen)
    left, right = st.columns([3, 2], gap="large")
    with left:
        if shares:
            names = next(one.config.model.class_names for one in chosen if one.title in shares)
            chart(
                plots.per_class, shares, names, colors=colors, limit=_shared(chosen, "classifier_accuracy"),
                words=(t("measure.samples.right"), t("measure.samples.judge")), key="per-class",
                alt=t("measure.samples.alt", names=", ".join(shares)),
            )  # fmt: skip
            st.caption(t("measure.samples.note"))
        else:
            st.info(t("measure.samples.unconditional"), icon=":material/label_off:")
    with right:
        if distances:
            title = t("compare.table.frechet_distance")
            words = ", ".join(f"{name} {value:.2f}" for name, value in distances.items())
            chart(
                plots.bars, distances, colors=colors, title=title, limit=_shared(chosen, "frechet_distance_train"),
                limit_word=t("measure.samples.floor"), key="frechet", alt=f"{title}: {words}",
            )  # fmt: skip
            formula(FRECHET)
            st.caption(t("measure.samples.distance"))
    again([one for one in chosen if one.title in shares or one.title in distances])


def classes(chosen: Sequence[RunMetrics]) -> None:
    """Show the accuracy of a linear probe of the class on the codes, and explain why it differs between families."""
    shares = {one.title: value for one in chosen if (value := number(one.figures, "linear_probe_accuracy")) is not None}
    left, right = st.columns([2, 3], gap="large")
    with left:
        if shares:
            words = ", ".join(f"{name} {value:.1%}" for name, value in shares.items())
            chart(
                plots.bars, shares, colors=_colors(chosen), title=t("compare.table.linear_probe_accuracy"), share=True,
                key="probe", alt=t("measure.classes.alt", figures=words),
            )  # fmt: skip
            again([one for one in chosen if one.title in shares])
            if kept := [one.title for one in chosen if "label-kept" in traits(one.config, one.figures)]:
                st.caption(t("measure.classes.kept", names=escape_markdown(listed(kept))))
        else:
            _nothing()
    with right:
        st.markdown(t("measure.classes.why"))
        formula(*(rf"\text{{{FAMILIES[name].title}:}}\quad {FAMILIES[name].objective}" for name in ("cvae", "cmma")))
        st.markdown(t("measure.classes.then"))


def augmentation(chosen: Sequence[RunMetrics]) -> None:
    """Show how much samples of the label-conditional runs help a classifier that has few real images."""
    conditional = [one for one in chosen if one.config.model.takes_label]
    if not conditional:
        return
    st.subheader(t("measure.augmentation.title"), anchor=False)
    known = [(one, found) for one in conditional if (found := _augmented(one))]
    if not known:
        st.caption(t("measure.augmentation.nothing"))
        st.code(f"python -m cvae augment {shlex.quote(conditional[0].entry.name)}", language="sh")
        return
    for (one, found), column in zip(known, st.columns(max(len(known), 2), gap="medium"), strict=False):
        with column:
            st.markdown(f"**{escape_markdown(one.title)}**")
            arms = {t(f"measure.augmentation.{arm}"): found[arm] for arm in ("without", "with")}
            words = (t("measure.augmentation.real"), t("measure.augmentation.accuracy"))
            chart(
                plots.with_and_without, found["real_per_class"], arms, words=words,
                key=f"augmentation-{one.entry.name}", alt=t("measure.augmentation.alt", name=one.title),
            )  # fmt: skip
            real = " ".join(f"{n}" for n in found["real_per_class"])
            options = f"--real {real} --generated {found['generated_per_class']} --seeds {found['seeds']}"
            st.caption(f":material/terminal: `python -m cvae augment {shlex.quote(one.entry.name)} {options}`")
            st.caption(t("measure.augmentation.note", n=f"{found['generated_per_class']:,}", seeds=found["seeds"]))


def _augmented(one: RunMetrics) -> dict[str, Any] | None:
    """Return the results of `augment`; None if there are none or they are damaged."""
    try:
        found = one.entry.run.augmentation()
    except InputError as error:
        problem(error)
        return None
    if found is None:
        return None
    counts = numbers(found, "real_per_class")
    lists = [found[arm] for arm in ("without", "with") if isinstance(found.get(arm), list)]
    arms = [[numbers({"seeds": values}, "seeds") for values in arm] for arm in lists]
    whole = len(arms) == 2 and all(len(arm) == len(counts) and all(arm) for arm in arms)
    return found if counts and whole and {"generated_per_class", "seeds"} <= found.keys() else None


def again(chosen: Sequence[RunMetrics]) -> None:
    """Show the commands that measure the runs of the chart above again."""
    commands = " · ".join(f"`{one.command}`" for one in chosen if one.evaluated)
    if commands:
        st.caption(f":material/terminal: {commands}")


def _colors(chosen: Sequence[RunMetrics]) -> dict[str, int]:
    """Return the index of each run's colour, the same in every chart of the page."""
    return {one.title: i for i, one in enumerate(chosen)}


def _shared(chosen: Sequence[RunMetrics], name: str) -> float | None:
    """Return a metric of the data, if all runs that have it agree; else None."""
    found = {value for one in chosen if (value := number(one.figures, name)) is not None}
    return found.pop() if len(found) == 1 else None


def _nothing() -> None:
    st.info(t("compare.table.nothing"), icon=":material/straighten:")
