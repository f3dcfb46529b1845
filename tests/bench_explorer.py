"""How long a picture takes: `python tests/bench_explorer.py` drags in a headless Chromium and prints the times.

Each case drags the cursor for 400 pointer moves over a page with 10,000 codes and the 20 × 20 manifold shown, with
untrained weights (the arithmetic is the same) and 28 × 28 pictures, the decoders 784-400 or convolutions 16-32 after
400. Printed, as median · 95th percentile · maximum in milliseconds:

    cost      from the pointer event's dispatch to the last pixel of all pictures that it asks for, the strip included
    queued    the same from the event's time stamp: what it waited for the page and for the next frame is counted too
    shown     from the time stamp until the browser has rendered that frame

The pad is drawn on in the same way, on shipped MNIST models. Then: how long the grids of the posterior take to fill
after the page is shown, and how long after a stroke's end contours, log p(x) with p(y|x), and the bound are there.

Beside them: pictures for moves; moves whose strip was finished in a later frame because 11 ms were spent; tasks of the
page that took longer than 50 ms.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from helpers.browser import launch, streamlit  # noqa: E402
from helpers.explorer import make_run  # noqa: E402

from cvae.assets import SHIPPED  # noqa: E402

MOVES = 400
CODES = 10_000
CASES = {
    "one MLP (VAE)": ["vae"],
    "AE + VAE + CVAE, MLP, ten labels": ["ae", "vae", "cvae"],
    "AE + VAE + CVAE, convolutional, ten labels": ["ae-conv", "vae-conv", "cvae-conv"],
}
SHIPPED_CASES = [["mnist-cvae"], ["mnist-cvae", "mnist-cvae-learned-prior", "mnist-cmma"]]
STROKE = 200
LIMITS = {
    "AE + VAE + CVAE, MLP, ten labels": 8.0,
    "AE + VAE + CVAE, convolutional, ten labels": 16.0,
}  # ms, of the 95th
APP = """
import streamlit as st
from cvae.runs.folder import Run
from cvae.ui.components.explorer import explorer, payload_of

st.set_page_config(layout="wide")
explorer(payload_of([Run(f"FOLDER/{name}") for name in st.query_params["runs"].split(",")]), key="explorer")
"""
LISTEN = """root => {
  window.frames = [];
  window.tasks = [];
  root.explorer.onframe(({ event, start, end, waiting }) => {
    if (!event) return;
    const frame = [end - start, end - event.timeStamp, 0, waiting];
    window.frames.push(frame);
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => (frame[2] = performance.now() - event.timeStamp);
      channel.port2.postMessage(0);
    });
  });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.tasks.push(entry.duration)))
    .observe({ entryTypes: ["longtask"] });
}"""


def drag(browser: Any, address: str, runs: list[str]) -> tuple[np.ndarray, list[float], int]:
    """Frames (cost, queued, shown, waiting), long tasks, and how many pictures were drawn."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{address}/?runs={','.join(runs)}")
    root = page.get_by_test_id("latent-explorer")
    root.get_by_role("button", name="Manifold").click()
    page.wait_for_timeout(4000)
    root.evaluate(LISTEN)
    box = root.get_by_role("slider", name="Latent map").first.bounding_box()
    x, y, side = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_timeout(500)
    page.evaluate("() => { window.frames.length = window.tasks.length = 0; }")
    before = int(root.get_attribute("data-frames"))
    for i in range(MOVES):
        turn = 6 * np.pi * i / MOVES
        page.mouse.move(x + 0.4 * side * np.cos(turn) * i / MOVES, y + 0.4 * side * np.sin(turn) * i / MOVES)
    drawn = int(root.get_attribute("data-frames")) - before
    page.mouse.up()
    page.wait_for_timeout(500)
    frames, tasks = np.array(page.evaluate("() => window.frames")), page.evaluate("() => window.tasks")
    page.close()
    return frames, tasks, drawn


