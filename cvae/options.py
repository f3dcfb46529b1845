"""An `Option` describes one setting of a training; the field of the config declares it, once.

The checks of the config, the command line, the controls of the Train page and the published commands use it. A
`Section` is a part of a config whose fields are options.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cvae.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

Kind = Literal["whole", "number", "choice", "switch", "text", "widths", "names"]
Reason = Callable[[Any], "InputError | None"]  # says why an option of a `RunConfig` has no effect; None: it has one

LAYERS = 6  # the largest number of layers


def always(config: Any) -> InputError | None:
    """Return None, as the `Reason` of an option that has an effect in every run."""
    return None


@dataclass(frozen=True)
class Option:
    """An Option states its values, its flag, and when it has an effect.

    `low` and `high` limit numbers and each width; `above` excludes `low`. `optional` allows None. A flag without a
    value means `const`. The command line fills {default}, {choices}, {either} and {datasets} into `help`. `step` is
    the step of the page's control. `no_effect` is a `Reason`.
    """

    kind: Kind
    flag: str
    help: str
    default: Any
    called: str  # the name in error sentences
    optional: bool = False
    low: float = 0
    high: float = math.inf
    above: bool = False
    choices: tuple[str, ...] = ()
    const: str | None = None
    metavar: str | None = None
    step: float = 1
    no_effect: Reason = always

    def applies(self, config: Any) -> bool:
        """Return whether the option has an effect in a `RunConfig`."""
        return self.no_effect(config) is None

    def check(self, value: Any) -> None:
        """Raise `InputError` for a value that the option cannot have."""
        if value is None and self.optional:
            return
        name = self.called
        match self.kind:
            case "whole":
                check_whole(name, value, self.low, self.high)
            case "number":
                check_number(name, value, self.low, self.high, above=self.above)
            case "choice":
                if value not in self.choices:
                    raise InputError("option.choice", name=name, choices=", ".join(self.choices), value=repr(value))
            case "switch":
                if not isinstance(value, bool):
                    raise InputError("config.true_false", name=name, value=repr(value))
            case "text":
                if not isinstance(value, str) or not value:
                    raise InputError("option.text", name=name, value=repr(value))
            case "widths":
                if not isinstance(value, tuple) or not 1 <= len(value) <= LAYERS:
                    raise InputError("option.widths", name=name, value=repr(value))
                for width in value:
                    check_whole(name, width, self.low, self.high)
            case "names":
                sound = isinstance(value, tuple) and all(isinstance(one, str) and one for one in value)
                if not sound or not value or len(set(value)) < len(value):
                    raise InputError("option.names", name=name, value=repr(value))


def option(default: Any, kind: Kind, flag: str, help: str, **how: Any) -> Any:
    """Make a dataclass field that a user can set, with its `Option` in the metadata."""
    how.setdefault("called", flag.lstrip("-"))
    return dataclasses.field(default=default, metadata={"option": Option(kind, flag, help, default, **how)})


def options_of(section: type) -> dict[str, Option]:
    """Return the options of a config dataclass by field name; fields that the data decides have no option."""
    fields = dataclasses.fields(section)
    return {field.name: field.metadata["option"] for field in fields if "option" in field.metadata}


class Section:
    """A Section is a part of a config: a frozen dataclass that checks its options and reads itself from JSON."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            object.__setattr__(self, field.name, _of_python(getattr(self, field.name)))
        check_options(self)

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Build from a JSON object; unknown keys and values of the wrong type raise `InputError`."""
        where = cls.__name__
        if not isinstance(values, dict):
            raise InputError("config.not_object", where=where, value=type(values).__name__)
        names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - names)
        if unknown:
            known = ", ".join(sorted(names))
            raise InputError("config.unknown_keys", where=where, unknown=", ".join(unknown), known=known)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes an equal config."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


def _of_python(value: Any) -> Any:
    """Return NumPy's numbers as Python's, and lists as the tuples that they stand for."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return tuple(map(_of_python, value))
    return value.item() if isinstance(value, np.generic) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(map(_plain, value))
    return value.to_json() if hasattr(value, "to_json") else value


def check_options(section: Any) -> None:
    """Raise `InputError` for a section of a config in which an option has a wrong value."""
    for name, about in options_of(type(section)).items():
        about.check(getattr(section, name))


def check_whole(name: str, value: Any, low: float, high: float = math.inf) -> None:
    """Raise `InputError` unless the value is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        if high == math.inf:
            raise InputError("option.whole_least", name=name, low=low, value=repr(value))
        raise InputError("option.whole_range", name=name, low=low, high=high, value=repr(value))


def check_number(name: str, value: Any, low: float, high: float = math.inf, *, above: bool = False) -> None:
    """Raise `InputError` unless the value is a finite number from `low` to `high`; `above` excludes `low`."""
    real = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if real and low <= value <= high and not (above and value == low):
        return
    if high == math.inf:
        raise InputError(
            "option.number_above" if above else "option.number_least", name=name, low=f"{low:g}", value=repr(value)
        )
    raise InputError(
        "option.number_above_most" if above else "option.number_range",
        name=name, low=f"{low:g}", high=f"{high:g}", value=repr(value),
    )  # fmt: skip
