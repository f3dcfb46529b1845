"""Show the cards of runs: the purpose, data, training, duration and metrics of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.numbers import fixed
from cvae.results.cards import card
from cvae.results.comparison import number
from cvae.results.recipes import command
from cvae.results.tables import read
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.parts.kinds import data_title, listed, trained_with
from cvae.ui.parts.metrics_table import RunMetrics, measured
from cvae.ui.parts.runs import ListedRun

METRICS = ("neg_elbo", "reconstruction", "kl", "nll", "conditional_accuracy", "linear_probe_accuracy")
BETA = "mnist-cvae-16d"  # its card also shows the metrics of the same training at β = 1


def cards(entries: Sequence[ListedRun]) -> None:
    """Show a button that opens the cards of `entries`."""
    known = measured(entries)
    if not known:
        return
    with st.popover(t("card.open"), icon=":material/info:"):
        for i, one in enumerate(known):
            if i:
                st.divider()
            _card(one)


def _card(one: RunMetrics) -> None:
    name = one.entry.name
    try:
        written = card(one.entry.run) or {}
    except InputError as error:
        problem(error)
        written = {}
    st.markdown(f"**{escape_markdown(one.entry.title)}**")
    note = t(f"gallery.{name}.note")
    if note != f"gallery.{name}.note":
        st.markdown(note)
    data = DATASETS.get(one.config.data.name)
    licence = written.get("data_licence") or (data.licence if data else "–")
    about = {"data": escape_markdown(data_title(one.config.data.name)), "licence": escape_markdown(str(licence))}
    lines = [
        t("card.data" if one.entry.shipped else "card.data_own", **about),
        t("card.training", settings=escape_markdown(listed(trained_with(one.config)))),
    ]
    if seconds := number(written, "seconds"):
        machine, date = (escape_markdown(str(written.get(key, "–"))) for key in ("machine", "date"))
        lines.append(t("card.time", minutes=f"{seconds / 60:.1f}", machine=machine, date=date))
    if found := _figures(one.figures):
        lines.append(t("card.test" if one.evaluated else "card.validation", figures=found))
    if name == BETA and (twin := _twin()):
        lines.append(t("card.twin", figures=twin))
    st.markdown("\n".join(f"- {line}" for line in lines))
    made = [str(written[key]) for key in ("command", "train_command") if written.get(key)] or [command(one.config)]
    st.caption(t("card.commands"))
    st.code("\n".join([*made[:1], one.command]), language="sh", wrap_lines=True)
    if len(made) > 1:
        st.caption(t("card.same"))
        st.code(made[1], language="sh", wrap_lines=True)


def _figures(found: Mapping[str, Any]) -> str:
    """Return the known metrics in one line."""
    known = [(key, value) for key in METRICS if (value := number(found, key)) is not None]
    return listed(
        [
            f"{t(f'card.{key}')} {value:.1%}" if "accuracy" in key else f"{t(f'card.{key}')} {fixed(value, 2)}"
            for key, value in known
        ]
    )


def _twin() -> str:
    """Return the metrics of the same training at β = 1 in one line; empty if they are not measured."""
    try:
        found = read().get("beta", {})
    except InputError:
        return ""
    return _figures(found.get("runs", {}).get("beta-1", {}).get("metrics", {}))
