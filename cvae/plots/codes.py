"""These functions draw arrays with Plotly: codes, their distribution, the KL per dimension, the curves of a training.

They use no torch, no model and no Streamlit. Backgrounds are transparent and lines mid-grey, which suits light and
dark pages; letters and lines are large enough for the last row of a classroom. Words of a language are arguments.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from cvae.plots.palette import NEUTRAL, class_color, class_symbol, ink_on, run_color

Floats = NDArray[np.floating[Any]]

FONT = 16  # pixels
NEAR = 0.04  # names at a smaller share of the map's width overlap
MANY = 3000  # WebGL draws more points than this
GRID = "rgba(128,136,149,0.25)"
OUTLINE = "rgba(60,66,75,0.55)"  # points need it: half of the class colours are faint on one of the two backgrounds
SIGMAS = (1, 2, 3)


@dataclass(frozen=True)
class PriorEllipse:
    """The ellipse shows a Gaussian of mean (2,) and covariance (2, 2) on a map, in the colour of `label` if given."""

    mean: ArrayLike
    covariance: ArrayLike
    label: int | None = None
    sigmas: Sequence[float] = SIGMAS


def axis_name(dimension: int) -> str:
    """Return z₁, z₂, …; on screen dimensions count from 1."""
    return "z" + str(dimension + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def scatter(
    codes: ArrayLike,
    labels: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    *,
    axes: Sequence[str] = ("z₁", "z₂", "z₃"),
    outlines: Sequence[PriorEllipse] = (),
    contours: bool = False,
    height: int = 620,
    legend: bool = True,
) -> go.Figure:
    """Draw codes (N, 1 … 3) as points in class colours, with each class's name at the mean of its points.

    Leave out the names if more than half of them would overlap. Every point has its row as `customdata`, which a
    selection returns. In the plane, both axes have one scale; `outlines` are priors, drawn at their σ; `contours`
    enclose a quarter, half and three quarters of the codes.
    """
    points = np.asarray(codes, dtype=np.float32)
    if points.shape[1] == 1:
        points = np.column_stack([points, np.zeros(len(points), np.float32)])
    figure = go.Figure()
    chips = []
    for label, rows in _groups(points, labels):
        name = _name(class_names, label)
        figure.add_trace(_points(points, rows, label, name))
        if label is not None and points.shape[1] == 2:
            chips.append(_class_chip(points[rows].mean(0), label, name))
    if _apart(chips, NEAR * float(np.ptp(points, axis=0).max(initial=0))):
        figure.update_layout(annotations=chips)
    if points.shape[1] == 2:  # lines come after the points: dense points would hide them
        figure.add_traces([line for outline in outlines for line in _outline(outline)])
        if contours:
            figure.add_trace(_contours(points))

    layout: dict[str, Any] = {"dragmode": "pan", "height": height, "showlegend": legend and labels is not None}
    layout["legend"] = {"itemsizing": "constant", "title": ""}
    if points.shape[1] == 2:
        figure.update_xaxes(title=axes[0], **axis())
        figure.update_yaxes(title=axes[1] if len(axes) > 1 else "", scaleanchor="x", **axis())
    else:
        names = dict(zip(("xaxis", "yaxis", "zaxis"), axes, strict=False))
        space = {"showbackground": False, "gridcolor": GRID, "zerolinecolor": NEUTRAL}
        layout["scene"] = {key: {"title": {"text": name}, **space} for key, name in names.items()}
        layout["dragmode"] = "orbit"
    return dressed(figure, **layout)


def histograms(
    codes: ArrayLike,
    dimensions: Sequence[int],
    prior: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    codes_name: str = "codes",
    prior_name: str = "prior",
    columns: int = 2,
) -> go.Figure:
    """Draw the density of each of the `dimensions` of codes (N, d) and of the prior.

    `prior` has means and standard deviations (P, d), of an even mixture of P parts, one per class.
    """
    values = np.asarray(codes, dtype=np.float64)
    columns = min(columns, len(dimensions))
    rows = math.ceil(len(dimensions) / columns)
    titles = [axis_name(d) for d in dimensions]
    bins = round(min(40, max(10, 2 * len(values) ** (1 / 3))))  # the Rice rule, within reason
    figure = make_subplots(rows, columns, subplot_titles=titles, horizontal_spacing=0.04, vertical_spacing=0.3 / rows)
    for i, d in enumerate(dimensions):
        density, edges = np.histogram(values[:, d], bins=bins, density=True)
        cell = {"rows": i // columns + 1, "cols": i % columns + 1}
        common = {"showlegend": i == 0, "hovertemplate": "%{x:.2f}: %{y:.3f}<extra></extra>"}
        bars = go.Bar(
            x=(edges[1:] + edges[:-1]) / 2, y=density, width=np.diff(edges), name=codes_name, legendgroup="codes",
            marker={"color": run_color(0), "opacity": 0.75, "line": {"width": 0}}, **common,
        )  # fmt: skip
        figure.add_traces([bars], **cell)
        if prior is not None:
            means, stds = (np.asarray(v, dtype=np.float64)[:, d] for v in prior)
            x = np.linspace((means - 4 * stds).min(), (means + 4 * stds).max(), 201)
            curve = go.Scatter(
                x=x, y=normal_density(x, means, stds), name=prior_name, legendgroup="prior",
                mode="lines", line={"color": run_color(1), "width": 3}, **common,
            )  # fmt: skip
            figure.add_traces([curve], **cell)
    figure.update_xaxes(**axis())
    figure.update_yaxes(showticklabels=False, rangemode="tozero", **axis())
    return dressed(figure, height=90 + 230 * rows, bargap=0, legend={"orientation": "h", "y": 1 + 0.25 / rows})


def kl_bars(kl_per_dim: Sequence[float], *, unit: str = "nats", color: int = 0, height: int = 320) -> go.Figure:
    """Draw the KL of each dimension as bars; sort more than ten dimensions, the largest first."""
    kl = np.asarray(kl_per_dim, dtype=np.float64)
    order = np.argsort(-kl, kind="stable") if len(kl) > 10 else np.arange(len(kl))
    figure = go.Figure(
        go.Bar(
            x=[axis_name(int(d)) for d in order],
            y=kl[order],
            marker={"color": run_color(color), "line": {"width": 0}},
            hovertemplate=f"%{{x}}: %{{y:.3f}} {unit}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", **axis())
    figure.update_yaxes(title=f"KL, {unit}", range=[0, max(1.05 * kl.max(), 0.1)], **axis())  # tiny values look like 0
    return dressed(figure, height=height, showlegend=False)


def curves(
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    terms: Sequence[str] = ("reconstruction", "kl", "neg_elbo"),
    titles: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw the terms of the bound over the epochs, with one panel per term for all runs.

    `histories` maps the name of a run to records of `history.jsonl`. Validation is a line with points, training a
    thin dotted line. `titles` has words for the terms and for `epoch`, `train`, `validation`, `unit`.
    """
    words = {"epoch": "epoch", "train": "training", "validation": "validation", "unit": "nats per image"} | dict(
        titles or {}
    )
    figure = make_subplots(1, len(terms), subplot_titles=[words.get(t, t) for t in terms], horizontal_spacing=0.07)
    for i, (name, records) in enumerate(histories.items()):
        for split, style in (("train", {"dash": "dot", "width": 2}), ("validation", {"width": 3})):
            for column, term in enumerate(terms, 1):
                known = [r for r in records if r["split"] == split and r.get(term) is not None]
                line = go.Scatter(
                    x=[r["epoch"] for r in known], y=[r[term] for r in known],
                    name=f"{verbatim(name)} · {words[split]}", legendgroup=f"{name} {split}", showlegend=column == 1,
                    mode="lines+markers" if split == "validation" else "lines",
                    marker={"size": 7}, line={"color": run_color(i), **style},
                    hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>",
                )  # fmt: skip
                figure.add_trace(line, row=1, col=column)
    figure.update_xaxes(title=words["epoch"], rangemode="tozero", **axis())
    figure.update_yaxes(**axis())
    figure.update_yaxes(title=words["unit"], col=1)
    return dressed(figure, height=420, legend={"orientation": "h", "y": -0.25})


