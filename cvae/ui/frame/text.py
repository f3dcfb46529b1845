"""Read the words of the app from assets/text: nested keys, English where a translation is missing.

A file <code>.json makes a language one of the app's, and holds the language's own name under `app.language_name`.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import streamlit as st

from cvae.assets import TEXT
from cvae.errors import DEFAULT, KeyedError

Table = dict[str, Any]


@functools.cache
def table(language: str) -> Table:
    """Return all words of a language, nested as in its file; those of families and pages below the name of their file.

    The entries under `page` in a page's file move to `pages.<id>`, `start.to.<id>` and `start.why.<id>`.
    """
    words = _read(TEXT / f"{language}.json")
    for path in sorted((TEXT / "families").glob(f"*.{language}.json")):
        words.setdefault("families", {})[path.name.split(".")[0]] = _read(path)
    for path in sorted((TEXT / "pages").glob(f"*.{language}.json")):
        page, own = path.name.split(".")[0], _read(path)
        about = own.pop("page", {})
        words.setdefault(page, {}).update(own)
        if "title" in about:
            words.setdefault("pages", {})[page] = about["title"]
        for name in about.keys() & {"to", "why"}:
            words.setdefault("start", {}).setdefault(name, {})[page] = about[name]
    return words


def _read(path: Path) -> Table:
    values: Table = json.loads(path.read_text(encoding="utf-8"))
    return values


def _languages() -> dict[str, str]:
    """Return the code of each language with the language's own name, English first."""
    codes = sorted((path.stem for path in TEXT.glob("*.json") if path.stem.isalpha()), key=lambda c: (c != DEFAULT, c))
    return {code: _read(TEXT / f"{code}.json").get("app", {}).get("language_name", code) for code in codes}


LANGUAGES = _languages()


def keys(words: Table, prefix: str = "") -> set[str]:
    """Return the dotted keys of a table."""
    found = set()
    for name, value in words.items():
        found |= keys(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return found


def translate(language: str, key: str, **values: Any) -> str:
    """Return the words under a dotted key with each `{name}` filled in; the key itself if no language has it."""
    for words in (table(language), table(DEFAULT)):
        found = _find(words, key)
        if isinstance(found, str):
            return found.format(**values) if values else found
    return key


def section(language: str, key: str) -> Table:
    """Return all words below a dotted key for a component. English replaces missing words."""
    return merged(_find(table(DEFAULT), key) or {}, _find(table(language), key) or {})


def t(key: str, **values: Any) -> str:
    """Return `translate` in the language of this session."""
    return translate(language(), key, **values)


def translate_phrase(english: str) -> str:
    """Return an English phrase of the package in this session's language; the phrase itself if nobody translated it."""
    return phrases(language()).get(english, english)


@functools.cache
def phrases(language: str) -> dict[str, str]:
    """Return the translation of each English phrase of the package into a language."""
    path = TEXT / f"phrases.{language}.json"
    values: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return values


def translate_error(error: BaseException) -> str:
    """Return the message of an error, in the language of this session if it is a `KeyedError`."""
    return error.sentence(language()) if isinstance(error, KeyedError) else str(error)


def language() -> str:
    """Return the language of this session: the address's, else the one chosen before, else the browser's."""
    browser = (st.context.locale or DEFAULT).split("-")[0]
    wanted = (st.query_params.get("lang"), st.session_state.get("link.lang"), browser)
    return next((code for code in wanted if code in LANGUAGES), DEFAULT)


def escape_markdown(text: str) -> str:
    """Escape foreign text (a name, a part of an address) so that Markdown shows it unchanged."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!$:~<>|&])", r"\\\1", text)


def _find(words: Table, key: str) -> Any:
    value: Any = words
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def merged(under: Table, over: Table) -> Table:
    """Return the words of `under`, in the place of each the word that `over` has under the same keys."""
    return {
        name: merged(value, over.get(name, {})) if isinstance(value, dict) else over.get(name, value)
        for name, value in under.items()
    }
