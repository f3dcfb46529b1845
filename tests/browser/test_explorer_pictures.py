"""The explorer's component on an empty page of a real Chromium: PyTorch's pictures, and what damaged data does."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.browser import REQUIRED, ROOT, Browser
from helpers.explorer import HOSTILE, make_run, mount, mount_data, mounted, show, torch_model

from cvae.browser.explorer import export
from cvae.config import NETS, DataConfig
from cvae.data import load_data
from cvae.families import FAMILIES
from cvae.runs.folder import Run


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Any]:
    """An empty page."""
    page = browser.new_page({"width": 1280, "height": 720})
    yield page
    page.close()


# --- the same picture as PyTorch ------------------------------------------------------------------------------------

KINDS = [
    {"family": family, "net": net, "image_shape": shape}  # the browser sees nothing of the likelihood
    for family, net, shape in itertools.product(FAMILIES, NETS, [(1, 8, 8), (3, 13, 9)])
]
MORE = [
    {"family": "cvae", "image_shape": (1, 28, 28), "hidden": (400,)},
    {"family": "cvae", "net": "conv", "image_shape": (3, 32, 32), "channels": (16, 32), "activation": "tanh"},
    {"family": "vae", "net": "conv", "image_shape": (1, 64, 47), "channels": (4, 4, 4, 4), "hidden": (32, 16)},
    {"family": "vae", "latent_dim": 1},
    {"family": "vae", "latent_dim": 32},
    {"family": "cvae-predictive", "quadrants": 3, "net": "conv"},
    {"family": "cvae-predictive", "task": "label"},
    {"family": "cvae-predictive", "task": "label", "net": "conv"},
]


@pytest.mark.parametrize("model", KINDS + MORE, ids=lambda m: "-".join(str(v) for v in m.values()))
def test_the_picture_is_pytorchs(blank: Any, tmp_path: Path, model: dict[str, Any]) -> None:
    run = make_run(tmp_path / "run", **model)
    payload = export([run])
    mount(blank, payload)
    rng = np.random.default_rng(1)
    config = run.config().model
    count = 3
    z = rng.standard_normal((count, config.latent_dim))
    weights = rng.dirichlet(np.ones(10), count)
    states = [
        {"z": z[i].tolist(), "conditions": {"label": {"weights": weights[i].tolist(), "mixing": True}, "image": i}}
        for i in range(count)
    ]
    shown = show(blank, states)
    for i, (values, rgba) in enumerate(shown):
        expected = expected_picture(run, z[i], weights[i], i)
        assert np.abs(np.array(values) - expected.ravel()).max() <= 2 / 255
        if expected.ndim == 3:
            pixels = np.array(rgba, float).reshape(*expected.shape[:2], 4)[..., :3]
            if expected.shape[2] == 1:
                pixels = 255 - pixels  # ink on paper
            assert np.abs(pixels - 255 * expected).max() <= 2


def expected_picture(run: Run, z: np.ndarray, weights: np.ndarray, condition: int) -> np.ndarray:
    """`model.decode`, as H × W × C, or class probabilities."""
    model = torch_model(run)
    given = None
    if model.family.completes:
        given = torch.from_numpy(run.snapshot(1)["strip"][condition : condition + 1] / np.float32(255))
    elif model.config.takes_label:
        given = torch.tensor(weights[None], dtype=torch.float32)
    with torch.inference_mode():
        picture = model.decode(torch.tensor(z[None], dtype=torch.float32), given)[0].numpy()
    return np.moveaxis(picture, 0, -1) if picture.ndim == 3 else picture


# --- other data under the same key ----------------------------------------------------------------------------------


def test_other_weights_of_the_same_model_keep_the_place(blank: Any, tmp_path: Path) -> None:
    first, second = (export([make_run(tmp_path / str(seed) / "r", family="cvae", seed=seed)]) for seed in (0, 1))
    mount(blank, first)
    show(blank, [{"z": [0.5, -0.5]}])
    before = show(blank, [{}])[0][0]
    blank.evaluate("data => window.remount(data)", mounted(second))
    root = blank.get_by_test_id("latent-explorer")
    assert json.loads(root.get_attribute("data-z")) == [0.5, -0.5]
    assert show(blank, [{}])[0][0] != before


def test_thumbnails_that_models_share_arrive_once(blank: Any, tmp_path: Path) -> None:
    data = load_data(DataConfig("digits"))
    runs = [make_run(tmp_path / family, family=family, codes=len(data.test)) for family in ("vae", "cvae")]
    mount(blank, export(runs, data=data))
    for index in range(2):
        pad = blank.get_by_role("slider", name="Latent map").nth(index)
        place = blank.get_by_test_id("latent-explorer").evaluate("(r, i) => r.explorer.codePixels(i)[0]", index)
        pad.hover(position={"x": place["x"], "y": place["y"]})
        pictures = blank.locator(".lx-hover").nth(index).locator("canvas:visible")
        assert pictures.count() == 2
        shown = pictures.first.evaluate("c => [...c.getContext('2d').getImageData(0, 0, 8, 8).data]")
        code = blank.locator(".lx-hover").nth(index).get_attribute("data-code")
        grey = 255 - np.array(shown).reshape(8, 8, 4)[..., 0].astype(int)
        assert np.abs(grey - data.test.images[int(code), 0]).max() <= 1


def test_the_place_survives_leaving_the_page(blank: Any, tmp_path: Path) -> None:
    payload = export([make_run(tmp_path / "r", family="cvae")])
    mount(blank, payload, key="page")
    show(blank, [{"z": [0.25, 1], "conditions": {"label": {"weights": [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]}}}])
    blank.get_by_role("slider", name="Latent map").press("ArrowRight")
    blank.wait_for_function("() => window.sent.length")
    state = blank.get_by_test_id("latent-explorer").evaluate("root => root.explorer.state()")
    mount(blank, payload, key="other")
    assert blank.get_by_test_id("latent-explorer").evaluate("root => root.explorer.state()") != state
    mount(blank, payload, key="page")
    assert blank.get_by_test_id("latent-explorer").evaluate("root => root.explorer.state()") == state
    blank.wait_for_function("() => window.sent.length")  # Python has forgotten it
    assert blank.evaluate("() => window.sent[0][1].z") == state["z"]


def test_the_label_survives_models_that_take_none(blank: Any, tmp_path: Path) -> None:
    cvae, vae = (export([make_run(tmp_path / family, family=family)]) for family in ("cvae", "vae"))
    mount(blank, cvae, key="both")
    show(blank, [{"z": [0.25, 1], "conditions": {"label": {"weights": np.eye(10)[7].tolist()}}}])
    for payload, weights in ((vae, None), (cvae, np.eye(10)[7].tolist())):
        blank.evaluate("data => window.remount(data)", mounted(payload, key="both"))
        state = blank.get_by_test_id("latent-explorer").evaluate("root => root.explorer.state()")
        assert state["z"] == [0.25, 1]
        assert state["conditions"].get("label", {}).get("weights") == weights


# --- trouble ---------------------------------------------------------------------------------------------------------


def cut(payload: Any) -> None:
    tensor = payload["models"][0]["networks"]["decoder"]["weights"]["head.0.weight"]
    tensor["data"] = tensor["data"][:40]


def replace(*path: Any, value: Any = None) -> Any:
    def damage(payload: Any) -> None:
        place = payload["models"][0]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    damage.__name__ = "-".join(map(str, path))
    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "damaged: 960 bytes expected"),
        (replace("latentDim", value=3), "does not fit"),
        (replace("networks"), "missing: decoder"),
        (replace("networks", "decoder"), "missing: decoder"),
        (replace("networks", "decoder", "sees", value=["z", "elsewhere"]), "does not fit"),
        (replace("networks", "decoder", "sees", value=["z", "image"]), "does not fit"),
        (replace("prior", "kind", value="learned"), "does not fit"),
        (replace("conditions", 0, "kind", value=HOSTILE), "does not fit"),
        (replace("conditions"), "incomplete"),
        (replace("networks", "decoder", "head", 0, "op", value=HOSTILE), HOSTILE),
        (replace("codes", "points", "data", value="%"), "unreadable"),
        (replace("prior"), "does not fit"),
        (replace("title"), "incomplete"),
        (replace("networks", "decoder", "weights", "head.0.bias", "data", value="AH4A" * 26 + "AH4="), "not numbers"),
    ],
)
def test_damaged_data_is_said_in_place_of_the_component(blank: Any, tmp_path: Path, damage: Any, message: str) -> None:
    good = export([make_run(tmp_path / "r", family="cvae", hidden=(40,))])
    bad = json.loads(json.dumps(good))
    damage(bad)
    mount(blank, bad)
    problem = blank.get_by_role("alert")
    assert message in problem.inner_text()
    assert "undefined" not in problem.inner_text()
    blank.evaluate("data => window.remount(data)", mounted(good))
    assert blank.get_by_role("alert").count() == 0
    assert blank.get_by_role("slider", name="Latent map").count() == 1


@pytest.mark.parametrize(
    "data", [None, {}, {"version": 1}, {"version": 2, "models": []}, {"version": 2, "models": [7]}, "x"]
)
def test_data_of_another_kind(blank: Any, data: Any) -> None:
    mount_data(blank, data)
    assert blank.get_by_role("alert").inner_text()


# --- the pure parts -------------------------------------------------------------------------------------------------


def test_the_pure_parts_in_node() -> None:
    if shutil.which("node") is None and not REQUIRED:
        pytest.skip("Node.js is not installed; the pages above run the same code")
    tests = sorted(map(str, (ROOT / "tests" / "js").glob("*.test.mjs")))
    done = subprocess.run(["node", "--test", *tests], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
