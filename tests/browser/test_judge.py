"""The judge in the browser: what the shipped classifier says, of the pictures of its data set alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from helpers.browser import Browser
from helpers.explorer import make_run, mount
from helpers.node import node

from cvae.browser.explorer import export
from cvae.config import DataConfig
from cvae.data import load_data
from cvae.measuring.classifier import Classifier

VERDICTS = """({ createJudge }, { judge, pictures }) => {
  const { verdict } = createJudge(judge);
  return pictures.map((pixels) => verdict(new Float32Array(pixels)));
}"""


def test_the_verdicts_are_those_of_the_classifier(tmp_path: Path) -> None:
    images = load_data(DataConfig("digits")).test.images[:200]
    payload = export([make_run(tmp_path / "run", family="cvae")])
    (judge,) = payload["judges"]
    x = images / np.float32(255)
    found = node(VERDICTS, {"judge": judge, "pictures": np.moveaxis(x, 1, -1).reshape(len(x), -1).tolist()}, "judge.js")
    classifier = Classifier.load("digits")
    assert classifier is not None
    assert judge["accuracy"] == classifier.card["test_accuracy"]
    with torch.inference_mode():
        shares = classifier.net(image=torch.from_numpy(x)).softmax(-1).numpy()
    np.testing.assert_array_equal([one["label"] for one in found], shares.argmax(1))
    np.testing.assert_allclose([one["share"] for one in found], shares.max(1), atol=1e-3)


def test_only_models_of_its_data_have_a_judge(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", family="vae"), make_run(tmp_path / "b", family="cvae")]
    other = make_run(tmp_path / "c", family="vae")
    config = other.config()
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, name="mnist"))
    other.write_config(config)
    payload = export([*runs, other])
    assert [model["judge"] for model in payload["models"]] == [0, 0, None]  # pictures of 8 × 8 are not MNIST's
    assert [judge["data"] for judge in payload["judges"]] == ["digits"]


def test_the_judge_speaks_below_the_picture(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page({"width": 900, "height": 900})
    payload = export([make_run(tmp_path / "run", family="cvae")])
    mount(page, payload)
    explorer = page.get_by_test_id("latent-explorer")
    page.wait_for_function("() => document.querySelector('.lx-judged').textContent.includes('%')")
    explorer.evaluate("root => root.explorer.set({ z: [2, -1] })")
    pixels = explorer.evaluate("root => [...root.explorer.values(0)]")
    (verdict,) = node(VERDICTS, {"judge": payload["judges"][0], "pictures": [pixels]}, "judge.js")
    page.get_by_text(f"A classifier sees: {verdict['name']} ({100 * verdict['share']:.0f} %)").wait_for()
    page.close()
