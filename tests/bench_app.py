"""The app's times, as ratios to what they can be compared with on the same machine in the same minute.

    python tests/bench_app.py [--data-dir D] [--rounds N] [--minutes M]

With --data-dir the trainings are of MNIST, otherwise of random images of its size. --minutes watches one training for
so long and says what the server grew by. Needs Chromium, like the browser tests; not run by them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import numpy as np  # noqa: E402
from helpers.browser import ROOT, launch, streamlit  # noqa: E402
from helpers.engine import wait_until  # noqa: E402

from cvae.config import DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig  # noqa: E402
from cvae.data import load_data  # noqa: E402
from cvae.runs.folder import Run  # noqa: E402
from cvae.runs.queue import Jobs, spare_threads  # noqa: E402
from cvae.training.loop import fit, with_data  # noqa: E402

ONE_LINE = 'import streamlit as st\nst.write("one line")\n'
ONE_LINE_PAGES = """
import streamlit as st
def page(n):
    def show():
        st.html(f"<p class='line-{n}'>line {n}</p>")
    return st.Page(show, title=f"page {n}", url_path=f"p{n}", default=n == 0)
st.navigation([page(n) for n in range(5)], position="top").run()
"""
CONTENT = {  # what stands on a page once it shows something of a run
    "Start": "[data-testid=latent-explorer]:not([data-frames='0'])",
    "Train": "[data-testid=live-view]:not([data-updates='0'])",
    "Latent space": ".js-plotly-plot .main-svg",
    "Sample": "[data-testid=latent-explorer]:not([data-frames='0'])",
    "Compare": "[data-testid=latent-explorer]:not([data-frames='0'])",
    "Measure": ".js-plotly-plot .main-svg",
}
GO = """async ([name, content]) => {
  const page = document.querySelector("[data-testid=stMainBlockContainer]");
  const inside = () => [...page.querySelectorAll(content)];
  const before = new Set(inside()), letters = page.innerText.length;
  const start = performance.now();
  const links = [...document.querySelectorAll("[data-testid=stTopNavLink]")];
  links.find((link) => link.innerText.trim().endsWith(name)).click();
  let first = 0, least = letters;
  while (!inside().some((element) => !before.has(element))) {
    await new Promise(requestAnimationFrame);
    const now = page.innerText.length;
    least = Math.min(least, now); // the last page goes first
    if (!first && least < letters / 2 && now > least) first = performance.now() - start;
  }
  const whole = performance.now() - start;
  return [(first || whole) / 1000, whole / 1000];
}"""
LIVE = "document.querySelector('[data-testid=live-view]')?.dataset"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("only", nargs="*", help="cold switch first speed memory watch (all but watch)")
    args = parser.parse_args()
    wanted = args.only or ["cold", "switch", "first", "speed", "memory"] + (["watch"] if args.minutes else [])
    with tempfile.TemporaryDirectory() as name, launch() as browser:
        bench = Bench(browser, Path(name), args.data_dir, args.rounds)
        for part in wanted:
            bench.watch(args.minutes or 10) if part == "watch" else getattr(bench, part)()


class Bench:
    def __init__(self, browser: Any, folder: Path, data_dir: str | None, rounds: int) -> None:
        self.browser, self.folder, self.rounds = browser, folder, rounds
        self.data = DataConfig("mnist", data_dir) if data_dir else DataConfig(str(random_images(folder / "random.npz")))
        self.trained = folder / "trained"
        for family in ("ae", "vae", "cvae"):
            for _ in fit(self.trained / family, self.config(family, epochs=1)):
                pass

    def config(self, family: str = "cvae", epochs: int = 1000) -> RunConfig:
        config = RunConfig(
            self.data, ModelConfig("vae"), ObjectiveConfig(), TrainConfig(epochs=epochs, threads=spare_threads())
        )
        config = with_data(config, load_data(self.data))
        return RunConfig(config.data, ModelConfig(**{**vars(config.model), "family": family}), train=config.train)

    @contextlib.contextmanager
    def app(self, runs: Path) -> Iterator[str]:
        """The app on a runs folder, whose workers end with it."""
        try:
            with streamlit(ROOT / "app.py", self.folder / "app.log", CVAE_RUNS=str(runs)) as address:
                yield address
        finally:
            for worker in Jobs(runs).workers.glob("*"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(worker.name), signal.SIGKILL)

    @contextlib.contextmanager
    def page(self, address: str) -> Iterator[Any]:
        context = self.browser.new_context(viewport={"width": 1400, "height": 950})
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        yield page
        context.close()

    # --- what is measured -------------------------------------------------------------------------------------------

    def cold(self) -> None:
        """From the command to the first decoded picture, beside a one-line app's to its text."""
        line = self.folder / "line.py"
        line.write_text(ONE_LINE)

        def one_line() -> None:
            with streamlit(line) as address, self.page(address) as page:
                page.get_by_text("one line").wait_for()
                self.stop = time.perf_counter()

        def ours() -> None:
            with self.app(self.trained) as address, self.page(address) as page:
                page.wait_for_selector(CONTENT["Start"])
                self.stop = time.perf_counter()

        self.compare("cold start", ours, one_line, "≤ 1.5")

    def switch(self) -> None:
        """A click in the navigation to the page's first words and to its picture, beside one to a line of text."""
        lines = self.folder / "lines.py"
        lines.write_text(ONE_LINE_PAGES)
        with streamlit(lines) as address, self.page(address) as page:
            page.locator(".line-0").wait_for()
            turn = [1, 2, 3, 4, 0] * self.rounds
            line = statistics.median(self.go(page, f"page {n}", f".line-{n}")[1] for n in turn)
        print(f"page switch: a line of text {line * 1e3:.0f} ms; target for every page ≤ 2 times that")
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in [*list(CONTENT)[1:], "Start"]}
        with self.app(self.trained) as address, self.page(address) as page:
            page.wait_for_selector(CONTENT["Start"])
            for _ in range(self.rounds + 1):
                for name, found in times.items():
                    found.append(self.go(page, name, CONTENT[name]))
        for name, (opened, *later) in times.items():
            words, picture = ([each[i] / line for each in later] for i in (0, 1))
            print(
                f"  {name}: first words {spread(words, '')}, picture {spread(picture, '')}; "
                f"at the first visit {opened[0] / line:.1f} and {opened[1] / line:.1f}"
            )

    @staticmethod
    def go(page: Any, name: str, content: str) -> tuple[float, float]:
        """Seconds from the click on a page's name to its first words, and to its picture, measured in the browser."""
        page.wait_for_timeout(500)
        first, whole = page.evaluate(GO, [name, content])
        return float(first), float(whole)

    def first(self) -> None:
        """From Start to the first point on a curve: with a worker ready, as after a moment on the page; and at once."""
        for title, pause in (("worker ready", 12.0), ("page just opened", 0.3)):
            times = []
            for turn in range(self.rounds):
                runs = self.folder / f"first-{pause}-{turn}"
                with self.app(runs) as address, self.page(f"{address}/train") as page:
                    start = page.get_by_role("button", name="Start training")
                    start.wait_for()
                    page.wait_for_timeout(1e3 * pause)
                    begun = time.perf_counter()
                    start.click()
                    page.wait_for_function(f"() => {LIVE}?.records > 0")
                    times.append(time.perf_counter() - begun)
            print(f"click to first point, {title}: {spread(times)}; target ≤ 3 s")

    def speed(self) -> None:
        """Steps a second with the page open beside those with nobody watching; pictures a move of the explorer; and how
        soon it pauses."""
        runs = self.folder / "speed"
        jobs = Jobs(runs)
        with self.app(runs) as address:
            for _ in fit(runs / "shown", self.config(epochs=1)):
                pass
            run = jobs.submit("run", self.config())
            while run.status().step < 50:
                jobs.ensure_worker()
                time.sleep(0.1)
            ratios = []
            for _ in range(self.rounds):
                alone = rate(run)
                with self.page(f"{address}/train?run=run") as page:
                    page.wait_for_function(f"() => {LIVE}?.records > 0")
                    ratios.append(rate(run) / alone)
            print(f"speed of a training that is watched: {spread(ratios, '')} of that alone; target ≥ 0.85")
            with self.page(f"{address}/?run=shown") as page:
                page.wait_for_selector(CONTENT["Start"])
                drag(page)
            asked = time.perf_counter()
            jobs.pause(run)
            wait_until(lambda: run.status().state == "paused", 30)
            print(f"asked to pause, it pauses after {time.perf_counter() - asked:.2f} s; target ≤ 1 s")
            jobs.stop(run)

    def memory(self) -> None:
        """What 200 reruns of every page leave behind in the server."""
        with self.app(self.trained) as address, self.page(address) as page:
            page.wait_for_selector(CONTENT["Start"])
            turn = [*list(CONTENT)[1:], "Start"]
            for name in turn * 4:
                self.go(page, name, CONTENT[name])
            before = resident(address)
            for n in range(40):
                for name in turn:
                    self.go(page, name, CONTENT[name])
                if n % 10 == 9:
                    print(f"  {5 * (n + 1)} page switches: {resident(address) - before:+.1f} MB", flush=True)
            print(f"memory after 200 page switches: {resident(address) - before:+.1f} MB of {before:.0f}; target < 50")

    def watch(self, minutes: float) -> None:
        """What a training that is watched leaves behind in the server."""
        runs = self.folder / "watch"
        with self.app(runs) as address:
            Jobs(runs).submit("run", self.config(epochs=100_000))
            with self.page(f"{address}/train?run=run") as page:
                page.wait_for_function(f"() => {LIVE}?.records > 20")
                before = resident(address)
                for minute in range(1, int(minutes) + 1):
                    page.wait_for_timeout(60_000)
                    updates = page.evaluate(f"+{LIVE}?.updates")
                    print(f"  {minute} min, {updates} updates: {resident(address) - before:+.1f} MB", flush=True)
            print(f"memory after {minutes:g} minutes watched: {resident(address) - before:+.1f} MB; target < 50")

    def compare(self, title: str, ours: Callable[[], None], other: Callable[[], None], target: str) -> None:
        ratios, times = [], []
        for _ in range(self.rounds):
            took = []
            for act in (other, ours):
                begun = time.perf_counter()
                act()
                took.append(self.stop - begun)
            times.append(took)
            ratios.append(took[1] / took[0])
        one, own = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{title}: {spread(ratios, '')}; target {target} (one line {one:.2f} s, the app {own:.2f} s)")


