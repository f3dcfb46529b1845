"""Make runs of every kind without training, and explorers on a page, for the tests of the explorer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cvae.assets import EXPLORER
from cvae.browser.js_bundler import bundle
from cvae.config import RunConfig
from cvae.families import FAMILIES
from cvae.models import Autoencoder, build
from cvae.runs.folder import Run
from cvae.ui.components.explorer import PANELS, STYLES, texts
from helpers.browser import Browser
from helpers.engine import model_config

DIGITS = tuple("0123456789")
CODES = 300
HOSTILE = "<img src=x onerror='window.hacked=1'>"


def make_run(path: Path, *, seed: int = 0, gain: float = 3.0, codes: int = CODES, **model: Any) -> Run:
    """Make a finished run of an untrained model; `gain` enlarges its decoder weights for images with contrast."""
    config = model_config(**{"hidden": (48,), "channels": (6, 8), "class_names": DIGITS, **model})
    run = Run.create(path, RunConfig(model=config), state="finished")
    torch.manual_seed(seed)
    network = build(config)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.startswith("decoder."):
                value.mul_(gain)
    run.write_arrays("model", {name: value.numpy() for name, value in network.state_dict().items()})
    rng = np.random.default_rng(seed)
    labels = rng.integers(max(config.classes, 1), size=codes).astype(np.uint8)
    spread = rng.standard_normal((codes, config.latent_dim)) + np.sin(labels)[:, None]
    arrays = {"codes": spread.astype(np.float16)}
    run.write_arrays("codes", {**arrays, "labels": labels} if config.classes else arrays)
    if FAMILIES[config.family].completes:
        strip = rng.integers(256, size=(16, *config.image_shape)).astype(np.uint8)
        decoder = {name: value for name, value in run.weights().items() if name.startswith(("decoder.", "prior_net."))}
        run.write_arrays("snapshots/1", {**arrays, "labels": labels, "strip": strip, **decoder})
    return run


def torch_model(run: Run) -> Autoencoder:
    """Return the run's model in PyTorch, in evaluation mode."""
    model = build(run.config().model)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in run.weights().items()})
    return model.eval()


# Mounts the component on an empty page, as Streamlit would.
MOUNT = """
async ({ script, style, data }) => {
  const url = (window.scriptUrl ??= URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const mount = (await import(url)).default;
  document.body.replaceChildren();
  document.body.appendChild(document.createElement("style")).textContent = style;
  const parentElement = document.body.appendChild(document.createElement("div"));
  window.sent = [];
  mount({ data: [data], parentElement, setStateValue: (...message) => window.sent.push(message) });
  window.remount = (data) => mount({ data: [data], parentElement, setStateValue: () => {} });
}
"""
# Sets states and reads the decoded numbers and the pixels, as text, because Playwright is slow with long arrays.
SHOW = """
(states) => {
  const root = document.querySelector("[data-testid=latent-explorer]");
  const canvas = root.querySelector(".lx-frame canvas");
  return JSON.stringify(states.map((state) => {
    root.explorer.set(state);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [[...root.explorer.values(0)], [...data]];
  }));
}
"""


def mount(page: Any, payload: dict[str, Any], **changes: Any) -> None:
    """Mount the component with a payload, as `cvae.ui.components.explorer` does."""
    mount_data(page, mounted(payload, **changes))


def mounted(payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the data of the component: the payload and the settings of the page."""
    return {
        **payload,
        "key": "k",
        "panels": [panel for panel in PANELS if panel != "pad"],  # which would set z to the code of its picture
        "language": "en",
        "text": texts("en"),
        "state": None,
        **changes,
    }


def mount_data(page: Any, data: Any, folder: Path = EXPLORER) -> None:
    """Mount the component of a folder with the given data."""
    style = "".join((EXPLORER / name).read_text(encoding="utf-8") for name in STYLES)
    page.evaluate(MOUNT, {"script": bundle(folder), "style": style, "data": data})


def show(page: Any, states: list[dict[str, Any]]) -> list[tuple[list[float], list[int]]]:
    """Set one state after another; return for each the decoded numbers, and the bytes on the canvas."""
    shown: list[tuple[list[float], list[int]]] = json.loads(page.evaluate(SHOW, states))
    return shown


class Explorer:
    """An Explorer drives an explorer on a page, and collects each frame that the browser sends to the server."""

    def __init__(self, browser: Browser, address: str, runs: str, **context: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 1000}, **context)
        self.sent: list[Any] = []
        self.errors: list[str] = []
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{address}/?runs={runs}")
        self.root = self.page.get_by_test_id("latent-explorer")
        self.root.wait_for()
        self.page.wait_for_function("() => document.querySelector('[data-testid=latent-explorer]').dataset.frames > 0")
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(700)

    @property
    def frames(self) -> int:
        return int(self.root.get_attribute("data-frames"))

    @property
    def z(self) -> list[float]:
        values: list[float] = json.loads(self.root.get_attribute("data-z"))
        return values

    @property
    def reruns(self) -> int:
        return int(self.page.locator("#reruns").inner_text())

    def views(self) -> Any:
        return self.root.evaluate("root => root.explorer.views()")

    def state(self) -> Any:
        return self.root.evaluate("root => root.explorer.state()")

    @property
    def weights(self) -> list[float]:
        """Return the weights of the classes."""
        weights: list[float] = self.state()["conditions"]["label"]["weights"]
        return weights

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name, exact=True)

    def label(self, name: str) -> Any:
        return self.root.get_by_role("group", name="Label").get_by_role("button", name=name, exact=True)

    def pad(self, index: int = 0) -> Any:
        return self.root.get_by_role("slider", name="Latent map").nth(index)

    def corner(self, index: int = 0) -> tuple[float, float, float]:
        box = self.pad(index).bounding_box()
        return box["x"], box["y"], box["width"]

    def close(self) -> None:
        assert self.errors == []
        self.page.close()