STAGES = """root => new Promise((done) => {
  const start = performance.now(), found = {};
  const look = () => {
    const stages = JSON.parse(root.dataset.stages ?? "[]").filter((stage) => stage !== null);
    for (const stage of [1, 2, 3, 5])
      if (stages.length && stages.every((one) => one >= stage)) found[stage] ??= performance.now() - start;
    if (found[5]) done(found);
    else requestAnimationFrame(look);
  };
  look();
})"""


def long(tasks: list[float]) -> str:
    return f"tasks over 50 ms: {len(tasks)}, at most {max(tasks, default=0):.0f}"


def draw(browser: Any, address: str, runs: list[str]) -> None:
    """Print what the pad and the posteriors of some shipped runs take."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{address}/?runs={','.join(runs)}")
    root = page.get_by_test_id("latent-explorer")
    page.wait_for_function("() => document.querySelector('[data-testid=latent-explorer]')?.dataset.frames > 0")
    start = time.perf_counter()
    root.evaluate(LISTEN.replace("if (!event) return;", "event ??= { timeStamp: start };"))
    page.wait_for_function("() => document.querySelector('[data-testid=latent-explorer]').dataset.filled === '1.00'")
    filled = time.perf_counter() - start
    page.wait_for_timeout(1500)
    tasks = page.evaluate("() => window.tasks")
    print(f"{' + '.join(runs)}: grids filled in {filled:.1f} s (limit 5); {long(tasks)}")
    page.get_by_role("button", name="Clear the pad").click()
    box = page.get_by_test_id("pad").bounding_box()
    place = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*place(0.3, 0.25))
    page.mouse.down()
    page.wait_for_timeout(300)
    page.evaluate("() => { window.frames.length = window.tasks.length = 0; }")
    for i in range(STROKE):
        t = i / STROKE
        page.mouse.move(*place(0.3 + 0.4 * min(1, 2 * t) - 0.25 * max(0, 2 * t - 1), 0.25 + 0.55 * max(0, 2 * t - 1)))
    waiting = root.evaluate(f"async root => {{ window.stages = ({STAGES})(root); }}")
    assert waiting is None
    page.mouse.up()
    stages = page.evaluate("() => window.stages")
    cost = np.array(page.evaluate("() => window.frames"))[:, 0]
    tasks = page.evaluate("() => window.tasks")
    middle, high = np.median(cost), np.percentile(cost, 95)
    print(f"    a move of the pad: {middle:.2f} · {high:.2f} · {cost.max():.2f}   (limit 12); {len(cost)} frames")
    first, shares, bound, whole = (f"{stages[stage]:.0f}" for stage in ("1", "2", "3", "5"))
    print(f"    ms after the stroke: contours {first} (limit 100), log p(x) and p(y|x) {shares} (limit 500)")
    print(f"    the bound {bound}, all {whole}; {long(tasks)}")
    page.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        common = {"image_shape": (1, 28, 28), "hidden": (400,), "channels": (16, 32), "codes": CODES, "gain": 1.5}
        for family in ("ae", "vae", "cvae"):
            make_run(folder / family, family=family, **common)
            make_run(folder / f"{family}-conv", family=family, net="conv", **common)
        script = folder / "app.py"
        script.write_text(APP.replace("FOLDER", place))
        for name in {name for runs in SHIPPED_CASES for name in runs}:
            (folder / name).symlink_to(SHIPPED / name)
        with streamlit(script) as address, launch() as browser:
            for runs in SHIPPED_CASES:
                draw(browser, address, runs)
            for name, runs in CASES.items():
                frames, tasks, drawn = drag(browser, address, runs)
                print(f"{name}: {drawn} pictures for {MOVES} moves")
                for column, what in enumerate(("cost", "queued", "shown")):
                    times = frames[:, column]
                    limit = f"   (limit {LIMITS[name]:g})" if what == "cost" and name in LIMITS else ""
                    middle, high, most = np.median(times), np.percentile(times, 95), times.max()
                    print(f"    {what:7} {middle:6.2f} · {high:6.2f} · {most:6.2f}{limit}")
                late = int((frames[:, 3] > 0).sum())
                print(f"    moves with pictures of the strip left for later: {late}; tasks over 50 ms: {len(tasks)}")


if __name__ == "__main__":
    main()
