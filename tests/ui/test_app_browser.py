"""The app in a real Chromium: the way from an empty folder to a trained model, and a training that is watched.

Times are in bench_app.py; what is waited for here may take long on a busy machine.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import ROOT, Browser, streamlit
from helpers.engine import tiny_run, wait_until

from cvae.assets import SHIPPED
from cvae.runs.find import runs_in
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.ui.frame import pages
from cvae.ui.frame.text import translate

PAGES = tuple(page.id for page in pages.PAGES)
DRAWN = "[data-testid=latent-explorer]:not([data-frames='0'])"
SHOWN = {  # what stands on a page once it shows something of a run
    "start": DRAWN, "train": "[data-testid=live-view]:not([data-updates='0'])", "latent": ".js-plotly-plot .main-svg",
    "sample": DRAWN, "compare": DRAWN, "measure": ".js-plotly-plot .main-svg",
}  # fmt: skip
LIVE = "[data-testid=live-view]"
LONG = 60_000  # milliseconds

Visit = Callable[..., Any]


def en(key: str, **values: Any) -> str:
    return translate("en", key, **values)


@contextlib.contextmanager
def app(folder: Path) -> Iterator[str]:
    """The app on a runs folder of its own: its address. The workers of the queue end with it."""
    folder.mkdir()
    environment = {"CVAE_RUNS": str(folder), "CVAE_DATA": str(folder / ".data")}
    with streamlit(ROOT / "app.py", folder.with_suffix(".log"), **environment) as address:
        yield address
    for worker in Jobs(folder).workers.glob("*"):
        os.kill(int(worker.name), signal.SIGKILL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("app") / "runs"
    with app(folder) as address:
        yield address, folder


@pytest.fixture
def folder(server: tuple[str, Path]) -> Iterator[Path]:
    """The app's runs folder, empty before and after the test."""
    folder = server[1]
    yield folder
    jobs = Jobs(folder)
    for run in runs_in(folder):
        jobs.delete(run)


@pytest.fixture
def visit(browser: Browser, server: tuple[str, Path], folder: Path) -> Iterator[Visit]:
    with visitor(browser, server[0]) as opened:
        yield opened


