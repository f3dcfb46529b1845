"""The explorer in a real Chromium: what it draws, what it sends, what it keeps. Times are in bench_explorer.py."""

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
from browser import ROOT, launch, streamlit
from explorer_helpers import make_run, torch_model

from cvae.config import LIKELIHOODS, NETS
from cvae.export import export
from cvae.families import FAMILIES
from cvae.runs import Run
from cvae.ui.bundle import bundle
from cvae.ui.explorer import PANELS, texts

ASSETS = ROOT / "assets" / "explorer"
APP = """
import streamlit as st
from cvae.export import export
from cvae.runs import Run
from cvae.ui.explorer import explorer, payload_of

st.set_page_config(layout="wide")
names = st.query_params["runs"].split(",")
st.session_state["reruns"] = st.session_state.get("reruns", 0) + 1
language = st.radio("language", ["en", "zh"], horizontal=True)
st.button("rerun")
state = explorer(payload_of([Run(f"FOLDER/{name}") for name in names]), key="explorer", language=language)
st.html(f"<pre id='reruns'>{st.session_state['reruns']}</pre>")
st.json({"z": state.z, "label": state.label, "cursor": state.cursor, "path": state.path}, expanded=True)
"""
HOSTILE = "<img src=x onerror='window.hacked=1'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launch() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    for family in ("ae", "vae", "cvae", "cmma"):
        make_run(folder / family, family=family, seed=len(family))
    make_run(folder / "deep", family="cvae", latent_dim=6)
    make_run(folder / "predictive", family="cvae-predictive")
    make_run(folder / HOSTILE.replace("/", ""), family="cvae", class_names=(HOSTILE, "</script>", "{z}"))
    script = folder / "app.py"
    script.write_text(APP.replace("FOLDER", str(folder)))
    with streamlit(script) as address:
        yield address


class Explorer:
    """An explorer on a page, with everything that the browser sends to the server counted."""

    def __init__(self, browser: Any, address: str, runs: str, **context: Any) -> None:
        self.page = browser.new_context(viewport={"width": 1280, "height": 1000}, **context).new_page()
        self.sent: list[Any] = []
        self.errors: list[str] = []
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{address}/?runs={runs}")
        self.root = self.page.get_by_test_id("latent-explorer")
        self.root.wait_for()
        self.page.wait_for_function("() => document.querySelector('[data-testid=latent-explorer]').dataset.frames > 0")
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(700)

    @property
    def frames(self) -> int:
        return int(self.root.get_attribute("data-frames"))

    @property
    def z(self) -> list[float]:
        values: list[float] = json.loads(self.root.get_attribute("data-z"))
        return values

    @property
    def reruns(self) -> int:
        return int(self.page.locator("#reruns").inner_text())

    def views(self) -> Any:
        return self.root.evaluate("root => root.explorer.views()")

    def state(self) -> Any:
        return self.root.evaluate("root => root.explorer.state()")

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name, exact=True)

    def label(self, name: str) -> Any:
        return self.root.get_by_role("group", name="Label").get_by_role("button", name=name, exact=True)

    def pad(self, index: int = 0) -> Any:
        return self.root.get_by_role("slider", name="Latent map").nth(index)

    def corner(self, index: int = 0) -> tuple[float, float, float]:
        box = self.pad(index).bounding_box()
        return box["x"], box["y"], box["width"]

    def close(self) -> None:
        assert self.errors == []
        self.page.context.close()


@pytest.fixture
def explore(browser: Any, server: str) -> Iterator[Any]:
    opened: list[Explorer] = []

    def start(runs: str, **context: Any) -> Explorer:
        opened.append(Explorer(browser, server, runs, **context))
        return opened[-1]

    yield start
    for explorer in opened:
        explorer.close()


