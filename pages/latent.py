"""Latent space: where a run's held-out codes lie, what they are, and what lies between them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cvae import plots
from cvae.ui import latent, linked, loaded, runs
from cvae.ui.text import t

bar = st.columns([2, 2, 1.3], gap="medium", vertical_alignment="bottom")
with bar[0]:
    run = runs.run_picker().run
model, held = loaded.model(run), loaded.held_out(run)
kl = loaded.kl_per_dim(run)
with bar[1]:
    kind, seed = latent.view_choice(model.latent_dim)
with bar[2]:
    layers = linked.choices(
        t("latent.layers.label"), "layers", ("prior", "density"), lambda k: t(f"latent.layers.{k}"), ("prior",)
    )
dims = latent.dims_choice(model.latent_dim, usual=np.argsort(-np.asarray(kl or held.codes.var(0)))[:2].tolist())

latent.codes_map(run, model, held, latent.view_of(kind, dims, seed, model, held.codes), layers)

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader(t("latent.manifold.title"), anchor=False)
    latent.manifold_picture(run, model, held, dims)
with right:
    st.subheader(t("latent.histograms.title"), anchor=False)
    latent.histograms(model, held, kl)
    if kl:
        st.subheader(t("latent.kl.title"), anchor=False)
        st.plotly_chart(plots.kl_bars(kl), key="latent-kl", alt=t("latent.kl.alt", total=f"{sum(kl):.1f}"))
        st.caption(t("latent.kl.note"))
