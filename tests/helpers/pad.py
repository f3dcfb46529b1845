"""Mount the pad alone on an empty page of a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cvae.assets import EXPLORER
from cvae.browser.js_bundler import bundle
from cvae.measuring.classifier import Classifier
from cvae.ui.components.explorer import STYLES, texts

MOUNT = """
async ({ script, style, payload, width, dark }) => {
  const url = (window.scriptUrl ??= URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const mount = (await import(url)).default;
  window.demo?.pad.stop();
  document.body.replaceChildren();
  document.body.style.cssText = dark
    ? "background: #0e1117; --st-background-color: #0e1117; --st-text-color: #fafafa; " +
      "--st-secondary-background-color: #262730; --st-border-color: #41444c; color-scheme: dark;"
    : "background: #fff; --st-background-color: #fff; --st-text-color: #31333f; " +
      "--st-secondary-background-color: #f0f2f6; --st-border-color: #d6d6d9;";
  document.body.style.cssText += "--st-primary-color: #1f6fb2; --st-font: sans-serif; margin: 20px;";
  document.body.appendChild(document.createElement("style")).textContent = style;
  const parent = document.body.appendChild(document.createElement("div"));
  parent.style.width = `${width}px`;
  window.demo = mount(payload, parent);
}
"""
SEEN = "() => JSON.stringify([...demo.pad.picture.pixelsFor(demo.host.models[0])])"
PICTURE = """
() => {
  const { source, label, blank, version } = demo.pad.picture;
  return { source, label, blank, version };
}
"""


def open_pad(page: Any, payload: dict[str, Any], *, dark: bool = False, width: int = 300, language: str = "en") -> None:
    """Mount the pad for the models of a payload, as the explorer does; `window.demo` holds it and its host."""
    style = "".join((EXPLORER / name).read_text(encoding="utf-8") for name in STYLES)
    script = bundle(Path(__file__).parent, "pad_host")
    content = {"models": payload["models"], "text": texts(language)}
    page.evaluate(MOUNT, {"script": script, "style": style, "payload": content, "width": width, "dark": dark})


def picture(page: Any) -> dict[str, Any]:
    """Return what the pad says of its picture."""
    said: dict[str, Any] = page.evaluate(PICTURE)
    return said


def seen(page: Any) -> np.ndarray:
    """Return the input of the first model, H × W × C."""
    c, h, w = page.evaluate("() => demo.host.models[0].imageShape")
    return np.array(json.loads(page.evaluate(SEEN))).reshape(h, w, c)


def judged(data: str, pictures: np.ndarray) -> np.ndarray:
    """p(y|x) by the shipped classifier, (N, K), of pictures (N, C, H, W)."""
    judge = Classifier.load(data)
    assert judge is not None
    with torch.no_grad():
        logits = judge.net.head[-1](torch.from_numpy(judge.features(pictures.astype(np.float32))))
    return torch.softmax(logits, -1).numpy()