# --- one picture a move ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", ["cvae", "ae,vae,cvae"])
def test_one_picture_a_move_and_one_message_at_release(explore: Any, runs: str) -> None:
    explorer = explore(runs)
    x, y, side = explorer.corner()
    mouse = explorer.page.mouse
    mouse.move(x + side / 2, y + side / 2)
    mouse.down()
    explorer.settle()
    frames, sent, reruns = explorer.frames, len(explorer.sent), explorer.reruns
    for i in range(200):
        mouse.move(x + side * (0.2 + 0.6 * i / 200), y + side * (0.5 + 0.3 * np.sin(i / 15)))
    assert explorer.frames - frames >= 190
    assert len(explorer.sent) == sent
    during = explorer.z
    mouse.up()
    explorer.page.wait_for_function(f"() => Number(document.querySelector('#reruns').innerText) > {reruns}")
    explorer.settle()
    assert len(explorer.sent) == sent + 1
    assert explorer.reruns == reruns + 1
    assert explorer.z == during


def test_sliders_and_weights_follow_live_and_send_once(explore: Any) -> None:
    explorer = explore("cvae")
    explorer.button("Mix").click()
    explorer.settle()
    for slider in (explorer.root.get_by_label("z1", exact=True), explorer.root.get_by_label("Weight of label 3")):
        slider.scroll_into_view_if_needed()
        frames, sent = explorer.frames, len(explorer.sent)
        box = slider.bounding_box()
        explorer.page.mouse.move(box["x"] + 9, box["y"] + box["height"] / 2)
        explorer.page.mouse.down()
        for i in range(1, 30):
            explorer.page.mouse.move(box["x"] + 9 + i * (box["width"] - 18) / 30, box["y"] + box["height"] / 2)
        assert explorer.frames - frames >= 20
        assert len(explorer.sent) == sent
        explorer.page.mouse.up()
        explorer.settle()
        assert len(explorer.sent) == sent + 1
    assert sum(w > 0 for w in explorer.state()["weights"]) == 2


def test_one_drag_moves_every_model(explore: Any) -> None:
    explorer = explore("ae,vae,cvae")
    before = explorer.root.evaluate("root => [0, 1, 2].map((i) => [...root.explorer.values(i)])")
    x, y, side = explorer.corner(1)
    explorer.page.mouse.click(x + 0.3 * side, y + 0.6 * side)
    after = explorer.root.evaluate("root => [0, 1, 2].map((i) => [...root.explorer.values(i)])")
    assert all(a != b for a, b in zip(before, after, strict=True))


# --- the same picture as PyTorch ------------------------------------------------------------------------------------

