"""Keep the values of a link (language, runs, z, conditions) in the address and, between pages, in the session.

A reader looks for a value in the address first, then in the session. Anyone can write an address, so every reader
checks the value: the page ignores a wrong one and shows a sentence about it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cvae.conditions import LABEL, Condition
from cvae.ui.frame.text import LANGUAGES, escape_markdown, t
from cvae.ui.frame.text import language as language

Text = TypeVar("Text", bound=str)

LARGEST_Z = 1e4  # far above any coordinate of a real code, even of an autoencoder
MOST_RUNS = 8
UNSENT = "link.unsent"  # the session's key for values that are not yet in the address


def language_choice() -> None:
    """Show the control that changes the language, in the bar at the top of every page."""
    st.session_state["language"] = language()

    def change() -> None:
        remember(lang=st.session_state["language"])
        flush()

    with st.container(key="language-bar"):
        st.segmented_control(
            t("app.language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, required=True, key="language",
            on_change=change, label_visibility="collapsed",
        )  # fmt: skip


def read(name: str) -> str | None:
    """Return a value of the address, else of this session; None if neither has it."""
    value = in_link(name)
    return st.session_state.get(f"link.{name}") if value is None else value


def in_link(name: str) -> str | None:
    """Return a value of the address, with the changes that `flush` has yet to write; None if there is none."""
    unsent = st.session_state.get(UNSENT, {})
    return unsent[name] if name in unsent else st.query_params.get(name)


def remember(**values: str | None) -> None:
    """Put values into the session, and with the next `flush` into the address. None removes a value."""
    st.session_state.update({f"link.{name}": value for name, value in values.items()})
    set_param(**values)


def set_param(**values: str | None) -> None:
    """Put values into the address alone, with the next `flush`."""
    st.session_state.setdefault(UNSENT, {}).update(values)
    context = get_script_run_ctx()
    if context is not None and context.fragment_ids_this_run:  # app.py does not run, so it cannot flush
        flush()


def flush() -> None:
    """Write the waiting values into the address.

    After the browser's Back, write nothing: the reader may be on another page when the new address arrives, and one
    page's link would overwrite another's.
    """
    unsent = st.session_state.pop(UNSENT, {})
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        return
    now = st.query_params.to_dict()
    wanted = {name: value for name, value in {**now, **unsent}.items() if value is not None}
    if wanted != now:
        st.query_params.from_dict(wanted)


def stop() -> NoReturn:
    """Write the address, then end the page: the browser gets nothing after `st.stop`."""
    flush()
    st.stop()


def run_name() -> str | None:
    """Return the one run that the link names, unchecked."""
    return read("run")


def run_names() -> list[str]:
    """Return the names of the runs in the link, unchecked, each once, at most `MOST_RUNS`."""
    names = (read("runs") or "").split(",")
    return list(dict.fromkeys(name for name in names if name))[:MOST_RUNS]


def keep_runs(names: Sequence[str]) -> None:
    remember(runs=",".join(names) or None)


def z(latent_dim: int) -> list[float] | None:
    """Return the point (latent_dim,) in the link, `z=0.5,-1`; None if the link has none that fits."""
    text = read("z")
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != latent_dim:
        remember(z=None)  # it comes mostly from another model, so the page needs no sentence about it
        return None
    if not all(math.isfinite(v) and abs(v) <= LARGEST_Z for v in values):
        _refuse("z", text)
        return None
    return values


def keep_z(values: Sequence[float] | None) -> None:
    remember(z=None if values is None else ",".join(f"{v:.3g}" for v in values))


def leader(models: int) -> int:
    """Return the number of the model whose code z is, `lead=1`; the first if the link has none among so many."""
    text = read("lead") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 and int(text) < models else 0


def choice(name: str, options: Sequence[Text]) -> Text:
    """Return one of the options in the link, the first if it has none; an unknown one gets a sentence."""
    text = read(name)
    found = next((option for option in options if option == text), None)
    if text is not None and found is None:
        _refuse(name, text)
    return found or options[0]


def condition(about: Condition) -> NDArray[np.float32] | None:
    """Return the vector (width,) of a condition in the link, as in `label=3`; None if the link has none that fits.

    The prefix `c.` marks every condition but the label, because the data set chooses its name.
    """
    name = _parameter(about)
    text = read(name)
    if text is None:
        return None
    try:
        return about.from_link(text)
    except IndexError:
        remember(**{name: None})  # it comes from another data set
    except ValueError:
        _refuse(name, text)
    return None


def keep_condition(about: Condition, vector: Sequence[float]) -> None:
    """Remember the vector (width,) of a condition."""
    remember(**{_parameter(about): about.to_link(vector) or None})


def _parameter(about: Condition) -> str:
    return LABEL if about.name == LABEL else f"c.{about.name}"


def _refuse(name: str, value: str) -> None:
    st.warning(t("link.wrong", name=name, value=escape_markdown(value[:40])), icon=":material/link_off:")
    remember(**{name: None})
