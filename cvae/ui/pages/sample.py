"""Show the parts of the page that samples: draws from the prior, completions, mixed labels, a walk."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cvae.conditions import LABEL, ClassCondition, label_place
from cvae.explore.decoding import Interpolation, complete, draw, interpolate, path, sample
from cvae.explore.inference import Inference
from cvae.explore.numpy_nets import Array
from cvae.explore.pictures import gif
from cvae.families import Family
from cvae.runs.folder import Run
from cvae.ui.frame import url_widgets
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.parts import picture
from cvae.ui.parts.cache import HeldOut
from cvae.ui.parts.condition_input import condition_images

ROWS, COLUMNS = 5, 10  # the size of a grid of draws
MIXES = 11  # labels from one to another
STOPS, FRAMES, SECONDS = 5, 80, 8.0  # the stops, images and length of a walk


def chance(family: Family) -> tuple[float, int]:
    """Show the controls of the draws and return the temperature and the seed."""
    left, right = st.columns([3, 2], vertical_alignment="bottom", gap="large")
    with left:
        help = t("sample.temperature_help_ae" if family.prior == "none" else "sample.temperature_help")
        temperature = url_widgets.slider(t("sample.temperature"), "temperature", 0.0, 2.0, 1.0, 0.05, help)
    with right:
        return temperature, url_widgets.seed()


def draws(run: Run, model: Inference, given: Array | None, temperature: float, seed: int) -> None:
    """Show a grid of draws: of one label or of every label if the model takes one, else of the whole model.

    `given` is the vector (width,) of the model's conditions; None if it has none.
    """
    names = model.config.class_names
    words = {"n": ROWS * COLUMNS, "seed": seed, "temperature": f"{temperature:g}"}
    if not model.config.takes_label:
        images = sample(model, ROWS * COLUMNS, given, temperature=temperature, seed=seed)
        file = picture.show(images, t("sample.draws.alt", n=len(images)), columns=COLUMNS)
        fitted = model.family.prior == "none"
        st.caption(t("sample.draws.note", **words) + (" " + t("sample.draws.note_ae") if fitted else ""))
    elif url_widgets.choice(t("sample.rows.label"), "rows", ("one", "all"), lambda k: t(f"sample.rows.{k}")) == "one":
        assert given is not None
        title = ClassCondition(LABEL, names).describe(given[label_place(model.config.conditions)])
        images = sample(model, ROWS * COLUMNS, given, temperature=temperature, seed=seed)
        file = picture.show(images, t("sample.draws.alt_label", n=len(images), label=title), columns=COLUMNS)
        st.caption(t("sample.draws.note_label", label=escape_markdown(title), **words))
    else:
        every = model.config.every_class()
        rows = np.stack([sample(model, COLUMNS, one, temperature=temperature, seed=seed) for one in every])
        file = picture.show(rows, t("sample.draws.alt_all", rows=len(names), labels=", ".join(names)))
        st.caption(
            t("sample.draws.note", **{**words, "n": rows.shape[0] * rows.shape[1]}) + " " + t("sample.draws.note_all")
        )
    picture.download(file, f"{run.name}-samples")


def completions(run: Run, model: Inference, held: HeldOut, temperature: float, seed: int) -> None:
    """Show the visible part of some images, the answer of a plain network, and several draws of the model."""
    images = condition_images(run, held)
    drawn = complete(model, images, COLUMNS - 2, temperature=temperature, seed=seed)
    rows = np.concatenate([np.stack([model.visible_part(images), model.predict(images)], axis=1), drawn], axis=1)
    file = picture.show(rows, t("sample.completions.alt", rows=len(rows), n=COLUMNS - 2))
    note = t("sample.completions.note", n=COLUMNS - 2, seed=seed, temperature=f"{temperature:g}")
    st.caption(note + ("" if held.images is not None else " " + t("sample.completions.not_data")))
    picture.download(file, f"{run.name}-completions")


def mixing(run: Run, model: Inference, temperature: float, seed: int) -> None:
    """Show images from one label to another, in several styles."""
    names = model.config.class_names
    left, right = st.columns(2)
    with left:
        a = url_widgets.menu(t("sample.mix.from"), "from", range(len(names)), names.__getitem__, min(3, len(names) - 1))
    with right:
        b = url_widgets.menu(t("sample.mix.to"), "to", range(len(names)), names.__getitem__, len(names) - 2)
    every = model.config.every_class()
    labels = path([every[a], every[b]], MIXES)
    rows = np.stack([sample(model, ROWS, label, temperature=temperature, seed=seed) for label in labels], axis=1)
    words = {"a": names[a], "b": names[b]}
    file = picture.show(rows, t("sample.mix.alt", rows=ROWS, columns=MIXES, **words))
    st.caption(t("sample.mix.note", seed=seed, **{k: escape_markdown(name) for k, name in words.items()}))
    picture.download(file, f"{run.name}-mixed")


def walk(run: Run, model: Inference, given: Array | None, temperature: float, seed: int) -> None:
    """Show, if the user turns it on, an animation along a closed path through draws of the prior."""
    if not st.toggle(t("sample.walk.show"), key="sample.walk"):
        return
    stops = draw(model, STOPS, given, temperature=temperature, seed=seed)
    course: Interpolation = "spherical" if model.latent_dim > 2 else "linear"
    images = interpolate(model, [*stops, stops[0]], FRAMES, course=course, condition=given)
    file = gif(images[:-1], seconds=SECONDS, width=400, paper=picture.paper())
    st.image(file, alt=t("sample.walk.alt"), width=400)
    st.caption(t("sample.walk.note", n=STOPS, seed=seed, temperature=f"{temperature:g}"))
    picture.download(file, f"{run.name}-walk", "gif")
