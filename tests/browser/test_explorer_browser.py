"""The explorer in a real Chromium: what it draws, what it sends, what it keeps. Times are in bench_explorer.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import ROOT, Browser, streamlit
from helpers.explorer import HOSTILE, Explorer, make_run

APP = """
import streamlit as st
from cvae.browser.explorer import export
from cvae.runs.folder import Run
from cvae.ui.components.explorer import PANELS, explorer, payload_of

st.set_page_config(layout="wide")
names = st.query_params["runs"].split(",")
st.session_state["reruns"] = st.session_state.get("reruns", 0) + 1
language = st.radio("language", ["en", "zh"], horizontal=True)
st.button("rerun")
panels = [panel for panel in PANELS if panel != "pad"]
runs = [Run(f"FOLDER/{name}") for name in names]
state = explorer(payload_of(runs), key="explorer", panels=panels, language=language)
st.html(f"<pre id='reruns'>{st.session_state['reruns']}</pre>")
st.json({"z": state.z, "conditions": state.conditions, "cursor": state.cursor, "path": state.path}, expanded=True)
"""


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


@pytest.fixture
def explore(browser: Browser, server: str) -> Iterator[Any]:
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
    assert sum(w > 0 for w in explorer.weights) == 2


def test_one_drag_moves_every_model(explore: Any) -> None:
    explorer = explore("ae,vae,cvae")
    before = explorer.root.evaluate("root => [0, 1, 2].map((i) => [...root.explorer.values(i)])")
    x, y, side = explorer.corner(1)
    explorer.page.mouse.click(x + 0.3 * side, y + 0.6 * side)
    after = explorer.root.evaluate("root => [0, 1, 2].map((i) => [...root.explorer.values(i)])")
    assert all(a != b for a, b in zip(before, after, strict=True))


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
    assert kept[2]["conditions"]["label"]["weights"][7] == 1
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


def test_the_page_keeps_the_state_in_its_address(browser: Browser, tmp_path: Path) -> None:
    for family in ("cvae", "vae"):
        make_run(tmp_path / family, family=family)
    script = tmp_path / "app.py"
    pages = ROOT / "tests" / "pages" / "explore.py"
    script.write_text(
        f"import streamlit as st\nst.set_page_config(layout='wide')\nst.navigation([st.Page({str(pages)!r})]).run()\n"
    )
    with streamlit(script, CVAE_RUNS=str(tmp_path)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        received: list[int] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
        page.goto(f"{address}/?runs=cvae&z=0.5,-1&label=3")
        root = page.get_by_test_id("latent-explorer")
        root.locator("canvas").first.wait_for()
        page.wait_for_timeout(1000)
        assert json.loads(root.get_attribute("data-z")) == [0.5, -1]
        assert root.evaluate("root => root.explorer.state().conditions.label.weights[3]") == 1
        received.clear()
        box = root.get_by_role("slider", name="Latent map").bounding_box()
        page.mouse.move(box["x"] + 100, box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + 123, box["y"] + 234)
        page.mouse.up()
        page.wait_for_function("() => !location.search.includes('z=0.5')")
        page.wait_for_timeout(1000)
        z = json.loads(root.get_attribute("data-z"))
        page.wait_for_url(lambda url: f"z={z[0]:.3g}%2C{z[1]:.3g}" in url)
        assert z[0] != float(f"{z[0]:.3g}")  # the rounded address does not move the cursor
        assert sum(received) < 20_000  # the models were not sent again
        page.close()


def test_grey_is_ink_on_paper_and_white_on_black(explore: Any) -> None:
    explorer = explore("vae", color_scheme="dark")
    corner = "root => root.querySelector('.lx-frame canvas').getContext('2d').getImageData(0, 0, 1, 1).data[0]"
    value = explorer.root.evaluate("root => root.explorer.values(0)[0]")
    assert abs(explorer.root.evaluate(corner) - 255 * value) <= 1
    explorer.page.emulate_media(color_scheme="light")
    explorer.settle()
    assert abs(explorer.root.evaluate(corner) - (255 - 255 * value)) <= 1


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


# --- keyboard, hover, path ------------------------------------------------------------------------------------------


def test_everything_by_keyboard(explore: Any) -> None:
    explorer = explore("cvae")
    pad, keyboard = explorer.pad(), explorer.page.keyboard
    pad.focus()
    sent = len(explorer.sent)
    keys = (
        "(pad, keys) => keys.forEach((key) => pad.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })))"
    )
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
    assert explorer.weights[7] == 1
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


def test_a_finger_moves_the_cursor_and_two_move_the_map(explore: Any) -> None:
    explorer = explore("vae", has_touch=True)
    x, y, side = explorer.corner()
    touch = explorer.page.context.new_cdp_session(explorer.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x + a * side, "y": y + b * side, "id": i} for i, (a, b) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    fingers("touchStart", (0.3, 0.3))
    frames = explorer.frames
    for i in range(10):
        fingers("touchMove", (0.3 + 0.02 * i, 0.3))
    assert explorer.frames - frames >= 7  # the first moves may lie within the slop of a finger
    fingers("touchEnd")
    explorer.settle()
    assert explorer.views() == [None]
    z = explorer.z
    fingers("touchStart", (0.4, 0.5))
    fingers("touchStart", (0.4, 0.5), (0.6, 0.5))
    moved = explorer.z
    for i in range(1, 6):
        fingers("touchMove", (0.4 - 0.05 * i, 0.5), (0.6 + 0.05 * i, 0.5))
    fingers("touchEnd")
    explorer.settle()
    (view,) = explorer.views()
    assert view is not None
    assert explorer.z == moved != z  # the map moved beneath the cursor
    assert explorer.page.evaluate("() => window.scrollY") == 0


def test_wheel_and_shift_move_the_map_but_not_the_cursor(explore: Any) -> None:
    explorer = explore("vae")
    x, y, side = explorer.corner()
    mouse = explorer.page.mouse
    mouse.move(x + side / 2, y + side / 2)
    mouse.wheel(0, -300)
    assert explorer.views() == [None]  # the page scrolls until the map is in use
    mouse.click(x + side / 2, y + side / 2)
    z = explorer.z
    mouse.wheel(0, -300)
    explorer.settle()
    (near,) = explorer.views()
    assert near is not None
    explorer.page.keyboard.down("Shift")
    mouse.down()
    mouse.move(x + side / 2 + 80, y + side / 2, steps=4)
    mouse.up()
    explorer.page.keyboard.up("Shift")
    (panned,) = explorer.views()
    assert panned["x"] < near["x"]
    assert panned["extent"] == near["extent"]
    assert explorer.z == z
    explorer.button("Show everything").click()
    assert explorer.views() == [None]


def test_hover_shows_a_code_and_a_click_goes_there(explore: Any) -> None:
    explorer = explore("cvae")
    code = explorer.root.evaluate("root => root.explorer.codePixels(0)[0]")
    x, y, _ = explorer.corner()
    explorer.page.mouse.move(x + code["x"] + 2, y + code["y"] + 1)
    card = explorer.root.locator(".lx-hover")
    card.wait_for()
    assert card.inner_text().splitlines()[-1] in set("0123456789")
    explorer.page.mouse.click(x + code["x"] + 2, y + code["y"] + 1)
    assert explorer.z == pytest.approx(code["z"])
    card.wait_for(state="hidden")


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


def test_pictures_are_copied_and_saved(explore: Any) -> None:
    explorer = explore("vae", permissions=["clipboard-read", "clipboard-write"])
    explorer.button("Copy the picture").click()
    explorer.root.get_by_text("Picture copied").wait_for()
    size = "async () => (await (await navigator.clipboard.read())[0].getType('image/png')).size"
    assert explorer.page.evaluate(size) > 100
    with explorer.page.expect_download() as download:
        explorer.button("Save the picture as PNG").click()
    path = download.value.path()
    assert path.read_bytes().startswith(b"\x89PNG")
    assert download.value.suggested_filename == "vae-z-0.00_0.00.png"


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
      const [backdrop, codes] = [...root.querySelectorAll('.lx-layer')].map(
        (layer) => layer.getContext('2d').getImageData(0, 0, layer.width, layer.height).data,
      );
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
    assert explorer.weights[4] == 1


def test_narrow_as_a_phone(browser: Browser, server: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    for runs in ("ae,vae,cvae", "deep", "predictive"):
        page.goto(f"{server}/?runs={runs}")
        page.get_by_test_id("latent-explorer").locator("canvas").first.wait_for()
        page.wait_for_timeout(500)
        inside = """root => {
          const right = (element) => element.getBoundingClientRect().right;
          return [...root.querySelectorAll('*')].every((element) => right(element) <= right(root) + 6);
        }"""
        assert page.get_by_test_id("latent-explorer").evaluate(inside), runs
    page.close()
