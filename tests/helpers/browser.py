"""Start a real Chromium and a real Streamlit server for the tests that need them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REQUIRED = os.environ.get("CVAE_REQUIRE_BROWSER") == "1"  # then a missing browser fails a test instead of skipping it
FLAGS = [
    "--no-sandbox",
    "--process-per-site",  # compiles scripts once for all pages
    "--in-process-gpu",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 60


def chromium_path() -> str | None:
    """Return CVAE_CHROMIUM, else the path of the first installed Chromium or Chrome; None if there is none."""
    return os.environ.get("CVAE_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


def missing_browser() -> str | None:
    """Return the reason why no browser can start; None if one can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed: pip install playwright"
    return None if chromium_path() else "no Chromium found: install one, or name it in CVAE_CHROMIUM"


@contextlib.contextmanager
def launch() -> Iterator[Any]:
    """Yield a headless Chromium. Without one, skip the test, or fail it if a browser is required."""
    if reason := missing_browser():
        if REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Browser:
    """A Browser opens pages of a Chromium. Pages with the same options share a context: a new one takes seconds."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self._contexts: dict[str, Any] = {}

    def new_page(self, viewport: dict[str, int], color_scheme: str = "light", **options: Any) -> Any:
        """Return an empty page in the context with these options."""
        key = repr(sorted(options.items()))
        if key not in self._contexts:
            self._contexts[key] = self._chromium.new_context(**options)
            keeper = self._contexts[key].new_page()  # the process ends with the last page of its site
            keeper.route("**", lambda route: route.fulfill(body=""))
            keeper.goto("http://127.0.0.1/")
        page = self._contexts[key].new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        return page


@contextlib.contextmanager
def streamlit(script: Path, log: Path | None = None, **environment: str) -> Iterator[str]:
    """Run `streamlit run script` on a free port and yield its address. The output goes to `log`.

    The server does not see the shipped runs, so that a test sees only its own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    log = log or script.with_suffix(".log")
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": path, "CVAE_GALLERY": str(log.with_name("no-gallery")), **environment},
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()  # a gentle end is slow, because it closes the sessions one by one
        server.wait()


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Streamlit did not start:\n{log.read_text(errors='replace')[-2000:]}")
