"""Explore: drag in the latent space of a trained model, or of several at once, and the pictures follow."""

from __future__ import annotations

import streamlit as st

from cvae.ui import runs, state
from cvae.ui.explorer import ExplorerState, explorer, payload_of
from cvae.ui.text import plain

entries = runs.runs_picker()
payload = payload_of([entry.run for entry in entries])
first = payload["models"][0]
if len(entries) == 1:
    st.subheader(plain(entries[0].title), anchor=False)

z, label = state.z(first["latentDim"]), state.label(len(first["classes"]))
wanted = ExplorerState.at(payload, z, label) if z or label else None
current = explorer(payload, key="explore", language=state.language(), state=wanted)
state.keep_z(current.z)
state.keep_label(current.label)
