"""A model that is given two classes: each has a control of its own on every page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.engine import tiny_model, tiny_run
from helpers.pages import opened, raw_keys

from cvae.conditions import ClassCondition
from cvae.data import ImageData, Split
from cvae.training.loop import fit
from cvae.ui.frame.pages import PAGES

STYLE = ClassCondition("stroke", ("thin", "thick"))


@pytest.fixture(scope="module")
def runs(few_digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with one run, given a label and a stroke."""

    def with_stroke(split: Split) -> Split:
        ink = split.images.mean((1, 2, 3))
        return Split(split.images, split.labels, {"stroke": (ink > np.median(ink)).astype(np.int64)})

    splits = {name: with_stroke(getattr(few_digits, name)) for name in ("train", "validation", "test")}
    data = replace(few_digits, further=(STYLE,), **splits)
    model = tiny_model("cvae", condition=("label", "stroke"), columns=(STYLE,))
    folder = tmp_path_factory.mktemp("runs")
    list(fit(folder / "both", replace(tiny_run(epochs=1), model=model), data=data))
    return folder


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_have_a_control(runs: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVAE_RUNS", str(runs))
    link = {"run": "both", "runs": "both", "lang": language, "label": "3", "c.stroke": "1"}
    texts = {page.id: opened(page.id, **link) for page in PAGES}
    assert {name: raw_keys(text) for name, text in texts.items()} == {name: [] for name in texts}
    assert "stroke" in texts["latent"]
