"""Explore: drag in the latent space of a trained model, or of several at once, and the pictures follow."""

from __future__ import annotations

import streamlit as st

from cvae.ui import frame, linked, runs, state
from cvae.ui.explorer import payload_of
from cvae.ui.text import plain

frame.insist()

entries = runs.runs_picker()
if len(entries) == 1:
    st.subheader(plain(entries[0].title), anchor=False)
linked.explorer_at_link(payload_of([entry.run for entry in entries]), "explore")
state.send()
