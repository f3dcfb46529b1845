"""Let the user choose the runs that a page compares, or one of several sets of shipped runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cvae.ui.frame.text import t
from cvae.ui.parts import cards, runs
from cvae.ui.parts.runs import ListedRun

FAMILIES_FIRST = ("ae", "vae", "cvae")
SETS = {  # sets of shipped runs, by the topic that they explain
    "families": ("mnist-ae", "mnist-vae", "mnist-cvae"),
    "terms": ("mnist-reconstruction-only", "mnist-kl-only", "mnist-vae"),
    "labels": ("mnist-cvae", "mnist-cvae-learned-prior", "mnist-cmma"),
    "sixteen": ("mnist-ae-16d", "mnist-vae-16d", "mnist-cvae-16d"),
}


def several(label: str) -> list[ListedRun]:
    """Show a menu of runs, buttons for the shipped sets, and the cards of the chosen runs; return the chosen runs."""
    entries = runs.all_runs()
    _sets({entry.name for entry in entries if entry.shipped and entry.trained})
    left, right = st.columns([6, 1], vertical_alignment="bottom")
    with left:
        chosen = runs.runs_picker(label=label, default=default_runs(entries))
    with right:
        cards.cards(chosen)
    if words := runs.differences(chosen):
        st.caption(words)
    return chosen


def default_runs(entries: Sequence[ListedRun]) -> list[str]:
    """Return the names of an AE, a VAE and a CVAE on the same data with the same latent dimension, all the user's own
    (the newest) or all shipped. Of several such sets, return the one with most families."""
    sets: dict[object, dict[str, str]] = {}
    for entry in entries:
        if entry.config is not None and entry.trained and entry.config.model.family in FAMILIES_FIRST:
            model = entry.config.model
            kind = (entry.shipped, entry.config.data.name, model.image_shape, model.latent_dim)
            sets.setdefault(kind, {}).setdefault(model.family, entry.name)
    fullest = max(sets.values(), key=len, default={})
    return [fullest[family] for family in FAMILIES_FIRST if family in fullest]


def _sets(shipped: set[str]) -> None:
    """Show a button for each set whose runs are all shipped."""
    there = {name: names for name, names in SETS.items() if shipped.issuperset(names)}
    if not there:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(t("several.sets"), width="content")
        for name, names in there.items():
            st.button(
                t(f"several.{name}"), key=f"several.{name}", help=t(f"several.{name}_help"),
                on_click=runs.choose_several, args=(names,), type="tertiary",
            )  # fmt: skip
