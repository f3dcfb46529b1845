"""Show a control for each condition of a model, by the condition's kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cvae.conditions import LABEL, ClassCondition, ConditionBatch, ImageCondition
from cvae.errors import InputError
from cvae.explore.inference import Inference
from cvae.explore.numpy_nets import Array
from cvae.runs.folder import Run
from cvae.ui.frame import state, url_widgets
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.parts.cache import HeldOut

FEW = 12  # labels that fit side by side

Control = Callable[[Any, Run, HeldOut], Array]  # a condition, the run and its held-out images → what was chosen
CONTROLS: dict[str, Control] = {}  # by kind


def control(kind: str) -> Callable[[Control], Control]:
    """Register the control of a kind: it returns a vector (width,) or an image (C, H, W)."""

    def register(function: Control) -> Control:
        if kind in CONTROLS:
            raise ValueError(f"there is a control of the kind {kind!r} already")
        CONTROLS[kind] = function
        return function

    return register


def condition_choice(run: Run, model: Inference, held: HeldOut) -> ConditionBatch[Array] | None:
    """Show the controls of all conditions of a model and return the chosen batch of 1; None if it has no conditions."""
    conditions = model.config.conditions
    chosen = [(condition, CONTROLS[condition.kind](condition, run, held)) for condition in conditions]
    if not chosen:
        return None
    vectors = [value for condition, value in chosen if condition.width]
    images = [value for condition, value in chosen if not condition.width]
    return ConditionBatch(
        vector=np.concatenate(vectors)[None] if vectors else None, image=images[0][None] if images else None
    )


@control("class")
def class_choice(condition: ClassCondition, run: Run, held: HeldOut) -> Array:
    """Show the classes and return label weights (K,) with the sum 1: the choice, else those in the link."""
    names = condition.values
    linked = state.condition(condition)
    weights = condition.default() if linked is None else linked
    current = int(weights.argmax()) if weights.max() > 0.999 else None
    key = f"choice.{condition.name}"
    title = t("latent.label") if condition.name == LABEL else escape_markdown(condition.name)
    if st.session_state.get(f"{key}.seen") != weights.tolist():  # another page, or a link, moved it
        st.session_state[key] = current
    options, words = range(len(names)), lambda k: escape_markdown(names[k])
    if len(names) <= FEW:
        chosen = st.pills(title, options, format_func=words, key=key)
    else:
        chosen = st.selectbox(title, options, index=None, format_func=lambda k: names[k], key=key)
    if chosen is not None:
        weights = condition.showcase()[chosen]
        state.keep_condition(condition, weights.tolist())
    elif current is None:
        st.caption(t("latent.mixture", mixture=escape_markdown(condition.describe(weights))))
    st.session_state[f"{key}.seen"] = weights.tolist()
    return weights


@control("image")
def image_choice(condition: ImageCondition, run: Run, held: HeldOut) -> Array:
    """Show a menu of the images to complete and return the chosen one (C, H, W)."""
    images = condition_images(run, held)
    chosen = url_widgets.menu(t("latent.given"), "given", range(len(images)), lambda i: f"#{i + 1}", 0)
    return np.asarray(images[chosen])


def condition_images(run: Run, held: HeldOut) -> NDArray[np.float32]:
    """Return images (M, C, H, W) in [0, 1] to complete: held-out ones or reconstructions, else raise `InputError`."""
    images, labels = held.images, held.labels
    if images is None:
        steps = run.snapshot_steps()
        images, labels = run.snapshot(steps[-1]).get("strip") if steps else None, None
        if images is None:
            raise InputError("run.no_image", name=run.name)
    return np.divide(images[ImageCondition.examples(len(images), labels)], 255, dtype=np.float32)
