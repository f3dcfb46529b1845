"""List the user's own runs and the shipped ones, let the user choose, and say so if there are none."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cvae.assets import GALLERY
from cvae.browser.names import told_apart
from cvae.config import RunConfig
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.results.recipes import RECIPES
from cvae.runs.files import unreadable
from cvae.runs.find import runs_folder, runs_in
from cvae.runs.folder import Run
from cvae.runs.status import Status
from cvae.ui.frame import state
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t, translate_error
from cvae.ui.parts.kinds import data_title, differing, listed, settings

SHOWN = "shown_runs"  # in the session: the names of the runs that were chosen on the page
LONGEST = 60  # letters of a name that a link gives and nobody has


@dataclass(frozen=True)
class ListedRun:
    """A ListedRun describes a run folder. An unreadable one has a `problem`, and neither config nor status."""

    run: Run
    shipped: bool
    config: RunConfig | None
    status: Status | None
    problem: InputError | None = None

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def trained(self) -> bool:
        """Return whether the run has weights to decode with."""
        return self.config is not None and (self.run.path / "model.safetensors").is_file()

    @property
    def watchable(self) -> bool:
        """Return whether the run has, or will have, a training history; a shipped run may lack it."""
        return self.config is not None and (not self.shipped or (self.run.path / "history.jsonl").is_file())

    @property
    def begun(self) -> bool:
        """Return whether the run was trained for at least one epoch."""
        return self.shipped or (self.status is not None and self.status.epoch >= 1)

    @property
    def kind(self) -> str:
        """Return what the run is in a word or two: the title of a shipped run, else that of the family."""
        key = f"gallery.{self.name}.title"
        if self.shipped and (words := t(key)) != key:
            return words
        return FAMILIES[self.config.model.family].title if self.config else self.name

    @property
    def settings(self) -> list[str]:
        """Return the unusual settings, as words."""
        return settings(self.config) if self.config else []

    @property
    def title(self) -> str:
        """Return the name, family, data, latent dimension and unusual settings in one line."""
        if self.config is None:
            return self.name
        return details(self) if self.shipped else f"{self.name} · {details(self)}"


Fits = Callable[[ListedRun], bool]


def all_runs() -> list[ListedRun]:
    """Return the user's own runs, the newest first, then the shipped runs whose names no own run has."""
    own = [_entry(run, shipped=False) for run in runs_in(runs_folder())]
    names = {entry.name for entry in own}
    order = list(RECIPES)
    shipped = sorted(runs_in(GALLERY), key=lambda r: (order.index(r.name) if r.name in order else len(order), r.name))
    return own + [_entry(run, shipped=True) for run in shipped if run.name not in names]


def find(name: str) -> ListedRun | None:
    """Return the run with this name; None if there is none."""
    return next((entry for entry in all_runs() if entry.name == name), None)


def _entry(run: Run, shipped: bool) -> ListedRun:
    try:
        config = _config(run.path, (run.path / "config.json").stat().st_mtime_ns)
        status = run.status()
        if shipped:  # nothing trains it, whatever it was shipped with
            status = dataclasses.replace(status, state="finished", message=None, error=None, seconds_left=None)
    except InputError as error:
        return ListedRun(run, shipped, None, None, error)
    except OSError as error:
        return ListedRun(run, shipped, None, None, unreadable(error))
    return ListedRun(run, shipped, config, status)


@functools.lru_cache(maxsize=1024)
def _config(path: Path, _mtime: int) -> RunConfig:
    return Run(path).config()


def trained(entry: ListedRun) -> bool:
    """Return whether a run can be decoded."""
    return entry.trained


def rank(entry: ListedRun) -> tuple[bool, bool, bool, int]:
    """Return a sort key, lower for a better first run: conditional, two dimensions, shipped, large images."""
    assert entry.config is not None
    model = entry.config.model
    pixels = model.image_shape[1] * model.image_shape[2]
    return model.family != "cvae", model.latent_dim != 2, not entry.shipped, -pixels


def titles(entries: Sequence[ListedRun]) -> list[str]:
    """Return the shortest titles that distinguish the runs, always with their unusual settings."""
    kinds = [" · ".join([entry.kind, *entry.settings]) for entry in entries]
    names = [" · ".join([entry.kind if entry.shipped else entry.name, *entry.settings]) for entry in entries]
    return told_apart(kinds, names, [entry.title for entry in entries])


def differences(entries: Sequence[ListedRun]) -> str:
    """Return the settings in which runs beside each other differ, in Markdown; an empty text if there are none."""
    configs = [entry.config for entry in entries if entry.config is not None]
    if len(configs) < max(2, len(entries)):
        return ""
    parts = []
    for entry, title, words in zip(entries, titles(entries), differing(configs), strict=True):
        if words:  # what stands in the title is not said again
            further = listed([word for word in words if word not in entry.settings])
            parts.append(f"**{escape_markdown(title)}** {escape_markdown(further)}".rstrip())
    return t("several.differ", runs=t("several.semicolon").join(parts)) if parts else ""


