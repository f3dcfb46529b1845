"""The app in a real Chromium: every page, and the way from an empty folder to a trained model.

Times are in bench_app.py; what is waited for here may take long on a busy machine.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.app import en
from helpers.browser import Browser
from helpers.visit import Live, Visit, press, served, visitor

from cvae.assets import SHIPPED
from cvae.runs.folder import Run
from cvae.ui.frame import pages
from cvae.ui.frame.text import translate

PAGES = tuple(page.id for page in pages.PAGES)
DRAWN = "[data-testid=latent-explorer]:not([data-frames='0'])"
SHOWN = {  # what stands on a page once it shows something of a run
    "start": DRAWN, "train": "[data-testid=live-view]:not([data-updates='0'])", "latent": ".js-plotly-plot .main-svg",
    "sample": DRAWN, "compare": DRAWN, "measure": ".js-plotly-plot .main-svg",
}  # fmt: skip


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


# --- every page -----------------------------------------------------------------------------------------------------


def test_a_fresh_server_shows_the_frame_around_any_page(browser: Browser, tmp_path: Path):
    with served(tmp_path / "runs") as address, visitor(browser, address) as visit:
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


def test_another_language_keeps_where_an_opened_link_leads(visit: Visit, folder: Path, trained: Callable[..., Run]):
    for family in ("vae", "cvae"):
        shutil.copytree(trained(family).path, folder / family)
    page = visit("/compare?runs=vae,cvae&coupling=sigma&z=1,0.5")
    page.locator(DRAWN).wait_for()
    page.get_by_text("中文").click()
    page.wait_for_url("**lang=zh*")
    page.get_by_text("各模型共用").first.wait_for()
    for part in ("coupling=sigma", "z=1%2C0.5"):
        assert part in page.url
    page.reload()
    page.locator(DRAWN).wait_for()
    state = page.get_by_test_id("latent-explorer").evaluate("root => root.explorer.state()")
    assert (state["z"], state["coupling"]) == ([1, 0.5], "sigma")


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


def test_a_run_deleted_under_the_page_is_a_sentence(visit: Visit, folder: Path, trained: Callable[..., Run]):
    for family in ("ae", "vae"):
        shutil.copytree(trained(family).path, folder / family)
    page = visit("/train?run=vae")
    Live(page).wait("+data.records > 0")
    shutil.rmtree(folder / "vae")
    page.get_by_text("There is no run").wait_for()
    Live(page).wait("+data.records > 0")
    page.wait_for_url("**run=ae*")
