"""Show controls whose value is in the link, so that a link reopens the same view. A wrong value becomes the default."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from cvae.ui.frame import state
from cvae.ui.frame.text import escape_markdown, t

Words = Callable[[str], str]

SEEDS = 10_000
LONGEST = 60  # the most letters of a wrong input that the page shows again


def choice(label: str, name: str, options: Sequence[str], words: Words = str, default: str | None = None) -> str:
    """Show a few options side by side and return the chosen one."""
    _start(name, lambda text: text if text in options else None, default or options[0])
    if st.session_state[_key(name)] not in options:  # another run has other options
        st.session_state[_key(name)] = default or options[0]
    chosen = st.segmented_control(label, options, format_func=words, required=True, key=_key(name))
    state.remember(**{name: chosen})
    return str(chosen)


def choices(
    label: str, name: str, options: Sequence[str], words: Words = str, default: Sequence[str] = ()
) -> list[str]:
    """Show a few options side by side and return those chosen. In the link, `-` means none."""

    def parse(text: str) -> list[str] | None:
        parts = [] if text == "-" else text.split(",")
        return parts if set(parts) <= set(options) else None

    _start(name, parse, list(default))
    st.session_state[_key(name)] = [option for option in st.session_state[_key(name)] if option in options]
    chosen = st.pills(label, options, selection_mode="multi", format_func=words, key=_key(name))
    state.remember(**{name: ",".join(chosen) or "-"})
    return list(chosen)


def menu(label: str, name: str, options: Sequence[int], words: Callable[[int], str], default: int) -> int:
    """Show a menu of numbers and return the chosen one."""
    _start(name, lambda text: n if (n := _number(text)) in options else None, default)
    if st.session_state[_key(name)] not in options:
        st.session_state[_key(name)] = default
    chosen = int(st.selectbox(label, options, format_func=words, key=_key(name)))
    state.remember(**{name: str(chosen)})
    return chosen


def whole(label: str, name: str, low: int, high: int, default: int, help: str | None = None) -> int:
    """Show an input for a whole number in [low, high] and return the number."""
    _start(name, lambda text: n if low <= (n := _number(text)) <= high else None, default)
    chosen = int(st.number_input(label, low, high, step=1, key=_key(name), help=help, width=160))
    state.remember(**{name: str(chosen)})
    return chosen


def slider(
    label: str, name: str, low: float, high: float, default: float, step: float, help: str | None = None
) -> float:
    """Show a slider from `low` to `high` and return its number."""

    def parse(text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if low <= value <= high else None

    _start(name, parse, default)
    chosen = float(st.slider(label, low, high, step=step, key=_key(name), help=help))
    state.remember(**{name: f"{chosen:g}"})
    return chosen


def numbers(label: str, name: str, count: int, most: int, help: str) -> list[int]:
    """Show an input for whole numbers below `count`, with commas between; return the first `most`, skip the rest."""
    _start(name, str, "")
    text = st.text_input(label, key=_key(name), help=help, placeholder="3, 14, 15")
    parts = [part for part in re.split(r"[\s,，、;；]+", text) if part]
    found = dict.fromkeys(n for part in parts if 0 <= (n := _number(part)) < count)
    chosen = list(found)[:most]
    if wrong := [part for part in parts if not 0 <= _number(part) < count]:
        st.caption(t("linked.no_number", parts=escape_markdown(", ".join(wrong)[:LONGEST]), last=count - 1))
    state.remember(**{name: ",".join(map(str, chosen)) or None})
    return chosen


def put_numbers(name: str, values: Sequence[int]) -> None:
    """Set the numbers of the input `name`. Callbacks use this."""
    st.session_state[_key(name)] = ", ".join(map(str, values))


def seed(name: str = "seed") -> int:
    """Show an input for the seed of the page's draws, and a button for the next seed; return the seed."""

    def change() -> None:
        st.session_state[_key(name)] = (value + 1) % SEEDS

    with st.container(horizontal=True, vertical_alignment="bottom"):
        value = whole(t("linked.seed"), name, 0, SEEDS - 1, 0)
        st.button(t("linked.next_seed"), icon=":material/casino:", on_click=change, key=f"next.{name}")
    return value


def _key(name: str) -> str:
    return f"linked.{name}"


def _number(text: str) -> int:
    """Return a whole number of at most nine digits; −1 for any other text."""
    return int(text) if text.isdecimal() and len(text) <= 9 else -1


def _start(name: str, parse: Callable[[str], object | None], default: object) -> None:
    """Give a new control the value in the link, or the default."""
    if _key(name) in st.session_state:
        st.session_state[_key(name)] = st.session_state[_key(name)]  # keeps the value from a control of another page
        return
    text = state.read(name)
    value = None if text is None else parse(text)
    st.session_state[_key(name)] = default if value is None else value
