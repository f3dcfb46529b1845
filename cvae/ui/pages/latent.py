"""Show the parts of the page on latent space: the map of a run's codes, the selected images, and the manifold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cvae import plots
from cvae.conditions import ConditionBatch
from cvae.explore.decoding import manifold, neighbours, traversal
from cvae.explore.inference import Inference
from cvae.explore.numpy_nets import Array
from cvae.explore.projection import Projection, dimensions, pca, tsne
from cvae.runs.folder import Run
from cvae.ui.frame import url_widgets
from cvae.ui.frame.messages import notice
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.parts import cache, picture
from cvae.ui.parts.cache import HeldOut
from cvae.ui.parts.chart import chart, words_first
from cvae.ui.parts.kinds import notices

MOST = 2000  # codes on a map
MOST_TSNE = 1500  # codes for which t-SNE takes a few seconds
MOST_SELECTED, SHOWN = 200, 32  # the most images in a selection, and the most on the page
QUERIES, NEAREST = 5, 9  # rows and columns of neighbours
HISTOGRAMS, TRAVERSALS = 8, 10  # dimensions
TRAVERSAL_STEPS = 11
MANY = 500  # images whose priors form the mixture, if each has a prior of its own


@dataclass(frozen=True, eq=False)
class View:
    """A View holds the points (n, 2 or 3) of a map, the names of its axes, the priors to draw, and a note."""

    points: NDArray[np.floating[Any]]
    axes: tuple[str, ...]
    outlines: tuple[plots.PriorEllipse, ...] = ()
    note: str = ""


def view_choice(latent_dim: int) -> tuple[str, int]:
    """Show the controls of the map; return the kind of view, and the seed of t-SNE (else 0)."""
    if latent_dim <= 2:
        return "plane", 0
    kinds = ("pca", "plane", "space", "tsne")
    kind = url_widgets.choice(t("latent.view.label"), "view", kinds, lambda k: t(f"latent.view.{k}"))
    return kind, url_widgets.seed("tsne") if kind == "tsne" else 0


def dims_choice(latent_dim: int, default: Sequence[int]) -> tuple[int, ...]:
    """Return two dimensions (or the only one), from menus if there are more than two."""
    if latent_dim <= 2:
        return tuple(range(latent_dim))
    left, right = st.columns(2)
    with left:
        x = url_widgets.menu(t("latent.horizontal"), "x", range(latent_dim), plots.axis_name, default[0])
    with right:
        others = [d for d in range(latent_dim) if d != x]
        y = url_widgets.menu(
            t("latent.vertical"), "y", others, plots.axis_name, default[1] if default[1] != x else others[0]
        )
    return x, y


def view_of(kind: str, dims: Sequence[int], seed: int, model: Inference, codes: Array) -> View:
    """Return the view of a kind on the codes (N, d)."""
    d = model.latent_dim
    if kind == "tsne":
        return View(_tsne(codes[:MOST_TSNE], seed), ("t-SNE 1", "t-SNE 2"), (), t("latent.map.tsne", seed=seed))
    if kind == "plane" or (kind == "space" and d == 3):
        shown = dims if kind == "plane" else range(3)
        projection, axes = dimensions(d, shown), tuple(map(plots.axis_name, shown))
        note = t("latent.map.flat") if d == 1 else ""
    else:
        projection, shares = pca(codes, 2 if kind == "pca" else 3)
        axes = tuple(f"PC{i + 1}" for i in range(len(shares)))
        note = t("latent.map.pca", shares=" + ".join(f"{share:.0%}" for share in shares))
    outlines = prior_outlines(model, projection) if len(axes) == 2 else []
    return View(projection(codes[:MOST]), axes, tuple(outlines), note)


def prior_outlines(model: Inference, projection: Projection) -> list[plots.PriorEllipse]:
    """Return the priors of a model in a plane; an empty list if each image has a prior of its own."""
    d, kind = model.latent_dim, model.family.prior_of
    if kind == "none":
        return [plots.PriorEllipse(*projection.gaussian(*model.fitted()))]
    if kind == "standard":
        return [plots.PriorEllipse(*projection.gaussian(np.zeros(d), np.eye(d)))]
    if kind == "condition" and model.config.takes_label:
        parts = zip(*model.prior(model.config.every_class()), strict=True)
        return [plots.PriorEllipse(*projection.gaussian(m, np.diag(s**2)), k, (2,)) for k, (m, s) in enumerate(parts)]
    return []


@st.fragment
def codes_map(run: Run, model: Inference, held: HeldOut, view: View, layers: Sequence[str]) -> None:
    """Show the map and beside it the selected images. As this is a fragment, a selection redraws nothing else."""
    left, right = st.columns([3, 2], gap="large")
    names, labels = model.config.class_names, None if held.labels is None else held.labels[: len(view.points)]
    key = f"latent-map-{run.name}-{'-'.join(view.axes)}"

    def circled() -> None:
        points = st.session_state[key]["selection"]["points"]
        rows = {int(np.ravel(point["customdata"])[0]) for point in points if "customdata" in point}
        url_widgets.put_numbers("images", sorted(rows)[:MOST_SELECTED])

    with left:
        above = st.container()
        st.caption(_map_note(model, held, view, layers))
    with right:
        st.subheader(t("latent.selection.title"), anchor=False)
        rows = url_widgets.numbers(
            t("latent.selection.numbers"), "images", len(held.codes), MOST_SELECTED, t("latent.selection.hint")
        )
        if rows:
            selection(model, held, np.array(rows))
        family = model.family
        notice(t("latent.notice.title"), notices(run.config(), cache.known_figures(run)[0], "latent"), family.posterior)
    words_first()
    with above:
        words = "latent.map.alt" if names else "latent.map.alt_unlabelled"
        chart(
            plots.scatter, view.points, labels, names, axes=view.axes, contours="density" in layers,
            outlines=view.outlines if "prior" in layers else (), key=key, on_select=circled,
            alt=t(words, n=len(view.points), classes=", ".join(names)),
            config={"scrollZoom": True, "displaylogo": False},
        )  # fmt: skip


def selection(model: Inference, held: HeldOut, rows: NDArray[np.intp]) -> None:
    """Show the images at the selected rows (n,), and their nearest neighbours in latent space."""
    counts = _counts(model, held, rows)
    st.markdown(
        t(
            "latent.selection.counts" if counts else "latent.selection.count",
            n=len(rows),
            counts=escape_markdown(counts),
        )
    )
    if len(rows) == MOST_SELECTED:
        st.caption(t("latent.selection.most", n=MOST_SELECTED))
    images = pictures_at(model, held, rows[:SHOWN])
    if images is None:
        st.info(t("latent.selection.nothing"), icon=":material/image_not_supported:")
        return
    file = picture.show(
        images, t("latent.selection.alt", n=len(images), counts=f": {counts}" if counts else ""), columns=8
    )
    source = t("latent.selection.data" if held.images is not None else "latent.selection.decoded")
    st.caption(source + (" " + t("latent.selection.first", n=SHOWN) if len(rows) > SHOWN else ""))
    picture.download(file, "selected")

    st.subheader(t("latent.selection.neighbours"), anchor=False)
    queries = rows[:QUERIES]
    near = neighbours(held.codes, held.codes[queries], NEAREST + 1)
    near = np.array(
        [[row, *[r for r in found if r != row][:NEAREST]] for row, found in zip(queries, near, strict=True)]
    )
    images = pictures_at(model, held, near.ravel())
    assert images is not None
    tiles = images.reshape(*near.shape, *images.shape[1:])
    picture.show(tiles, t("latent.selection.neighbours_alt", n=len(queries), k=near.shape[1] - 1))
    d = model.latent_dim
    note = t("latent.selection.neighbours_note" if d > 2 else "latent.selection.neighbours_note_one", d=d)
    if held.labels is not None:
        share = (held.labels[near[:, 1:]] == held.labels[near[:, :1]]).mean()
        note += " " + t("latent.selection.agree", share=f"{share:.0%}")
    st.caption(note)


def pictures_at(model: Inference, held: HeldOut, rows: NDArray[np.intp]) -> NDArray[Any] | None:
    """Return the held-out images (n, C, H, W) at `rows`, else decode their codes; None if neither is possible."""
    if held.images is not None:
        return held.images[rows]
    if model.family.completes:
        return None
    return model.decode(held.codes[rows], held.vectors(model.config.conditions, rows))


def histograms(run: Run, model: Inference, held: HeldOut, kl: Sequence[float] | None) -> None:
    """Show the marginals of the codes beside those of the prior, or of the Gaussian fitted to them."""
    d, ae = model.latent_dim, "_ae" if model.family.prior == "none" else ""
    largest = np.argsort(-np.asarray(kl)) if kl else np.argsort(-held.codes.var(0))
    dims = sorted(int(i) for i in largest[:HISTOGRAMS])
    kind = {"none": "fitted", "standard": "prior"}.get(model.family.prior, "mixture")
    alt = t(f"latent.histograms.alt{ae}", n=len(dims))
    chart(
        plots.histograms, held.codes, dims, _prior_parts(model, held), codes_name=t("latent.histograms.codes"),
        prior_name=t(f"latent.histograms.{kind}"), key="latent-histograms", alt=alt,
    )  # fmt: skip
    note = notices(run.config(), cache.known_figures(run)[0], "histograms", f"latent.histograms.note{ae}")
    st.caption(note + (" " + t("latent.histograms.most", n=len(dims)) if d > len(dims) else ""))


def manifold_picture(run: Run, model: Inference, condition: ConditionBatch[Array] | None, dims: Sequence[int]) -> None:
    """Show the 20 × 20 manifold of two dimensions, and a button to save it."""
    pictures = manifold(model, dims=dims, condition=condition)
    file = picture.show(pictures, t("latent.manifold.alt", n=pictures.shape[0] * pictures.shape[1]), gap=0)
    x, *y = map(plots.axis_name, dims)
    ae = "_ae" if model.family.prior == "none" else ""
    note = t(f"latent.manifold.note{ae}", x=x, y=y[0]) if y else t(f"latent.manifold.note_row{ae}", x=x)
    st.caption(note + (" " + t(f"latent.manifold.rest{ae}") if model.latent_dim > 2 else ""))
    picture.download(file, f"{run.name}-manifold")


def traversals(model: Inference, condition: ConditionBatch[Array] | None, kl: Sequence[float] | None) -> None:
    """Show the images as each dimension moves alone, the most informative dimension first."""
    order = np.argsort(-np.asarray(kl)) if kl else np.argsort(-model.prior(condition)[1][0])
    dims = [int(d) for d in order[:TRAVERSALS]]
    pictures = traversal(model, dims=dims, steps=TRAVERSAL_STEPS, condition=condition)
    picture.show(pictures, t("latent.traversal.alt", n=len(dims)), gap=1)
    key = "latent.traversal.note_ae" if model.family.prior == "none" else "latent.traversal.note"
    st.caption(t(key, dims=", ".join(map(plots.axis_name, dims))))


def _prior_parts(model: Inference, held: HeldOut) -> tuple[Array, Array] | None:
    """Return means and standard deviations (P, d) whose even mixture is the prior of the held-out images, if known."""
    kind = model.family.prior_of
    if kind == "condition":
        config = model.config
        labelled = config.takes_label and len(config.conditions) == 1  # else each image has a prior of its own
        return model.prior(config.every_class() if labelled else held.vectors(config.conditions, np.arange(MANY)))
    if kind == "image":
        return None if held.images is None else model.prior(held.images[:MANY])
    return model.prior(n=1)


def _map_note(model: Inference, held: HeldOut, view: View, layers: Sequence[str]) -> str:
    points = "latent.map.points_ae" if model.family.prior == "none" else "latent.map.points"
    split = t(f"latent.split.{held.split}")
    parts = [t(points, n=f"{len(view.points):,}", total=f"{len(held.codes):,}", split=split), view.note]
    if "prior" in layers and (view.outlines or model.family.prior_of == "image"):
        parts.append(t(f"latent.prior.{model.family.prior_of}"))
    return " ".join(part for part in parts if part)


def _counts(model: Inference, held: HeldOut, rows: NDArray[np.intp]) -> str:
    """Return the number of images of each class as text: "12 × 4, 9 × 9"."""
    if held.labels is None:
        return ""
    found = Counter(int(label) for label in held.labels[rows])
    return ", ".join(f"{count} × {model.config.class_names[label]}" for label, count in found.most_common(6))


@st.cache_data(max_entries=16, show_spinner=False)
def _tsne(codes: Array, seed: int) -> NDArray[np.floating[Any]]:
    with st.spinner(t("latent.map.tsne_wait", n=len(codes))):
        return tsne(codes, seed=seed)