def handshake(address: str, host: str) -> int:
    """Ask for the app's WebSocket as a page of `http://host` would; return the status of the answer."""
    port = address.rpartition(":")[2]
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    with contextlib.closing(connection):
        headers = {
            "Host": f"{host}:{port}", "Origin": f"http://{host}:{port}", "Connection": "Upgrade",
            "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }  # fmt: skip
        connection.request("GET", "/_stcore/stream", headers=headers)
        return connection.getresponse().status


@contextlib.contextmanager
def visitor(browser: Browser, address: str) -> Iterator[Visit]:
    """Opens pages, each a session of its own; an error in the browser, an exception on a page or a request to anywhere
    else fails the test."""
    pages, errors = [], []

    def requested(request: Any) -> None:
        if not request.url.startswith((address, "blob:", "data:")):
            errors.append(f"the page asked for {request.url}")

    def opened(path: str = "/", **context: Any) -> Any:
        page = browser.new_page({"width": 1400, "height": 1000}, **context)
        pages.append(page)
        page.set_default_timeout(LONG)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", requested)
        page.goto(address + path)
        page.get_by_test_id("stMainBlockContainer").wait_for()
        return page

    try:
        yield opened
        for page in pages:
            assert page.get_by_test_id("stException").count() == 0
    finally:
        for page in pages:
            page.close()
    assert errors == []


class Live:
    """The live view on a page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.locator(LIVE).wait_for()

    def __getattr__(self, name: str) -> str:
        return str(self.page.locator(LIVE).evaluate(f"root => root.dataset.{name} ?? ''"))

    @property
    def looks(self) -> dict[str, Any]:
        code = "root => ({...root.looks, hidden: [...root.looks.map.hidden]})"
        looks: dict[str, Any] = self.page.locator(LIVE).evaluate(code)
        return looks

    def wait(self, condition: str) -> None:
        """Until a condition on the view's `data` holds."""
        view = f"document.querySelector('{LIVE}')"
        self.page.wait_for_function(f"() => {{ const data = {view}?.dataset; return data && {condition}; }}")

    def panel(self, number: int) -> dict[str, float]:
        box: dict[str, float] = self.page.locator(f"{LIVE} .lv-canvas").nth(number).bounding_box()
        return box


def press(page: Any, key: str, **values: Any) -> None:
    page.get_by_role("button", name=en(key, **values), exact=True).click()


def long_run(folder: Path, name: str = "long") -> Run:
    """A training that goes on for as long as the test looks at it, slowly: the page needs the processor."""
    run = Jobs(folder).submit(name, tiny_run("vae", epochs=50_000))
    wait_until(lambda: run.status().step > 0, 60)
    run.request("slow", 30)
    return run


# --- every page -----------------------------------------------------------------------------------------------------


def test_a_fresh_server_shows_the_frame_around_any_page(browser: Browser, tmp_path: Path):
    with app(tmp_path / "runs") as address, visitor(browser, address) as visit:
        page = visit("/train?lang=zh")
        page.get_by_role("button", name=translate("zh", "train.start")).wait_for()
        for name in ("start", "train", "latent", "sample", "compare", "measure"):
            page.get_by_role("link", name=translate("zh", f"pages.{name}")).wait_for()
        assert page.get_by_test_id("stSidebar").count() == 0
        page.wait_for_url("**lang=zh*")


@pytest.mark.parametrize(
    ("runs", "language", "scheme"),
    [  # English with a run of digits: below, from one click
        ("none", "en", "light"), ("none", "zh", "dark"), ("digits", "zh", "dark"), ("mnist", "en", "light"),
        ("mnist", "zh", "dark"),
    ],
)  # fmt: skip
def test_every_page_opens(
    visit: Visit, folder: Path, trained: Callable[..., Run], runs: str, language: str, scheme: str
):
    for family in ("ae", "vae", "cvae") if runs != "none" else ():
        made = trained(family).path if runs == "digits" else SHIPPED / f"mnist-{family}"
        shutil.copytree(made, folder / family)
    page = visit(f"/?lang={language}", color_scheme=scheme)
    for name in (*PAGES[1:], PAGES[0]):
        page.get_by_role("link", name=translate(language, f"pages.{name}"), exact=True).click()
        page.wait_for_url(f"**/{'' if name == 'start' else name}?*")
        if runs == "none":
            content = {"start": translate(language, "start.train"), "train": translate(language, "train.start")}
            page.get_by_text(content.get(name, translate(language, "runs.to_train")), exact=True).first.wait_for()
        else:
            page.locator(SHOWN[name]).first.wait_for()
        assert page.locator("[data-testid=stException]").count() == 0


def test_back_leads_to_the_page_before_and_a_run_stays_chosen(visit: Visit, folder: Path, trained: Callable[..., Run]):
    for family in ("vae", "cvae"):
        shutil.copytree(trained(family).path, folder / family)
    page = visit("/latent?run=cvae")
    for name in ("sample", "latent", "sample"):
        page.locator(SHOWN["latent" if name == "sample" else "sample"]).first.wait_for()
        page.wait_for_function("() => location.search.includes('run=cvae')")
        page.get_by_role("link", name=en(f"pages.{name}"), exact=True).click()
        page.wait_for_url(f"**/{name}?*run=cvae*")
    for digit in "37":  # the link of a page changes, and is no step of its own
        page.get_by_role("group", name="Label").get_by_role("button", name=digit, exact=True).click()
        page.wait_for_url(f"**label={digit}*")
    for name in ("latent", "sample", "latent"):
        page.go_back()
        page.wait_for_url(f"**/{name}*")
        page.locator(SHOWN[name]).first.wait_for()


def test_the_language_changes_and_the_link_says_so(visit: Visit):
    page = visit("/train", locale="zh-CN")
    page.get_by_role("button", name=translate("zh", "train.start")).wait_for()
    page.get_by_text("English", exact=True).click()
    page.get_by_role("button", name=en("train.start")).wait_for()
    page.wait_for_url("**lang=en*")
    page.get_by_role("link", name=en("pages.start")).click()
    page.get_by_role("button", name=en("start.train")).wait_for()
    page.wait_for_function("() => location.search.includes('lang=en')")


# --- from nothing to a model ----------------------------------------------------------------------------------------


def test_from_one_click_through_every_page(visit: Visit, folder: Path):
    page = visit()
    press(page, "start.train")
    Live(page).wait("+data.records > 0")
    page.locator(DRAWN).wait_for()
    run = Run(folder / "cvae-digits-1")
    assert run.status().state == "finished"
    page.wait_for_url("**run=cvae-digits-1*")
    for name in PAGES[1:]:
        page.get_by_role("link", name=en(f"pages.{name}"), exact=True).click()
        page.locator(SHOWN[name]).first.wait_for()
        assert page.get_by_test_id("stException").count() == 0
        page.wait_for_url("**cvae-digits-1**")
        if name == "train":
            live = Live(page)
            live.wait(f"+data.frames === {len(run.snapshot_steps())}")
            page.get_by_label(en("live.replay.slider")).press("Home")
            assert live.shown == "0"


def test_no_web_page_drives_the_app_under_a_name_of_its_own(server: tuple[str, Path]):
    own = ["localhost", "127.0.0.1", "[::1]", "192.0.2.0", "192.0.2.255"]
    assert {host: handshake(server[0], host) for host in own} == dict.fromkeys(own, 101)
    borrowed = ["evil.example", "localhost.evil.example", "evil.example.", "192.0.2.7.evil.example", "[2001:db8::7]"]
    assert {host: handshake(server[0], host) for host in borrowed} == dict.fromkeys(borrowed, 403)


def test_start_watch_pause_step_and_resume(visit: Visit, folder: Path):
    page = visit("/train")
    page.get_by_label(en("train.epochs"), exact=True).fill("50000")
    page.get_by_label(en("train.epochs"), exact=True).press("Tab")
    page.get_by_text("50000 epochs").wait_for()
    press(page, "train.start")
    live = Live(page)
    live.wait("+data.records > 0 && data.state === 'running'")
    run = Run(folder / "cvae-digits-1")
    page.get_by_role("button", name=en("train.start")).wait_for(state="detached")  # folded away, to make room

    press(page, "live.pause")
    live.wait("data.state === 'paused'")
    at = run.status().step
    for n in (1, 2):
        press(page, "live.step")
        live.wait(f"+data.step === {at + n} && +data.shown === {at + n}")
    assert run.status().step == at + 2
    press(page, "live.slow")
    live.wait(f"+data.step > {at + 4}")
    press(page, "live.resume")
    live.wait(f"+data.step > {at + 60}")
    press(page, "live.stop")
    live.wait("data.state === 'stopped'")
    assert run.status().state == "stopped"


# --- a training goes on, whoever looks ------------------------------------------------------------------------------


def test_a_training_lives_through_page_switch_reload_and_closed_tab(visit: Visit, folder: Path):
    run = long_run(folder)
    page = visit("/train?run=long")
    live = Live(page)
    live.wait("+data.step > 0")

    def rises() -> None:
        before = run.status().step
        wait_until(lambda: run.status().step > before, 30)
        assert run.status().state == "running"

    page.get_by_role("link", name=en("pages.compare")).click()
    page.wait_for_url("**/compare*")
    rises()
    page.get_by_role("link", name=en("pages.train")).click()
    Live(page).wait("+data.step > 0")
    page.reload()
    Live(page).wait("+data.step > 0")
    rises()
    page.goto("about:blank")
    rises()
    again = Live(visit("/train?run=long"))
    again.wait("data.state === 'running' && +data.records > 0")


def test_what_the_user_set_survives_the_updates(visit: Visit, folder: Path):
    long_run(folder)
    page = visit("/train?run=long")
    live = Live(page)
    live.wait("+data.records > 30")
    box = live.panel(0)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=4)
    page.mouse.up()
    page.mouse.click(box["x"] + 0.6 * box["width"], y)  # pins the cursor
    page.locator(f"{LIVE} .lv-chip").nth(3).click()
    page.get_by_role("button", name=en("live.map.zoomIn")).click()
    before = live.looks
    assert before["curves"]["range"]["from"] > 0
    assert before["curves"]["pinned"] is True
    assert before["map"]["view"]["extent"] > 0
    assert before["hidden"] == [3]
    updates = int(live.updates)
    live.wait(f"+data.updates > {updates + 5}")
    assert live.looks == before
    page.get_by_role("link", name=en("pages.compare")).click()
    page.wait_for_url("**/compare*")
    page.get_by_role("link", name=en("pages.train")).click()
    Live(page).wait("+data.records > 30")
    assert live.looks == before