# --- measuring ------------------------------------------------------------------------------------------------------


def spread(values: list[float], unit: str = " s") -> str:
    return f"{statistics.median(values):.2f}{unit} ({min(values):.2f} to {max(values):.2f}, n = {len(values)})"


def rate(run: Run, seconds: float = 8.0) -> float:
    """Steps a second, by the heartbeats."""
    time.sleep(1)
    first = run.status()
    time.sleep(seconds)
    last = run.status()
    return (last.step - first.step) / (last.heartbeat - first.heartbeat)


def drag(page: Any, moves: int = 120) -> None:
    pad = page.locator("[data-testid=latent-explorer] .lx-pad").first
    box = pad.bounding_box()
    frames = "() => +document.querySelector('[data-testid=latent-explorer]').dataset.frames"
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    before = page.evaluate(frames)
    for i in range(moves):
        page.mouse.move(box["x"] + 20 + (box["width"] - 40) * i / moves, box["y"] + box["height"] / 2)
        page.wait_for_timeout(16)
    page.mouse.up()
    print(f"pictures for {moves} moves while a training runs: {page.evaluate(frames) - before}; target one a move")


def resident(address: str) -> float:
    """MB that the server at the address holds in memory."""
    port = address.rsplit(":", 1)[1]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_text().split("\0")
            if "--server.port" in command and port in command:
                return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    raise RuntimeError("no server found")


def random_images(path: Path) -> Path:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20_000, 28, 28), dtype=np.uint8)
    np.savez(path, images=images, labels=rng.integers(0, 10, 20_000))
    return path


if __name__ == "__main__":
    main()
