"""Show the latent space of a run: its held-out codes, their images, and the images between them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cvae import plots
from cvae.ui.frame import navigation, url_widgets
from cvae.ui.frame.text import t
from cvae.ui.pages import latent
from cvae.ui.parts import cache, cards, runs
from cvae.ui.parts.chart import chart
from cvae.ui.parts.condition_input import condition_choice

navigation.require_app()

bar = st.columns([1.7, 0.75, 2.2, 1.2], gap="medium", vertical_alignment="bottom")
with bar[0]:
    entry = runs.run_picker()
with bar[1]:
    cards.cards([entry])
run = entry.run
model, held = cache.model(run), cache.held_out(run)
kl = cache.kl_per_dim(run)
with bar[2]:
    kind, seed = latent.view_choice(model.latent_dim)
with bar[3]:
    layers = url_widgets.choices(
        t("latent.layers.label"), "layers", ("prior", "density"), lambda k: t(f"latent.layers.{k}"), ("prior",)
    )
default = np.argsort(-np.asarray(kl or held.codes.var(0)))[:2].tolist()  # the two most informative dimensions
dims = latent.dims_choice(model.latent_dim, default) if kind == "plane" else default

latent.codes_map(run, model, held, latent.view_of(kind, dims, seed, model, held.codes), layers)

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader(t("latent.manifold.title"), anchor=False)
    if model.predicts_label:
        st.info(t("latent.manifold.label_task"), icon=":material/label:")
    else:
        if kind != "plane":
            dims = latent.dims_choice(model.latent_dim, default)
        condition = condition_choice(run, model, held)
        latent.manifold_picture(run, model, condition, dims)
        if model.latent_dim > 2:
            st.subheader(t("latent.traversal.title"), anchor=False)
            latent.traversals(model, condition, kl)
with right:
    st.subheader(t("latent.histograms.title"), anchor=False)
    latent.histograms(model, held, kl)
    if kl:
        st.subheader(t("latent.kl.title"), anchor=False)
        total = f"{round(sum(kl), 1) + 0.0:.1f}"  # never −0.0
        chart(plots.kl_bars, kl, unit=t("latent.kl.unit"), key="latent-kl", alt=t("latent.kl.alt", total=total))
        st.caption(t("latent.kl.note"))
