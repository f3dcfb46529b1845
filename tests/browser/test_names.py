"""Runs beside each other never have the same name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.explorer import make_run

from cvae.browser.explorer import export
from cvae.browser.names import told_apart
from cvae.ui.parts import runs


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([["VAE", "AE"], ["a", "b"]], ["VAE", "AE"]),
        ([["VAE", "VAE"], ["a", "b"]], ["a", "b"]),
        ([["VAE", "VAE"], ["a", "a"]], ["a", "a (2)"]),
        ([["a", "a", "a (2)", "a"]], ["a", "a (3)", "a (2)", "a (4)"]),
        ([[]], []),
    ],
)
def test_names_are_told_apart(ways: list[list[str]], expected: list[str]) -> None:
    assert told_apart(*ways) == expected


def test_no_names_collide_whatever_they_are() -> None:
    rng = np.random.default_rng(0)
    names = ["a", "a (2)", "a (2) (2)", "b"]
    for _ in range(200):
        chosen = rng.choice(names, size=rng.integers(1, 9)).tolist()
        found = told_apart(chosen)
        assert len(set(found)) == len(chosen)
        assert all(one.startswith(name) for one, name in zip(found, chosen, strict=True))


def test_runs_of_one_folder_name_have_titles_of_their_own(tmp_path: Path) -> None:
    made = [make_run(tmp_path / place / "r", family="vae") for place in "ab"]
    assert [model["title"] for model in export(made)["models"]] == ["VAE · r", "VAE · r (2)"]
    entries = [runs.ListedRun(run, shipped=False, config=run.config(), status=run.status()) for run in made]
    assert len(set(runs.titles(entries))) == 2