def choose_several(names: Sequence[str]) -> None:
    """Make `runs_picker` show these runs next. Callbacks use this."""
    st.session_state["runs_picker"] = list(names)


def choose(name: str | None) -> None:
    """Make the pages show this run next; with None, their default."""
    st.session_state.pop("run_picker", None)
    state.remember(run=name)


def run_picker(fits: Fits = trained, label: str | None = None, *, show_label: bool = True) -> ListedRun:
    """Show a menu of the runs that fit and return the choice, in the link `run`. End the page if no run fits."""
    entries = _fitting(fits)
    names = list(entries)
    default = _default(entries)
    wanted = state.run_name()
    if wanted and wanted not in entries:
        not_here(wanted, default)
    before = st.session_state.get("run_picker")
    if before not in entries:
        before = wanted if wanted in entries else default
    st.session_state["run_picker"] = before  # also where it is so: the menu of another page was another widget
    chosen = st.selectbox(
        label or t("runs.run"), names, format_func=lambda n: entries[n].title, key="run_picker",
        label_visibility="visible" if show_label else "collapsed",
    )  # fmt: skip
    state.remember(run=chosen)
    st.session_state[SHOWN] = [chosen]
    return entries[chosen]


def _default(entries: dict[str, ListedRun]) -> str:
    """Return the user's newest run, if possible one that has begun to learn; without own runs, the best shipped one."""
    own = [entry for entry in entries.values() if not entry.shipped]
    lively = (entry for entry in own if entry.begun or (entry.status is not None and entry.status.active))
    return next(lively, own[0] if own else min(entries.values(), key=rank)).name


def runs_picker(
    fits: Fits = trained, label: str | None = None, most: int = 4, default: Sequence[str] = ()
) -> list[ListedRun]:
    """Show a menu of the runs that fit and return those chosen, in the link `runs`. End the page if none is chosen."""
    entries = _fitting(fits)
    names = list(entries)
    wanted = state.run_names()
    if missing := [name for name in wanted if name not in entries]:
        other = next((name for name in [*wanted, *default, *names] if name in entries), names[0])
        not_here(missing[0], other)
    before = [name for name in st.session_state.get("runs_picker", wanted) if name in entries]
    st.session_state["runs_picker"] = (before or [n for n in default if n in entries] or names[:1])[:most]
    chosen = st.multiselect(
        label or t("runs.runs"), names, format_func=lambda n: entries[n].title, key="runs_picker", max_selections=most
    )
    state.keep_runs(chosen)
    if not chosen:
        st.info(t("runs.choose"), icon=":material/checklist:")
        state.stop()
    st.session_state[SHOWN] = chosen
    return [entries[name] for name in chosen]


def not_here(name: str, other: str) -> None:
    """Tell the user why the page shows the run `other` instead of `name`, the run in the link."""
    entry = find(name)
    if entry is not None and entry.problem:
        say_damaged([entry])
        return
    key = "link.no_run" if entry is None else "link.unfit_run"
    st.warning(t(key, name=escape_markdown(name[:LONGEST]), other=escape_markdown(other)), icon=":material/link_off:")


def say_damaged(entries: Sequence[ListedRun]) -> None:
    """Show the problem of each unreadable run."""
    for entry in entries:
        if entry.problem:
            problem(t("runs.damaged", name=entry.name, problem=translate_error(entry.problem)))


def _fitting(fits: Fits) -> dict[str, ListedRun]:
    everything = all_runs()
    entries = {entry.name: entry for entry in everything if entry.config is not None and fits(entry)}
    if not entries:
        say_damaged(everything)
        nothing_yet(bool([entry for entry in everything if entry.trained]))
    return entries


def nothing_yet(others: bool = False) -> None:
    """Tell the user that no run fits and where to train one; end the page. `others` means that other runs exist."""
    st.info(f"{t('runs.none_fit' if others else 'runs.none')} {t('runs.none_do')}", icon=":material/model_training:")
    st.page_link("pages/train.py", label=t("runs.to_train"), icon=":material/arrow_forward:")
    state.stop()


def details(entry: ListedRun) -> str:
    """Return the family, data, latent dimension and what differs from the plain bound, in one line."""
    assert entry.config is not None
    config = entry.config
    data, size = data_title(config.data.name), f"z {config.model.latent_dim}"
    return " · ".join([entry.kind, data, size, *entry.settings])


def badge(name: str) -> str:
    """Return a state as coloured text."""
    colours = {"running": "blue", "paused": "orange", "queued": "orange"}
    colour = "red" if name in ("failed", "interrupted", "damaged") else colours.get(name, "gray")
    return f":{colour}-badge[{t(f'runs.state.{name}')}]"


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Catch `InputError` and `OSError` (a damaged file, a deleted run) and show a sentence instead."""
    try:
        yield
    except (InputError, OSError) as error:
        there = {entry.name for entry in all_runs()}
        if gone := [name for name in st.session_state.get(SHOWN, []) if name not in there]:
            st.warning(t("runs.deleted", name=escape_markdown(gone[0])), icon=":material/delete:")
        else:
            problem(error if isinstance(error, InputError) else unreadable(error))
