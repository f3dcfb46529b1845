"""Write numbers for people."""

from __future__ import annotations


def fixed(value: float, digits: int) -> str:
    """Return a number with so many decimals; one that rounds to 0 has no minus sign."""
    return f"{round(value, digits) + 0.0:.{digits}f}"
