"""Which figures of several runs are compared, and which is the better."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from helpers.engine import tiny_model, tiny_run

from cvae.conditions import ClassCondition
from cvae.results.comparison import Row, comparison


def measured(**figures: float) -> dict[str, Any]:
    return {"split": "test", **figures}


def rows_of(*runs: tuple[Any, dict[str, Any]]) -> dict[str, Row]:
    return {row.figure: row for row in comparison(runs)}


def test_the_lower_nats_win_and_figures_without_a_better_direction_do_not() -> None:
    rows = rows_of(
        (tiny_run("ae"), measured(reconstruction=20.0, active_units=2)),
        (tiny_run("vae"), measured(reconstruction=22.0, kl=2.0, neg_elbo=24.0, active_units=1)),
    )
    assert rows["reconstruction"] == Row("reconstruction", "lower", (20.0, 22.0), frozenset({0}))
    assert rows["neg_elbo"] == Row("neg_elbo", "lower", (None, 24.0), frozenset())
    assert rows["active_units"] == Row("active_units", None, (2, 1), frozenset())


def test_bounds_on_different_quantities_are_not_compared_but_the_densities_of_images_are() -> None:
    """−log p(x|y) is not −log p(x); summed over the labels it is."""
    rows = rows_of(
        (tiny_run("vae"), measured(neg_elbo=24.0, nll=23.0)),
        (tiny_run("cvae"), measured(neg_elbo=20.0, nll=19.0, nll_mixture=21.0)),
        (tiny_run("cmma"), measured(neg_elbo=21.0, nll=20.5, nll_mixture=22.5)),
    )
    assert rows["neg_elbo"].best == {1}
    assert rows["nll"] == Row("nll", "lower", (23.0, 21.0, 22.5), frozenset({1}))
    assert rows["nll_given"] == Row("nll_given", "lower", (None, 19.0, 20.5), frozenset({1}))


def test_bounds_given_other_conditions_are_not_compared() -> None:
    def given(*names: str) -> Any:
        style = ClassCondition("style", ("thin", "thick"))
        return replace(tiny_run("cvae"), model=tiny_model("cvae", condition=names, columns=(style,)))

    rows = rows_of(
        (given("label"), measured(neg_elbo=20.0, nll=19.0, nll_exact=18.5)),
        (given("label", "style"), measured(neg_elbo=10.0, nll=9.0, nll_exact=8.5)),
        (given("style"), measured(neg_elbo=15.0, nll=14.0, nll_exact=13.5)),
        (given("style"), measured(neg_elbo=16.0, nll=15.0, nll_exact=14.5)),
    )
    for figure in ("neg_elbo", "nll_given", "nll_given_exact"):
        assert rows[figure].best == {2}, figure


def test_only_like_is_compared_with_like() -> None:
    one = (tiny_run("vae"), measured(reconstruction=20.0))
    others = [
        (tiny_run("vae", likelihood="gaussian"), measured(reconstruction=10.0)),
        (tiny_run("vae", binarize="dynamic"), measured(reconstruction=10.0)),
        (tiny_run("cvae-predictive"), measured(reconstruction=10.0)),
        (replace(tiny_run("vae"), data=replace(tiny_run().data, name="mnist")), measured(reconstruction=10.0)),
        (tiny_run("vae"), {"split": "validation", "reconstruction": 10.0}),
    ]
    for other in others:
        assert rows_of(one, other)["reconstruction"].best == set()


def test_estimates_of_different_numbers_of_samples_are_not_compared() -> None:
    few, many = (measured(neg_elbo=24.0, nll=20.0 - k / 100, nll_samples=k) for k in (5, 50))
    assert rows_of((tiny_run("vae"), few), (tiny_run("vae"), many))["nll"].best == set()
    assert rows_of((tiny_run("vae"), few), (tiny_run("vae"), {**few, "nll": 19.0}))["nll"].best == {1}


def test_the_completions_of_different_tasks_are_not_compared() -> None:
    one, two = (tiny_run("cvae-predictive", quadrants=n) for n in (1, 2))
    rows = rows_of((one, measured(nll=30.0)), (two, measured(nll=20.0)), (one, measured(nll=29.0)))
    assert rows["nll_given"].best == {2}


def test_equals_share_the_win_only_against_others() -> None:
    runs = [(tiny_run("vae"), measured(reconstruction=value)) for value in (20.0, 20.0, 21.0)]
    assert rows_of(*runs)["reconstruction"].best == {0, 1}
    assert rows_of(*runs[:2])["reconstruction"].best == set()


def test_accuracy_is_better_when_higher_and_figures_nobody_has_make_no_row() -> None:
    run = tiny_run("cvae-predictive", task="label")
    rows = rows_of((run, measured(accuracy=0.9)), (run, measured(accuracy=0.8)))
    assert rows["accuracy"].best == {0}
    assert list(rows) == ["accuracy"]
    assert comparison([(run, {})]) == []


def test_a_model_measured_on_images_that_it_was_trained_on_competes_with_none_that_was_not() -> None:
    def record(neg_elbo: float) -> dict[str, Any]:
        return {"split": "validation", "neg_elbo": neg_elbo}

    rows = rows_of((tiny_run("vae"), record(20.0)), (tiny_run("vae", full_train=True), record(18.0)))
    assert rows["neg_elbo"].best == frozenset()