# --- geometry -----------------------------------------------------------------------------------------------------


def ellipse(mean: ArrayLike, covariance: ArrayLike, sigma: float, points: int = 121) -> Floats:
    """Return the closed line (points, 2) at Mahalanobis distance `sigma` from the mean (2,)."""
    values, axes = np.linalg.eigh(np.asarray(covariance, dtype=np.float64))
    t = np.linspace(0, 2 * np.pi, points)
    circle = np.stack([np.cos(t), np.sin(t)])
    line: Floats = np.asarray(mean) + sigma * (axes @ (np.sqrt(values.clip(min=0))[:, None] * circle)).T
    return line


def normal_density(x: Floats, means: Floats, stds: Floats) -> Floats:
    """Return the density (n,) at x (n,) of an even mixture of normal distributions, means and stds (P,)."""
    z = (x[:, None] - means) / stds
    density: Floats = (np.exp(-0.5 * z**2) / (stds * math.sqrt(2 * math.pi))).mean(1)
    return density


def enclosed_share(points: Floats, cells: int = 80) -> tuple[Floats, Floats, Floats]:
    """Return, for each cell of a grid over points (N, 2), the share of their density in denser cells.

    The result is x (cells,), y (cells,) and the shares (cells, cells), with rows along y. The contour at 0.5 encloses
    the smallest region with half of the density (Hyndman 1996, "Computing and graphing highest density regions"). The
    density is a kernel estimate with half of Scott's bandwidth, σ N^(−1/6), as codes mostly have several modes.
    """
    low, high, spread = points.min(0), points.max(0), points.std(0) + 1e-6
    x, y = (np.linspace(low[i] - 0.5 * spread[i], high[i] + 0.5 * spread[i], cells + 1) for i in (0, 1))
    counts, *_ = np.histogram2d(points[:, 1], points[:, 0], bins=(y, x))
    bandwidth = 0.5 * spread * len(points) ** (-1 / 6)
    density = _smoothed(counts, bandwidth[0] / (x[1] - x[0]))
    density = _smoothed(density.T, bandwidth[1] / (y[1] - y[0])).T
    order = np.argsort(-density, axis=None)
    shares = np.empty(density.size)
    shares[order] = np.cumsum(density.flat[order]) / density.sum()
    return (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, shares.reshape(density.shape)


def _smoothed(rows: Floats, scale: float) -> Floats:
    """Convolve rows with a Gaussian whose σ is `scale` cells."""
    reach = math.ceil(3 * scale)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / scale) ** 2)
    padded = np.pad(rows, ((0, 0), (reach, reach)))
    return np.apply_along_axis(np.convolve, 1, padded, kernel / kernel.sum(), "valid")


