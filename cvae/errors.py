"""Errors for the user have a key and values, from which each language makes its sentence.

The sentences are in assets/text/errors.<language>.json; every key has an English one. A value may be another error;
its sentence then becomes a part of the whole sentence.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cvae.assets import TEXT

DEFAULT = "en"


class KeyedError(Exception):
    """A KeyedError finds its sentence by `key` and fills in `values`; `str` gives the English sentence."""

    def __init__(self, key: str, /, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        return self.sentence(DEFAULT)

    def __reduce__(self) -> tuple[Callable[[], KeyedError], tuple[()]]:
        return functools.partial(type(self), self.key, **self.values), ()

    def sentence(self, language: str) -> str:
        """Return the sentence in a language, or the English one if the language lacks the key."""
        text = sentences(language).get(self.key) or sentences(DEFAULT).get(self.key)
        if text is None:  # another version of the package made the key
            return self.key
        values = {
            name: value.sentence(language) if isinstance(value, KeyedError) else value
            for name, value in self.values.items()
        }
        try:
            return text.format(**values) if values else text
        except (LookupError, ValueError, TypeError):  # an error read from a file may lack values of its sentence
            return text

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes an error with the same sentences."""
        values = {
            name: value.to_json()
            if isinstance(value, KeyedError)
            else value
            if isinstance(value, (int, float))
            else str(value)
            for name, value in self.values.items()
        }
        return {"key": self.key, "values": values}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> KeyedError:
        """Return the error that `to_json` wrote."""
        values = {
            name: cls.from_json(value) if isinstance(value, dict) else value
            for name, value in written["values"].items()
        }
        return cls(str(written["key"]), **values)


class InputError(KeyedError, ValueError):
    """The user's input cannot be used; the sentence says what is wrong, and what to do.

    The command line prints the sentence and exits with code 2; a page shows it in place of its content.
    """


class Notice(KeyedError, UserWarning):
    """A warning that is addressed to the user: `warnings.warn(Notice(key, **values))`.

    The command line prints its sentence and goes on.
    """


def listed(errors: Sequence[KeyedError]) -> KeyedError:
    """Return an error whose sentence lists those of one or more errors."""
    return functools.reduce(lambda one, other: KeyedError("error.listed", one=one, other=other), errors)


@functools.cache
def sentences(language: str) -> dict[str, str]:
    """Return the sentences of a language by key; the dict is empty for an unknown language."""
    path = TEXT / f"errors.{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found
