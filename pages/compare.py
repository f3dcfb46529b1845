"""Compare: several runs at one z, on the same images, with the same noise, in one table."""

from __future__ import annotations

import streamlit as st

from cvae.errors import InputError
from cvae.ui import compare, figures, frame, linked, state
from cvae.ui.explorer import payload_of
from cvae.ui.formulas import OBJECTIVE
from cvae.ui.notes import formula
from cvae.ui.several import several
from cvae.ui.text import plain, said, t

frame.insist()

entries = several(t("compare.runs"))
chosen = compare.shown(entries)
kinds = list(dict.fromkeys(compare.kind(one) for one in chosen))

try:
    payload = payload_of([one.entry.run for one in chosen], titles=[one.title for one in chosen])
except InputError as error:
    st.info(t("compare.apart", why=plain(said(str(error)))), icon=":material/link_off:")
    compare.maps(chosen)
else:
    linked.explorer_at_link(payload, "compare-explorer")

st.subheader(t("compare.notice.title"), anchor=False)
for kind in kinds:
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    left.markdown(t(f"compare.notice.{kind}"))
    with right:
        formula(OBJECTIVE[kind])

st.subheader(t("compare.reconstructions.title"), anchor=False)
same = compare.examples(chosen[0])
compare.reconstructions(chosen, same)

st.subheader(t("compare.draws.title"), anchor=False)
compare.draws(chosen, same, linked.seed())

st.subheader(t("compare.curves.title"), anchor=False)
compare.curves(chosen)

st.subheader(t("compare.table.title"), anchor=False)
measured = figures.measured(entries)
figures.table(measured)
figures.commands([one for one in measured if not one.evaluated])
st.page_link(
    "pages/measure.py", label=t("compare.more"), icon=":material/arrow_forward:",
    query_params={"runs": ",".join(one.entry.name for one in chosen), "lang": state.language()},
)  # fmt: skip
