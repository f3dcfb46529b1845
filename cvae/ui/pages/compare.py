"""Show the parts of the page that compares runs: the same images, the same noise, maps side by side, curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cvae import plots
from cvae.conditions import LABEL, ConditionBatch, joined, vectors
from cvae.config import RunConfig
from cvae.explore.decoding import complete, sample
from cvae.explore.inference import Inference
from cvae.explore.numpy_nets import Array
from cvae.families import term_key
from cvae.runs import history
from cvae.ui.frame import url_widgets
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.pages.latent import view_of
from cvae.ui.parts import cache, picture, runs
from cvae.ui.parts.cache import HeldOut
from cvae.ui.parts.chart import chart
from cvae.ui.parts.condition_input import condition_images

IMAGES = 10  # columns of reconstructions and draws
DRAWS = 2  # rows of draws
POINTS = 1500  # codes on each map


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A ComparedRun holds one of the runs to compare."""

    entry: runs.ListedRun
    config: RunConfig
    model: Inference
    held: HeldOut
    title: str  # as short as tells the runs apart
    figures: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples hold held-out images (n, C, H, W) in [0, 1], and the raw values (n,) of their conditions, by name."""

    images: Array
    values: Mapping[str, NDArray[Any]]


def shown(entries: Sequence[runs.ListedRun]) -> list[ComparedRun]:
    """Return the runs to compare, with their models and held-out codes."""
    return [
        ComparedRun(
            entry,
            entry.config,
            cache.model(entry.run),
            cache.held_out(entry.run),
            title,
            cache.known_figures(entry.run)[0],
        )
        for entry, title in zip(entries, runs.titles(entries), strict=True)
        if entry.config is not None
    ]


def examples(first: ComparedRun) -> Examples | None:
    """Show an input for k; return the k-th held-out image of each class, or ten unlabelled ones; None without data."""
    held = first.held
    if held.images is None:
        return None
    k = url_widgets.whole(t("compare.reconstructions.example"), "example", 1, 50, 1) - 1
    if held.labels is None:
        rows = np.arange(k * IMAGES, (k + 1) * IMAGES) % len(held.images)
        return _examples_at(held, rows)
    classes = [np.flatnonzero(held.labels == label) for label in np.unique(held.labels)]
    rows = np.array([found[k % len(found)] for found in classes[: 2 * IMAGES]])
    return _examples_at(held, rows)


def _examples_at(held: HeldOut, rows: NDArray[np.intp]) -> Examples:
    assert held.images is not None
    values = {name: column[rows] for name, column in held.values.items()}
    return Examples(np.divide(held.images[rows], 255, dtype=np.float32), values)


def reconstructions(chosen: Sequence[ComparedRun], same: Examples | None) -> None:
    """Show every model's reconstructions of the same images; those of the snapshots if the data set is not here."""
    if same is None:
        _kept_reconstructions(chosen)
        return
    n = len(same.images)
    _row(t("compare.reconstructions.originals"), same.images, "", t("compare.reconstructions.alt_originals", n=n))
    for one in chosen:
        if one.config.model.image_shape != same.images.shape[1:] or one.config.data.name != chosen[0].config.data.name:
            _row(one.title, None, t("compare.reconstructions.other_data"))
        else:
            pictures = None if one.model.predicts_label else _reconstructed(one.model, same)
            _row(one.title, pictures, t("compare.reconstructions.label_task"))
    if LABEL not in same.values:
        st.caption(t("compare.reconstructions.note_unlabelled", n=n))
    else:
        st.caption(t("compare.reconstructions.note", k=st.session_state["linked.example"]))


def _kept_reconstructions(chosen: Sequence[ComparedRun]) -> None:
    """Show the last snapshots' reconstructions of some validation images, the same for all runs on the same data."""
    st.caption(t("compare.reconstructions.strip"))
    for one in chosen:
        steps = one.entry.run.snapshot_steps()
        kept = one.entry.run.snapshot(steps[-1], ("strip", "labels")) if steps else {}
        strip, names = kept.get("strip"), one.config.model.class_names
        _row(one.title, strip, t("compare.reconstructions.label_task"))
        if one is chosen[-1] and strip is not None and "labels" in kept:
            truth = [names[label] for label in kept["labels"][: len(strip)] if label < len(names)]
            st.caption(t("compare.reconstructions.truth", labels=escape_markdown(", ".join(truth))))


def _reconstructed(model: Inference, same: Examples) -> Array:
    config, n = model.config, len(same.images)
    mean, _ = model.encode(same.images, vectors(config.batch_conditions, n, same.values))
    given = vectors(config.conditions, n, same.values)
    return model.decode(mean, ConditionBatch(vector=given, image=same.images))


