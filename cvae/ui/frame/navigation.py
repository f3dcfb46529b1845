"""Navigation: app.py runs around every page.

On a server that has not met `st.navigation` yet, Streamlit runs a file of pages/ on its own: whoever opens a fresh one
at /train would get that page without language, style and navigation.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from cvae.assets import APP


def mark() -> None:
    """Note that app.py runs for every page from now on; app.py calls this first."""
    PagesManager.uses_pages_directory = False


def require_app() -> None:
    """Run app.py in the place of a page that runs on its own, and with it the page; every page calls this first."""
    if PagesManager.uses_pages_directory:
        exec(compile(APP.read_text(encoding="utf-8"), APP, "exec"), {"__name__": "__main__", "__file__": str(APP)})
        st.stop()
