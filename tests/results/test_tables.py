"""The tables: what was found beside what was published."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from helpers.data import complaint

from cvae.assets import README
from cvae.results.protocols import PROTOCOLS
from cvae.results.tables import MARKERS, Result, insert, markdown, read, rows, value


def result(name: str, epochs: int = 10, **figures: float | None) -> Result:
    """As `reproduce` would write it, every run with these figures."""
    samples, configs = PROTOCOLS[name].samples, PROTOCOLS[name].runs
    runs: dict[str, Any] = {
        label: {"config": config.to_json(), "epochs": epochs, "metrics": figures} for label, config in configs.items()
    }
    return {
        "command": f"python -m cvae reproduce {name}",
        "samples": samples,
        "runs": runs,
    }


def test_a_row_says_what_was_published_what_was_found_and_the_difference() -> None:
    (row,) = rows({"one-layer-vae": result("one-layer-vae", epochs=364, nll=87.321)})
    assert [(p.value, p.checked) for p in row.published] == [(86.76, "second-hand")]
    assert (row.ours, row.spread, row.seeds) == (87.321, None, 1)
    assert row.difference.startswith("364 of 3,280 epochs; ")
    assert value(row) == "87.32"


def test_what_was_not_checked_is_shown_as_such() -> None:
    table = markdown(rows({"quadrants": result("quadrants", nll=60.0, nll_baseline=99.0, nll_monte_carlo=70.0)}))
    assert "99.75 (Sohn, Lee & Yan 2015; unverified)" in table
    assert (
        "| 1 given, CVAE, Monte Carlo | `nll_monte_carlo` | 68.39 (Sohn, Lee & Yan 2015; unverified) | 70.00 |" in table
    )
    assert "| 70.00 | 10 epochs; 1,000 samples of z an image; networks of" in table
    assert "| 3 given, CVAE, importance sampling | `nll` | 20.95 (" in table
    assert table.count("| as above |") == 3  # Monte Carlo and importance sampling


def test_a_figure_that_does_not_apply_and_a_protocol_without_results_have_no_row() -> None:
    assert {row.figure for row in rows({"families": result("families", neg_elbo=140.0, nll=None)})} == {"neg_elbo"}
    assert rows({}) == []
    assert markdown([]) == ""


def test_seeds_become_a_mean_and_a_spread() -> None:
    found = result("families", linear_probe_accuracy=0.5)
    for label, run in found["runs"].items():
        run["metrics"] = {"linear_probe_accuracy": 0.5 + 0.1 * int(label[-1])}
    table = markdown(rows({"families": found}))
    assert "mean ± standard deviation over 3 seeds" in table
    assert "| CMMA | 60.00 ± 10.00 % |" in table


def test_bounds_on_different_likelihoods_stand_in_columns_of_their_own() -> None:
    table = markdown(rows({"families": result("families", neg_elbo=140.0, nll=139.0)}))
    assert "| | −ELBO, bounds −log p(x) | −ELBO, bounds −log p(x\\|y) | −log p(x) |" in table
    assert "| VAE | 140.00 ± 0.00 | – | 139.00 ± 0.00 |" in table
    assert "| CVAE | – | 140.00 ± 0.00 | – |" in table


def test_the_table_goes_between_its_markers_and_nothing_else_changes() -> None:
    text = f"before\n{MARKERS[0]}\nold\n{MARKERS[1]}\nafter\n"
    written = insert(text, "| new |")
    assert written == f"before\n{MARKERS[0]}\n\n| new |\n\n{MARKERS[1]}\nafter\n"
    assert insert(written, "| new |") == written
    assert "which are not there" in complaint(lambda: insert("no markers", ""))


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "vae.json").write_text("{")
    assert "vae.json" in complaint(lambda: read(tmp_path))


def test_readme_shows_what_was_found() -> None:
    text = README.read_text(encoding="utf-8")
    assert insert(text, markdown(rows(read()))) == text


@pytest.mark.parametrize("name", read())
def test_every_result_is_of_the_protocol_as_it_is(name: str) -> None:
    found = read()[name]
    epochs = {run["epochs"] for run in found["runs"].values()}
    whole = PROTOCOLS[name].at(seed=found["seed"])
    for label, run in found["runs"].items():
        config = dataclasses.replace(whole[label], train=dataclasses.replace(whole[label].train, epochs=run["epochs"]))
        assert run["config"] == config.to_json()
        assert run["seconds"] > 0
    reduced = epochs != {config.train.epochs for config in whole.values()}
    assert ("--epochs" in found["command"]) == reduced
    assert rows({name: found})
