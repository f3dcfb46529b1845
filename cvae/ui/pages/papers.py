"""Show the results of `python -m cvae reproduce`, from assets/results, beside published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cvae import plots
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.results.protocols import PROTOCOLS, Published
from cvae.results.tables import SAMPLED, Row, quantities, quantity, read, rows, value
from cvae.ui.frame import url_widgets
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t, translate_phrase
from cvae.ui.parts.chart import chart

Result = dict[str, Any]

APPROACHED = ("neg_elbo", "nll")  # published metrics that the validation curve can approach


def beside_the_papers() -> None:
    """Show a table for each protocol, the validation curves towards its metrics, and the project's own comparisons."""
    st.subheader(t("papers.title"), anchor=False)
    try:
        results = read()
    except InputError as error:
        problem(error)
        return
    found = {name: rows({name: result}) for name, result in results.items()}
    if not any(found.values()):
        st.info(t("papers.nothing"), icon=":material/menu_book:")
        st.code("python -m cvae reproduce vae", language="sh")
        return
    st.markdown(t("papers.what"))
    published = [name for name in found if any(row.published for row in found[name])]
    for name in published:
        _published(name, results[name], found[name])
    _approach({name: results[name] for name in published})
    own = [name for name in found if found[name] and name not in published]
    if own:
        st.subheader(t("papers.own"), anchor=False)
        for name in own:
            _own(name, results[name], found[name])


def _published(name: str, result: Result, found: Sequence[Row]) -> None:
    """Show the published metrics, the project's own, and the differences in method."""
    st.markdown(f"**{translate_phrase(PROTOCOLS[name].title)}**")
    head = [t(f"papers.{word}") for word in ("figure", "published", "here", "epochs")]
    lines = [head, [":--", ":--", "--:", "--:"]]
    for row in found:
        epochs = f"{row.epochs:,}" + (f" / {row.epochs_published:,}" if row.epochs_published else "")
        there = "; ".join(map(_source, row.published)) or "–"
        lines.append([translate_phrase(row.what), there, f"**{value(row)}**", epochs])
    st.markdown(_table(lines))
    _made(name, result)
    st.code(found[0].command, language="sh", wrap_lines=True)


def _source(published: Published) -> str:
    """Return a published metric with its source, and whether somebody has checked it."""
    colour = "red" if published.checked == "unverified" else "gray"
    checked = f":{colour}-badge[{translate_phrase(published.checked)}]"
    return f"{published.value:g} · {translate_phrase(published.source)} {checked}"


def _made(name: str, result: Result) -> None:
    """Show the differences from the paper's method, and the machine, date and seed."""
    protocol, words = PROTOCOLS[name], []
    if protocol.difference:
        words.append(t("papers.difference", difference=translate_phrase(protocol.difference)))
    samples, there = result.get("samples"), protocol.samples_published
    sampled = any(figure.key in SAMPLED and figure.published for figure in protocol.figures)
    if sampled and isinstance(samples, int) and samples != there:
        key = "samples" if there else "samples_here"
        words.append(t(f"papers.{key}", ours=f"{samples:,}", published=f"{there or 0:,}"))
    made = {key: escape_markdown(str(result.get(key, "–"))) for key in ("machine", "date", "seed")}
    st.caption(" ".join([*words, t("papers.made", **made)]))


def _approach(results: Mapping[str, Result]) -> None:
    """Show the validation curves of a chosen protocol's trainings, with the published metrics."""
    goals = {
        name: [figure for figure in PROTOCOLS[name].figures if figure.published and figure.key in APPROACHED]
        for name in results
    }
    curves = {name: drawn for name in results if goals[name] and (drawn := _curves(results[name]))}
    if not curves:
        return
    st.subheader(t("papers.approach"), anchor=False)
    default = max(curves, key=lambda name: max(map(len, curves[name].values())))
    name = url_widgets.choice(
        t("papers.protocol"), "protocol", list(curves), lambda n: translate_phrase(PROTOCOLS[n].title), default
    )
    published = {f"{t('papers.published')}: {translate_phrase(f.what)}": f.published[0].value for f in goals[name]}
    words = (t("compare.curves.epoch"), t("papers.curve"))
    alt = t("papers.approach_alt", names=", ".join(curves[name]))
    chart(plots.approach, curves[name], published, words=words, key=f"approach-{name}", alt=alt)
    st.caption(t("papers.approach_note"))
    st.code(str(results[name]["command"]), language="sh", wrap_lines=True)


def _curves(result: Result) -> dict[str, list[tuple[float, float]]]:
    """Return the curves that have more than two points."""
    curves = {label: [(x, y) for x, y in run.get("curve") or ()] for label, run in result["runs"].items()}
    return {label: points for label, points in curves.items() if len(points) > 2}


def _own(name: str, result: Result, found: Sequence[Row]) -> None:
    """Show one of the project's own comparisons with a row for each model, and the spread over several seeds."""
    seeds = max(row.seeds for row in found)
    spread = t("papers.seeds", n=seeds) if seeds > 1 else ""
    st.markdown(f"**{translate_phrase(PROTOCOLS[name].title)}** {spread}")
    keys = quantities(found)
    cells = {(row.what, quantity(row)): value(row) for row in found}
    lines = [["", *map(_heading, keys)], [":--", *["--:"] * len(keys)]]
    for what in dict.fromkeys(row.what for row in found):
        title = FAMILIES[what].title if what in FAMILIES else translate_phrase(what)
        lines.append([title, *(cells.get((what, key), "–") for key in keys)])
    st.markdown(_table(lines))
    st.caption(t("papers.how", epochs=f"{found[0].epochs:,}", samples=f"{found[0].samples:,}"))
    _made(name, result)
    st.code(found[0].command, language="sh", wrap_lines=True)


def _heading(key: str) -> str:
    words = t(f"papers.key.{key}")
    return key if words.startswith("papers.") else words.replace("|", "\\|")


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("|".join(["", *cells, ""]) for cells in lines)
