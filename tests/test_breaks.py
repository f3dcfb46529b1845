"""The list of breaks keeps up with the code: every place that `breaks.py` breaks is there, once."""

from __future__ import annotations

import breaks


def test_every_break_has_its_place() -> None:
    breaks.check(breaks.BREAKS)
    assert len(breaks.BREAKS) >= 40
