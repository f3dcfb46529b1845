"""These functions draw measured figures with Plotly: terms of the bound, ladder of bounds, quality of samples, curves.

As in `cvae.plots.codes`, they use no torch, no model and no Streamlit, and the words of a language are arguments.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from cvae.numbers import fixed
from cvae.plots.codes import FONT, axis, dressed, verbatim
from cvae.plots.palette import NEUTRAL, run_color

ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}  # the place of a legend
LIMIT = {"color": NEUTRAL, "width": 2, "dash": "dash"}
ARMS = (NEUTRAL, run_color(0))  # without and with
TERMS = (NEUTRAL, run_color(5))  # reconstruction and KL; the other charts use the colours of the first runs
ROW = 52  # pixels of a bar with its name


def split(terms: Mapping[str, tuple[float, float | None]], *, words: tuple[str, str, str]) -> go.Figure:
    """Draw stacked bars of (reconstruction, kl) by the name of a run; `words` names both terms and the unit.

    A Gaussian likelihood allows a negative term; the bars then lie on both sides of 0.
    """
    names = [verbatim(name) for name in terms]
    figure = go.Figure()
    for i, word in enumerate(words[:2]):
        values = [pair[i] for pair in terms.values()]
        figure.add_trace(
            go.Bar(
                x=values, y=names, orientation="h", name=word, marker={"color": TERMS[i], "line": {"width": 0}},
                text=["" if value is None else fixed(value, 1) for value in values],
                textposition="inside" if i == 0 else "outside", insidetextanchor="end", cliponaxis=False,
                hovertemplate=f"%{{y}}: {word} %{{x:.2f}}<extra></extra>",
            )
        )  # fmt: skip
    ends = [end for pair in terms.values() for end in (*(v or 0 for v in pair), sum(v or 0 for v in pair))]
    low, high = min([0, *ends]), max([0, *ends])  # a density can make the reconstruction negative
    room = 0.12 * (high - low) or 1.0
    figure.update_xaxes(title=words[2], range=[low - room * (low < 0), high + room], **axis())
    figure.update_yaxes(autorange="reversed", tickfont_size=FONT)
    return dressed(figure, barmode="stack", height=130 + ROW * len(names), legend=ABOVE)


def ladder(bounds: Mapping[str, float], *, color: int = 0, unit: str = "nats") -> go.Figure:
    """Draw bounds on log p by name, ordered so that each is at most the next."""
    names, values = list(bounds), list(bounds.values())
    figure = go.Figure(
        go.Scatter(
            x=names, y=values, mode="lines+markers+text", text=[fixed(value, 2).replace("-", "−") for value in values],
            textposition="top center", textfont={"size": FONT}, cliponaxis=False,
            line={"color": run_color(color), "width": 2, "shape": "hv"}, marker={"size": 11},
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    room = max(max(values) - min(values), 0.05)
    figure.update_xaxes(type="category", range=[-0.45, len(names) - 0.55], **axis())
    figure.update_yaxes(title=unit, range=[min(values) - 0.2 * room, max(values) + 0.3 * room], **axis())
    return dressed(figure, height=300, showlegend=False)


def per_class(
    shares: Mapping[str, Sequence[float]],
    class_names: Sequence[str],
    *,
    colors: Mapping[str, int],
    limit: float | None,
    words: tuple[str, str],
) -> go.Figure:
    """Draw a share for each class, with a row of points per run, and the `limit` for comparison as a line.

    `colors` are those of the runs by name; `words` names the axis and the limit.
    """
    figure = go.Figure()
    classes = [verbatim(name) for name in class_names]
    for run, values in shares.items():
        name = verbatim(run)
        figure.add_trace(
            go.Scatter(
                x=classes[: len(values)], y=list(values), name=name, mode="lines+markers",
                line={"color": run_color(colors[run]), "width": 1, "dash": "dot"}, marker={"size": 12},
                hovertemplate=f"{name}, %{{x}}: %{{y:.1%}}<extra></extra>", cliponaxis=False,
            )
        )  # fmt: skip
    if limit is not None:
        _limit(figure, limit, f"{words[1]} {limit:.2%}")
    lowest = min((value for values in shares.values() for value in values), default=0)
    figure.update_xaxes(type="category", **axis())
    figure.update_yaxes(title=words[0], tickformat=".0%", range=[max(0, lowest - 0.02), 1.004], **axis())
    return dressed(figure, height=400, showlegend=True, legend=ABOVE)


def bars(
    values: Mapping[str, float],
    *,
    colors: Mapping[str, int],
    title: str,
    share: bool = False,
    limit: float | None = None,
    limit_word: str = "",
) -> go.Figure:
    """Draw one figure of several runs as bars, and the `limit` for comparison, if given, as a line."""
    words = [f"{value:.1%}" if share else fixed(value, 2) for value in values.values()]
    figure = go.Figure(
        go.Bar(
            x=[verbatim(name) for name in values], y=list(values.values()),
            text=words, textposition="outside", cliponaxis=False,
            marker={"color": [run_color(colors[name]) for name in values], "line": {"width": 0}}, width=0.6,
            hovertemplate="%{x}: %{text}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    if limit is not None:
        _limit(figure, limit, f"{limit_word} {limit:.1%}" if share else f"{limit_word} {limit:.2f}")
    top = max([*values.values(), limit or 0]) or 1.0
    figure.update_xaxes(type="category", tickfont_size=FONT)
    figure.update_yaxes(title=title, tickformat=".0%" if share else None, range=[0, 1.15 * top], **axis())
    return dressed(figure, height=400, showlegend=limit is not None, legend=ABOVE)


def with_and_without(
    counts: Sequence[int], arms: Mapping[str, Sequence[Sequence[float]]], *, words: tuple[str, str]
) -> go.Figure:
    """Draw means over seeds with standard deviations; each arm has, by name, a list of shares for each count.

    `words` names both axes.
    """
    figure = go.Figure()
    for i, (name, shares) in enumerate(arms.items()):
        means = [statistics.fmean(values) for values in shares]
        spreads = [statistics.stdev(values) if len(values) > 1 else 0.0 for values in shares]
        figure.add_trace(
            go.Scatter(
                x=[f"{count:,}" for count in counts], y=means, name=name, mode="lines+markers",
                line={"color": ARMS[i], "width": 3}, marker={"size": 10},
                error_y={"type": "data", "array": spreads, "thickness": 2, "width": 6},
                hovertemplate=f"{name}, %{{x}}: %{{y:.1%}}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_xaxes(title=words[0], type="category", **axis())
    figure.update_yaxes(title=words[1], tickformat=".0%", **axis())
    return dressed(figure, height=360, legend=ABOVE)


def approach(
    curves: Mapping[str, Sequence[tuple[float, float]]], published: Mapping[str, float], *, words: tuple[str, str]
) -> go.Figure:
    """Draw curves of (epoch, value) by name, and published values by name as lines; `words` names both axes."""
    figure = go.Figure()
    for i, (name, points) in enumerate(curves.items()):
        x, y = zip(*points, strict=True)
        line = {"color": run_color(i), "width": 3}
        figure.add_trace(go.Scatter(x=x, y=y, name=name, mode="lines", line=line, hovertemplate="%{x}: %{y:.2f}"))
    for name, value in published.items():
        figure.add_hline(
            y=value, line=LIMIT, annotation_text=f"{name} {value:g}", annotation_position="top right",
            annotation_font={"size": FONT - 1, "color": NEUTRAL},
        )  # fmt: skip
    figure.update_xaxes(title=words[0], rangemode="tozero", **axis())
    figure.update_yaxes(title=words[1], range=_without_the_start(curves, published), **axis())
    return dressed(figure, height=400, showlegend=len(curves) > 1, legend={"orientation": "h", "y": -0.2})


def _without_the_start(
    curves: Mapping[str, Sequence[tuple[float, float]]], published: Mapping[str, float]
) -> list[float]:
    """Return a range that leaves out the first epochs, to show the distance of the ends from the published values."""
    ends = [value for points in curves.values() for _, value in points[len(points) // 8 :]]
    low, high = min([*ends, *published.values()]), max([*ends, *published.values()])
    return [low - 0.1 * (high - low) - 0.1, high + 0.1 * (high - low) + 0.1]


def _limit(figure: go.Figure, value: float, words: str) -> None:
    """Draw a line across, named in the legend; a name on the line would cover points or bars."""
    figure.add_hline(y=value, line=LIMIT)
    figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", line=LIMIT, name=words))
