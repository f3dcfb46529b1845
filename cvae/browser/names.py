"""Names that tell things apart which would have the same name beside each other."""

from __future__ import annotations

from collections.abc import Sequence


def told_apart(*ways: Sequence[str]) -> list[str]:
    """Return the names of the first way of naming the same things, at least one way, by which no two have the same
    name.

    Where no way tells them all apart, the last one does with a number: the second of a name N is `N (2)`, or the first
    number that is free.
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
