"""Charts of measured figures: what they show, and that nothing hides it."""

from __future__ import annotations

import math

import pytest

from cvae.plots import figures as plots
from cvae.plots.palette import run_color

WORDS = ("reconstruction", "KL", "nats")


def test_the_two_terms_are_stacked_and_an_autoencoder_has_one() -> None:
    figure = plots.split({"AE": (20.0, None), "VAE": (22.0, 3.0)}, words=WORDS)
    reconstruction, kl = figure.data
    assert figure.layout.barmode == "stack"
    assert (list(reconstruction.y), list(reconstruction.x)) == (["AE", "VAE"], [20.0, 22.0])
    assert list(kl.x) == [None, 3.0]
    assert list(kl.text) == ["", "3.0"]
    assert figure.layout.xaxis.range[1] > 25.0


def test_the_ladder_rises_in_the_order_given_and_all_of_it_is_in_sight() -> None:
    bounds = {"ELBO": -100.0, "IWAE₅": -99.0, "log p(x)": -98.5}
    figure = plots.ladder(bounds)
    (line,) = figure.data
    assert list(line.x) == list(bounds)
    assert list(line.y) == list(bounds.values())
    assert list(line.text) == ["−100.00", "−99.00", "−98.50"]
    low, high = figure.layout.yaxis.range
    assert low < -100.0 < -98.5 < high


def test_a_ladder_without_a_step_has_height_all_the_same() -> None:
    low, high = plots.ladder({"ELBO": -5.0, "log p(x)": -5.0}).layout.yaxis.range
    assert low < -5.0 < high


def test_shares_by_class_stand_beside_what_they_are_measured_against() -> None:
    shares = {"CVAE": [0.99, 0.5], "CMMA": [1.0, 0.9]}
    figure = plots.per_class(shares, ("a", "b"), colors={"CMMA": 3, "CVAE": 1}, limit=0.993, words=("share", "judge"))
    one, other, limit = figure.data
    assert (list(one.x), list(one.y)) == (["a", "b"], [0.99, 0.5])
    assert (one.line.color, other.line.color) == (run_color(1), run_color(3))
    assert limit.name == "judge 99.30%"
    assert [shape.y0 for shape in figure.layout.shapes] == [0.993]
    low, high = figure.layout.yaxis.range
    assert low < 0.5
    assert high >= 1.0


@pytest.mark.parametrize("limit", [None, 9.0])
def test_bars_reach_as_far_as_the_largest_value_or_the_limit(limit: float | None) -> None:
    figure = plots.bars({"VAE": 4.0}, colors={"VAE": 2}, title="distance", limit=limit)
    assert figure.layout.yaxis.range[1] > max(4.0, limit or 0.0)
    assert list(figure.data[0].text) == ["4.00"]
    assert figure.data[0].marker.color == (run_color(2),)
    assert len(figure.layout.shapes) == (limit is not None)


def test_negative_terms_are_in_sight() -> None:
    figure = plots.split({"a": (-500.0, 20.0), "b": (3.0, None)}, words=("reconstruction", "KL", "nats"))
    low, high = figure.layout.xaxis.range
    assert low < -500
    assert high > 20


def test_the_way_to_a_published_value_keeps_it_and_the_end_in_sight_but_not_the_first_epochs() -> None:
    curve = [(float(i), 80.0 + 400.0 * math.exp(-i / 2)) for i in range(40)]
    figure = plots.approach({"vae": curve}, {"published": 78.0}, words=("epoch", "nats"))
    low, high = figure.layout.yaxis.range
    assert low < 78.0
    assert 80.0 < high < 200.0
    assert [shape.y0 for shape in figure.layout.shapes] == [78.0]
    assert list(figure.data[0].y) == [value for _, value in curve]


def test_arms_are_means_with_their_spread_over_seeds() -> None:
    arms = {"without": [[0.5, 0.7], [0.9]], "with": [[0.8, 0.8], [1.0]]}
    figure = plots.with_and_without([10, 1000], arms, words=("images", "accuracy"))
    one, other = figure.data
    assert list(one.x) == ["10", "1,000"]
    assert list(one.y) == pytest.approx([0.6, 0.9])
    assert list(one.error_y.array) == pytest.approx([math.sqrt(0.02), 0.0])
    assert list(other.error_y.array) == [0.0, 0.0]
