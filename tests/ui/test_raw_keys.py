"""No page shows the key of its words in place of them: in any language, with and without runs, when something fails."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from google.protobuf.message import Message
from helpers.engine import tiny_run
from streamlit.testing.v1 import AppTest

from cvae.assets import SHIPPED
from cvae.errors import InputError, sentences
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.runs.status import Status
from cvae.ui.components.explorer import texts
from cvae.ui.frame.pages import PAGES
from cvae.ui.frame.text import LANGUAGES, keys, table, translate

ROOT = Path(__file__).parents[2]
UNSEEN = {  # fields of Streamlit's elements that are no words: names, addresses, code
    *(
        "id",
        "form_id",
        "element_id",
        "page",
        "page_script_hash",
        "url",
        "icon",
        "component_name",
        "query_string",
        "key",
    ),
    *("js_content", "css_content", "html_content", "group_id", "fragment_id", "css_source_path", "js_source_path"),
}
DOTTED = re.compile(r"(?<![\w./\\-])[a-z]\w*(?:\.\w+)+(?![\w/\\-])")
FILES = (".json", ".jsonl", ".py", ".npz", ".safetensors", ".txt", ".gz", ".csv", ".md")


@functools.cache
def known() -> frozenset[str]:
    """Every key of every table."""
    return frozenset(keys(table("en")) | set(sentences("en")) | keys(texts("en")))


@functools.cache
def first_parts() -> frozenset[str]:
    return frozenset(key.partition(".")[0] for key in known())


def raw_keys(text: str) -> list[str]:
    """What in a text is a key, or looks like one that is missing: `word.word_word` where other keys begin alike."""
    found = [key for key in DOTTED.findall(text) if not key.endswith(FILES)]
    return [key for key in found if key in known() or (key.partition(".")[0] in first_parts() and "_" in key)]


def shown(block: Any) -> Iterator[str]:
    """All texts of a block and of what is within it."""
    if (proto := getattr(block, "proto", None)) is not None:
        yield from strings(proto)
    for child in getattr(block, "children", {}).values():
        yield from shown(child)


def strings(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name in UNSEEN:
            continue
        for part in value.values() if isinstance(value, dict) else value if is_many(value) else [value]:
            if isinstance(part, Message):
                yield from strings(part)
            elif isinstance(part, str):
                yield from from_json(part) if field.name in ("json", "spec") else [part]


def is_many(value: Any) -> bool:
    return not isinstance(value, (str, bytes, Message)) and hasattr(value, "__iter__")


def from_json(text: str) -> Iterator[str]:
    """The texts in what a component or a chart is given, but for the names of their parts."""
    waiting = [json.loads(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            waiting.extend(value.values() if isinstance(value, dict) else value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of its own for runs, data and gallery; returns the one above them."""
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("CVAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("cvae.ui.parts.runs.GALLERY", tmp_path / "gallery")
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path


def opened(page: str, **link: str) -> str:
    """What a page shows, as one text."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(link)
    app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception, [error.message for error in app.exception]
    text = "\n".join(part for block in (app.main, app.sidebar) for part in shown(block))
    assert len(text) > 20
    return text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", [page.id for page in PAGES])
def test_a_page_shows_words(folder: Path, page: str, language: str) -> None:
    assert raw_keys(opened(page, lang=language)) == [], "without a run"
    for name in ("digits-ae", "digits-cvae"):
        shutil.copytree(SHIPPED / name, folder / "gallery" / name)
    assert raw_keys(opened(page, lang=language, run="digits-cvae", runs="digits-ae,digits-cvae")) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", [page.id for page in PAGES])
def test_a_page_shows_sentences_where_something_fails(folder: Path, page: str, language: str) -> None:
    runs = folder / "runs"
    for name in ("broken", "torn", "other"):
        shutil.copytree(SHIPPED / "digits-cvae", runs / name)
    (runs / "broken" / "config.json").write_text("{", encoding="utf-8")
    (runs / "torn" / "model.safetensors").write_bytes(b"torn")
    (runs / "other" / "codes.safetensors").unlink()
    failed = Run.create(runs / "failed", tiny_run())
    failed.write_status(Status("failed", "step 3: the loss became nan.", step=3, steps=10))
    for name in ("broken", "torn", "other", "failed", "gone"):
        text = opened(page, lang=language, run=name, runs=name, z="1,inf", label="x")
        assert raw_keys(text) == [], name


def test_the_words_of_an_error_are_never_its_key() -> None:
    for language in LANGUAGES:
        for key, sentence in sentences(language).items():
            assert raw_keys(sentence) == [], (language, key)
    assert raw_keys(str(InputError("no.such_key"))) == []  # no other key begins so
    assert raw_keys("live.no_such_thing happened")
    assert raw_keys("**start.nothing**")
    assert raw_keys("runs/a/config.json, cvae.fit, metrics.json: 1.5 nats.") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_navigation_shows_words(language: str) -> None:
    for page in PAGES:
        wanted = [f"pages.{page.id}"] + [f"start.{part}.{page.id}" for part in ("to", "why") if page.at_start]
        assert [key for key in wanted if translate(language, key) == key] == []


@pytest.mark.usefixtures("folder")
def test_this_would_see_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"start.welcome", "train.new", "train.beta_help", "train.schedules.cosine"} <= known()
    for section, name in (("start", "welcome"), ("train", "new"), ("train", "beta_help")):
        monkeypatch.delitem(table("en")[section], name)
    monkeypatch.delitem(table("en")["train"]["schedules"], "constant")
    assert raw_keys(opened("start", lang="en")) == ["start.welcome"]
    found = set(raw_keys(opened("train", lang="en")))
    assert found == {"train.new", "train.beta_help", "train.schedules.constant"}
