"""Several visitors at once, without a browser: the short form of tests/soak.py."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.browser import ROOT, streamlit
from soak import IDS, Visitors, crowd, server_of

from cvae.assets import GALLERY

ROUNDS = 8


def test_visitors_at_once_see_every_page_and_no_error(tmp_path: Path) -> None:
    places = {"CVAE_RUNS": str(tmp_path / "runs"), "CVAE_GALLERY": str(GALLERY)}
    with streamlit(ROOT / "app.py", tmp_path / "server.log", **places) as address:
        visitors = Visitors(address, seed=0)
        with ThreadPoolExecutor(1) as pool:  # this thread may have a loop of its own, where a browser is open
            for _ in range(ROUNDS):  # on a busy machine one does not lead through all pages
                pool.submit(asyncio.run, crowd(visitors, 6, time.monotonic() + 8, server_of(address))).result()
                if visitors.seen.keys() == set(IDS):
                    break
    assert visitors.problems == []
    assert visitors.seen.keys() == set(IDS)
    assert "Traceback" not in (tmp_path / "server.log").read_text(errors="replace")