# --- traces and layout ----------------------------------------------------------------------------------------------


def _groups(points: Floats, labels: ArrayLike | None) -> list[tuple[int | None, NDArray[np.intp]]]:
    """Group rows by class."""
    if labels is None:
        return [(None, np.arange(len(points)))]
    classes = np.asarray(labels)
    return [(int(c), np.flatnonzero(classes == c)) for c in np.unique(classes)]


def _name(class_names: Sequence[str], label: int | None) -> str:
    if label is None:
        return ""
    return verbatim(class_names[label]) if label < len(class_names) else str(label)


def _points(points: Floats, rows: NDArray[np.intp], label: int | None, name: str) -> Any:
    size = 7 if len(points) <= 1000 else 6 if len(points) <= MANY else 5
    marker = {
        "color": NEUTRAL if label is None else class_color(label),
        "size": size,
        "symbol": "circle" if label is None else class_symbol(label),
        "line": {"color": OUTLINE, "width": 0.6},
    }
    common = {"mode": "markers", "name": name, "showlegend": label is not None, "customdata": rows}
    x, y = points[rows, 0], points[rows, 1]
    hover = f"<b>{name}</b> #%{{customdata}}<br>%{{x:.2f}}, %{{y:.2f}}"
    if points.shape[1] == 3:
        symbol = marker["symbol"] if marker["symbol"] in ("circle", "square", "diamond", "x", "cross") else "circle"
        marker |= {"size": size - 3, "symbol": symbol}
        hover += ", %{z:.2f}"
        return go.Scatter3d(
            x=x, y=y, z=points[rows, 2], marker=marker, hovertemplate=hover + "<extra></extra>", **common
        )
    kind = go.Scattergl if len(points) > MANY else go.Scatter
    fade = {"marker": {"opacity": 0.15}}
    return kind(x=x, y=y, marker=marker, unselected=fade, hovertemplate=hover + "<extra></extra>", **common)


