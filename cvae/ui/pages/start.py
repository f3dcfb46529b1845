"""Show the parts of the start page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import streamlit as st

from cvae.browser.explorer import export
from cvae.browser.parts import parted
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.ui.components import live
from cvae.ui.components.explorer import explorer_at_link
from cvae.ui.frame import state
from cvae.ui.frame.messages import problem
from cvae.ui.frame.pages import PAGES
from cvae.ui.frame.text import escape_markdown, t, translate_error
from cvae.ui.pages import training
from cvae.ui.parts import cache, runs
from cvae.ui.parts.runs import ListedRun

LISTED = 8  # the most runs in the list before it is expanded
POLL = 2.0  # seconds between two reruns while a training is active
TRAINING = "start.training"  # the session's key for the run that the first click started


def shown(entries: Sequence[ListedRun]) -> ListedRun | None:
    """Return the run to show: the one in the link, else the first by `runs.rank`; None if no run is ready."""
    ready = {entry.name: entry for entry in entries if _ready(entry)}
    best = min(ready.values(), key=runs.rank, default=None)
    name = state.in_link("run")
    if best and name and name not in ready:
        runs.not_here(name, best.name)
    return ready.get(name or "", best)


def _ready(entry: ListedRun) -> bool:
    """Return whether the run was trained for at least one epoch, is not active, and draws images."""
    if entry.config is None or entry.status is None or not entry.trained:
        return False
    model = entry.config.model
    draws = not model.predicts_label
    return draws and entry.begun and not entry.status.active


def explorer(entry: ListedRun) -> None:
    """Show the live explorer on a run, or the problem if its files are damaged."""
    try:
        explorer_at_link(
            payload(entry.run, *runs.titles([entry])), "start-explorer", ("pad", "map", "picture", "labels")
        )
    except InputError as error:
        runs.say_damaged([dataclasses.replace(entry, problem=error)])


def payload(run: Run, title: str) -> dict[str, Any]:
    """Return the explorer's payload without thumbnails: to read the images would delay the page."""
    return _payload(str(run.path), title, cache.stamp(run))


@st.cache_resource(max_entries=4, show_spinner=False)
def _payload(path: str, title: str, stamp: cache.Stamp) -> dict[str, Any]:
    return parted(export([Run(path)], titles=[title]))


def label_words(entry: ListedRun) -> str:
    """Return a sentence on the label if the model takes one; else an empty text."""
    assert entry.config is not None
    return t("start.what_label") if entry.config.model.takes_label else ""


def ways_on() -> None:
    """Show links to the other pages, each with its purpose."""
    pages = [page for page in PAGES if page.at_start]
    for column, page in zip(st.columns(len(pages), gap="medium"), pages, strict=True):
        with column:
            st.page_link(page.file, label=f"**{t(f'start.to.{page.id}')}**", icon=f":material/{page.icon}:")
            st.caption(t(f"start.why.{page.id}"))


def first_training(entries: Sequence[ListedRun]) -> None:
    """Offer a button that trains a small model, show the training, and rerun the page when it ends."""
    name = st.session_state.get(TRAINING)
    entry = next((entry for entry in entries if entry.name == name), None)
    if entry is not None and entry.status is not None and entry.status.active:
        live.watch(entry.name, (), frozenset(entry.name for entry in entries), until_done=True)
        return
    Jobs().warm()
    st.subheader(t("start.welcome"), anchor=False)
    st.markdown(t("start.nothing"))
    if st.button(t("start.train"), type="primary", icon=":material/play_arrow:", on_click=_train):
        st.rerun()
    if refused := st.session_state.pop("start.problem", None):
        problem(refused)
    elif entry is not None and entry.status is not None and entry.status.failure:
        problem(entry.status.failure)


def _train() -> None:
    config = training.quick_config()
    try:
        run = Jobs().submit(training.free_names(config), config)
        st.session_state[TRAINING] = run.name
    except InputError as error:
        st.session_state["start.problem"] = error


def run_list(entries: Sequence[ListedRun]) -> None:
    """Show the runs on disk with their states, and update them while a run trains."""
    if not entries:
        return
    active = any(entry.status is not None and entry.status.active for entry in entries)
    st.subheader(t("start.runs"), anchor=False)
    st.fragment(_list, run_every=POLL if active else None)()


def _list() -> None:
    with runs.guard():
        Jobs().ensure_worker()
        entries = runs.all_runs()
        for entry in entries[:LISTED]:
            _row(entry)
        if len(entries) > LISTED:
            with st.expander(t("start.all_runs", n=len(entries))):
                for entry in entries[LISTED:]:
                    _row(entry)


def _row(entry: ListedRun) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if entry.problem is not None:
            why = escape_markdown(translate_error(entry.problem))
            st.markdown(f"{escape_markdown(entry.name)} {runs.badge('damaged')} {why}")
            return
        assert entry.status is not None
        st.page_link(
            "pages/train.py", label=escape_markdown(entry.title if entry.shipped else entry.name),
            icon=":material/monitoring:",
            query_params={"run": entry.name, "lang": state.language()},
        )  # fmt: skip
        shipped = f":gray-badge[{t('runs.gallery')}]"
        st.markdown(
            shipped if entry.shipped else f"{runs.badge(entry.status.state)} {escape_markdown(runs.details(entry))}"
        )
