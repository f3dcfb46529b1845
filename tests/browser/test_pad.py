"""The pad: everything a user can do to it in a real Chromium."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.explorer import make_run
from helpers.pad import judged, open_pad, picture, seen
from PIL import Image, ImageDraw

from cvae.assets import SHIPPED
from cvae.browser.explorer import export
from cvae.config import DataConfig
from cvae.data import load_data
from cvae.runs.folder import Run

ADDRESS = "http://127.0.0.1/pad"
HTML = '<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'


class Page:
    """A page with a pad, which fails if anything is asked of the network or said in the console."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.heard: list[str] = []
        page.route("**", lambda route: route.fulfill(body=HTML, content_type="text/html"))
        page.goto(ADDRESS)
        page.on("request", lambda request: self.hear(request.url))
        page.on("console", lambda message: self.heard.append(message.text))
        page.on("pageerror", lambda error: self.heard.append(str(error)))

    def hear(self, address: str) -> None:
        if not address.startswith("blob:") and address != ADDRESS:
            self.heard.append(address)

    def open(self, payload: dict[str, Any], **changes: Any) -> None:
        open_pad(self.page, payload, **changes)

    @property
    def canvas(self) -> Any:
        return self.page.get_by_test_id("pad")

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def picture(self) -> dict[str, Any]:
        return picture(self.page)

    def seen(self) -> np.ndarray:
        return seen(self.page)

    def status(self) -> str:
        text: str = self.page.get_by_role("status").inner_text()
        return text

    def heard_by_host(self) -> tuple[int, int]:
        inputs, settlings = self.page.evaluate("() => [demo.host.inputs, demo.host.settlings]")
        return inputs, settlings

    def stroke(self, points: list[tuple[float, float]], steps: int = 10) -> None:
        """Drag the mouse along points in the unit square."""
        box = self.canvas.bounding_box()
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        mouse = self.page.mouse
        mouse.move(*at[0])
        mouse.down()
        for point in at[1:]:
            mouse.move(*point, steps=steps)
        mouse.up()

    def upload(self, name: str, content: bytes, mime: str = "image/png") -> None:
        before = self.picture()["version"]
        self.page.locator("input[type=file]").set_input_files({"name": name, "mimeType": mime, "buffer": content})
        self.page.wait_for_function(
            "before => demo.pad.picture.version !== before || /[.]$/.test("
            "document.querySelector('[role=status]').textContent)",
            arg=before,
        )


@pytest.fixture
def pad(browser: Browser) -> Iterator[Page]:
    page = Page(browser.new_page({"width": 900, "height": 900}))
    yield page
    page.page.close()
    assert page.heard == []


@pytest.fixture(scope="module")
def mnist() -> dict[str, Any]:
    return export([Run(SHIPPED / "mnist-cvae")])


def read(pixels: np.ndarray) -> int:
    """The digit that the judge of MNIST reads, with some confidence."""
    p = judged("mnist", pixels.transpose(2, 0, 1)[None])[0]
    assert p.max() > 0.8
    return int(p.argmax())


SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]


def test_the_first_picture_is_already_there(pad: Page, mnist: dict[str, Any]) -> None:
    pad.open(mnist)
    assert pad.picture()["source"] == "example"
    assert read(pad.seen()) == int(pad.picture()["label"])


