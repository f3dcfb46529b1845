"""Provide what the tests of the command line share."""

from __future__ import annotations

from dataclasses import dataclass

QUICK = ["--epochs", "1", "--hidden", "16", "--threads", "1", "--device", "cpu"]  # a training of a moment


@dataclass
class Answer:
    """An Answer is how a command ended, and what it printed."""

    code: int
    out: str
    err: str
