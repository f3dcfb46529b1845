"""The pages on trained models in a real Chromium: what needs a pointer, a theme or room."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import ROOT, Browser, streamlit
from helpers.engine import tiny_run

from cvae.data import ImageData
from cvae.measuring.evaluation import evaluate
from cvae.training.loop import fit

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def server(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("runs")
    for name in ("ae", "vae", "cvae"):
        for _ in fit(folder / name, tiny_run(name), data=digits):
            pass
        evaluate(folder / name, data=digits, samples=50)
    app = tmp_path_factory.mktemp("app")  # a copy, as the server's log lies beside its script
    shutil.copytree(ROOT / "pages", app / "pages")
    with streamlit(Path(shutil.copy(ROOT / "app.py", app)), CVAE_RUNS=str(folder)) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Open]:
    """visit(path): the page, when its script has ended."""
    pages = []

    def start(path: str) -> Any:
        page = browser.new_page({"width": 1440, "height": 900})
        pages.append(page)
        page.goto(f"{server}/{path}")
        settle(page)
        return page

    yield start
    for page in pages:
        page.close()


def settle(page: Any) -> None:
    page.get_by_role("heading", name=re.compile("What to notice|观察要点")).first.wait_for(timeout=30_000)
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')")


def test_a_lasso_selects_images_that_the_link_then_names(visit: Open) -> None:
    from playwright.sync_api import expect

    page = visit("latent?run=vae")
    plot = page.locator(".js-plotly-plot").first
    plot.hover()
    plot.locator("[data-title='Lasso Select']").click()
    box = plot.locator(".nsewdrag").first.bounding_box()
    middle, radius = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), box["height"] / 5
    page.mouse.move(middle[0] + radius, middle[1])
    page.mouse.down()
    for i in range(1, 25):
        page.mouse.move(middle[0] + radius * math.cos(i / 4), middle[1] + radius * math.sin(i / 4))
    page.mouse.up()
    page.get_by_text(re.compile(r"^\d+ selected")).wait_for()
    page.wait_for_url(re.compile("images="))
    numbers = page.get_by_role("textbox", name=re.compile("numbers of images")).input_value()
    assert len(numbers.split(",")) == int(page.get_by_text(re.compile(r"^\d+ selected")).inner_text().split()[0])
    again = visit(page.url.split("/", 3)[3])
    same = re.compile(r",\s*".join(re.split(r",\s*", numbers)))
    box = again.get_by_role("textbox", name=re.compile("numbers of images"))
    expect(box).to_have_value(same, timeout=30_000)


def test_the_label_chosen_in_the_explorer_is_drawn_below_and_kept_in_the_link(visit: Open) -> None:
    page = visit("sample?run=cvae&label=3&seed=5")
    page.get_by_text("50 draws of 3, seed 5").wait_for()
    page.get_by_role("group", name="Label").get_by_role("button", name="7", exact=True).click()
    page.get_by_text("50 draws of 7, seed 5").wait_for()
    page.wait_for_url(re.compile("label=7"))
    page.get_by_role("slider", name="Latent map").click(position={"x": 100, "y": 100})
    page.wait_for_url(re.compile(r"z=-?\d"))


def test_the_walk_moves_only_when_asked_for(visit: Open) -> None:
    page = visit("sample?run=vae")
    walk = page.get_by_role("img", name="Moving picture")
    assert walk.count() == 0
    page.get_by_text("Show the walk").click()
    walk.wait_for()
    page.get_by_role("button", name="Save as GIF").wait_for()


@pytest.mark.parametrize("path", ["latent?run=cvae", "sample?run=cvae", "compare?runs=ae,vae,cvae"])
def test_grey_pictures_follow_the_theme(visit: Open, path: str) -> None:
    page = visit(path)
    bright = """(wanted) => {
      const image = document.querySelector(".stImage img");
      if (!image?.complete || !image.naturalWidth) return false;
      const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data[0] > 127 === wanted;
    }"""
    page.wait_for_function(bright, arg=True)
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.wait_for_function(bright, arg=False)
    assert page.locator("img:not([alt]), img[alt='']").count() == 0


def test_measured_figures_are_drawn_within_the_page(visit: Open) -> None:
    page = visit("measure?runs=ae,vae,cvae")
    plots = page.locator(".js-plotly-plot")
    plots.first.wait_for()
    for i in range(plots.count()):
        box = plots.nth(i).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1440
    page.get_by_text("python -m cvae evaluate vae").first.wait_for()
    page.get_by_text("中文").click()
    page.get_by_role("heading", name="界的阶梯").wait_for()
    page.wait_for_url(re.compile("runs=ae.*vae.*cvae"))