def test_a_page_that_is_being_left_asks_for_nothing_more(visit: Visit, folder: Path):
    """Streamlit 1.67 would clear the page that follows, were it asked for a part of this one meanwhile."""
    long_run(folder)
    page = visit("/train?run=long")
    Live(page).wait("+data.updates > 2")
    updates = page.evaluate(
        """async (selector) => {
          const link = Object.assign(document.createElement("a"), { href: "#", onclick: () => false });
          document.body.append(link);
          link.click();
          const since = performance.now(), updates = [];
          for (let now = since; now < since + 2800; now = performance.now()) {
            updates.push(document.querySelector(selector).dataset.updates);
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return updates;
        }""",
        LIVE,
    )
    assert len(set(updates)) <= 2  # one answer may have been under way, however slow; asking on brings five
    Live(page).wait(f"+data.updates > {updates[-1]}")


def test_replay_moves_map_and_pictures_without_the_server(visit: Visit, folder: Path, trained: Callable[..., Run]):
    shutil.copytree(trained("vae").path, folder / "vae")
    page = visit("/train?run=vae")
    steps = Run(folder / "vae").snapshot_steps()
    live = Live(page)
    live.wait(f"+data.frames === {len(steps)} && +data.shown === {steps[-1]}")
    canvases = "[...root.querySelectorAll('.lv-strip-canvas'), root.querySelector('.lv-map-canvas')]"
    picture = f"root => {canvases}.map((canvas) => canvas.toDataURL()).join()"
    last = page.locator(LIVE).evaluate(picture)
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", sent.append))
    slider = page.get_by_label(en("live.replay.slider"))
    slider.evaluate("slider => { slider.value = 0; slider.dispatchEvent(new Event('input', {bubbles: true})); }")
    assert live.shown == "0"
    assert slider.get_attribute("aria-valuetext") == "step 0 · epoch 0.00"
    assert page.locator(LIVE).evaluate(picture) != last
    slider.press("ArrowRight")
    assert live.shown == str(steps[1])
    slider.press("End")
    assert live.shown == str(steps[-1])
    assert page.locator(LIVE).evaluate(picture) == last


