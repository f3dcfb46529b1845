"""This module sets the results of `python -m cvae reproduce` beside published figures: as rows, and as Markdown.

A result is one JSON object in assets/results/*.json:

    protocol, command, machine, date, threads
    samples   importance samples of nll       seed   of measuring, also added to the seeds of training
    runs      {label: {config, epochs, epochs_published, seed, seconds, curve, metrics}}, where curve is
              [[epoch, neg_elbo of the validation images], …] and metrics is the result of `evaluate`
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvae.assets import RESULTS
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.results.protocols import PROTOCOLS, Figure, Published

MARKERS = ("<!-- results: made by `python -m cvae reproduce --table` -->", "<!-- end of results -->")

SAMPLED = ("nll", "nll_mixture", "nll_monte_carlo")  # estimates that fall with the number of samples
QUANTITIES = {  # columns of a comparison; values in a column may be compared
    "neg_elbo": "−ELBO, bounds −log p(x)",
    "neg_elbo_given": "−ELBO, bounds −log p(x\\|y)",
    "nll_mixture": "−log p(x)",
    "nll_mixture_exact": "−log p(x), exact",
    "accuracy_bayes": "class from p(y\\|x)",
    "conditional_accuracy": "draws of the asked class",
    "linear_probe_accuracy": "class from a linear probe",
}

Result = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A Row holds a measured figure, and the published ones for comparison."""

    protocol: str
    what: str
    figure: str  # its key in metrics.json
    ours: float
    spread: float | None  # standard deviation over the seeds; None for one seed
    seeds: int
    published: tuple[Published, ...]
    takes: str  # `Family.takes`, which decides the quantity that the bound bounds
    samples: int  # importance samples of nll
    epochs: int
    epochs_published: int | None
    difference: str  # differences from the published protocol
    command: str  # the command that measures `ours` again


def read(folder: Path = RESULTS) -> dict[str, Result]:
    """Read the existing results by protocol, in the order of PROTOCOLS; a damaged file raises `InputError`."""
    found = {}
    for name in PROTOCOLS:
        path = folder / f"{name}.json"
        if path.is_file():
            try:
                result = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise InputError("file.not_json", path=path) from error
            if not isinstance(result, dict) or not {"command", "samples", "runs"} <= result.keys():
                raise InputError("file.damaged", path=path)
            found[name] = result
    return found


def rows(results: Mapping[str, Result]) -> list[Row]:
    """Return every measured figure in the protocols' order; a figure that does not apply has no row."""
    found = []
    for name, result in results.items():
        for figure in PROTOCOLS[name].figures:
            row = _row(name, figure, result)
            if row is not None:
                found.append(row)
    return found


def _row(name: str, figure: Figure, result: Result) -> Row | None:
    runs = [result["runs"][label] for label in figure.runs if label in result["runs"]]
    values = [value for run in runs if (value := run["metrics"].get(figure.key)) is not None]
    if not values:
        return None
    return Row(
        protocol=name,
        what=figure.what,
        figure=figure.key,
        ours=statistics.fmean(values),
        spread=statistics.stdev(values) if len(values) > 1 else None,
        seeds=len(values),
        published=figure.published,
        takes=FAMILIES[runs[0]["config"]["model"]["family"]].takes,
        samples=result["samples"],
        epochs=runs[0]["epochs"],
        epochs_published=PROTOCOLS[name].epochs_published,
        difference=_difference(name, figure, result, runs[0]["epochs"]) if figure.published else "",
        command=result["command"],
    )


def _difference(name: str, figure: Figure, result: Result, epochs: int) -> str:
    """Describe the differences from the protocol of the published figure."""
    protocol, samples = PROTOCOLS[name], result["samples"]
    parts = []
    if protocol.epochs_published != epochs:
        parts.append(f"{epochs:,}{_of(protocol.epochs_published)} epochs")
    if figure.key in SAMPLED and protocol.samples_published != samples:
        parts.append(f"{samples:,}{_of(protocol.samples_published)} samples of z an image")
    return "; ".join([*parts, *([protocol.difference] if protocol.difference else [])])


def _of(published: int | None) -> str:
    return "" if published is None else f" of {published:,}"


# --- as Markdown ------------------------------------------------------------------------------------------------------


def markdown(found: list[Row]) -> str:
    """Return one table of rows with published figures, and one for each of the project's own comparisons."""
    beside = [row for row in found if _has_published(row.protocol)]
    own = dict.fromkeys(row.protocol for row in found if not _has_published(row.protocol))
    parts = [_beside_published(beside)] if beside else []
    parts += [_comparison(name, [row for row in found if row.protocol == name]) for name in own]
    return "\n\n".join(parts)


def _has_published(protocol: str) -> bool:
    return any(figure.published for figure in PROTOCOLS[protocol].figures)


def _beside_published(found: list[Row]) -> str:
    lines = ["| what | figure | published | here | difference in protocol | command |", "|---|---|---|---|---|---|"]
    before = None
    for row in found:
        published = "<br>".join(f"{p.value:g} ({p.source}; {p.checked})" for p in row.published) or "–"
        difference = "as above" if row.difference and (row.protocol, row.difference) == before else row.difference
        before = row.protocol, row.difference
        cells = (row.what, f"`{row.figure}`", published, value(row), difference or "–", f"`{row.command}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _comparison(name: str, found: list[Row]) -> str:
    keys = quantities(found)
    cells = {(row.what, quantity(row)): value(row) for row in found}
    seeds = max(row.seeds for row in found)
    spread = f"mean ± standard deviation over {seeds} seeds, " if seeds > 1 else ""
    how = f"{spread}{found[0].epochs:,} epochs, {found[0].samples:,} importance samples, losses on grey pixels"
    lines = [
        f"{PROTOCOLS[name].title} ({how}): `{found[0].command}`",
        "",
        f"| | {' | '.join(QUANTITIES[key] for key in keys)} |",
        f"|---|{'---|' * len(keys)}",
    ]
    for what in dict.fromkeys(row.what for row in found):
        title = FAMILIES[what].title if what in FAMILIES else what
        lines.append(f"| {title} | {' | '.join(cells.get((what, key), '–') for key in keys)} |")
    return "\n".join(lines)


def quantity(row: Row) -> str:
    """Return the row's key in QUANTITIES: with the label as input, the bound is one on log p(x|y)."""
    if row.figure == "neg_elbo" and row.takes != "nothing":
        return "neg_elbo_given"
    without_label = {"nll": "nll_mixture", "nll_exact": "nll_mixture_exact"}  # without labels both are of p(x)
    return without_label.get(row.figure, row.figure)


def quantities(found: Sequence[Row]) -> list[str]:
    """Return the columns of a comparison."""
    there = {quantity(row) for row in found}
    return [key for key in QUANTITIES if key in there]


def value(row: Row) -> str:
    """Format the figure with its spread: nats with two decimals, accuracies in per cent."""
    share = "accuracy" in row.figure
    scale, unit = (100, " %") if share else (1, "")
    spread = "" if row.spread is None else f" ± {scale * row.spread:.2f}"
    return f"{scale * row.ours:.2f}{spread}{unit}"


def insert(text: str, table: str) -> str:
    """Put the table between the markers of a text; missing markers raise `InputError`."""
    begin, end = MARKERS
    if text.count(begin) != 1 or text.count(end) != 1:
        raise InputError("table.no_markers", begin=begin, end=end)
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{table}\n\n{end}{rest.split(end)[1]}"
