"""Figures: what they show of the arrays, and the geometry behind them against closed forms."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from cvae.plots import codes as plots
from cvae.plots.palette import CLASS_COLORS, RUN_COLORS, class_color, class_symbol, contrast, ink_on

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)


# --- colours --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["assets/shared/theme.js", ".streamlit/config.toml"])
def test_theme_and_browser_have_the_same_class_colours(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    found = re.findall(r'"(#[0-9a-f]{6})",\s*(?=["\]])', text)
    start = found.index(CLASS_COLORS[0])
    assert tuple(found[start : start + 10]) == CLASS_COLORS


def test_classes_beyond_ten_are_told_apart_by_their_symbol() -> None:
    styles = {(class_color(k), class_symbol(k)) for k in range(62)}
    assert len(styles) == 62


def test_contrast_is_wcag_s() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_runs_are_seen_on_both_backgrounds_and_chips_can_be_read() -> None:
    assert min(contrast(c, background) for c in RUN_COLORS for background in ("#ffffff", "#12161c")) > 3
    assert min(contrast(c, ink_on(c)) for c in CLASS_COLORS) > 4.5


# --- geometry -------------------------------------------------------------------------------------------------------


def test_an_ellipse_lies_at_its_mahalanobis_distance() -> None:
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.8], [0.8, 0.5]])
    line = plots.ellipse(mean, covariance, 2.0)
    distance = np.einsum("ni,ij,nj->n", line - mean, np.linalg.inv(covariance), line - mean)
    np.testing.assert_allclose(distance, 4.0)
    np.testing.assert_allclose(line[0], line[-1])


def test_the_density_of_a_mixture_integrates_to_one() -> None:
    x = np.linspace(-30, 30, 20_001)
    means, stds = np.array([-1.0, 4.0]), np.array([0.5, 3.0])
    density = plots.normal_density(x, means, stds)
    assert np.trapezoid(density, x) == pytest.approx(1)
    assert np.trapezoid(x * density, x) == pytest.approx(1.5)
    assert plots.normal_density(np.zeros(1), np.zeros(1), np.ones(1))[0] == pytest.approx(0.39894, abs=1e-5)


def test_contours_enclose_the_share_they_name() -> None:
    """Of a normal distribution, half lies within r = √(2 ln 2) = 1.18 of the mean."""
    points = RNG.standard_normal((20_000, 2))
    x, y, share = plots.enclosed_share(points)
    inside = share[np.abs(y).argmin()] <= 0.5
    assert np.ptp(x[inside]) / 2 == pytest.approx(np.sqrt(2 * np.log(2)), rel=0.1)
    column, row = (np.searchsorted(axis, points[:, i]).clip(max=len(axis) - 1) for i, axis in enumerate((x, y)))
    assert (share[row, column] <= 0.75).mean() == pytest.approx(0.75, abs=0.03)


# --- figures --------------------------------------------------------------------------------------------------------

CODES = RNG.normal(size=(90, 3))
LABELS = np.arange(90) % 3
NAMES = ("cat", "dog", "owl")


def traces(figure: go.Figure, mode: str) -> list[go.Scatter]:
    return [t for t in figure.data if getattr(t, "mode", None) == mode]


def test_scatter_colours_by_class_and_names_each_at_its_mean() -> None:
    codes = CODES[:, :2] + LABELS[:, None]
    figure = plots.scatter(codes, LABELS, NAMES)
    points = traces(figure, "markers")
    assert [t.name for t in points] == list(NAMES)
    assert [t.marker.color for t in points] == list(CLASS_COLORS[:3])
    chips = figure.layout.annotations
    assert [a.text for a in chips] == ["<b>cat</b>", "<b>dog</b>", "<b>owl</b>"]
    np.testing.assert_allclose([chips[1].x, chips[1].y], codes[LABELS == 1].mean(0), rtol=1e-5)
    assert figure.layout.yaxis.scaleanchor == "x"
    mixed = plots.scatter(RNG.normal(size=(3000, 2)), np.arange(3000) % 10, [str(k) for k in range(10)])
    assert not mixed.layout.annotations  # all at the origin, where none could be read


def test_a_class_is_called_what_the_user_called_it_and_nothing_in_its_name_is_obeyed() -> None:
    figure = plots.scatter(RNG.normal(size=(4, 2)), [0, 0, 1, 1], ["<a href='x'>b</a>", "%{x}"])
    for shown in (figure.data[0].name, figure.data[0].hovertemplate, figure.layout.annotations[0].text):
        assert "&lt;a href=&#x27;x&#x27;&gt;b&lt;/a&gt;" in shown
    assert "%{x}</b>" not in figure.data[1].hovertemplate


def test_points_carry_the_row_they_came_from() -> None:
    for trace in traces(plots.scatter(CODES[:, :2], LABELS, NAMES), "markers"):
        np.testing.assert_allclose(trace.x, CODES[trace.customdata, 0], rtol=1e-6)


def test_scatter_of_three_of_one_and_of_unlabelled_codes() -> None:
    space = plots.scatter(CODES, LABELS, NAMES)
    assert {type(t) for t in space.data} == {go.Scatter3d}
    assert len(space.data) == 3
    line = plots.scatter(CODES[:, :1], axes=("z₁",))
    assert (line.data[0].y == 0).all()
    assert line.data[0].showlegend is False


def test_many_points_are_drawn_by_webgl() -> None:
    codes = RNG.normal(size=(plots.MANY + 1, 2))
    assert isinstance(plots.scatter(codes).data[0], go.Scattergl)
    assert isinstance(plots.scatter(codes[1:]).data[0], go.Scatter)


def test_priors_are_drawn_over_the_points_at_one_two_and_three_sigma() -> None:
    outlines = [plots.PriorEllipse([0, 0], np.eye(2)), plots.PriorEllipse([3, 0], np.eye(2), label=2, sigmas=(1,))]
    figure = plots.scatter(CODES[:, :2], LABELS, NAMES, outlines=outlines, contours=True)
    lines = traces(figure, "lines")
    assert [np.hypot(t.x, t.y)[0].round(6) for t in lines[:3]] == [1, 2, 3]
    assert lines[3].line.color == CLASS_COLORS[2]
    kinds = [(type(t), t.mode) for t in figure.data[:-1]]
    assert kinds == [(go.Scatter, "markers")] * 3 + [(go.Scatter, "lines")] * 4
    assert isinstance(figure.data[-1], go.Contour)


def test_histograms_stand_beside_the_prior_s_density() -> None:
    codes = RNG.normal([0, 5, -1], [1, 2, 0.1], (5000, 3))
    figure = plots.histograms(codes, (1, 2), (np.zeros((1, 3)), np.ones((1, 3))))
    bars = [t for t in figure.data if isinstance(t, go.Bar)]
    assert len(bars) == 2
    for bar in bars:
        assert np.sum(np.asarray(bar.y) * np.asarray(bar.width)) == pytest.approx(1)
    assert np.average(bars[0].x, weights=bars[0].y) == pytest.approx(5, abs=0.1)
    assert [a.text for a in figure.layout.annotations] == ["z₂", "z₃"]
    curves = traces(figure, "lines")
    assert max(curves[0].y) == pytest.approx(0.39894, abs=1e-4)


def test_kl_bars_put_the_largest_first_where_there_are_many() -> None:
    few = plots.kl_bars([0.1, 2.0, 0.5]).data[0]
    assert list(few.x) == ["z₁", "z₂", "z₃"]
    many = plots.kl_bars(np.arange(12) / 4).data[0]
    assert many.x[0] == "z₁₂"
    assert list(many.y) == sorted(many.y, reverse=True)


def record(split: str, epoch: float, reconstruction: float, kl: float | None) -> dict[str, object]:
    total = None if kl is None else reconstruction + kl
    return {"split": split, "epoch": epoch, "reconstruction": reconstruction, "kl": kl, "neg_elbo": total}


def test_curves_lay_runs_over_each_other_one_panel_a_term() -> None:
    histories = {
        "first": [record("train", 0.5, 30, 1), record("train", 1, 25, 2), record("validation", 1, 26, 2)],
        "plain": [record("train", 1, 20, None), record("validation", 1, 21, None)],
    }
    figure = plots.curves(histories)
    assert len(figure.data) == 2 * 2 * 3
    first = [t for t in figure.data if t.name.startswith("first · training")]
    assert [list(t.y) for t in first] == [[30, 25], [1, 2], [31, 27]]
    assert [t.xaxis for t in first] == ["x", "x2", "x3"]
    assert [t.showlegend for t in first] == [True, False, False]
    plain = [t for t in figure.data if t.name == "plain · validation"]
    assert [list(t.y) for t in plain] == [[21], [], []]
    assert plain[0].line.color != first[0].line.color


@pytest.mark.parametrize(
    "figure",
    [
        plots.scatter(CODES[:, :2], LABELS, NAMES),
        plots.scatter(CODES, LABELS, NAMES),
        plots.histograms(CODES, (0, 1, 2)),
        plots.kl_bars([0.1, 2.0]),
        plots.curves({"run": [record("train", 1, 1.0, 1.0)]}),
    ],
)
def test_every_figure_is_clear_behind_and_large_in_letters(figure: go.Figure) -> None:
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.size >= 16
    figure.to_json()
