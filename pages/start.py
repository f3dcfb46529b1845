"""Start: one trained model under the pointer, where to go next, and the runs on disk."""

from __future__ import annotations

import streamlit as st

from cvae.ui import runs, start, state
from cvae.ui.explorer import ExplorerState, explorer
from cvae.ui.text import t

entries = runs.all_runs()
entry = start.shown(entries)
if entry is None:
    start.first_training(entries)
else:
    st.query_params["run"] = entry.name  # in the link, but no choice for the other pages
    payload = start.payload(entry.run)
    first = payload["models"][0]
    z, label = state.z(first["latentDim"]), state.label(len(first["classes"]))
    wanted = ExplorerState.at(payload, z, label) if z or label else None
    current = explorer(
        payload, key="start", language=state.language(), panels=("map", "picture", "labels"), state=wanted
    )
    state.keep_z(current.z)
    state.keep_label(current.label or None)
    st.markdown(t("start.what", title=start.described(entry)))
    start.ways_on()
start.run_list(entries)