def _class_chip(at: Floats, label: int, name: str) -> go.layout.Annotation:
    color = class_color(label)
    return go.layout.Annotation(
        x=float(at[0]), y=float(at[1]), text=f"<b>{name}</b>", showarrow=False, captureevents=False, borderpad=3,
        bgcolor=color, opacity=0.92, font={"size": FONT + 2, "color": ink_on(color)},
    )  # fmt: skip


def _apart(chips: Sequence[go.layout.Annotation], near: float) -> bool:
    """Return whether at least half of the names have no other name near them."""
    at = np.array([(chip.x, chip.y) for chip in chips]).reshape(-1, 2)
    distances = np.linalg.norm(at[:, None] - at, axis=-1) + np.diag(np.full(len(at), np.inf))
    return bool((distances > near).all(1).mean() >= 0.5) if len(at) else False


def _outline(outline: PriorEllipse) -> list[go.Scatter]:
    color = NEUTRAL if outline.label is None else class_color(outline.label)
    lines = []
    for sigma in outline.sigmas:
        x, y = ellipse(outline.mean, outline.covariance, sigma).T
        line = {"color": color, "width": 2.5 if sigma == outline.sigmas[0] else 1.5}
        lines.append(go.Scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip"))
    return lines


def _contours(points: Floats) -> go.Contour:
    x, y, share = enclosed_share(points)
    lines = {"coloring": "none", "start": 0.25, "end": 0.75, "size": 0.25, "showlabels": True, "labelformat": ".0%"}
    lines["labelfont"] = {"size": FONT - 3, "color": NEUTRAL}
    style = {"width": 3, "color": NEUTRAL, "smoothing": 0.8}
    quiet = {"showscale": False, "showlegend": False, "hoverinfo": "skip"}
    return go.Contour(x=x, y=y, z=share, contours=lines, line=style, **quiet)


def verbatim(name: str) -> str:
    """Escape a user's name, because Plotly would interpret HTML and templates in the name."""
    return html.escape(name).replace("%{", "%&#123;")


def axis() -> dict[str, Any]:
    """Return the style of every axis."""
    lines = {"showgrid": True, "gridcolor": GRID, "zerolinecolor": NEUTRAL, "zerolinewidth": 1}
    return {**lines, "title_font_size": FONT + 2, "tickfont_size": FONT - 1}


def dressed(figure: go.Figure, **layout: Any) -> go.Figure:
    """Style a figure for light and dark backgrounds, and return it."""
    clear = "rgba(0,0,0,0)"
    figure.update_annotations(selector={"bgcolor": None}, font_size=FONT + 2)
    figure.update_layout(
        legend_font_size=FONT, modebar={"bgcolor": clear, "color": NEUTRAL, "activecolor": run_color(0)}
    )
    figure.update_layout(
        paper_bgcolor=clear,
        plot_bgcolor=clear,
        font={"size": FONT},
        margin={"l": 10, "r": 10, "t": 36, "b": 10},
        **layout,
    )
    return figure
