"""Show the latent space of a run: its held-out codes, their images, and the images between them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cvae import plots
from cvae.numbers import fixed
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
    fitted = model.family.prior == "none"
    names = {"prior": "fitted" if fitted else "prior", "density": "density"}
    layers = url_widgets.choices(
        t("latent.layers.label"), "layers", tuple(names), lambda k: t(f"latent.layers.{names[k]}"), ("prior",)
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
    st.subheader(t("latent.histograms.title_ae" if fitted else "latent.histograms.title"), anchor=False)
    latent.histograms(run, model, held, kl)
    if kl:
        st.subheader(t("latent.kl.title"), anchor=False)
        alt = t("latent.kl.alt", total=fixed(sum(kl), 1))
        chart(plots.kl_bars, kl, unit=t("latent.kl.unit"), key="latent-kl", alt=alt)
        st.caption(t("latent.kl.note"))
