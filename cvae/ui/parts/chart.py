"""Show charts on a page."""

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
    """Show the figure that `draw`, a function of `cvae.plots`, returns, with a text for readers who cannot see it."""
    figure = _drawn(draw, *args, **options)
    st.plotly_chart(figure, key=key, alt=alt, on_select=on_select, config=config)


def words_first() -> None:
    """Wait until Streamlit has sent the page so far: charts then keep the browser busy."""
    time.sleep(0.02)  # longer than Streamlit holds messages back to send them together


def _name(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"


# Plotly needs longer to check a figure than a page may take to open, so the cache keeps it. `pickle` hashes the records
# of a training faster than Streamlit does.
@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={FunctionType: _name, dict: pickle.dumps})
def _drawn(draw: Callable[..., go.Figure], *args: Any, **options: Any) -> go.Figure:
    return draw(*args, **options)