def test_drawing_erasing_undoing_clearing_with_the_mouse(pad: Page, mnist: dict[str, Any]) -> None:
    pad.open(mnist)
    pad.button("Clear the pad").click()
    assert pad.picture()["blank"]
    assert pad.page.get_by_text("Draw a digit here").is_visible()
    inputs, settlings = pad.heard_by_host()
    pad.stroke(SEVEN, steps=100)
    after = pad.heard_by_host()
    assert after[1] == settlings + 1
    assert after[0] - inputs >= 190
    assert pad.picture() | {"version": 0} == {"source": "drawn", "label": None, "blank": False, "version": 0}
    drawn = pad.seen()
    assert read(drawn) == 7
    moves = sorted(pad.page.evaluate("() => demo.host.moves"))
    print("milliseconds a move: median", moves[len(moves) // 2], "the longest", moves[-1])
    assert moves[int(0.95 * len(moves))] < 5

    pad.button("Erase").click()
    assert pad.button("Erase").get_attribute("aria-pressed") == "true"
    pad.stroke([(0.2, 0.2), (0.8, 0.2)])
    assert read(pad.seen()) == 1
    pad.page.keyboard.press("Control+z")
    np.testing.assert_array_equal(pad.seen(), drawn)
    pad.button("Clear the pad").click()
    assert pad.picture()["blank"]
    assert (pad.seen() == 0).all()
    pad.button("Undo").click()
    np.testing.assert_array_equal(pad.seen(), drawn)


def test_drawing_with_a_finger(browser: Browser, mnist: dict[str, Any]) -> None:
    pad = Page(browser.new_page({"width": 390, "height": 800}, has_touch=True, is_mobile=True))
    pad.open(mnist)
    pad.button("Clear the pad").tap()
    box = pad.canvas.bounding_box()
    session = pad.page.context.new_cdp_session(pad.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": i}
            for i, (x, y) in enumerate(points)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", SEVEN[0])
    for (ax, ay), (bx, by) in itertools.pairwise(SEVEN):
        for t in np.linspace(0, 1, 12):
            touch("touchMove", (ax + t * (bx - ax), ay + t * (by - ay)))
    touch("touchStart", SEVEN[2], (0.1, 0.9))  # a second finger draws nothing
    touch("touchMove", SEVEN[2], (0.2, 0.9))
    touch("touchEnd")
    assert read(pad.seen()) == 7
    assert pad.page.evaluate("() => scrollY") == 0
    for button in pad.page.get_by_role("button").all():
        if button.is_visible():
            size = button.bounding_box()
            assert min(size["width"], size["height"]) >= 40
    pad.page.close()
    assert pad.heard == []


def test_choosing_with_the_keyboard_alone(pad: Page, mnist: dict[str, Any]) -> None:
    pad.open(mnist)
    keyboard = pad.page.keyboard
    keyboard.press("Tab")
    assert pad.page.evaluate("() => document.activeElement.dataset.testid") == "pad"
    keyboard.press("ArrowRight")
    assert pad.picture()["source"] == "example"
    for _ in range(4 + 1):  # draw, erase, undo, clear, choose
        keyboard.press("Tab")
    keyboard.press("Enter")
    for _ in range(2):
        keyboard.press("ArrowDown")
    keyboard.press("ArrowRight")
    keyboard.press("Enter")  # in rows of five
    assert pad.picture()["label"] == "5"
    assert read(pad.seen()) == 5
    for _ in range(2):
        keyboard.press("ArrowDown")
    keyboard.press("Enter")
    assert pad.picture()["source"] == "decoded"  # the pictures of MNIST are not at hand
    assert pad.page.get_by_text("drawn by the model CVAE").is_visible()
    keyboard.press("Escape")
    assert pad.page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "Choose a picture"
    assert not pad.page.get_by_role("group", name="Choose a picture").is_visible()


def test_a_held_out_picture_is_seen_as_it_is(pad: Page, tmp_path: Path) -> None:
    data = load_data(DataConfig("digits"))
    payload = export([make_run(tmp_path / "run", family="cvae", codes=len(data.test))], data=data)
    pad.open(payload)
    assert pad.page.evaluate("() => demo.pad.choose(17)")
    np.testing.assert_allclose(pad.seen()[..., 0], data.test.images[17, 0] / 255, atol=1e-6)
    assert pad.picture()["source"] == "held-out"
    pad.button("Choose a picture").click()
    first = pad.page.locator(".lx-tray-tiles").last.get_by_role("button").first
    names = [first.get_attribute("aria-label")]
    pad.button("Show others").click()
    names.append(pad.page.locator(".lx-tray-tiles").last.get_by_role("button").first.get_attribute("aria-label"))
    assert all(name.startswith("Picture of class") for name in names)
    assert not pad.page.evaluate("() => demo.pad.choose(100000)")


# --- files ----------------------------------------------------------------------------------------------------------


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def seven(size: tuple[int, int], paper: Any, pen: Any, mode: str = "RGB", scale: float = 1.0) -> Image.Image:
    """A seven in the middle of a picture."""
    image = Image.new(mode, size, paper)
    side = min(size) * scale
    left, top = (size[0] - side) / 2, (size[1] - side) / 2
    points = [(left + x * side, top + y * side) for x, y in SEVEN]
    ImageDraw.Draw(image).line(points, pen, int(0.09 * side), joint="curve")
    return image


def test_a_png_with_alpha_lies_on_white(pad: Page, mnist: dict[str, Any]) -> None:
    pad.open(mnist)
    pad.upload("seven.png", encoded(seven((300, 200), (0, 0, 0, 0), (0, 0, 120, 255), "RGBA")))
    assert pad.picture() | {"version": 0} == {"source": "upload", "label": None, "blank": False, "version": 0}
    assert read(pad.seen()) == 7
    pad.page.get_by_text("it stays in this browser").wait_for()
    pad.upload("seven.gif", encoded(seven((90, 90), 255, 0, "L"), "GIF"), "image/gif")
    assert read(pad.seen()) == 7
    pad.upload("seven.webp", encoded(seven((28, 28), 0, 255, "L"), "WEBP", lossless=True), "image/webp")
    assert read(pad.seen()) == 7
    pad.upload("paper.bmp", encoded(Image.new("RGB", (50, 50), (250, 250, 240)), "BMP"), "image/bmp")
    assert pad.picture()["blank"]
    pad.page.get_by_text("No ink was found").wait_for()


def test_a_photograph_of_twelve_megapixels(pad: Page, mnist: dict[str, Any]) -> None:
    pad.open(mnist)
    pad.page.evaluate(
        "() => { window.long = []; new PerformanceObserver((list) => long.push(...list.getEntries().map((e) =>"
        " e.duration))).observe({ type: 'longtask' }); }"
    )
    light = np.linspace(1, 0.6, 4000)[None, :, None] * np.linspace(1, 0.85, 3000)[:, None, None]
    noise = np.random.default_rng(0).normal(0, 5, (3000, 4000, 1))
    photograph = np.asarray(seven((4000, 3000), (225, 220, 205), (40, 45, 90), scale=0.6), float) * light + noise
    jpeg = encoded(Image.fromarray(photograph.clip(0, 255).astype(np.uint8)), "JPEG", quality=88)
    pad.upload("photo.jpg", jpeg, "image/jpeg")
    assert read(pad.seen()) == 7
    pad.page.wait_for_timeout(200)
    print("tasks over 50 ms:", pad.page.evaluate("() => long"))
    turned = Image.fromarray(photograph.clip(0, 255).astype(np.uint8)).resize((400, 300)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it back by a quarter
    pad.upload("turned.jpg", encoded(turned, "JPEG", exif=exif), "image/jpeg")
    assert read(pad.seen()) == 7


SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="console.log('ran')">
<script>console.log("ran"); fetch("http://127.0.0.1/stolen")</script><image href="http://127.0.0.1/stolen.png"/></svg>"""


def no_picture(name: str) -> bytes:
    good = encoded(seven((64, 64), 255, 0, "L"))
    return {
        "hostile.svg": SVG,
        "hostile.png": SVG,
        "text.png": b"These are words, not a picture.",
        "empty.png": b"",
        "half.png": good[: len(good) // 2],
        "huge.png": good[:16] + (60_000).to_bytes(4, "big") + (60_000).to_bytes(4, "big") + good[24:],
    }[name]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("hostile.svg", "not a PNG"),
        ("hostile.png", "not a PNG"),
        ("text.png", "not a PNG"),
        ("empty.png", "not a PNG"),
        ("half.png", "cannot be read"),
        ("huge.png", "too large"),
    ],
)
def test_what_is_no_picture_is_said(pad: Page, mnist: dict[str, Any], name: str, sentence: str) -> None:
    pad.open(mnist)
    before = pad.picture(), pad.seen()
    pad.upload(name, no_picture(name), "image/svg+xml" if name.endswith("svg") else "image/png")
    assert sentence in pad.status()
    assert pad.picture() == before[0]
    np.testing.assert_array_equal(pad.seen(), before[1])
    pad.page.wait_for_timeout(100)


# Drops or pastes files and text as the browser would.
GIVE = """
({ kind, base64, text }) => {
  const data = new DataTransfer();
  if (base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], "x.png", { type: "image/png" }));
  }
  if (text) data.setData("text/html", text);
  const pad = document.querySelector("[data-testid=pad]");
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, composed: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, composed: true, cancelable: true });
  (kind === "paste" && base64 ? document.body : pad).dispatchEvent(event);
  return event.defaultPrevented;
}
"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_may_be_dropped_or_pasted(pad: Page, mnist: dict[str, Any], kind: str) -> None:
    import base64

    pad.open(mnist)
    png = base64.b64encode(encoded(seven((64, 64), 255, 0, "L"))).decode()
    assert pad.page.evaluate(GIVE, {"kind": kind, "base64": png, "text": None})
    pad.page.wait_for_function("() => demo.pad.picture.source === 'upload'")
    assert read(pad.seen()) == 7
    assert pad.page.evaluate(GIVE, {"kind": kind, "base64": None, "text": "<img src='http://127.0.0.1/elsewhere.png'>"})
    assert pad.status() == "There is no picture file in this."


