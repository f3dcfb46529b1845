"""The state that a link carries, language, runs, z, conditions: in the address and, between pages, in the session.

A value is looked for in the address first, then among what this session chose before. Anyone can write an address, so
every reader here checks what it finds: what does not fit is left out, and a sentence on the page says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cvae.conditions import LABEL, Condition
from cvae.ui.frame.text import LANGUAGES, escape_markdown, t
from cvae.ui.frame.text import language as language

LARGEST_Z = 1e4  # an autoencoder may put its codes anywhere, but not there
MOST_RUNS = 8
UNSENT = "link.unsent"  # the session's key for what the address shall have


def language_choice() -> None:
    """Show the control that changes the language; app.py puts it into the bar at the top of every page."""
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
    """Return a value of the address, else of this session."""
    value = in_link(name)
    return st.session_state.get(f"link.{name}") if value is None else value


def in_link(name: str) -> str | None:
    """Return a value of the address as it is, or is about to be."""
    unsent = st.session_state.get(UNSENT, {})
    return unsent[name] if name in unsent else st.query_params.get(name)


def remember(**values: str | None) -> None:
    """Put values into the session, and with the next `flush` into the address; None takes one out."""
    st.session_state.update({f"link.{name}": value for name, value in values.items()})
    set_param(**values)


def set_param(**values: str | None) -> None:
    """Put values into the address alone, with the next `flush`."""
    st.session_state.setdefault(UNSENT, {}).update(values)
    context = get_script_run_ctx()
    if context is not None and context.fragment_ids_this_run:  # app.py is not run
        flush()


def flush() -> None:
    """Write into the address what was kept.

    Not after the browser's Back: the reader may have gone a step further by the time that it arrives, and the link of
    one page would be written over another's.
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
    """End the page here. The address is written before: the browser gets nothing that follows `st.stop`."""
    flush()
    st.stop()


def run_name() -> str | None:
    """Return the one run that the link names, unchecked."""
    return read("run")


def run_names() -> list[str]:
    """Return the runs that the link names, unchecked, each once."""
    names = (read("runs") or "").split(",")
    return list(dict.fromkeys(name for name in names if name))[:MOST_RUNS]


def keep_runs(names: Sequence[str]) -> None:
    remember(runs=",".join(names) or None)


def z(latent_dim: int) -> list[float] | None:
    """Return the point that the link names, `z=0.5,-1`; None where it names none that fits."""
    text = read("z")
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != latent_dim:
        remember(z=None)  # of another model, mostly: not worth a sentence
        return None
    if not all(math.isfinite(v) and abs(v) <= LARGEST_Z for v in values):
        _refuse("z", text)
        return None
    return values


def keep_z(values: Sequence[float] | None) -> None:
    remember(z=None if values is None else ",".join(f"{v:.3g}" for v in values))


def condition(about: Condition) -> NDArray[np.float32] | None:
    """Return the vector (width,) of a condition that the link names, as its kind writes it: `label=3`; None where it
    does not.

    Another condition than the label has a name of its data's, so that `c.` stands before it.
    """
    name = _parameter(about)
    text = read(name)
    if text is None:
        return None
    try:
        return about.from_link(text)
    except IndexError:
        remember(**{name: None})  # of another data set
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
