"""No page shows the key of its words in place of them: in any language, with and without runs, when something fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.engine import tiny_run
from helpers.pages import known, opened, raw_keys

from cvae.assets import SHIPPED
from cvae.errors import InputError, sentences
from cvae.runs.folder import Run
from cvae.runs.status import Status
from cvae.ui.frame.pages import PAGES
from cvae.ui.frame.text import LANGUAGES, table, translate


@pytest.fixture
def folder(folders: Path) -> Path:
    """Folders of its own for runs, data and gallery; returns the one above them."""
    return folders.parent


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