def test_replay_stays_in_the_past_while_the_training_goes_on(visit: Visit, folder: Path):
    long_run(folder)
    page = visit("/train?run=long")
    live = Live(page)
    live.wait("+data.frames > 3")
    slider = page.get_by_label(en("live.replay.slider"))
    slider.evaluate("slider => { slider.value = 1; slider.dispatchEvent(new Event('input', {bubbles: true})); }")
    shown, updates = live.shown, int(live.updates)
    live.wait(f"+data.updates > {updates + 4}")
    assert live.shown == shown


def test_two_users_watch_one_training_each_in_their_own_way(visit: Visit, folder: Path):
    long_run(folder)
    first, second = visit("/train?run=long"), visit("/train?run=long&lang=zh", color_scheme="dark")
    one, two = Live(first), Live(second)
    for live in (one, two):
        live.wait("+data.records > 10")
    first.locator(f"{LIVE} .lv-chip").nth(0).click()
    second.get_by_role("button", name=translate("zh", "live.pause")).click()
    for live in (one, two):
        live.wait("data.state === 'paused'")
    assert (one.looks["hidden"], two.looks["hidden"]) == ([0], [])
    assert second.locator(f"{LIVE} .lv-state").text_content() == translate("zh", "runs.state.paused")
    assert first.locator(f"{LIVE} .lv-state").text_content() == en("runs.state.paused")


