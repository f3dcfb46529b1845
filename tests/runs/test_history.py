"""Histories of any length are thinned for curves, read on from where one was, and never told wrong."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from cvae.browser.live import history
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.runs.history import MOST, NUMBERS, curves

BOTH = ("train", "validation")


def line(step: int, split: str = "train", width: int = 2) -> dict[str, Any]:
    values = {"reconstruction": 0.5, "kl": 0.25, "neg_elbo": 0.75, "kl_per_dim": [0.125] * width, "seconds": step / 7}
    return {"split": split, "step": step, "epoch": step / 10, **values}


def write(run: Run, lines: list[dict[str, Any]], mode: str = "a") -> None:
    run.path.mkdir(exist_ok=True)
    with open(run.path / "history.jsonl", mode) as file:
        file.writelines(json.dumps(one) + "\n" for one in lines)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


def test_a_short_history_is_whole(run: Run) -> None:
    assert curves(run).records == []
    for step in range(1, 40):
        write(run, [line(step), line(step, "validation")])
        assert curves(run).records == run.history()


def test_a_long_history_is_thinned_evenly_and_ends_with_its_newest_record(run: Run) -> None:
    write(run, [line(step, split) for step in range(1, 30_001) for split in BOTH])
    found = curves(run)
    for split in BOTH:
        steps = [record["step"] for record in found.records if record["split"] == split]
        assert MOST / 2 < len(steps) <= MOST + 1
        assert (steps[0], steps[-1]) == (1, 30_000)
        assert len({b - a for a, b in itertools.pairwise(steps[:-1])}) == 1
    assert len(json.dumps(history(run, 0, 0))) < 500_000  # bytes that one who begins to watch is sent


def test_records_of_many_dimensions_are_fewer(run: Run) -> None:
    write(run, [line(step, width=1024) for step in range(1, 1001)])
    assert 24 < len(curves(run).kept) <= max(100, NUMBERS // 1024)


def test_reading_on_gives_what_reading_at_once_gives(run: Run, tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole")
    for first in range(1, 3001, 250):
        lines = [line(step, split) for step in range(first, first + 250) for split in BOTH]
        write(run, lines)
        curves(run)
        write(whole, lines)
    assert curves(run) == curves(whole)


def test_only_what_is_new_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    parse = json.loads
    monkeypatch.setattr("cvae.runs.history.json.loads", lambda text: read.append(1) or parse(text))
    write(run, [line(step) for step in range(1, 101)])
    curves(run)
    assert len(read) == 100
    write(run, [line(101)])
    curves(run)
    curves(run)
    assert len(read) == 101


def test_one_who_watches_is_sent_each_kept_record_once(run: Run) -> None:
    records: list[dict[str, Any]] = []
    kept = sent = 0
    for first in range(1, 5001, 10):
        write(run, [line(step) for step in range(first, first + 10)])
        answer = history(run, kept, records[kept - 1]["step"] if kept else 0)
        records[answer["from"] :] = answer["records"]
        kept, sent = answer["kept"], sent + len(answer["records"])
        assert [record["step"] for record in records] == [record["step"] for record in curves(run).records]
    assert sent < 5 * MOST


def test_a_training_that_was_cut_back_or_began_anew_is_read_anew(run: Run) -> None:
    write(run, [line(step) for step in range(1, 11)])
    curves(run)
    write(run, [line(step) for step in range(1, 5)], "w")
    write(run, [line(step) for step in range(20, 40)])
    assert curves(run).records == run.history()
    (run.path / "history.jsonl").unlink()
    assert curves(run).records == []


def test_a_line_still_being_written_is_left_for_later(run: Run) -> None:
    write(run, [line(1)])
    text = json.dumps(line(2)) + "\n"
    for part in (text[:30], text[30:]):
        assert len(curves(run).records) == 1
        with open(run.path / "history.jsonl", "a") as file:
            file.write(part)
    assert len(curves(run).records) == 2


@pytest.mark.parametrize(
    "text", ["7", "{}", '{"split": "train"', "[" * 100_000, '{"split": "train", "step": "x"}', "\0"]
)
def test_damaged_lines_are_refused(run: Run, text: str) -> None:
    write(run, [line(1)])
    with open(run.path / "history.jsonl", "a") as file:
        file.write(text + "\n")
    for _ in range(2):
        with pytest.raises(InputError, match="damaged"):
            curves(run)
