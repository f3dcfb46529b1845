"""The words: every language says everything, and everything the code asks for is said."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from cvae.errors import InputError
from cvae.ui.frame import text
from cvae.ui.frame.text import LANGUAGES, escape_markdown, keys, table, translate

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("pages/*.py"), *ROOT.glob("cvae/ui/**/*.py"), ROOT / "app.py"]
OTHERS = [language for language in LANGUAGES if language != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_keys_of_english(language: str) -> None:
    assert keys(table(language)) ^ keys(table("en")) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_every_translation_has_the_gaps_of_english(language: str) -> None:
    def gaps(code: str, key: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(translate(code, key)) if name is not None}

    differing = {key for key in keys(table("en")) if gaps(language, key) != gaps("en", key)}
    assert not differing


def test_the_words_that_the_code_asks_for_exist() -> None:
    asked = {
        (source.name, key)
        for source in SOURCES
        for key in re.findall(r"""\bt\(\s*["']([\w.\-]+)["']""", source.read_text(encoding="utf-8"))
    }
    assert len(asked) > 200
    assert {(name, key) for name, key in asked if key not in keys(table("en"))} == set()


def test_an_error_is_told_in_the_language_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "language", lambda: "zh")
    inner = InputError("option.whole_least", name="seed", low=0, value="-1")
    assert text.translate_error(InputError("run.unusable", path="runs/a/config.json", error=inner)) == (
        "runs/a/config.json 不能使用：seed 必须是不小于 0 的整数，而不是 -1。"
    )
    assert text.translate_error(OSError("what nobody has translated")) == "what nobody has translated"


def test_an_unknown_key_is_shown_rather_than_raised() -> None:
    assert translate("zh", "no.such.key") == "no.such.key"


def test_someone_elses_text_is_not_markdown() -> None:
    assert escape_markdown("![a](http://b) :red[c]") == r"\!\[a\]\(http\:\/\/b\) \:red\[c\]".replace(r"\/", "/")
