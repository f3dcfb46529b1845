"""Pages of the app as scripts, and the words that they show; used to tell whether a word is the key of one."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from streamlit import config
from streamlit.testing.v1 import AppTest

from cvae.errors import sentences
from cvae.ui.components.explorer import texts
from cvae.ui.frame.text import keys, table

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


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no JSON: a browser cannot read it")


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
    waiting = [json.loads(text, parse_constant=_no_number)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            waiting.extend(value.values() if isinstance(value, dict) else value)


def opened(page: str, *, seconds: float = 60, **link: str) -> str:
    """Run a page of the app under a link; return all that it shows as one text. An exception on it fails the test."""
    config.set_option("client.showErrorDetails", "full")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=seconds)
    app.query_params.update(link)
    app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception, [(error.message, *error.stack_trace[-3:]) for error in app.exception]
    text = "\n".join(part for block in (app.main, app.sidebar) for part in shown(block))
    assert len(text) > 20
    return text
