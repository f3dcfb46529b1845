"""The rules that bring ink to a model's input, beside the data and the judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.explorer import make_run
from helpers.node import node
from helpers.pad import judged

from cvae.browser.explorer import export
from cvae.config import DataConfig
from cvae.data import DATASETS, load_data
from cvae.data.registry import Fit
from cvae.runs.folder import Run

# Pictures as ink, each pixel an even area, put through the rule.
AGAIN = """
({ fitTo }, { pictures, height, width, fit }) => pictures.map((bytes) => {
  const side = 280, data = new Float32Array(side * side);
  for (let at = 0; at < data.length; at++) {
    const x = Math.floor(((at % side) * width) / side), y = Math.floor((Math.floor(at / side) * height) / side);
    data[at] = bytes[y * width + x] / 255;
  }
  return [...fitTo({ width: side, height: side, channels: 1, data }, fit, [1, height, width]).pixels];
})
"""
# The drawings that come with the pad, as the models of a data set see them.
DRAWN = """
({ DRAWINGS, createInk, SIDE, PEN, fitTo }, { fit, shape }) => DRAWINGS.map(({ digit, strokes }) => {
  const ink = createInk();
  for (const points of strokes) ink.add({ points: points.map((v) => v / 1000), width: PEN, erase: false });
  return [digit, [...fitTo({ width: SIDE, height: SIDE, channels: 1, data: ink.low }, fit, shape).pixels]];
})
"""


def test_real_digits_put_through_their_rule_come_back() -> None:
    test = load_data(DataConfig("digits")).test
    given = {"pictures": test.images.reshape(len(test), -1).tolist(), "height": 8, "width": 8, "fit": "digits"}
    back = np.array(node(AGAIN, given, "pad/fit.js")).reshape(test.images.shape)
    difference = np.abs(back - test.images / 255).mean((1, 2, 3))
    assert difference.mean() < 0.04  # the original's place in the 32 × 32 bitmap is not known to a twentieth of it
    assert np.median(difference) < 0.002
    same = judged("digits", back).argmax(1) == judged("digits", test.images / 255).argmax(1)
    assert same.mean() > 0.98


@pytest.mark.parametrize("data", ["mnist", "digits"])
def test_the_judge_reads_every_drawing(data: str) -> None:
    shape = DATASETS[data].image_shape
    drawn = node(DRAWN, {"fit": data, "shape": shape}, "pad/drawings.js", "pad/strokes.js", "pad/fit.js")
    digits = np.array([digit for digit, _ in drawn])
    assert np.bincount(digits).tolist() == [2] * 10
    p = judged(data, np.array([pixels for _, pixels in drawn]).reshape(-1, *shape))
    assert p.argmax(1).tolist() == digits.tolist()
    assert p.max(1).min() > 0.9


@pytest.mark.parametrize(
    ("name", "changes", "fit"),
    [
        ("digits", {}, "digits"),
        ("digits", {"image_shape": (1, 9, 8)}, "plain"),
        ("mnist", {"image_shape": (1, 28, 28)}, "mnist"),
        ("fashion-mnist", {"image_shape": (1, 28, 28)}, "plain"),
        ("my/own.npz", {"image_shape": (3, 28, 28)}, "plain"),
    ],
)
def test_the_payload_names_the_rule_of_the_data(tmp_path: Path, name: str, changes: dict[str, Any], fit: Fit) -> None:
    run = make_run(tmp_path / "run", family="vae", **changes)
    config = json.loads((run.path / "config.json").read_text())
    config["data"]["name"] = name
    (run.path / "config.json").write_text(json.dumps(config))
    assert export([Run(run.path)])["models"][0]["fit"] == fit