def test_a_queue_says_what_it_waits_for_and_goes_on_by_itself(visit: Visit, folder: Path):
    jobs = Jobs(folder)
    first = long_run(folder)
    second = jobs.submit("second", tiny_run("ae", epochs=3))
    page = visit("/train?run=second")
    Live(page).wait("data.state === 'queued'")
    page.get_by_text(en("live.status.waits", name="long")).wait_for()
    jobs.stop(first)
    Live(page).wait("data.state === 'finished'")
    assert second.status().state == "finished"


def test_curves_of_other_runs_are_laid_over(visit: Visit, folder: Path, trained: Callable[..., Run]):
    for family in ("ae", "vae"):
        shutil.copytree(trained(family).path, folder / family)
    page = visit("/train?run=vae")
    live = Live(page)
    live.wait("+data.records > 0")
    before = page.locator(f"{LIVE} .lv-canvas").first.evaluate("canvas => canvas.toDataURL()")
    page.get_by_placeholder(en("train.overlay")).click()
    page.get_by_role("option", name="ae").click()
    page.locator(f"{LIVE} .lv-key", has_text="ae · AE").wait_for()
    page.wait_for_function(f"before => document.querySelector('{LIVE} .lv-canvas').toDataURL() !== before", arg=before)


def test_a_run_from_the_command_line_shows_up(visit: Visit, folder: Path):
    page = visit("/train")
    page.get_by_text(en("train.nothing_yet")[:15]).wait_for()
    command = [sys.executable, "-m", "cvae", "train", "--model", "ae", "--epochs", "3", "--run", str(folder / "cli")]
    subprocess.run([*command, "--hidden", "16", "--threads", "1"], cwd=ROOT, check=True, capture_output=True)
    live = Live(page)
    live.wait("data.state === 'finished' && +data.records > 0")
    chosen = "[...document.querySelectorAll('input')].some((input) => input.value.startsWith('cli · AE'))"
    page.wait_for_function(f"() => {chosen}")
    page.get_by_text(en("live.curves.none")).first.wait_for()


# --- honest failure -------------------------------------------------------------------------------------------------


def test_a_training_that_fails_says_where(visit: Visit, folder: Path):
    config = tiny_run("vae", epochs=20)
    Jobs(folder).submit("wild", replace(config, train=replace(config.train, lr=9.0)))
    page = visit("/train?run=wild")
    Live(page).wait("data.state === 'failed'")
    page.locator(f"{LIVE} .lv-message", has_text="try a smaller learning rate").wait_for()


def test_a_run_deleted_under_the_page_is_a_sentence(visit: Visit, folder: Path, trained: Callable[..., Run]):
    for family in ("ae", "vae"):
        shutil.copytree(trained(family).path, folder / family)
    page = visit("/train?run=vae")
    Live(page).wait("+data.records > 0")
    shutil.rmtree(folder / "vae")
    page.get_by_text("There is no run").wait_for()
    Live(page).wait("+data.records > 0")
    page.wait_for_url("**run=ae*")
