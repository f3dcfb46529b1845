"""Show one trained model in the explorer, links to the other pages, and the runs on disk."""

from __future__ import annotations

import streamlit as st

from cvae.ui.frame import navigation, state
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.pages import start
from cvae.ui.parts import runs

navigation.require_app()

entries = runs.all_runs()
entry = start.shown(entries)
if entry is None:
    start.first_training(entries)
else:
    state.set_param(run=entry.name)  # only in the link, so that the other pages keep their own default
    st.markdown(t("start.what", title=escape_markdown(runs.details(entry)), label=start.label_words(entry)))
    start.explorer(entry)
    start.ways_on()
start.run_list(entries)
