"""Define the fixtures of the app: as a script, and served to a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from helpers.app import Open, checked
from helpers.browser import Browser
from helpers.visit import Visit, served, visitor
from streamlit.testing.v1 import AppTest

from cvae.runs.find import runs_in
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the app an empty runs folder, no shipped runs, no data and no processes; return the runs folder."""
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("CVAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("cvae.ui.parts.runs.GALLERY", tmp_path / "gallery")
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "runs"


@pytest.fixture
def open_page() -> Open:
    """Return `open_page("train", ...)`, which runs a page under a link."""

    def opened(page: str, **link: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.query_params.update(link)
        app.switch_page(f"pages/{page}.py")
        return checked(app.run())

    return opened


@pytest.fixture
def digits_run(folders: Path, trained: Callable[..., Run]) -> Run:
    """Return a finished run, `mine`."""
    shutil.copytree(trained("cvae").path, folders / "mine")
    return Run(folders / "mine")


# --- in a browser


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Yield the address of the app and its runs folder."""
    folder = tmp_path_factory.mktemp("app") / "runs"
    with served(folder) as address:
        yield address, folder


@pytest.fixture
def folder(server: tuple[str, Path]) -> Iterator[Path]:
    """Yield the runs folder of this app, which is empty before and after the test."""
    folder = server[1]
    yield folder
    jobs = Jobs(folder)
    for run in runs_in(folder):
        jobs.delete(run)


@pytest.fixture
def visit(browser: Browser, server: tuple[str, Path], folder: Path) -> Iterator[Visit]:
    """Yield `visit("/train")`, which opens a page of this app; see `visitor`."""
    with visitor(browser, server[0]) as opened:
        yield opened
