"""Compare several runs at one z, on the same images, with the same noise, in one table."""

from __future__ import annotations

import streamlit as st

from cvae.errors import InputError
from cvae.ui.components.explorer import explorer_at_link, payload_of
from cvae.ui.frame import navigation, state, url_widgets
from cvae.ui.frame.messages import formula
from cvae.ui.frame.text import escape_markdown, t, translate_error
from cvae.ui.pages import compare
from cvae.ui.parts import metrics_table
from cvae.ui.parts.comparison_picker import several
from cvae.ui.parts.formulas import objective
from cvae.ui.parts.kinds import notices

navigation.require_app()

entries = several(t("compare.runs"))
chosen = compare.shown(entries)

try:
    payload = payload_of([one.entry.run for one in chosen], titles=[one.title for one in chosen])
except InputError as error:
    st.info(t("compare.apart", why=escape_markdown(translate_error(error))), icon=":material/link_off:")
    compare.maps(chosen)
else:
    explorer_at_link(payload, "compare-explorer")

st.subheader(t("compare.notice.title"), anchor=False)
said = [(notices(one.config, one.figures, "compare"), objective(one.config)) for one in chosen]
for words, loss in dict.fromkeys(said):
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    left.markdown(words)
    with right:
        formula(loss)

st.subheader(t("compare.reconstructions.title"), anchor=False)
same = compare.examples(chosen[0])
compare.reconstructions(chosen, same)

st.subheader(t("compare.draws.title"), anchor=False)
compare.draws(chosen, same, url_widgets.seed())

st.subheader(t("compare.curves.title"), anchor=False)
compare.curves(chosen)

st.subheader(t("compare.table.title"), anchor=False)
measured = metrics_table.measured(entries)
metrics_table.table(measured)
metrics_table.commands([one for one in measured if not one.evaluated])
st.page_link(
    "pages/measure.py", label=t("compare.more"), icon=":material/arrow_forward:",
    query_params={"runs": ",".join(one.entry.name for one in chosen), "lang": state.language()},
)  # fmt: skip
