"""Both halves in one explorer: the pad's picture is encoded, all codes follow it, and a drag takes them away."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.explorer import mount

from cvae.assets import SHIPPED
from cvae.browser.explorer import export
from cvae.explore.decoding import carry_code
from cvae.explore.inference import Inference
from cvae.runs.folder import Run
from cvae.ui.components.explorer import PANELS

FAMILIES = ("mnist-ae", "mnist-vae", "mnist-cvae")
READY = "() => JSON.parse(document.querySelector('[data-testid=latent-explorer]').dataset.nats ?? '[]').some(Boolean)"


class Page:
    """An explorer with its pad on an otherwise empty page."""

    def __init__(self, browser: Browser, names: tuple[str, ...]) -> None:
        self.page = browser.new_page(viewport={"width": 1400, "height": 1000})
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.models = [Inference.load(Run(SHIPPED / name)) for name in names]
        mount(self.page, export([Run(SHIPPED / name) for name in names]), panels=list(PANELS))
        self.root = self.page.get_by_test_id("latent-explorer")

    def data(self, name: str) -> Any:
        return json.loads(self.root.get_attribute(f"data-{name}"))

    def x(self) -> np.ndarray:
        """Return what the first model sees, (1, 1, 28, 28) in [0, 1]."""
        data = np.frombuffer(base64.b64decode(self.root.get_attribute("data-x")), np.uint8)
        return data.reshape(1, 1, 28, 28) / np.float32(255)

    def codes(self) -> np.ndarray:
        return np.array(self.root.evaluate("root => root.explorer.codes()"))

    def frames(self) -> int:
        return int(self.root.get_attribute("data-frames"))

    def sent(self) -> int:
        return int(self.page.evaluate("() => window.sent.length"))

    def label(self, index: int, label: int) -> np.ndarray | None:
        takes = self.models[index].config.takes_label
        return np.eye(10, dtype=np.float32)[label : label + 1] if takes else None


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    pages: list[Page] = []

    def open_page(*names: str) -> Page:
        pages.append(Page(browser, names))
        return pages[-1]

    yield open_page
    for one in pages:
        assert one.errors == []
        one.page.close()


def draw_a_seven(page: Page) -> None:
    box = page.page.get_by_test_id("pad").bounding_box()
    mouse = page.page.mouse
    place = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    mouse.move(*place(0.3, 0.25))
    mouse.down()
    for i in range(100):
        mouse.move(*place(0.3 + 0.4 * i / 100, 0.25))
    for i in range(100):
        mouse.move(*place(0.7 - 0.25 * i / 100, 0.25 + 0.55 * i / 100))


def test_every_stroke_is_encoded_by_every_model_and_nothing_is_sent(opened: Any) -> None:
    page = opened(*FAMILIES)
    page.page.get_by_role("button", name="Clear the pad").click()
    frames, sent = page.frames(), page.sent()
    draw_a_seven(page)
    assert page.frames() - frames >= 190
    assert page.sent() <= sent + 1  # the pad was cleared; the strokes say nothing
    page.page.mouse.up()
    page.page.wait_for_function("() => document.querySelector('.lx-encoded-as select').innerText.includes('7')")
    x, told = page.x(), 7
    for i, (model, found) in enumerate(zip(page.models, page.data("posterior"), strict=True)):
        mean, std = model.encode(x, page.label(i, told))
        np.testing.assert_allclose(found["mean"], mean[0], atol=0.03)
        np.testing.assert_allclose(page.codes()[i], mean[0], atol=0.03)
        if model.family.prior == "none":
            assert found["std"] is None
        else:
            np.testing.assert_allclose(found["std"], std[0], rtol=0.05)


def test_a_drag_takes_z_away_and_the_mean_puts_it_back(opened: Any) -> None:
    page = opened("mnist-cvae")
    before = page.codes()
    box = page.page.get_by_test_id("map").bounding_box()
    page.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    assert np.abs(page.codes() - before).max() > 0.3
    page.page.get_by_role("button", name="Mean of q(z|x, y)").click()
    np.testing.assert_array_equal(page.codes(), before)
    page.page.get_by_role("button", name="Draw from q(z|x, y)").click()
    std = np.array(page.data("posterior")[0]["std"])
    noise = (page.codes()[0] - before[0]) / std
    assert 0 < np.abs(noise).max() < 6


def test_the_same_hand_writes_every_label(opened: Any) -> None:
    page = opened("mnist-cvae-learned-prior")
    before, told = page.codes(), 2  # the first picture is a two
    page.root.get_by_role("group", name="Label").get_by_role("button", name="5", exact=True).click()
    y = np.eye(10, dtype=np.float32)
    expected = carry_code(page.models[0], before, y[told], y[5])
    np.testing.assert_allclose(page.codes(), expected, atol=1e-2)
    decoded = page.models[0].decode(expected, y[5:6]).ravel()
    found = page.root.evaluate("root => [...root.explorer.values(0)]")
    np.testing.assert_allclose(found, decoded, atol=0.03)


def test_what_the_models_share_decides_the_codes_beside_the_one_that_follows_the_picture(opened: Any) -> None:
    page = opened("mnist-cvae", "mnist-vae")
    group = page.root.get_by_role("group", name="The models share")
    own, other = page.codes()
    assert np.abs(own - other).max() > 0.1
    for shared in ("the noise ε", "the numbers z"):  # under N(0, I) these are the same
        group.get_by_role("button", name=shared).click()
        np.testing.assert_allclose(page.codes(), [own, own], atol=1e-6)
    group.get_by_role("button", name="the picture").click()
    np.testing.assert_allclose(page.codes(), [own, other], atol=1e-6)


def told(page: Page) -> int:
    """Return the class as which the picture is encoded."""
    return int(np.argmax(page.root.evaluate("root => root.explorer.state().told.label.weights")))


def draw_a_one(page: Page) -> None:
    box = page.page.get_by_test_id("pad").bounding_box()
    mouse = page.page.mouse
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    mouse.down()
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=20)
    mouse.up()


def test_a_drawing_is_read_again_where_it_is_taken_along(opened: Any) -> None:
    page = opened("mnist-cvae")
    page.page.get_by_role("button", name="Clear the pad").click()
    draw_a_one(page)
    page.page.wait_for_function("() => document.querySelector('.lx-encoded-as select').innerText.includes('1')")
    codes = page.codes()
    mount(page.page, export([Run(SHIPPED / "mnist-cvae")]), panels=list(PANELS))  # another page of the same tab
    page.root = page.page.get_by_test_id("latent-explorer").last
    assert told(page) == 1
    np.testing.assert_allclose(page.codes(), codes, atol=1e-6)


def test_any_picture_can_be_encoded_as_another_class_until_another_picture_is_there(opened: Any) -> None:
    page = opened("mnist-cvae")
    choice = page.root.get_by_label("Encoded as")
    choice.select_option("3")  # the first picture is a ready 2
    assert told(page) == 3
    assert choice.input_value() == "3"
    page.page.get_by_role("button", name="Clear the pad").click()
    assert choice.input_value() == ""
    draw_a_one(page)
    page.page.wait_for_function("() => document.querySelector('.lx-encoded-as select').innerText.includes('1')")
    assert told(page) == 1


def test_black_and_white_is_seen_and_not_ranked_among_grey_test_images(opened: Any) -> None:
    page = opened("mnist-cvae")
    page.page.wait_for_function(READY, timeout=60_000)
    levels = """() => {
        const { data } = document.querySelector('.lx-draw-sees canvas').getContext('2d').getImageData(0, 0, 28, 28);
        return new Set(data).size;
    }"""
    assert page.root.get_by_text("Its −ELBO is larger than").is_visible()
    assert page.page.evaluate(levels) > 3
    page.page.get_by_role("button", name="Black and white only").click()
    assert page.page.evaluate(levels) <= 3
    page.page.wait_for_function(READY, timeout=60_000)
    page.root.get_by_text("−log p(x|y) =").wait_for()
    assert not page.root.get_by_text("Its −ELBO is larger than").is_visible()


def test_an_autoencoder_is_given_no_prior_and_no_posterior(opened: Any) -> None:
    page = opened("mnist-ae")
    words = page.root.inner_text()
    assert "q(z|x" not in words
    assert page.root.get_by_role("button", name="Fitted Gaussian").count() == 1
    value = page.root.get_by_label("Value of z1")
    value.fill("600")
    value.press("Enter")
    page.root.get_by_text("outside 99.7 % of the Gaussian fitted to the codes").wait_for()


def test_a_draw_from_the_posterior_keeps_the_path(opened: Any) -> None:
    page = opened("mnist-vae")
    page.root.get_by_role("button", name="Set A").click()
    page.root.get_by_role("button", name="Draw from q(z|x)").click()
    assert len(page.root.evaluate("root => root.explorer.state().path")) == 1


@pytest.mark.parametrize("coupling", ["the picture", "the noise ε", "the numbers z"])
def test_the_other_models_follow_a_drag_by_what_they_share(coupling: str, opened: Any) -> None:
    page = opened(*FAMILIES)
    page.root.get_by_role("group", name="The models share").get_by_role("button", name=coupling).click()
    box = page.page.get_by_test_id("map").first.bounding_box()
    page.page.mouse.click(box["x"] + 0.62 * box["width"], box["y"] + 0.45 * box["height"])
    ae, *others = page.codes()
    picture = page.models[0].decode(ae[None], None)
    weights = page.root.evaluate("root => root.explorer.state().conditions.label.weights")
    label = int(np.argmax(weights))  # that of the code that was clicked, if one lies there
    mean, covariance = page.models[0].fitted()
    noise = np.linalg.solve(np.linalg.cholesky(covariance), ae - mean)
    for i, found in enumerate(others, 1):
        shared = {
            "the picture": lambda i=i: page.models[i].encode(picture, page.label(i, label))[0][0],
            "the noise ε": lambda: noise,
            "the numbers z": lambda: ae,
        }
        np.testing.assert_allclose(found, shared[coupling](), atol=0.03)
    assert page.page.evaluate("() => window.sent.at(-1)[1]")["lead"] == 0
    outside = page.page.locator(".lx-far:visible").count()
    assert outside == (2 if coupling == "the numbers z" else 0)  # ‖z‖ is large in the autoencoder


def test_the_true_posterior_is_told_and_an_autoencoder_has_none(opened: Any) -> None:
    page = opened("mnist-ae", "mnist-vae")
    page.page.wait_for_function(READY, timeout=60_000)
    none, nats = page.data("nats")
    assert none is None
    assert nats["gap"] > 0
    assert nats["logPx"] == pytest.approx(nats["gap"] - nats["reconstruction"] - nats["kl"])
    page.page.get_by_text("Loss (grey pixels: no probability)").wait_for()
    page.page.get_by_role("button", name="Black and white only").click()
    page.page.get_by_text("−log p(x) =").wait_for()
    assert set(np.unique(page.x())) == {0, 1}


def test_a_hand_in_all_labels_is_saved_as_one_picture(opened: Any) -> None:
    page = opened("mnist-cvae")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Save the picture of every label as one PNG").click()
    assert download.value.suggested_filename == "mnist-cvae-label.png"
