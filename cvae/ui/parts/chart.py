"""Charts on a page."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st


def chart(
    draw: Callable[..., go.Figure],
    *args: Any,
    key: str,
    alt: str,
    on_select: Callable[[], None] | Literal["ignore"] = "ignore",
    config: dict[str, Any] | None = None,
    **options: Any,
) -> None:
    """Show what a function of `cvae.plots` draws of its arguments, with a text for who does not see it."""
    figure = _drawn(draw, *args, **options)
    st.plotly_chart(figure, key=key, alt=alt, on_select=on_select, config=config)


def words_first() -> None:
    """Give the browser a moment to show what was sent so far: charts keep it busy for longer than all else."""
    time.sleep(0.02)  # more than Streamlit gathers messages for, on either side


def _name(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"


# Kept, as Plotly checks a figure for longer than a page has to open. Streamlit's own hash of the records of a training
# would take as long again.
@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={FunctionType: _name, dict: pickle.dumps})
def _drawn(draw: Callable[..., go.Figure], *args: Any, **options: Any) -> go.Figure:
    return draw(*args, **options)
