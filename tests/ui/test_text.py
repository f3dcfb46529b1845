"""The words: every language says everything, and everything the code asks for is said."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import string
from pathlib import Path

import pytest

from cvae.assets import TEXT
from cvae.ui.frame import text
from cvae.ui.frame.text import LANGUAGES, escape_markdown, keys, table, translate

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("pages/*.py"), *ROOT.glob("cvae/ui/*.py"), ROOT / "app.py"]
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


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_the_words_that_the_code_asks_for_exist(source: Path) -> None:
    asked = set(re.findall(r"""\bt\(\s*["']([\w.\-]+)["']""", source.read_text(encoding="utf-8")))
    assert asked - keys(table("en")) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_that_is_translated_is_one_that_the_package_says(language: str) -> None:
    said = set().union(*(sentences(source) for source in (ROOT / "cvae").rglob("*.py")))
    said |= {os.strerror(number).lower() for number in errno.errorcode}
    words = json.loads((TEXT / f"errors.{language}.json").read_text(encoding="utf-8"))
    assert {text for text in map(gapless, words) if text not in said} == set()
    assert [text for text, other in words.items() if not gaps_of(other) <= gaps_of(text)] == []


def sentences(source: Path) -> set[str]:
    """The texts of a module, with {} for each gap."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.add("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def gapless(text: str) -> str:
    return re.sub(r"{\w+}", "{}", text)


def gaps_of(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_an_error_is_said_in_the_language_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "language", lambda: "zh")
    diverged = "step 9: the KL of dimension 3 became nan; try a smaller learning rate, or a larger σ."
    assert text.said(diverged) == "第 9 步：第 3 维的 KL 项变成了 nan；请减小学习率，或增大 σ。"
    assert text.said("runs/a/config.json cannot be used: seed must be a whole number of at least 0, not -1.") == (
        "runs/a/config.json 不能使用：seed 必须是整数，范围 至少 0，而不是 -1。"
    )
    assert text.said("what nobody has translated") == "what nobody has translated"


def test_an_unknown_key_is_shown_rather_than_raised() -> None:
    assert translate("zh", "no.such.key") == "no.such.key"


def test_someone_elses_text_is_not_markdown() -> None:
    assert escape_markdown("![a](http://b) :red[c]") == r"\!\[a\]\(http\:\/\/b\) \:red\[c\]".replace(r"\/", "/")
