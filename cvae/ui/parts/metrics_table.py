"""Show the metrics of several runs in one table, with the commands that measure them again or for the first time."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cvae.config import RunConfig
from cvae.errors import InputError
from cvae.families import FAMILIES, Family, term_key
from cvae.numbers import fixed
from cvae.results.comparison import OWN_TERMS, Row, comparison, number
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.parts import cache, runs
from cvae.ui.parts.runs import ListedRun

DEFAULT_SAMPLES = 1000  # importance samples of `evaluate` without `--samples`


@dataclass(frozen=True, eq=False)
class RunMetrics:
    """A RunMetrics holds a run, its title beside the others, and its metrics: `evaluate`'s, else the training's."""

    entry: ListedRun
    config: RunConfig
    title: str
    figures: Mapping[str, Any]
    problem: InputError | None = None  # the reason why the metrics cannot be read

    @property
    def family(self) -> Family:
        return FAMILIES[self.config.model.family]

    @property
    def evaluated(self) -> bool:
        """Return whether these are metrics of the test images."""
        return self.figures.get("split") == "test"

    @property
    def command(self) -> str:
        """Return the command that measures the run, with the same samples and seed as before."""
        samples = number(self.figures, "nll_samples")
        options = f" --samples {samples:.0f}" if samples not in (None, DEFAULT_SAMPLES) else ""
        if seed := number(self.figures, "seed"):
            options += f" --seed {seed:.0f}"
        return f"python -m cvae evaluate {shlex.quote(self.entry.name)}{options}"


def measured(entries: Sequence[ListedRun]) -> list[RunMetrics]:
    """Return the metrics of the readable runs; a run with damaged metrics has none, and a `problem`."""
    return [
        RunMetrics(entry, entry.config, title, *cache.known_figures(entry.run))
        for entry, title in zip(entries, runs.titles(entries), strict=True)
        if entry.config is not None
    ]


def table(chosen: Sequence[RunMetrics], *, explained: bool = False) -> None:
    """Show the metrics of the runs, the best of comparable ones in bold, and the images that they are measured on.

    With `explained`, a column says what each metric means.
    """
    for one in chosen:
        if one.problem:
            problem(one.problem)
    rows = comparison([(one.config, one.figures) for one in chosen])
    if not rows:
        st.info(t("compare.table.nothing"), icon=":material/straighten:")
        return
    head = [t("compare.table.figure"), *(escape_markdown(one.title) for one in chosen), t("compare.table.better")]
    rule = [":--", *["--:"] * len(chosen), ":--"]
    if explained:
        head, rule = [*head, t("measure.says")], [*rule, ":--"]
    lines = ["|".join(["", *cells, ""]) for cells in (head, rule, *(_cells(row, explained) for row in rows))]
    with st.container(key="explained" if explained else None):  # app.py sets column widths for narrow screens
        st.markdown("\n".join(lines))
    st.caption(" ".join(_protocol(chosen)))


def commands(chosen: Sequence[RunMetrics]) -> None:
    """Show the commands that measure the runs not yet evaluated, or all runs again."""
    if not chosen:
        return
    missing = [one for one in chosen if not one.evaluated]
    if missing:
        st.caption(t("compare.table.measure"))
    else:
        st.caption(t("measure.again"))
    st.code("\n".join(one.command for one in missing or chosen), language="sh")


def _cells(row: Row, explained: bool) -> list[str]:
    values = [_cell(row.figure, value, i in row.best) for i, value in enumerate(row.values)]
    better = t(f"compare.table.{row.better or 'none'}").replace(" ", "\u00a0")  # keeps the words in one line
    name, meaning = f"compare.table.{row.figure}", f"measure.what.{row.figure}"
    if row.figure in OWN_TERMS:
        name, meaning = term_key(row.figure), f"{term_key(row.figure)}_what"
    cells = [t(name), *values, better]
    if explained:
        cells.append(t(meaning))
    return [cell.replace("|", "\\|") for cell in cells]


def _cell(figure: str, value: float | None, best: bool) -> str:
    if value is None:
        return "–"
    text = (
        f"{value:.1%}"
        if "accuracy" in figure or figure == "nll_poor"
        else f"{value:.0f}"
        if figure == "active_units"
        else fixed(value, 2)
    )
    return f"**{text}**" if best else text


def _protocol(chosen: Sequence[RunMetrics]) -> list[str]:
    words = [t("compare.table.units")]
    for split in ("test", "validation"):
        names = [one.title for one in chosen if one.figures.get("split") == split]
        if names:
            words.append(t(f"compare.table.{split}", names=escape_markdown(", ".join(names))))
    given = {(one.family.takes == "condition") for one in chosen if not one.family.completes}
    if given == {True, False}:
        words.append(t("compare.table.conditional"))
    if any(one.config.model.likelihood == "bernoulli" and not one.config.data.binarize for one in chosen):
        words.append(t("compare.table.loss"))
    if samples := {int(k) for one in chosen if (k := number(one.figures, "nll_samples")) is not None}:
        words.append(t("compare.table.samples", k=" / ".join(f"{k:,}" for k in sorted(samples))))
    judges = {share for one in chosen if (share := number(one.figures, "classifier_accuracy")) is not None}
    if judges:
        words.append(t("compare.table.classifier", accuracy=" / ".join(f"{share:.1%}" for share in sorted(judges))))
    return words
