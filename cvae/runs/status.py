"""Define the contents of status.json, history.jsonl and control.json: a training's reports, and the user's control."""

from __future__ import annotations

import dataclasses
import sys
import typing
from dataclasses import dataclass
from typing import Any, Literal

from cvae.errors import KeyedError

State = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
Record = dict[str, Any]


@dataclass(frozen=True)
class Status:
    """A Status describes the state and the progress of a training."""

    state: State  # "interrupted" if the training's process died
    message: str | None = None  # the reason of a failure
    pid: int = 0
    heartbeat: float = 0.0  # the unix time of the last write
    step: int = 0  # optimiser steps done
    steps: int = 0  # optimiser steps planned
    epoch: float = 0.0
    epochs: int = 0
    images_per_second: float = 0.0
    seconds_left: float | None = None
    error: dict[str, Any] | None = None  # `message` from `KeyedError.to_json`, if it can be translated
    turn: int = 0  # the place of a waiting run: the lowest comes next

    @property
    def failure(self) -> KeyedError | str | None:
        """Return the reason of a failure: an error with a sentence in each language, else the English message."""
        return self.message if self.error is None else KeyedError.from_json(self.error)

    @property
    def active(self) -> bool:
        """Return whether a process trains the run, or will train it."""
        return self.state in ("queued", "running", "paused")


def is_status(name: str, value: Any) -> bool:
    """Return whether `value` is valid for the key `name` in status.json."""
    match name:
        case "state":
            return value in typing.get_args(State)
        case "message":
            return value is None or isinstance(value, str)
        case "error":
            return value is None or _is_error(value)
        case "seconds_left":
            return value is None or _is_number(value)
    return name in {f.name for f in dataclasses.fields(Status)} and _is_number(value)


def is_record(values: Any) -> bool:
    """Return whether `values` are a valid line of history.jsonl."""
    if not isinstance(values, dict) or values.get("split") not in ("train", "validation"):
        return False
    others = (value for name, value in values.items() if name not in ("split", "kl_per_dim") and value is not None)
    per_dim = values.get("kl_per_dim")
    return (
        isinstance(values.get("step"), int)
        and None not in (values.get("epoch"), values.get("reconstruction"))
        and all(map(_is_number, others))
        and (per_dim is None or (isinstance(per_dim, list) and all(map(_is_number, per_dim))))
    )


def _is_error(value: Any, depth: int = 8) -> bool:
    """Return whether `KeyedError.from_json` can read `value`; errors nest up to `depth` deep."""
    if not isinstance(value, dict) or value.keys() != {"key", "values"}:
        return False
    key, values = value["key"], value["values"]
    return (
        depth > 0
        and isinstance(key, str)
        and isinstance(values, dict)
        and all(isinstance(v, str) or _is_number(v) or _is_error(v, depth - 1) for v in values.values())
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) <= sys.float_info.max


@dataclass(frozen=True)
class Control:
    """A Control tells a training to run, with at most `pace` steps a second (0: no limit), to pause after the step
    `until`, or to stop."""

    action: Literal["run", "pause", "stop"] = "run"
    until: int = 0
    pace: float = 0.0
