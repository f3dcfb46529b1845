"""The commands around the frozen classifier: what they print and write."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cvae.cli import main
from cvae.measuring.classifier import Classifier
from cvae.runs.folder import Run


@pytest.fixture
def run(trained: Callable[..., Run], tmp_path: Path) -> Run:
    return Run(shutil.copytree(trained("cvae").path, tmp_path / "run"))


def test_augment_writes_and_prints_its_figures(run: Run, capsys: pytest.CaptureFixture[str]):
    few = ["augment", str(run.path), "--real", "2", "3", "--generated", "20", "--seeds", "2"]
    assert main([*few, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((run.path / "augmentation.json").read_text())
    assert figures["real_per_class"] == [2, 3]
    assert main(few) == 0
    assert "±" in capsys.readouterr().out


@pytest.mark.parametrize("bad", [["--seeds", "0"], ["--real", "0"], ["--generated", "-1"]])
def test_numbers_that_mean_nothing_are_refused(run: Run, bad: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["augment", str(run.path), *bad]) == 2
    assert "at least 1" in capsys.readouterr().err


def test_a_classifier_is_built_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["classifier", "--data", "digits", "--epochs", "1", "--out", str(tmp_path / "judges")]) == 0
    assert "test accuracy" in capsys.readouterr().out
    built = Classifier.load("digits", tmp_path / "judges")
    assert built is not None
    assert built.card["command"] == "python -m cvae classifier --data digits --epochs 1 --seed 0"


def test_what_cannot_be_built_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for words in (["--data", "nothing"], ["--data", "digits", "--epochs", "0"]):
        assert main(["classifier", *words, "--out", str(tmp_path / "judges")]) == 2
        assert capsys.readouterr().err.startswith("cvae: ")
    assert not (tmp_path / "judges").exists()
