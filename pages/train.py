"""Set up a model, watch its training, and move back and forth in the training's history."""

from __future__ import annotations

import streamlit as st

from cvae.runs.queue import Jobs
from cvae.ui.components import live
from cvae.ui.frame import navigation, state
from cvae.ui.frame.messages import formula
from cvae.ui.frame.text import t
from cvae.ui.pages import training
from cvae.ui.parts import cache, cards, runs
from cvae.ui.parts.formulas import objective
from cvae.ui.parts.kinds import training_notice

navigation.require_app()
Jobs().warm()

everything = runs.all_runs()
known = frozenset(entry.name for entry in everything)
names = [entry.name for entry in everything if entry.watchable]

asked_for = state.in_link("run") is not None  # then the settings stay closed, because the visitor wants the run
training.new_training(expanded=all(entry.shipped for entry in everything) and not asked_for)
if names:
    left, right, about = st.columns([4, 4, 1])
    with left:
        entry = runs.run_picker(lambda entry: entry.watchable, label=t("train.watch"), show_label=False)
    with right:
        overlaid = live.overlay_choice([other for other in everything if other.watchable and other.name != entry.name])
    with about:
        cards.cards([entry])
    live.watch(entry.name, overlaid, known)
    with st.expander(t("train.what"), icon=":material/lightbulb:"):
        if entry.config:
            formula(objective(entry.config))
            st.markdown(training_notice(entry.config, cache.known_figures(entry.run)[0]))
else:
    st.info(t("train.nothing_yet"), icon=":material/model_training:")
    runs.say_damaged(everything)
    live.wait_for_a_run(known)
