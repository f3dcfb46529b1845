"""Classes have one set of colours in every figure; runs have another, so that no line looks like a class."""

from __future__ import annotations

# petroff10 (Petroff 2021, "Accessible color sequences for data visualization", arXiv:2107.02270). The theme in
# .streamlit/config.toml and the browser's theme.js hold the same ten; a test compares them.
CLASS_COLORS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip

RUN_COLORS = ("#5b6ee1", "#d1495b", "#2a8f8f", "#8a7a00", "#9467bd", "#b5651d")  # 3.9 : 1 and more on white and on dark
NEUTRAL = "#808895"  # lines and points without a class, on either background


def class_color(index: int) -> str:
    """Return the colour of a class; after ten the colours repeat, with other symbols (`class_symbol`)."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def class_symbol(index: int) -> str:
    """Return Plotly's marker of a class."""
    symbols = ("circle", "square", "diamond", "x", "triangle-up", "cross", "star", "hexagon")
    return symbols[index // len(CLASS_COLORS) % len(symbols)]


def run_color(index: int) -> str:
    """Return the colour of a run."""
    return RUN_COLORS[index % len(RUN_COLORS)]


def ink_on(color: str) -> str:
    """Return black or white, whichever is easier to read on a colour `#rrggbb`."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, color))


def contrast(a: str, b: str) -> float:
    """Return WCAG 2's contrast ratio of two colours `#rrggbb`, 1 … 21."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