KINDS = [
    {"family": family, "net": net, "likelihood": likelihood, "image_shape": shape}
    for family, net, likelihood, shape in itertools.product(FAMILIES, NETS, LIKELIHOODS, [(1, 8, 8), (3, 13, 9)])
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
MOUNT = """
async ({ script, data }) => {
  const url = (window.scriptUrl ??= URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const mount = (await import(url)).default;
  document.body.replaceChildren();
  const parentElement = document.body.appendChild(document.createElement("div"));
  window.sent = [];
  mount({ data, parentElement, setStateValue: (...message) => window.sent.push(message) });
  window.remount = (data) => mount({ data, parentElement, setStateValue: () => {} });
}
"""
SHOW = """
(states) => {
  const root = document.querySelector("[data-testid=latent-explorer]");
  const canvas = root.querySelector(".lx-frame canvas");
  return states.map((state) => {
    root.explorer.set(state);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [[...root.explorer.values(0)], [...data]];
  });
}
"""


@pytest.fixture(scope="module")
def blank(browser: Any) -> Any:
    page = browser.new_page()
    page.goto("about:blank")
    return page


def mount(page: Any, payload: dict[str, Any], **changes: Any) -> None:
    data = {**payload, "key": "k", "panels": list(PANELS), "language": "en", "text": texts("en"), "state": None, **changes}
    page.evaluate(MOUNT, {"script": bundle(ASSETS), "data": data})


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
    conditions = payload["models"][0]["conditions"]
    states = [
        {"z": z[i].tolist(), "weights": weights[i].tolist(), "mixing": True, "condition": i if conditions else 0}
        for i in range(count)
    ]
    shown = blank.evaluate(SHOW, states)
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
    if model.family.given == "condition":
        given = torch.from_numpy(run.snapshot(1)["strip"][condition : condition + 1] / np.float32(255))
    elif model.family.given == "label":
        given = torch.tensor(weights[None], dtype=torch.float32)
    with torch.inference_mode():
        picture = model.decode(torch.tensor(z[None], dtype=torch.float32), given)[0].numpy()
    return np.moveaxis(picture, 0, -1) if picture.ndim == 3 else picture


# --- what survives --------------------------------------------------------------------------------------------------


def test_zoom_cursor_and_label_survive(explore: Any) -> None:
    explorer = explore("cvae", color_scheme="light")
    x, y, side = explorer.corner()
    explorer.page.mouse.click(x + 0.7 * side, y + 0.35 * side)
    explorer.label("7").click()
    explorer.button("Zoom in").click()
    explorer.settle()
    kept = (explorer.z, explorer.views(), explorer.state())
    assert kept[1] != [None]
    assert kept[2]["weights"][7] == 1
    element = explorer.root.element_handle()

    explorer.page.get_by_role("button", name="rerun").click()
    explorer.settle()
    assert (explorer.z, explorer.views(), explorer.state()) == kept

    explorer.page.emulate_media(color_scheme="dark")
    explorer.page.wait_for_function("() => document.querySelector('.lx-dark')")
    explorer.settle()
    assert (explorer.z, explorer.views(), explorer.state()) == kept

    explorer.page.get_by_text("zh", exact=True).click()
    explorer.button("放大").wait_for()
    assert (explorer.z, explorer.views(), explorer.state()) == kept
    assert explorer.root.evaluate("(root, before) => root === before", element)


def test_grey_is_ink_on_paper_and_white_on_black(explore: Any) -> None:
    explorer = explore("vae", color_scheme="dark")
    darkest = "root => Math.max(...root.querySelector('.lx-frame canvas').getContext('2d').getImageData(0, 0, 1, 1).data.slice(0, 3))"
    value = explorer.root.evaluate("root => root.explorer.values(0)[0]")
    assert abs(explorer.root.evaluate(darkest) - 255 * value) <= 1
    explorer.page.emulate_media(color_scheme="light")
    explorer.settle()
    assert abs(explorer.root.evaluate(darkest) - (255 - 255 * value)) <= 1


def test_other_weights_of_the_same_model_keep_the_place(blank: Any, tmp_path: Path) -> None:
    first, second = (export([make_run(tmp_path / str(seed) / "r", family="cvae", seed=seed)]) for seed in (0, 1))
    mount(blank, first)
    blank.evaluate(SHOW, [{"z": [0.5, -0.5]}])
    before = blank.evaluate(SHOW, [{}])[0][0]
    data = {**second, "key": "k", "panels": list(PANELS), "language": "en", "text": texts("en"), "state": None}
    blank.evaluate("data => window.remount(data)", data)
    root = blank.get_by_test_id("latent-explorer")
    assert json.loads(root.get_attribute("data-z")) == [0.5, -0.5]
    assert blank.evaluate(SHOW, [{}])[0][0] != before


# --- trouble --------------------------------------------------------------------------------------------------------


def test_hostile_text_is_shown_as_text(explore: Any) -> None:
    explorer = explore(HOSTILE.replace("/", "").replace(" ", "%20"))
    assert explorer.root.get_by_text(HOSTILE).count() >= 2
    assert explorer.root.get_by_text("</script>").count() >= 2
    assert explorer.root.locator("img").count() == 0
    x, y, side = explorer.corner()
    for i in range(12):
        explorer.page.mouse.move(x + side * (0.3 + i / 30), y + side / 2)
    assert explorer.page.evaluate("() => window.hacked") is None


def cut(payload: Any) -> None:
    tensor = payload["models"][0]["decoder"]["weights"]["head.0.weight"]
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
        (replace("decoder"), "decoder is missing"),
        (replace("decoder", "head", 0, "op", value=HOSTILE), HOSTILE),
        (replace("codes", "points", "data", value="%"), "unreadable"),
        (replace("prior"), "does not fit"),
        (replace("title"), "incomplete"),
        (replace("decoder", "weights", "head.0.bias", "data", value="AH4A" * 26 + "AH4="), "not numbers"),
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
    common = {"key": "k", "panels": list(PANELS), "language": "en", "text": texts("en"), "state": None}
    blank.evaluate("data => window.remount(data)", {**good, **common})
    assert blank.get_by_role("alert").count() == 0
    assert blank.get_by_role("slider", name="Latent map").count() == 1


@pytest.mark.parametrize("data", [None, {}, {"version": 2}, {"version": 1, "models": []}, {"version": 1, "models": [7]}, "x"])
def test_data_of_another_kind(blank: Any, data: Any) -> None:
    blank.evaluate(MOUNT, {"script": bundle(ASSETS), "data": data})
    assert blank.get_by_role("alert").inner_text()


# --- keyboard, hover, path ------------------------------------------------------------------------------------------


def test_everything_by_keyboard(explore: Any) -> None:
    explorer = explore("cvae")
    pad, keyboard = explorer.pad(), explorer.page.keyboard
    pad.focus()
    sent = len(explorer.sent)
    keys = "(pad, keys) => keys.forEach((key) => pad.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })))"
    pad.evaluate(keys, ["ArrowRight"] * 5 + ["ArrowUp"])
    assert len(explorer.sent) == sent
    explorer.settle()
    assert len(explorer.sent) == sent + 1  # for all six keys
    x, y = explorer.z
    assert x == pytest.approx(5 * y)
    assert y > 0
    assert "near codes of class" in pad.get_attribute("aria-valuetext")
    keyboard.press("ArrowRight")
    assert explorer.z[0] > x
    keyboard.press("ArrowLeft")
    keyboard.press("Shift+ArrowLeft")
    assert explorer.z[0] == pytest.approx(0, abs=1e-9)
    keyboard.press("7")
    assert explorer.state()["weights"][7] == 1
    keyboard.press("Enter")  # the nearest code
    assert explorer.z != [x, y]
    keyboard.press("Home")
    assert explorer.z == [0, 0]
    keyboard.press("+")
    assert explorer.views() != [None]

    slider = explorer.root.get_by_label("z2", exact=True)
    slider.focus()
    keyboard.press("ArrowRight")
    assert explorer.z[1] > 0
    explorer.settle()
    assert "percentile" in slider.get_attribute("aria-valuetext")
    number = explorer.root.get_by_label("Value of z1")
    number.fill("1.25")
    number.press("Enter")
    assert explorer.z[0] == 1.25

    focusable = explorer.root.locator("button:visible, input:visible, select:visible, [tabindex='0']:visible")
    for i in range(focusable.count()):
        assert focusable.nth(i).evaluate(
            "e => Boolean(e.getAttribute('aria-label') || e.textContent.trim() || e.getAttribute('aria-labelledby'))"
        )


def test_the_focus_is_seen(explore: Any) -> None:
    explorer = explore("cvae")
    for element in (explorer.pad(), explorer.root.get_by_label("z1", exact=True), explorer.button("Codes")):
        explorer.page.keyboard.press("Tab")
        element.focus()
        assert float(element.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth)")) >= 2
        assert element.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_hover_shows_a_code_and_a_click_goes_there(explore: Any) -> None:
    explorer = explore("cvae")
    code = explorer.root.evaluate("root => root.explorer.codePixels(0)[0]")
    x, y, _ = explorer.corner()
    explorer.page.mouse.move(x + code["x"] + 2, y + code["y"] + 1)
    card = explorer.root.locator(".lx-hover")
    assert card.is_visible()
    assert card.inner_text().splitlines()[-1] in set("0123456789")
    explorer.page.mouse.click(x + code["x"] + 2, y + code["y"] + 1)
    assert explorer.z == pytest.approx(code["z"])
    assert not card.is_visible()


def test_a_path_is_set_scrubbed_and_played(explore: Any) -> None:
    explorer = explore("deep")
    x, y, side = explorer.corner()
    explorer.page.mouse.click(x + 0.25 * side, y + 0.75 * side)
    explorer.button("Set A").click()
    start = explorer.z
    explorer.page.mouse.click(x + 0.7 * side, y + 0.3 * side)
    explorer.button("Set B").click()
    end = explorer.z
    scrub = explorer.root.get_by_label("Place along the path")
    scrub.fill("0.5")
    assert explorer.z == pytest.approx([(a + b) / 2 for a, b in zip(start, end, strict=True)])
    frames = explorer.frames
    explorer.button("Play the path").click()
    explorer.page.wait_for_timeout(1000)
    explorer.button("Pause").click()
    assert explorer.frames > frames + 10
    explorer.settle()
    assert explorer.state()["progress"] != 0.5
    explorer.button("Clear").click()
    assert explorer.state()["path"] == []


def test_reduced_motion_plays_in_steps(explore: Any) -> None:
    explorer = explore("vae", reduced_motion="reduce")
    explorer.button("Set A").click()
    x, y, side = explorer.corner()
    explorer.page.mouse.click(x + 0.7 * side, y + 0.3 * side)
    explorer.button("Set B").click()
    explorer.root.get_by_label("Place along the path").fill("0")
    frames = explorer.frames
    explorer.button("Play the path").click()
    explorer.page.wait_for_timeout(1500)
    assert 1 <= explorer.frames - frames <= 5


def test_classes_are_greyed_and_the_manifold_is_drawn(explore: Any) -> None:
    explorer = explore("cvae")
    count = """root => {
      const [backdrop, codes] = [...root.querySelectorAll('.lx-layer')].map((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data);
      let blue = 0, inked = 0;
      for (let i = 0; i < codes.length; i += 4) blue += codes[i + 2] > codes[i] + 60 && codes[i + 3] > 100;
      for (let i = 3; i < backdrop.length; i += 4) inked += backdrop[i] > 0;
      return { blue, inked: inked / (backdrop.length / 4) };
    }"""
    before = explorer.root.evaluate(count)
    assert before["inked"] == 0
    explorer.button("0").first.click()
    explorer.button("Manifold").click()
    explorer.settle()
    after = explorer.root.evaluate(count)
    assert after["blue"] < 0.6 * before["blue"]
    assert after["inked"] > 0.95


def test_a_label_moves_the_code_where_it_reaches_the_picture_through_z(explore: Any) -> None:
    explorer = explore("cmma")
    before = explorer.z
    explorer.label("4").click()
    assert explorer.z != before
    assert explorer.state()["weights"][4] == 1


def test_narrow_as_a_phone(browser: Any, server: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    for runs in ("ae,vae,cvae", "deep", "predictive"):
        page.goto(f"{server}/?runs={runs}")
        page.get_by_test_id("latent-explorer").locator("canvas").first.wait_for()
        page.wait_for_timeout(500)
        inside = "root => [...root.querySelectorAll('*')].every((e) => e.getBoundingClientRect().right <= root.getBoundingClientRect().right + 6)"
        assert page.get_by_test_id("latent-explorer").evaluate(inside), runs
    page.close()


# --- the pure parts -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed; the pages above run the same code")
def test_the_pure_parts_in_node() -> None:
    tests = sorted(map(str, (ROOT / "tests" / "js").glob("*.test.mjs")))
    done = subprocess.run(["node", "--test", *tests], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
