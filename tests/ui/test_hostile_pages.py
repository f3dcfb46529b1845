"""Links and run folders that mean harm get a page of words: the short form of tests/hostile_pages.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_pages import a_folder, a_link, folders, house, links, problem_of


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with house(tmp_path_factory.mktemp("house")) as folder:
        yield folder


@pytest.mark.usefixtures("runs")
def test_links_of_any_kind_show_words() -> None:
    assert list(links(30, seed=1)) == []


def test_damaged_run_folders_show_words(runs: Path) -> None:
    assert list(folders(runs, 40, seed=1)) == []


def test_this_would_see_an_exception(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> None:
        raise ZeroDivisionError(text)

    assert problem_of("start", {"z": "1,2"}) is None
    monkeypatch.setattr("cvae.ui.frame.state.z", broken)
    assert "ZeroDivisionError" in str(problem_of("start", {"z": "1,2"}))


def test_a_number_makes_the_same_link_and_folder_again(runs: Path) -> None:
    assert a_link(7, seed=1) == a_link(7, seed=1) != a_link(8, seed=1)
    made = []
    for name in ("a", "b"):
        (runs / name).mkdir()
        (runs / name / "originals").symlink_to(runs.parent / "originals")
        made.append(a_folder(runs / name / "runs", 7, seed=1))
    assert made[0] == made[1]
