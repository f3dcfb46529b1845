"""Explore: drag in the latent space of a trained model, or of several at once, and the pictures follow."""

from __future__ import annotations

import streamlit as st

from cvae.ui.components.explorer import PANELS, explorer_at_link, payload_of
from cvae.ui.frame import navigation, state
from cvae.ui.frame.text import escape_markdown
from cvae.ui.parts import runs

navigation.require_app()

entries = runs.runs_picker()
if len(entries) == 1:
    st.subheader(escape_markdown(entries[0].title), anchor=False)
explorer_at_link(
    payload_of([entry.run for entry in entries]), "explore", tuple(panel for panel in PANELS if panel != "pad")
)
state.flush()
