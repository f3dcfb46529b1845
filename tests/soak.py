"""python tests/soak.py [--sessions N] [--minutes M] [--seed S]: many visitors at once, for minutes.

Most of them speak Streamlit's protocol over a WebSocket of their own, which costs little; some are pages of Chromium in
which the explorer is dragged or a training watched. No page may show an exception, no connection may be lost, and the
server must not grow: its memory is read when every visitor has been on every page, and again at the end. The suite runs
a short form (tests/ui/test_soak.py).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from helpers.browser import ROOT, launch, streamlit
from helpers.engine import tiny_run
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from cvae.assets import GALLERY
from cvae.runs.queue import Jobs
from cvae.ui.frame.pages import PAGES

BROWSERS = 4
IDS = tuple(page.id for page in PAGES)
RUNS = ("digits-ae", "digits-vae", "digits-cvae", "mnist-ae", "mnist-vae", "mnist-cvae", "mnist-cvae-16d", "mnist-cmma")
THOUGHT = 2.0  # seconds between two pages of a visitor, on average
PATIENCE = 120.0  # seconds in which a page must be there


class Visitors:
    """Visitors without a browser, and what they saw."""

    def __init__(self, address: str, seed: int) -> None:
        self.address, self.seed = address.replace("http://", "ws://"), seed
        self.seen: Counter[str] = Counter()
        self.problems: list[str] = []
        self.slowest = 0.0
        self.done: Counter[int] = Counter()  # rounds of all pages by visitor
        self.measured = 0  # rounds after which the memory was read, while every visitor stood still

    async def stay(self, number: int, until: float) -> None:
        """Be a visitor: connect, go from page to page, now and then leave and come again."""
        r = random.Random(f"{self.seed} {number}")
        while time.monotonic() < until:
            try:
                async with connect(
                    f"{self.address}/_stcore/stream", subprotocols=["streamlit"], max_size=None, ping_timeout=PATIENCE
                ) as socket:
                    pages = list(IDS)
                    r.shuffle(pages)
                    for page in pages:
                        await self._visit(socket, page, r)
                        await asyncio.sleep(r.expovariate(1 / THOUGHT))
                        if time.monotonic() > until:
                            return
                    self.done[number] += 1
                    while self.measured < self.done[number] and time.monotonic() < until:
                        await asyncio.sleep(0.1)
            except Exception as error:
                self.problems.append(f"visitor {number}: {type(error).__name__}: {error}"[:300])
                await asyncio.sleep(1)

    async def _visit(self, socket: ClientConnection, page: str, r: random.Random) -> None:
        link = {"run": r.choice(RUNS), "runs": ",".join(r.sample(RUNS, 3)), "lang": r.choice(["en", "zh"])}
        link |= {
            "z": f"{r.gauss(0, 1):.3g},{r.gauss(0, 1):.3g}",
            "label": str(r.randrange(10)),
            "seed": str(r.randrange(99)),
        }
        message = BackMsg()
        message.rerun_script.query_string = urlencode(link)
        message.rerun_script.page_name = "" if page == IDS[0] else page
        began = time.monotonic()
        await socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await asyncio.wait_for(socket.recv(decode=False), PATIENCE))
            kind = answer.WhichOneof("type")
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                self.problems.append(f"{page} {link}: {answer.delta.new_element.exception.message}"[:300])
            elif kind == "page_not_found":
                self.problems.append(f"{page} was not found")
            elif kind == "script_finished":
                break
        self.seen[page] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)


def browse(address: str, count: int, until: float, problems: list[str], seen: Counter[str]) -> None:
    """Be visitors with a browser: one watches a training, the others drag in the latent plane, page after page."""
    with launch() as chromium:
        pages = []
        for number in range(count):
            page = chromium.new_context().new_page()
            page.set_default_timeout(1000 * PATIENCE)
            page.on("pageerror", lambda error: problems.append(f"in a browser: {error}"[:300]))
            page.goto(f"{address}/train?run=watched" if number == 0 else address)
            pages.append(page)
        pages[0].locator("[data-testid=live-view]").wait_for()
        places = ["?run=mnist-cvae", "sample?run=mnist-vae", "compare?runs=mnist-ae,mnist-vae,mnist-cvae"]
        for turn in range(10**9):
            for number, page in enumerate(pages[1:]):
                if time.monotonic() > until:
                    return
                if turn % 5 == 0:
                    page.goto(f"{address}/{places[(number + turn // 5) % len(places)]}")
                plane = page.get_by_role("slider", name=re.compile("Latent map")).first
                box = plane.bounding_box()
                page.mouse.move(box["x"] + 50, box["y"] + 50)
                page.mouse.down()
                for i in range(30):
                    page.mouse.move(box["x"] + 50 + 3 * i, box["y"] + 50 + (7 * i) % 60)
                page.mouse.up()
                seen["dragged"] += 1
                if page.get_by_test_id("stException").count():
                    problems.append(f"an exception on {page.url}")


def resident(process: int) -> float:
    """Return the MB of memory that a process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


def server_of(address: str) -> int:
    """Return the number of the process that serves the address."""
    port = address.rpartition(":")[2]
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and f"--server.port\0{port}\0" in (entry / "cmdline").read_text():
                return int(entry.name)
    raise RuntimeError("no server")


async def crowd(visitors: Visitors, count: int, until: float, process: int) -> list[float]:
    """Let so many visitors stay; return the server's memory each time that all have been once more on every page."""
    tasks = [asyncio.create_task(visitors.stay(number, until)) for number in range(count)]
    memory: list[float] = []
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.5)
        if min(visitors.done[number] for number in range(count)) > len(memory):
            await asyncio.sleep(1)
            memory.append(resident(process))
            visitors.measured = len(memory)
            print(f"round {len(memory)}: {memory[-1]:.0f} MB", flush=True)
    await asyncio.sleep(1)
    return [*memory, resident(process)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs, log = Path(scratch) / "runs", Path(scratch) / "server.log"
        places = {"CVAE_RUNS": str(runs), "CVAE_GALLERY": str(GALLERY), "OMP_NUM_THREADS": "1"}
        jobs = Jobs(runs)
        with streamlit(ROOT / "app.py", log, **places) as address:
            jobs.submit("watched", tiny_run(epochs=100_000))
            process, until = server_of(address), time.monotonic() + 60 * args.minutes
            visitors = Visitors(address, args.seed)
            thread = threading.Thread(
                target=browse, args=(address, BROWSERS, until, visitors.problems, visitors.seen), daemon=True
            )
            thread.start()
            memory = asyncio.run(crowd(visitors, args.sessions - BROWSERS, until, process))
            thread.join(PATIENCE)
        for worker in jobs.workers.glob("*"):
            os.kill(int(worker.name), signal.SIGKILL)
        errors = [
            line for line in log.read_text(errors="replace").splitlines() if "Traceback" in line or "Error" in line
        ]
    print("\n".join(visitors.problems + errors))
    growth = memory[-1] - memory[0]
    print(
        f"{args.sessions} sessions, {args.minutes:g} minutes: {visitors.seen.total()} visits {dict(visitors.seen)}, "
        f"the slowest {visitors.slowest:.1f} s; the server held {memory[0]:.0f} MB after the first round, "
        f"{memory[-1]:.0f} MB at the end ({growth:+.0f}); {len(visitors.problems) + len(errors)} problems"
    )
    sys.exit(bool(visitors.problems or errors or growth > 50))


if __name__ == "__main__":
    main()
