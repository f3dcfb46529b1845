"""Train: set up a model, watch it learn, and go back and forth in its training time."""

from __future__ import annotations

import streamlit as st

from cvae.jobs import Jobs
from cvae.ui import formulas, frame, live, runs, training
from cvae.ui.text import t

frame.insist()
Jobs().warm()

everything = runs.all_runs()
entries = [entry for entry in everything if entry.config is not None]
known = frozenset(entry.name for entry in everything)

training.new_training(expanded=all(entry.shipped for entry in entries))
if entries:
    left, right = st.columns(2)
    with left:
        entry = runs.run_picker(lambda entry: True, label=t("train.watch"), show_label=False)
    with right:
        others = [e.name for e in entries if e.name != entry.name]
        overlaid = st.multiselect(
            t("train.overlay"), others, placeholder=t("train.overlay"), key="train.overlay", max_selections=4,
            label_visibility="collapsed",
        )  # fmt: skip
    live.watch(entry.name, overlaid, known)
    with st.expander(t("train.what"), icon=":material/lightbulb:"):
        st.markdown(t("train.notice"))
        if entry.config:
            st.latex(formulas.OBJECTIVE[entry.config.model.family])
else:
    st.info(t("train.nothing_yet"), icon=":material/model_training:")
    runs.say_damaged(everything)
    live.wait_for_a_run(known)
