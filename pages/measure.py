"""Show the metrics of runs, the meaning of each metric, and the project's own results beside published ones."""

from __future__ import annotations

import streamlit as st

from cvae.ui.frame import navigation
from cvae.ui.frame.messages import notice
from cvae.ui.frame.text import t
from cvae.ui.pages import measure, papers
from cvae.ui.parts import metrics_table
from cvae.ui.parts.chart import words_first
from cvae.ui.parts.comparison_picker import several
from cvae.ui.parts.formulas import MEASURED

navigation.require_app()

chosen = metrics_table.measured(several(t("measure.runs")))

st.subheader(t("measure.title"), anchor=False)
metrics_table.table(chosen, explained=True)
metrics_table.commands(chosen)

notice(t("measure.notice.title"), t("measure.notice.text"), MEASURED)
words_first()

left, right = st.columns(2, gap="large")
with left:
    st.subheader(t("measure.split.title"), anchor=False)
    measure.split(chosen)
with right:
    st.subheader(t("measure.kl.title"), anchor=False)
    measure.kl(chosen)

st.subheader(t("measure.ladder.title"), anchor=False)
measure.ladder(chosen)

st.subheader(t("measure.samples.title"), anchor=False)
measure.samples(chosen)

measure.augmentation(chosen)

st.subheader(t("measure.classes.title"), anchor=False)
measure.classes(chosen)

papers.beside_the_papers()
