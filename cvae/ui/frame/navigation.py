"""Ensure that app.py runs around every page.

Until a server has run `st.navigation`, Streamlit runs a file of pages/ alone: the first visitor at /train would get
that page without language, style and navigation.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from cvae.assets import APP


def mark() -> None:
    """Make Streamlit run app.py for every page; app.py calls this first."""
    PagesManager.uses_pages_directory = False


def require_app() -> None:
    """Run app.py, and through it the page, in place of a page that runs alone. Every page calls this first."""
    if PagesManager.uses_pages_directory:
        exec(compile(APP.read_text(encoding="utf-8"), APP, "exec"), {"__name__": "__main__", "__file__": str(APP)})
        st.stop()
