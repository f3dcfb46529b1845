"""Data files and folders that mean harm give data or a sentence: the short form of tests/hostile_data.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_data import hostile, read

from cvae.config import DataConfig


def test_data_of_any_kind_is_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    counts, problems = hostile(tmp_path, 120, seed=1)
    assert problems == []
    assert counts["data"] >= 5
    assert counts["sentence"] >= 60


def test_this_would_see_an_exception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvae.data.images.MIN_IMAGES", "many")
    (tmp_path / "a.npz").write_bytes(b"")
    assert read(DataConfig(str(tmp_path / "a.npz"))) == ("sentence", None)
    _, problems = hostile(tmp_path / "more", 40, seed=1)
    assert any("TypeError" in problem for problem in problems)