def _row(title: str, pictures: NDArray[Any] | None, otherwise: str, alt: str = "", note: str = "") -> None:
    """Show a title beside images (n, C, H, W) or (rows, n, C, H, W); or the text `otherwise` if there are none."""
    left, right = st.columns([1, 6], vertical_alignment="center")
    left.markdown(f"**{escape_markdown(title)}**")
    if note and pictures is not None:
        left.caption(note)
    with right:
        if pictures is None:
            st.caption(otherwise)
        else:
            words = alt or t("compare.reconstructions.alt", n=len(pictures), name=title)
            picture.show(pictures if pictures.ndim == 5 else pictures[None], words)


def draws(chosen: Sequence[ComparedRun], same: Examples | None, seed: int) -> None:
    """Show draws of every model from the same noise; a model that takes labels draws one label in each column."""
    for one in chosen:
        labelled = one.model.config.takes_label and one.model.family.prior == "standard"
        source = "standard_label" if labelled else one.model.family.prior_of
        drawn = _drawn(one, same, seed)
        why = "label_task" if one.model.predicts_label else "other_data"
        alt = "" if drawn is None else t("compare.draws.alt", n=drawn.shape[0] * drawn.shape[1], name=one.title)
        _row(one.title, drawn, t(f"compare.reconstructions.{why}"), alt, t(f"compare.draws.{source}"))
    st.caption(t("compare.draws.note", seed=seed))


def _drawn(one: ComparedRun, same: Examples | None, seed: int) -> Array | None:
    """Return images (DRAWS, IMAGES, C, H, W); None if the model draws no images, or the examples do not fit it."""
    model = one.model
    shape, family = model.config.image_shape, model.family
    if model.config.takes_label:
        every = model.config.every_class()[:IMAGES]
        return np.stack([sample(model, DRAWS, label, seed=seed) for label in every], axis=1)
    if not family.completes:
        given = joined(model.config.conditions, {})
        return sample(model, DRAWS * IMAGES, given, seed=seed).reshape(DRAWS, IMAGES, *shape)
    if model.predicts_label:
        return None
    images = condition_images(one.entry.run, one.held) if same is None else same.images
    if images.shape[1:] != shape:
        return None
    return complete(model, images[:IMAGES], DRAWS, seed=seed).swapaxes(0, 1)


def maps(chosen: Sequence[ComparedRun]) -> None:
    """Show the codes of runs that cannot share one z, side by side, each in its own plane."""
    for one, column in zip(chosen, st.columns(len(chosen), gap="medium"), strict=True):
        d, held = one.model.latent_dim, one.held
        view = view_of("pca" if d > 2 else "plane", range(min(d, 2)), 0, one.model, held.codes[:POINTS])
        labels = None if held.labels is None else held.labels[:POINTS]
        with column:
            st.markdown(f"**{escape_markdown(one.title)}**")
            chart(
                plots.scatter, view.points, labels, one.config.model.class_names, axes=view.axes,
                outlines=view.outlines, height=420, legend=False, key=f"map-{one.entry.name}",
                alt=t("compare.maps.alt", name=one.title),
            )  # fmt: skip
            st.caption(view.note)
    st.caption(_with_autoencoders("compare.maps.note", chosen))


def curves(chosen: Sequence[ComparedRun]) -> None:
    """Show the terms of the bound during training, with the runs in one chart."""
    histories = {one.title: history.curves(one.entry.run).records for one in chosen}
    if not any(histories.values()):
        st.info(t("compare.curves.nothing"), icon=":material/show_chart:")
        return
    bound = ("reconstruction", "kl", "neg_elbo")
    titles = {word: t(f"compare.curves.{word}") for word in (*bound, "epoch", "train", "validation", "unit")}
    further = dict.fromkeys(term for one in chosen for term in one.model.family.terms)
    titles |= {term: t(term_key(term)) for term in further}
    chart(
        plots.curves, histories, terms=(*bound, *further), titles=titles, key="curves",
        alt=t("compare.curves.alt", names=", ".join(histories)),
    )  # fmt: skip
    st.caption(_with_autoencoders("compare.curves.note", chosen))


def _with_autoencoders(key: str, chosen: Sequence[ComparedRun]) -> str:
    """Return a note, with what it says of autoencoders if one is among the runs."""
    autoencoders = any(one.model.family.prior == "none" for one in chosen)
    return t(key) + (" " + t(f"{key}_ae") if autoencoders else "")
