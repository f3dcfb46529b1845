"""Errors that are addressed to the user: each has a sentence in every language, and the values that it asks for."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import string
import time
from pathlib import Path

import pytest

from cvae import errors
from cvae.assets import TEXT
from cvae.errors import InputError, KeyedError
from cvae.training.recorder import Failed

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "cvae").rglob("*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
ERRORS = {"KeyedError", "InputError", "Notice", "Failed"}
LANGUAGES = sorted(path.name.split(".")[1] for path in TEXT.glob("errors.*.json"))

Made = tuple[str, frozenset["str | None"], str]  # key, values, and where in the code


def made_in(source: Path) -> list[Made]:
    """The errors that a module makes: one for each key that a call can have."""
    found = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            where = f"{source.relative_to(ROOT)}:{node.lineno}"
            assert len(node.args) == 1, where
            values = frozenset(keyword.arg for keyword in node.keywords)
            found += [(key, values, where) for key in keys_of(node.args[0], where)]
    return found


def keys_of(first: ast.expr, where: str) -> list[str]:
    if isinstance(first, ast.IfExp):
        return keys_of(first.body, where) + keys_of(first.orelse, where)
    assert isinstance(first, ast.Constant), f"{where}: a key must stand where the error is made"
    assert isinstance(first.value, str), where
    return [first.value]


MADE = [made for source in SOURCES for made in made_in(source)]


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_languages_are_those_of_the_app() -> None:
    assert sorted(path.stem for path in TEXT.glob("*.json") if path.stem.isalpha()) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_of_the_code_has_a_sentence_and_every_sentence_an_error(language: str) -> None:
    made = {key: where for key, _, where in MADE}
    written = errors.sentences(language)
    assert {key: made[key] for key in made.keys() - written.keys()} == {}
    assert written.keys() - made.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_is_given_the_values_that_its_sentence_asks_for(language: str) -> None:
    written = errors.sentences(language)
    wrong = [(key, where, set(values) ^ gaps(written[key])) for key, values, where in MADE if key in written]
    assert [one for one in wrong if one[2]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_asks_for_plain_values(language: str) -> None:
    texts = errors.sentences(language).items()
    assert [key for key, text in texts if not all(re.fullmatch(r"[a-z_]+", gap) for gap in gaps(text))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_names_each_key_once(language: str) -> None:
    pairs = json.loads((TEXT / f"errors.{language}.json").read_text(encoding="utf-8"), object_pairs_hook=list)
    assert len(pairs) == len(dict(pairs))


def test_an_error_is_told_in_each_language() -> None:
    error = InputError("run.no_weights", name="mine")
    assert str(error) == "mine has no trained weights yet."
    assert error.sentence("zh") == "mine 还没有训练好的权重。"
    assert error.sentence("fr") == str(error)
    assert isinstance(error, ValueError)


def test_an_error_within_another_is_translated_with_it() -> None:
    inner = InputError("option.whole_least", name="seed", low=0, value="-1")
    outer = InputError("run.unusable", path=Path("runs") / "a", error=inner)
    assert outer.sentence("en") == f"{Path('runs') / 'a'} cannot be used: {inner}"
    assert outer.sentence("zh") == f"{Path('runs') / 'a'} 不能使用：{inner.sentence('zh')}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_keeps_its_sentence_however_it_travels(language: str) -> None:
    inner = KeyedError("system.no_space")
    made = [
        InputError("run.cannot_write", path=Path("a"), reason=inner),
        InputError("run.other_count", name="a", before=1000, now=2000),
        Failed("training.diverged_kl", step=9, dimension=3, value="nan"),
    ]
    for error in made:
        written = json.loads(json.dumps(error.to_json(), allow_nan=False))
        copies = [pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)]
        assert [type(one) for one in copies] == [type(error)] * 3
        sentences = [one.sentence(language) for one in (*copies, KeyedError.from_json(written))]
        assert sentences == [error.sentence(language)] * 4


@pytest.mark.parametrize("written", [
    {"key": "no.such.key", "values": {"a": "b"}},
    {"key": "{0.__class__} {a!r:>1000000}", "values": {"a": "b"}},
    {"key": "run.other_count", "values": {"name": "a", "before": "many", "now": 3}},
    {"key": "run.no_weights", "values": {}},
    {"key": "run.no_weights", "values": {"other": 1}},
])  # fmt: skip
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_another_version_wrote_is_told_as_well_as_can_be(written: dict, language: str) -> None:
    sentence = KeyedError.from_json(written).sentence(language)
    assert sentence in (written["key"], errors.sentences(language).get(written["key"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_crafted_value_is_told_at_once(language: str) -> None:
    crafted = "{name}: must be (a)+ not {value!r:>1000000000} " * 250
    assert len(crafted) > 10_000
    error: KeyedError = InputError("option.choice", name=crafted, choices=crafted, value=crafted)
    for _ in range(5):
        error = InputError("run.unusable", path=crafted, error=error)
    start = time.perf_counter()
    sentence = KeyedError.from_json(json.loads(json.dumps(error.to_json()))).sentence(language)
    assert sentence.count(crafted) == 8
    assert time.perf_counter() - start < 0.5
