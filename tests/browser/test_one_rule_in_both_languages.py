"""What Python and JavaScript both compute has one definition: both answer the same on random inputs."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.engine import tiny_run
from helpers.explorer import make_run, mount, mount_data, mounted
from helpers.node import node

from cvae.assets import EXPLORER, LIVE, SHIPPED
from cvae.browser.explorer import export
from cvae.browser.live import ClientState, updates_since
from cvae.data import ImageData
from cvae.explore.codes import active_units
from cvae.explore.decoding import Interpolation, carry_code, path
from cvae.explore.inference import Inference
from cvae.families import FAMILIES
from cvae.measuring.classifier import Classifier
from cvae.runs.folder import Run
from cvae.training.loop import fit
from cvae.ui.components.explorer import ExplorerState
from cvae.ui.components.live import VERSION
from cvae.ui.frame.text import section

# --- interpolation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("course", ["linear", "spherical"])
def test_the_way_between_codes(course: Interpolation) -> None:
    rng = np.random.default_rng(0)
    steps = 9
    ways = [
        {"points": rng.normal(0, 3, (points, d)).tolist(), "centre": rng.normal(0, 2, d).tolist()}
        for points, d in itertools.product((2, 3, 5), (1, 2, 16))
    ]
    origin = [0.0, 0.0, 0.0]
    ways += [  # no circle joins these
        {"points": [[1.0, 2.0, 3.0], [-2.0, -4.0, -6.0]], "centre": origin},
        {"points": [origin, [1.0, 2.0, 3.0]], "centre": origin},
        {"points": [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], "centre": [1.0, 1.0, 1.0]},
    ]
    given = {"ways": ways, "steps": steps, "course": course}
    found = node(
        """({ along }, { ways, steps, course }) => ways.map(({ points, centre }) =>
             Array.from({ length: steps }, (_, i) => along(points, i / (steps - 1), course, centre)))""",
        given,
        "path.js",
    )
    for way, codes in zip(ways, found, strict=True):
        np.testing.assert_allclose(codes, path(way["points"], steps, course, centre=way["centre"]), atol=1e-5)


# --- a changed label ------------------------------------------------------------------------------------------------

CODES = """({ createModel, carryCode }, { payload, states, after }) => {
  const models = payload.models.map(createModel);
  return models.map((model) => states.map(({ z, conditions }, i) => carryCode(model, z, conditions, after[i])));
}"""


def label_of(weights: np.ndarray) -> dict[str, Any]:
    return {"label": {"weights": weights.tolist(), "mixing": True}}


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.takes == "condition"])
def test_what_a_changed_label_does_to_z(family: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", family=family, latent_dim=3, gain=1.0)
    model, rng = Inference.load(run), np.random.default_rng(0)
    z = rng.normal(0, 2, (20, 3))
    before, after = (rng.dirichlet(np.ones(10) / 3, 20).astype(np.float32) for _ in range(2))
    states = [{"z": one.tolist(), "conditions": label_of(y)} for one, y in zip(z, before, strict=True)]
    given = {"payload": export([run]), "states": states, "after": list(map(label_of, after))}
    (found,) = node(CODES, given, "model.js", "prior.js")
    expected = carry_code(model, z, before, after)
    np.testing.assert_allclose(found, expected, rtol=2e-2, atol=2e-2)  # the prior net travels in half precision
    assert (np.abs(expected - z).max() > 0.1) == (model.family.prior == "learned")


def test_a_label_moves_each_model_beside_others_as_if_it_were_alone(browser: Browser, tmp_path: Path) -> None:
    families = ("cmma", "cvae", "cvae-learned-prior", "ae")
    runs = [make_run(tmp_path / family, family=family, seed=i) for i, family in enumerate(families)]
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    mount(page, export(runs))
    root = page.get_by_test_id("latent-explorer")
    labels = np.eye(10, dtype=np.float32)

    def codes() -> np.ndarray:
        return np.array(root.evaluate("root => root.explorer.codes()"))

    def values(index: int) -> np.ndarray:
        return np.array(root.evaluate("(root, i) => [...root.explorer.values(i)]", index))

    root.evaluate("root => root.explorer.set({ z: [0.7, -0.4], coupling: 'sigma' })")
    before = codes()
    root.get_by_role("group", name="Label").get_by_role("button", name="4", exact=True).click()
    after = codes()
    for i, run in enumerate(runs):
        model = Inference.load(run)
        expected = carry_code(model, before[i : i + 1], labels[0], labels[4])
        np.testing.assert_allclose(after[i], expected[0], atol=1e-2)
        given = labels[4:5] if model.config.takes_label else None
        np.testing.assert_allclose(values(i), model.decode(after[i : i + 1], given).ravel(), atol=2 / 255)
    moved = np.abs(after - before).max(1) > 1e-3
    assert moved.tolist() == [True, False, True, False]
    x, y, side = (page.get_by_role("slider", name="Latent map").nth(0).bounding_box()[k] for k in ("x", "y", "width"))
    page.mouse.click(x + 0.4 * side, y + 0.6 * side)
    mean, covariance = Inference.load(runs[3]).fitted()
    noise = np.linalg.solve(np.linalg.cholesky(covariance), codes()[3] - mean)  # of the autoencoder
    np.testing.assert_allclose(codes()[1], noise, atol=1e-4)
    page.close()


def test_on_compare_cmma_draws_the_chosen_label(browser: Browser) -> None:
    """CMMA's decoder sees z alone: a label reaches its picture only because z is carried to that label's prior."""
    classifier = Classifier.load("mnist")
    assert classifier is not None
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    mount(page, export([Run(SHIPPED / name) for name in ("mnist-cvae", "mnist-cmma")]))
    root = page.get_by_test_id("latent-explorer")
    pictures = []
    for k in range(10):
        root.get_by_role("group", name="Label").get_by_role("button", name=str(k), exact=True).click()
        assert json.loads(root.get_attribute("data-z")) == [0, 0]
        pictures.append(root.evaluate("root => [...root.explorer.values(1)]"))
    page.close()
    images = np.rint(255 * np.array(pictures)).astype(np.uint8).reshape(10, 1, 28, 28)
    seen = classifier.classes(classifier.features(images))
    assert (seen == np.arange(10)).sum() >= 8, seen


# --- active units ---------------------------------------------------------------------------------------------------


def test_the_live_view_says_how_many_units_are_active_as_evaluate_does(
    browser: Browser, tmp_path: Path, few_digits: ImageData
) -> None:
    """By the variance of the codes, not by the KL of a dimension, which may be high where nothing varies."""
    for _ in fit(tmp_path / "r", tiny_run(epochs=2), data=few_digits):
        pass
    run = Run(tmp_path / "r")
    step, last = run.snapshot_steps()[-1], run.history()[-1]
    codes = np.random.default_rng(0).standard_normal((64, 2)) * [1, 0.05] + [0, 2]
    run.write_arrays(f"snapshots/{step}", {**run.snapshot(step), "codes": codes})
    run.append({**last, "step": last["step"] + 1, "kl_per_dim": [1.5, 2.0]})
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    main = updates_since(run, run.status(), ClientState())
    content = {
        "version": VERSION, "key": "k", "language": "en", "text": section("en", "live"), "tick": 0, "poll": 0,
        "name": "r", "title": "r", "main": main, "classes": list("0123456789"), "latentDim": 2, "prior": True,
        "waitsFor": None, "others": [],
    }  # fmt: skip
    mount_data(page, content, LIVE)
    page.get_by_text("1 of 2 active").wait_for()
    assert active_units(codes) == 1
    page.close()


# --- what is sent ---------------------------------------------------------------------------------------------------


def fields(declarations: Path, name: str) -> tuple[set[str], set[str]]:
    """The fields of a TypeScript interface: those that are always there, and those that may be left out."""
    found = re.search(rf"interface {name} [^{{]*\{{\n(.*?)\n\}}", declarations.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    names = re.findall(r"^  (\w+)(\??):", found[1], re.MULTILINE)
    return {field for field, maybe in names if not maybe}, {field for field, maybe in names if maybe}


def assert_typed(sent: Mapping[str, Any], declarations: Path, name: str, *, more: Set[str] = frozenset()) -> None:
    """Every field that is sent is in the interface, and every field that is always there is sent."""
    always, maybe = fields(declarations, name)
    assert always <= set(sent), f"{name}: {always - set(sent)} are not sent"
    assert set(sent) <= always | maybe | more, f"{name} knows no {set(sent) - always - maybe}"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_explorer_s_payload_has_the_fields_that_its_types_say(family: str, tmp_path: Path) -> None:
    types = EXPLORER / "payload.d.ts"
    payload = mounted(export([make_run(tmp_path / "r", family=family)]))
    assert_typed(payload, types, "Payload")
    (model,) = payload["models"]
    assert_typed(model, types, "ModelPayload")
    assert_typed(model["prior"], types, "PriorPayload")
    assert_typed(model["codes"], types, "CodesPayload")
    for network in model["networks"].values():
        assert_typed(network, types, "NetworkPayload")
    for condition in model["conditions"]:
        assert_typed(condition, types, "ConditionPayload")
    assert_typed(ExplorerState.at(payload).to_json(), types, "StatePayload")


def test_the_live_view_s_payload_has_the_fields_that_its_types_say(tmp_path: Path, few_digits: ImageData) -> None:
    types = LIVE / "payload.d.ts"
    for _ in fit(tmp_path / "r", tiny_run(epochs=1), data=few_digits):
        pass
    run = Run(tmp_path / "r")
    answer = updates_since(run, run.status(), ClientState())
    assert_typed(answer, types, "Answer")
    assert_typed(answer["history"], types, "History")
    assert_typed(answer["snapshots"][0], types, "FramePayload")
    assert_typed(answer["status"], types, "Status", more=set(answer["status"]))
