"""What a model is given beside z, in the browser: the prior that is computed there, and a new kind of condition."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.explorer import make_run, mount_data, mounted
from helpers.node import node

from cvae.assets import EXPLORER, SHARED
from cvae.browser import explorer as export_module
from cvae.browser.explorer import export
from cvae.conditions import ClassCondition
from cvae.explore.inference import Inference
from cvae.ui.components.explorer import ExplorerState

# The first model's prior at values of its conditions: mean and log-variance at each.
PRIORS = """({ createModel, priorAt }, { payload, values }) => {
  const model = createModel(payload.models[0]);
  return values.map((one) => priorAt(model, one)).map(({ mean, logVar }) => [mean, logVar]);
}"""


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("family", ["cvae-learned-prior", "cmma", "cvae-predictive"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("f32", 1e-5), ("f16", 1e-2)])
def test_the_prior_is_that_of_inference(
    family: str, net: str, dtype: str, tolerance: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "PRIOR_CHANGE", 0.0 if dtype == "f32" else np.inf)
    run = make_run(tmp_path / "r", family=family, net=net, latent_dim=3)
    payload = export([run])
    (model,) = payload["models"]
    assert {tensor["dtype"] for tensor in model["networks"]["prior_net"]["weights"].values()} == {dtype}
    values: list[dict[str, Any]]
    given: np.ndarray
    if family == "cvae-predictive":
        given = run.snapshot(1)["strip"][:12] / np.float32(255)
        values = [{"image": i} for i in range(len(given))]
    else:
        blends = np.random.default_rng(0).dirichlet(np.ones(10), 20)
        given = np.concatenate([np.eye(10), blends]).astype(np.float32)
        values = [{"label": {"weights": (3 * weights).tolist(), "mixing": True}} for weights in given.astype(float)]
    found = np.array(node(PRIORS, {"payload": payload, "values": values}, "model.js", "prior.js"))
    means, stds = Inference.load(run).prior(given)
    np.testing.assert_allclose(found[:, 0], means, atol=tolerance)
    np.testing.assert_allclose(np.exp(0.5 * found[:, 1]), stds, atol=tolerance)


TOY = """
import { el } from "../../shared/dom.js";

