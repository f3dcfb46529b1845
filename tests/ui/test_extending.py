"""A page, a data set and a language are added in one place each: in a copy of the project, with no other edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TOY_PAGE = '''
"""Toy: a page of a test."""

import streamlit as st

from cvae.ui.frame import navigation
from cvae.ui.frame.text import t

navigation.require_app()
st.markdown(t("toy.greeting"))
'''
PAGE_WORDS = {
    "en": {"page": {"title": "Toy box", "to": "Open the toy box", "why": "What toys are for."}, "greeting": "A toy."},
    "zh": {"page": {"title": "玩具箱", "to": "打开玩具箱", "why": "玩具的用处。"}, "greeting": "一个玩具。"},
}
PAGE_ENTRY = '    Page("toy", "toys"),\n'
DATA_ENTRY = """
        Dataset(
            id="toy",
            title="Toy stripes",
            image_shape=(1, 8, 8),
            class_names=("dark", "light"),
            sizes=(80, 10, 10),
            licence="CC0 1.0",
            source="made by a test",
            read=lambda dataset, directory: shuffled_splits(
                dataset.id,
                np.tile(np.arange(100, dtype=np.uint8)[:, None, None, None] * 2, (1, 1, 8, 8)),
                np.arange(100) // 50,
                dataset.class_names,
            ),
            epochs=7,
        ),
"""
FRENCH = {"app": {"language_name": "Français"}, "pages": {"train": "Entraîner"}, "train": {"start": "Commencer"}}

OPEN = """
from streamlit.testing.v1 import AppTest

def opened(page, language):
    app = AppTest.from_file("app.py", default_timeout=60)
    app.query_params["lang"] = language
    app.run()
    if page != "start":
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, (page, language, app.exception)
    return app

# AppTest does not show the navigation: its titles are noted where Streamlit gathers the pages.
import streamlit.commands.navigation as commands
titles = []
known = commands.pages_from_nav_sections
def noted(sections):
    pages = known(sections)
    titles[:] = [page.title for page in pages]
    return pages
commands.pages_from_nav_sections = noted
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a page, a data set and a language more; small runs of its own."""
    copy = tmp_path_factory.mktemp("extended") / "project"
    for part in ("cvae", "pages"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "assets", copy / "assets", ignore=shutil.ignore_patterns("gallery", "readme"))
    shutil.copytree(ROOT / "assets" / "gallery" / "digits-cvae", copy / "runs" / "mine")
    shutil.copy(ROOT / "app.py", copy)
    text = copy / "assets" / "text"

    (copy / "pages" / "toy.py").write_text(TOY_PAGE, encoding="utf-8")
    insert(copy / "cvae" / "ui" / "frame" / "pages.py", PAGE_ENTRY, before=")\n")
    (text / "pages").mkdir(exist_ok=True)
    for language, words in PAGE_WORDS.items():
        (text / "pages" / f"toy.{language}.json").write_text(json.dumps(words), encoding="utf-8")

    insert(copy / "cvae" / "data" / "registry.py", DATA_ENTRY.lstrip("\n"), before="    )\n}\n")

    (text / "fr.json").write_text(json.dumps(FRENCH), encoding="utf-8")
    return copy


def insert(file: Path, entry: str, before: str) -> None:
    """Put an entry at the end of the list in a file."""
    head, found, tail = file.read_text(encoding="utf-8").rpartition(before)
    assert found
    file.write_text(head + entry + found + tail, encoding="utf-8")


def python(project: Path, *args: str) -> str:
    """What Python prints there; it fails with what went wrong."""
    folders = {"PYTHONPATH": str(project), "CVAE_RUNS": str(project / "runs"), "CVAE_DATA": str(project / "data")}
    done = subprocess.run(
        [sys.executable, *args],
        cwd=project,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", **folders},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_added_page_is_in_the_navigation_and_on_start_in_both_languages(project: Path) -> None:
    code = """
words = WORDS
for language, said in words.items():
    app = opened("start", language)
    assert titles[-1] == said["page"]["title"], titles
    links = [link.proto.label for link in app.get("page_link")]
    assert f"**{said['page']['to']}**" in links, links
    assert said["page"]["why"] in [caption.value for caption in app.caption]
    app = opened("toy", language)
    assert said["greeting"] in [markdown.value for markdown in app.markdown]
"""
    python(project, "-c", OPEN + code.replace("WORDS", ascii(PAGE_WORDS)))


def test_an_added_data_set_is_on_the_command_line(project: Path) -> None:
    assert "Toy stripes" in python(project, "-m", "cvae", "list")
    options = ["--data", "toy", "--hidden", "4", "--epochs", "1", "--threads", "1", "--device", "cpu"]
    assert "80 images" in python(project, "-m", "cvae", "train", *options)
    config = json.loads((project / "runs" / "vae-toy-1" / "config.json").read_text(encoding="utf-8"))
    assert (config["data"]["name"], config["model"]["class_names"]) == ("toy", ["dark", "light"])


def test_an_added_data_set_is_in_the_menu_with_the_epochs_that_it_proposes(project: Path) -> None:
    code = """
app = opened("train", "en")
app.session_state["train.new"] = True
app.run()
menu = next(menu for menu in app.selectbox if menu.key == "train.data")
assert "Toy stripes" in menu.options, menu.options
menu.set_value("toy").run()
assert not app.exception
assert next(field for field in app.number_input if field.key == "train.epochs").value == 7
"""
    python(project, "-c", OPEN + code)


def test_a_language_is_its_file_with_english_for_the_rest(project: Path) -> None:
    code = """
from cvae.ui.components.explorer import texts
from cvae.ui.frame.text import LANGUAGES
assert list(LANGUAGES.items()) == [("en", "English"), ("fr", "Fran\\u00e7ais"), ("zh", "\\u4e2d\\u6587")], LANGUAGES
app = opened("train", "fr")
assert "Entra\\u00eener" in titles and "Start" in titles, titles
assert list(app.button_group(key="language").options) == list(LANGUAGES.values())
assert app.query_params["lang"] == "fr"
app.session_state["train.new"] = True
app.run()
assert "Commencer" in [button.label for button in app.button]
assert "Data" in [menu.label for menu in app.selectbox], [menu.label for menu in app.selectbox]
assert texts("fr") == texts("en")
for page in ("start", "latent", "sample", "compare", "measure", "toy"):
    assert opened(page, "fr").query_params["lang"] == "fr"
"""
    python(project, "-c", OPEN + code)
