"""That app.py runs around every page.

On a server that has not met `st.navigation` yet, Streamlit runs a file of pages/ on its own: whoever opens a fresh one
at /train would get that page without language, style and navigation.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from cvae.assets import APP


def mark() -> None:
    """What app.py does first: from now on it runs for every page."""
    PagesManager.uses_pages_directory = False


def require_app() -> None:
    """What every page does first: where it runs on its own, app.py runs in its place, and with it the page."""
    if PagesManager.uses_pages_directory:
        exec(compile(APP.read_text(encoding="utf-8"), APP, "exec"), {"__name__": "__main__", "__file__": str(APP)})
        st.stop()