export const toyKind = {
  read: ({ name, kind, most }) => ({ name, kind, width: 1, most }),
  initial: ({ most }) => most / 2,
  merge: (value, change, { most }) => (change >= 0 && change <= most ? change : value),
  put: (value, { most }, given, at) => void (given.vector[at] = value / most),
  create(app, name) {
    const range = el("input", "", [], { type: "range", min: "0", max: String(app.condition(name).most), step: "any" });
    range.setAttribute("aria-label", name);
    range.oninput = () => app.setCondition(name, range.valueAsNumber);
    range.onchange = () => app.commit();
    const update = () => void (range.valueAsNumber = app.state.conditions[name]);
    return { element: el("section", "", [range]), update };
  },
};
"""


def with_toy(folder: Path) -> Path:
    """A copy of the explorer that knows one kind more: its file, and its import and entry in the index."""
    shutil.copytree(EXPLORER, folder)
    shutil.copytree(SHARED, folder.parent / SHARED.name)
    (folder / "controls" / "toy.js").write_text(TOY)
    index = folder / "controls" / "index.js"
    text = index.read_text(encoding="utf-8")
    entry, source = "  image: imageKind,\n", 'import { imageKind } from "./image.js";\n'
    assert entry in text
    assert source in text
    text = text.replace(entry, f"{entry}  toy: toyKind,\n")
    text = text.replace(source, f'{source}import {{ toyKind }} from "./toy.js";\n')
    index.write_text(text, encoding="utf-8")
    return folder


def toy_payload(folder: Path) -> dict[str, Any]:
    """A model of ten classes of which the tenth number of the vector is said to be a toy."""
    payload = copy.deepcopy(export([make_run(folder, family="cvae")]))
    (model,) = payload["models"]
    nine = {"name": "label", "kind": "class", "values": list("012345678")}
    model["conditions"] = [nine, {"name": "angle", "kind": "toy", "most": 90}]
    return payload


def test_a_kind_of_ones_own_brings_its_control(browser: Browser, tmp_path: Path) -> None:
    payload = toy_payload(tmp_path / "r")
    page = browser.new_page({"width": 1280, "height": 720})
    mount_data(page, mounted(payload, state={"conditions": {"angle": 30}}), with_toy(tmp_path / "explorer"))
    root = page.get_by_test_id("latent-explorer")
    slider = root.get_by_label("angle")
    assert slider.input_value() == "30"
    before = root.evaluate("root => [...root.explorer.values(0)]")
    slider.fill("45")
    assert root.evaluate("root => root.explorer.state().conditions.angle") == 45
    assert page.evaluate("() => window.sent.at(-1)[1].conditions.angle") == 45
    after = np.array(root.evaluate("root => [...root.explorer.values(0)]"))
    assert np.abs(after - before).max() > 1e-3
    given = np.eye(1, 10, dtype=np.float32)
    given[0, 9] = 0.5
    expected = Inference.load(tmp_path / "r").decode(np.zeros((1, 2)), given)
    assert np.abs(after - expected.ravel()).max() < 2 / 255
    page.close()


def test_an_unknown_kind_is_said_in_place_of_the_component(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page({"width": 1280, "height": 720})
    mount_data(page, mounted(toy_payload(tmp_path / "r")))
    assert page.get_by_role("alert").inner_text()
    page.close()


# --- the state, in Python -------------------------------------------------------------------------------------------

MODELS = [{"latentDim": 2, "conditions": [{"name": "label", "kind": "class", "values": ["a", "b"]}]}]


def reported(**changes: Any) -> dict[str, Any]:
    value = {"weights": [1.0, 3.0], "mixing": True}
    return {"z": [0, 1], "conditions": {"label": value, "image": 2}, "path": [], "progress": 0, **changes}


def test_a_state_from_the_browser() -> None:
    label = (ClassCondition("label", ("a", "b")),)
    state = ExplorerState.from_json(reported())
    assert state is not None
    assert list(state.vector(label)) == [0.25, 0.75]
    conditions = reported()["conditions"]
    assert state.to_json() == {"z": [0, 1], "conditions": conditions, "lead": 0, "coupling": "picture"}
    assert ExplorerState((0.0, 1.0)).vector(()) is None
    start = ExplorerState.at({"models": MODELS})
    assert (start.z, list(start.vector(label))) == (None, [1.0, 0.0])
    assert "z" not in start.to_json()  # so the browser starts at the middle of the prior, or follows a picture
    linked = ExplorerState.at({"models": MODELS}, label=np.array([0.25, 0.75], np.float32))
    assert linked.conditions == {"label": {"weights": [0.25, 0.75], "mixing": True}}
    assert state.says(replace(linked, z=(0.0, 1.0005)), label)
    assert not state.says(replace(linked, conditions={**linked.conditions, "image": 1}, z=(0.0, 1.0)), label)
    assert not state.says(start, label)
    assert not state.says(replace(linked, z=(0.0, 1.0), lead=1), label)
    assert not state.says(replace(linked, z=(0.0, 1.0), coupling="sigma"), label)


@pytest.mark.parametrize("weights", [[1, "x"], [1e308, 1e308], [-1, 2], [1], "ab", None])
def test_weights_that_are_no_class_count_as_the_first_one(weights: Any) -> None:
    state = ExplorerState.from_json(reported(conditions={"label": {"weights": weights, "mixing": True}}))
    assert state is not None
    assert list(state.vector((ClassCondition("label", ("a", "b")),))) == [1.0, 0.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"z": [0, np.nan]},
        {"z": 5},
        {"conditions": None},
        {"conditions": {"label": {"weights": [np.nan, 1]}}},
        {"path": 3},
        {"lead": -1},
        {"lead": "first"},
        {"coupling": "all"},
    ],
)
def test_what_is_no_state_is_none(wrong: dict[str, Any]) -> None:
    assert ExplorerState.from_json(reported(**wrong)) is None
