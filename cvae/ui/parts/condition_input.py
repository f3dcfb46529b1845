"""What a model is given beside z, chosen on a page: a label, as in the link, or one of the held-out images."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cvae.errors import InputError
from cvae.explore.inference import Inference
from cvae.explore.numpy_nets import Array
from cvae.runs.folder import Run
from cvae.ui.frame import state, url_widgets
from cvae.ui.frame.text import plain, t
from cvae.ui.parts.cache import HeldOut

FEW = 12  # labels that fit side by side
CONDITIONS = 12  # images offered to cvae-predictive


def given_choice(run: Run, model: Inference, held: HeldOut) -> Array | None:
    """The control that the model has use for: a label (K,), an image (C, H, W), or nothing."""
    if model.family.given == "label":
        return label_choice(model.config.class_names)
    if model.family.given == "condition":
        images = condition_images(run, held)
        chosen = url_widgets.menu(t("latent.given"), "given", range(len(images)), lambda i: f"#{i + 1}", 0)
        return np.asarray(images[chosen])
    return None


def label_choice(names: tuple[str, ...]) -> Array:
    """A label (K,) that adds up to 1: the one chosen here, else the link's, which may be a mixture."""
    weights = np.array(state.label(len(names)) or np.eye(len(names))[0], dtype=np.float32)
    current = int(weights.argmax()) if weights.max() > 0.999 else None
    if st.session_state.get("label_choice.seen") != weights.tolist():  # another page, or a link, moved it
        st.session_state["label_choice"] = current
    options, words = range(len(names)), lambda k: plain(names[k])
    if len(names) <= FEW:
        chosen = st.pills(t("latent.label"), options, format_func=words, key="label_choice")
    else:
        chosen = st.selectbox(
            t("latent.label"), options, index=None, format_func=lambda k: names[k], key="label_choice"
        )
    if chosen is not None:
        weights = np.eye(len(names), dtype=np.float32)[chosen]
        state.keep_label(weights.tolist())
    elif current is None:
        parts = [f"{weight:.0%} {names[k]}" for k, weight in enumerate(weights) if weight > 0]
        st.caption(t("latent.mixture", mixture=plain(" + ".join(parts))))
    st.session_state["label_choice.seen"] = weights.tolist()
    return weights


def condition_images(run: Run, held: HeldOut) -> NDArray[np.float32]:
    """Images (M, C, H, W) in [0, 1] to be completed: of different classes first, or the run's own reconstructions."""
    if held.images is None:
        steps = run.snapshot_steps()
        strip = run.snapshot(steps[-1]).get("strip") if steps else None
        if strip is None:
            raise InputError(f"{run.name} needs an image to start from, and its data set is not on this disk.")
        return np.divide(strip[:CONDITIONS], 255, dtype=np.float32)
    rows = np.arange(min(CONDITIONS, len(held.images)))
    if held.labels is not None:
        _, firsts = np.unique(held.labels, return_index=True)
        rows = np.concatenate([firsts, np.setdiff1d(rows, firsts)])
    return np.divide(held.images[rows[:CONDITIONS]], 255, dtype=np.float32)
