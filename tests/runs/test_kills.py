"""Killed at random moments, nothing is lost; ten starts at a moment give ten runs: the short form of tests/kills.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import kills
import pytest


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """AppTest leaves its script as `__main__`, and each process would run it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        yield


def test_processes_and_workers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    counts, problems = kills.kill(40, seed=0, folder=tmp_path)
    assert problems == []
    assert counts["kills"] == 40
    assert counts["kills in training"] >= 10
    assert counts["finished"] >= 5


def test_ten_starts_at_the_same_moment_give_ten_runs(tmp_path: Path) -> None:
    assert kills.starts(2, tmp_path) == []


def test_ten_trainings_of_the_command_line_at_the_same_moment_give_ten_runs(tmp_path: Path) -> None:
    assert kills.starts(1, tmp_path, command=True) == []
