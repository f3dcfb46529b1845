"""Show the live view of a training, and the buttons that control the training.

While a training is active, the browser asks for updates (`cvae.browser.live`) by a rerun of the fragment. It asks only
after it has drawn the last answer, so that a slow machine asks less often and a hidden tab never asks. Otherwise the
fragment checks every few seconds whether a training begins.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from cvae.assets import LIVE
from cvae.browser import live
from cvae.browser.js_bundler import bundle
from cvae.browser.live import ClientState
from cvae.errors import InputError, KeyedError
from cvae.families import FAMILIES
from cvae.runs.find import runs_in
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.runs.status import Status
from cvae.ui.frame import state
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, section, t, translate_error
from cvae.ui.parts import runs
from cvae.ui.parts.runs import ListedRun

VERSION = 1  # the version of the data for the component
PACE = 4  # steps a second in slow motion
OVERLAID = 4  # the most runs whose curves a reader can tell apart

SOON, ACTIVE = 0.15, 1.0  # seconds until the browser asks again
IDLE = 3.0  # seconds between the reruns of the fragment itself

_mount = st.components.v2.component(
    "live_training",
    css=(LIVE / "live.css").read_text(encoding="utf-8"),
    js=bundle(LIVE),
    isolate_styles=False,  # so that tests can find its elements; all its class names begin with lv-
)


KEY = "live"

Ask = Callable[..., None]


@st.fragment(run_every=IDLE)
def watch(name: str, others: Sequence[str], known: frozenset[str], until_done: bool = False) -> None:
    """Show a run and its controls, and lay the curves of other runs over its own. Rerun the page when the names of all
    runs differ from `known`, or, with `until_done`, when the training has ended."""
    jobs = Jobs()
    with runs.guard():
        jobs.ensure_worker()
        entries = {entry.name: entry for entry in runs.all_runs()}
        if name not in entries or entries.keys() != known:
            st.rerun()
        entry = entries[name]
        if entry.problem is not None:
            raise entry.problem
        assert entry.status is not None
        why = entry.status.failure
        message = translate_error(why) if isinstance(why, KeyedError) else why
        status = dataclasses.replace(entry.status, message=message, error=None)
        if until_done and not status.active:
            st.rerun()
        if not entry.shipped:
            _controls(jobs, entry.run, status)
        _view(jobs, entry, status, [entries[other] for other in others if other in entries])


def overlay_choice(entries: Sequence[ListedRun]) -> list[str]:
    """Show a menu of runs and return the names of those to overlay. The link keeps them as `over`."""
    key, names = "train.overlay", {entry.name: entry.title for entry in entries}
    before = st.session_state.get(key, (state.read("over") or "").split(","))
    st.session_state[key] = [name for name in before if name in names][:OVERLAID]
    chosen = st.multiselect(
        t("train.overlay"), list(names), key=key, format_func=names.__getitem__, placeholder=t("train.overlay"),
        max_selections=OVERLAID, label_visibility="collapsed",
    )  # fmt: skip
    state.remember(over=",".join(chosen) or None)
    return chosen


@st.fragment(run_every=IDLE)
def wait_for_a_run(known: frozenset[str]) -> None:
    """Rerun the page when the names of all runs differ from `known`: the command line may have started a run."""
    if {entry.name for entry in runs.all_runs()} != known:
        st.rerun()


# --- asking ---------------------------------------------------------------------------------------------------------


def _controls(jobs: Jobs, run: Run, status: Status) -> None:
    """Show the same buttons in the same places always, and disable those that would do nothing."""
    now, slow = status.state, run.control().pace > 0
    trains = now in ("running", "paused")
    with st.container(horizontal=True, gap="small", key="live-controls"):
        if now == "finished":
            more = jobs.resume, run, status.epochs + max(1, status.epochs)
            _button("more", "forward", more, True, epochs=max(1, status.epochs))
        else:
            going = now == "queued" or (now == "running" and not slow)
            _button(
                "resume", "play_arrow", (jobs.resume if not trains else _run, run), not going, primary=now == "paused"
            )
        _button("pause", "pause", (jobs.pause, run), now == "running", primary=now == "running")
        _button("step", "skip_next", (jobs.step, run), trains)
        _button("slow", "slow_motion_video", (_slow, run), trains and not slow)
        _button("stop", "stop", (jobs.stop, run), now in ("queued", "running", "paused"))
        with st.popover(t("live.delete"), icon=":material/delete:"):
            st.write(t("live.delete_sure", name=escape_markdown(run.name)))
            _button("delete_now", "delete", (_delete, jobs, run), True)
    if refused := st.session_state.pop("live.problem", None):
        problem(refused)


def _button(name: str, icon: str, ask: tuple[Any, ...], enabled: bool, *, primary: bool = False, **values: Any) -> None:
    st.button(
        t(f"live.{name}", **values), icon=f":material/{icon}:", key=f"live.{name}", disabled=not enabled,
        help=t(f"live.{name}_help"), on_click=_ask, args=ask, type="primary" if primary else "secondary",
    )  # fmt: skip


def _ask(action: Ask, *args: Any) -> None:
    try:
        action(*args)
    except InputError as error:
        st.session_state["live.problem"] = error


def _run(run: Run) -> None:
    run.request("run")


def _slow(run: Run) -> None:
    run.request("slow", PACE)


def _delete(jobs: Jobs, run: Run) -> None:
    jobs.delete(run)
    runs.choose(None)


# --- showing --------------------------------------------------------------------------------------------------------


def _view(jobs: Jobs, entry: ListedRun, status: Status, others: Sequence[ListedRun]) -> None:
    run, config = entry.run, entry.config
    assert config is not None
    seen, tick = _reported()
    if status.active:
        run.watch()
    main = live.updates_since(run, status, seen)
    language = state.language()
    content = {
        "version": VERSION,
        "key": KEY,
        "language": language,
        "text": {**section(language, "live"), "state": section(language, "runs.state")},
        "tick": tick,
        "poll": _pause(run, status, main),
        "name": run.name,
        "title": entry.title,
        "main": main,
        "classes": list(config.model.class_names),
        "latentDim": config.model.latent_dim,
        "prior": FAMILIES[config.model.family].prior == "standard",
        "waitsFor": _ahead(jobs, run) if status.state == "queued" else None,
        "others": [
            {"name": o.name, "title": o.title, "history": live.history(o.run, *seen.others.get(o.name, (0, 0)))}
            for o in others
        ],
    }
    # The list stops Streamlit from importing pandas to look for data frames in the dictionary.
    _mount(key=KEY, data=[content], on_seen_change=lambda: None)


def _pause(run: Run, status: Status, main: dict[str, Any]) -> float:
    """Return the seconds until the browser asks again; 0 means never. They are few while a request is pending."""
    control = run.control()
    about_to = control.until > status.step if status.state == "paused" else control.action == "pause"
    if main["more"] or status.state == "queued" or (status.active and about_to):
        return SOON
    return ACTIVE if status.active else 0.0


def _reported() -> tuple[ClientState, int]:
    """Return the state that the browser reported, and the number of that report."""
    value = st.session_state.get(KEY)
    reported = value.get("seen") if isinstance(value, Mapping) else None
    tick = reported.get("tick") if isinstance(reported, Mapping) else 0
    return ClientState.from_json(reported), tick if isinstance(tick, int) else 0


def _ahead(jobs: Jobs, run: Run) -> str | None:
    """Return the name of the run that must end before this one begins; None if this run does not wait."""
    waiting = jobs.waiting()
    if run.name not in waiting:
        return None
    before = waiting[: waiting.index(run.name)]
    return before[-1] if before else next((other.name for other in runs_in(jobs.folder) if other.locked()), None)
