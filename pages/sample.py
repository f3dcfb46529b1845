"""Draw images from a model, by hand and at random, of a label if the model takes one."""

from __future__ import annotations

import streamlit as st

from cvae.ui.components.explorer import explorer_at_link, payload_of
from cvae.ui.frame import navigation, state
from cvae.ui.frame.messages import notice
from cvae.ui.frame.text import t
from cvae.ui.pages import sample
from cvae.ui.parts import cache, cards, runs
from cvae.ui.parts.kinds import notices

navigation.require_app()

left, right = st.columns([6, 1], vertical_alignment="bottom")
with left:
    entry = runs.run_picker()
with right:
    cards.cards([entry])
run = entry.run
model, held = cache.model(run), cache.held_out(run)
family = model.family

current = explorer_at_link(payload_of([run], titles=runs.titles([entry])), "sample-explorer")
given = current.vector(model.config.conditions)

if model.predicts_label:
    st.info(t("sample.label_task"), icon=":material/label:")
    state.stop()

temperature, seed = sample.chance(family)
left, right = st.columns([3, 2], gap="large")
with left:
    if family.completes:
        st.subheader(t("sample.completions.title"), anchor=False)
        sample.completions(run, model, held, temperature, seed)
    else:
        st.subheader(t("sample.draws.title_ae" if family.prior == "none" else "sample.draws.title"), anchor=False)
        sample.draws(run, model, given, temperature, seed)
with right:
    notice(t("sample.notice.title"), notices(run.config(), cache.known_figures(run)[0], "sample"), family.draw)
    if not family.completes:
        st.subheader(t("sample.walk.title"), anchor=False)
        sample.walk(run, model, given, temperature, seed)
if model.config.takes_label:
    with left:
        st.subheader(t("sample.mix.title"), anchor=False)
        sample.mixing(run, model, temperature, seed)
