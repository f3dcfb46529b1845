"""A payload in parts is the payload: the same models, each in bytes that do not depend on where it is shown."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import Browser
from helpers.explorer import make_run, mount

from cvae.assets import PART
from cvae.browser.explorer import export
from cvae.browser.parts import HEAVY, parted
from cvae.config import DataConfig
from cvae.data import load_data
from cvae.runs.folder import Run

# Mounts the component of a part as Streamlit does: bytes, and an element of its own.
KEEP = """
async ({ script, base64 }) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const keep = (await import(url)).default;
  const parentElement = document.body.appendChild(document.createElement("div"));
  window.leave = keep({ data: Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), parentElement });
  window.kept = parentElement;
}
"""


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    data = load_data(DataConfig("digits"))
    return [make_run(tmp_path / name, family=name, codes=len(data.test)) for name in ("vae", "cvae")]


def put_together(payload: dict[str, Any]) -> dict[str, Any]:
    """Undo `parted`, as assets/explorer/parts.js does."""

    def part(name: str) -> Any:
        first, text, tensors = payload["parts"][name].split(b"\n", 2)
        assert first.decode() == name

        def whole(content: dict[str, Any]) -> dict[str, Any]:
            if "at" not in content:
                return content
            start, count = content.pop("at")
            return {**content, "data": base64.b64encode(tensors[start : start + count]).decode()}

        return json.loads(text, object_hook=whole)

    models = []
    for model in payload["models"]:
        pictures = model["thumbnails"]
        models.append(
            {**part(model["part"]), "title": model["title"], "thumbnails": pictures and part(pictures["part"])}
        )
    judges = [part(judge["part"]) for judge in payload["judges"]]
    rest = {name: value for name, value in payload.items() if name != "parts"}
    return {**rest, "models": models, "judges": judges}


def test_parts_are_the_whole(runs: list[Run]) -> None:
    whole = json.loads(json.dumps(export(runs, data=load_data(DataConfig("digits")))))
    assert whole["models"][1]["thumbnails"] == 0  # those of the first
    whole["models"][1]["thumbnails"] = whole["models"][0]["thumbnails"]
    assert put_together(parted(whole)) == whole


def test_a_model_is_the_same_bytes_beside_others_and_with_its_thumbnails(runs: list[Run]) -> None:
    alone, beside = parted(export(runs[:1])), parted(export(runs, data=load_data(DataConfig("digits"))))
    name = alone["models"][0]["part"]
    assert alone["parts"].keys() == {name, alone["judges"][0]["part"]}
    assert alone["parts"][name] is beside["parts"][name]
    assert len(beside["parts"]) == 4  # two models; thumbnails and the judge once
    assert not (set(HEAVY) - {"thumbnails"}) & alone["models"][0].keys()


def test_the_explorer_waits_for_its_parts(browser: Browser, runs: list[Run]) -> None:
    page = browser.new_page({"width": 900, "height": 600})
    payload = parted(export(runs[:1]))
    sent = {name: value for name, value in payload.items() if name != "parts"}
    sent["models"] = [{name: model[name] for name in ("part", "title", "thumbnails")} for model in payload["models"]]
    mount(page, sent)
    explorer = page.get_by_test_id("latent-explorer")
    assert explorer.get_attribute("data-frames") == "0"
    script = (PART / "main.js").read_text(encoding="utf-8")
    model, judge = ({"script": script, "base64": base64.b64encode(part).decode()} for part in payload["parts"].values())
    page.evaluate(KEEP, model)
    assert explorer.get_attribute("data-frames") == "0"
    page.evaluate(KEEP, judge)
    page.wait_for_function("() => +document.querySelector('[data-testid=latent-explorer]').dataset.frames > 0")
    page.evaluate("() => { window.kept.remove(); window.leave(); }")
    page.wait_for_function("() => globalThis.cvaeParts.size === 1")
    page.close()
