"""Provide the app in a real Chromium: its server, its visitors, its live view."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from helpers.app import en
from helpers.browser import ROOT, Browser, streamlit
from helpers.engine import tiny_run, wait_until

LIVE = "[data-testid=live-view]"
LONG = 60_000  # milliseconds

Visit = Callable[..., Any]


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the app on a new runs folder and yield its address. The workers of the queue end with it."""
    folder.mkdir()
    environment = {"CVAE_RUNS": str(folder), "CVAE_DATA": str(folder / ".data")}
    with streamlit(ROOT / "app.py", folder.with_suffix(".log"), **environment) as address:
        yield address
    for worker in Jobs(folder).workers.glob("*"):
        os.kill(int(worker.name), signal.SIGKILL)


@contextlib.contextmanager
def visitor(browser: Browser, address: str) -> Iterator[Visit]:
    """Yield `visit(path)`, which opens a page in a session of its own.

    An error in the browser, an exception on a page or a request to anywhere else fails the test.
    """
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
    """A Live is the live view on a page; its attributes are those of the view's `data`, as texts."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.locator(LIVE).wait_for()

    def __getattr__(self, name: str) -> str:
        return str(self.page.locator(LIVE).evaluate(f"root => root.dataset.{name} ?? ''"))

    @property
    def looks(self) -> dict[str, Any]:
        """Return what the user has set: the visible part of each panel, the hidden classes."""
        code = "root => ({...root.looks, hidden: [...root.looks.map.hidden]})"
        looks: dict[str, Any] = self.page.locator(LIVE).evaluate(code)
        return looks

    def wait(self, condition: str) -> None:
        """Wait until a condition on the view's `data` holds."""
        view = f"document.querySelector('{LIVE}')"
        self.page.wait_for_function(f"() => {{ const data = {view}?.dataset; return data && {condition}; }}")

    def panel(self, number: int) -> dict[str, float]:
        """Return the place of a panel on the page, in pixels."""
        box: dict[str, float] = self.page.locator(f"{LIVE} .lv-canvas").nth(number).bounding_box()
        return box


def press(page: Any, key: str, **values: Any) -> None:
    """Press the button whose words have this key."""
    page.get_by_role("button", name=en(key, **values), exact=True).click()


def long_run(folder: Path, name: str = "long") -> Run:
    """Return a training that goes on for as long as the test looks at it, slowly: the page needs the processor."""
    run = Jobs(folder).submit(name, tiny_run("vae", epochs=50_000))
    wait_until(lambda: run.status().step > 0, 60)
    run.request("slow", 30)
    return run
