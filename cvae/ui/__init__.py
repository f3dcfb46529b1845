"""The app's parts: with `pages` and `app.py` the only modules that import Streamlit.

text.py      the words, in English and Chinese
state.py     what the address carries: language, runs, z, label
runs.py      the runs on disk, choosing among them, and what to say where there are none
explorer.py  the live explorer of trained models
live.py      the live view of trainings
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

if PagesManager.uses_pages_directory:
    # Until a server has met `st.navigation` once, it runs the files of pages/ on their own: whoever opens a fresh
    # server at /train would get that page without app.py around it. It begins again, with app.py.
    PagesManager.uses_pages_directory = False
    st.rerun()