# --- the tab --------------------------------------------------------------------------------------------------------


def test_the_picture_survives_a_reload_in_another_language_and_theme(pad: Page, mnist: dict[str, Any]) -> None:
    pad.open(mnist)
    pad.upload("seven.png", encoded(seven((64, 48), 255, 0, "L")))
    pad.stroke([(0.4, 0.5), (0.7, 0.5)])
    before = pad.seen()
    pad.page.reload()
    pad.open(mnist, dark=True, language="zh")
    np.testing.assert_array_equal(pad.seen(), before)
    corner = pad.canvas.evaluate("c => [...c.getContext('2d').getImageData(1, 1, 1, 1).data]")
    assert corner == [0, 0, 0, 255]  # black paper
    assert pad.page.get_by_role("button", name="撤销").get_attribute("aria-disabled") == "false"


@pytest.mark.parametrize("stored", ["{", '{"version":1}', "<script>console.log(1)</script>"])
def test_damaged_storage_gives_the_first_picture(pad: Page, mnist: dict[str, Any], stored: str) -> None:
    pad.page.evaluate("text => sessionStorage.setItem('cvae.pad', text)", stored)
    pad.open(mnist)
    assert pad.picture()["source"] == "example"


def test_forbidden_storage_is_survived(browser: Browser, mnist: dict[str, Any]) -> None:
    page = browser.new_page({"width": 500, "height": 700})  # on a page without an origin
    open_pad(page, mnist)
    page.get_by_role("button", name="Clear the pad").click()
    assert picture(page)["blank"]
    page.close()
