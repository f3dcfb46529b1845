"""This module gives different names to things that would have the same name."""

from __future__ import annotations

from collections.abc import Sequence


def told_apart(*ways: Sequence[str]) -> list[str]:
    """Return the first of the `ways` to name the same things, at least one, in which all names differ.

    If there is none, add numbers to the last way: the second thing of a name N becomes `N (2)`, or has the first free
    number.
    """
    for names in ways:
        if len(set(names)) == len(names):
            return list(names)
    found: list[str] = []
    for name in ways[-1]:
        number, free = 1, name
        while free in found or (number > 1 and free in ways[-1]):
            number += 1
            free = f"{name} ({number})"
        found.append(free)
    return found
