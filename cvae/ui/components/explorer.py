"""Show the live explorer, a Streamlit component: a trained decoder runs in the browser and follows the pointer.

The browser sends nothing while the user drags. On release it sends the state once, as an `ExplorerState`, and
Streamlit reruns the page (or the fragment around the component).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cvae.assets import EXPLORER, PART, TEXT
from cvae.browser.explorer import export
from cvae.browser.js_bundler import bundle
from cvae.browser.parts import parted
from cvae.conditions import Condition, joined
from cvae.data import ImageData
from cvae.errors import DEFAULT, InputError
from cvae.runs.folder import Run
from cvae.ui.frame import state as link
from cvae.ui.frame.text import merged
from cvae.ui.parts import cache

Coupling = Literal["picture", "sigma", "z"]
COUPLINGS: tuple[Coupling, ...] = ("picture", "sigma", "z")  # as in assets/explorer/state.js; the first is the default
Panel = Literal["pad", "map", "picture", "labels", "sliders", "path", "options"]
STYLES = ("explorer.css", "controls.css", "pad.css", "posterior.css")
PANELS: tuple[Panel, ...] = ("pad", "map", "picture", "labels", "sliders", "path", "options")

REFERENCE = ("part", "title", "thumbnails")  # what is sent of a model that comes in parts
PARTS = "explorer-parts"  # the container of what shows nothing; app.py hides it

_keep_part = st.components.v2.component("explorer_part", js=(PART / "main.js").read_text(encoding="utf-8"))
_mount = st.components.v2.component(
    "latent_explorer",
    css="\n".join((EXPLORER / name).read_text(encoding="utf-8") for name in STYLES),
    js=bundle(EXPLORER),
    isolate_styles=False,  # its names all begin with lx-; so the page's own tools, and tests, can see into it
)


@dataclass(frozen=True)
class ExplorerState:
    """An ExplorerState holds what the user had set in an explorer at the last release of the pointer."""

    z: tuple[float, ...] | None  # a code of the model number `lead`, (d,); None: it follows the picture that was put in
    conditions: Mapping[str, Any] = field(default_factory=dict)  # by name; their kinds say what a value is, in JSON
    lead: int = 0
    coupling: Coupling = "picture"  # what several models share
    path: tuple[tuple[float, ...], ...] = ()  # the points A, B, …
    progress: float = 0.0  # along the path, 0 … 1
    cursor: tuple[float, float] | None = None  # where z lies in the plane of the map

    def vector(self, conditions: Sequence[Condition]) -> NDArray[np.float32] | None:
        """Return the vectors of a model's conditions, joined: (width,); None if no condition has numbers."""
        return joined(conditions, {one.name: self.of(one) for one in conditions if one.width})

    def of(self, condition: Condition) -> NDArray[np.float32]:
        """Return the vector (width,) of a condition; its default if the state holds no valid value for it."""
        try:
            return condition.from_state(self.conditions.get(condition.name))
        except ValueError:
            return condition.default()

    @classmethod
    def at(
        cls,
        payload: Mapping[str, Any],
        z: Sequence[float] | None = None,
        lead: int = 0,
        coupling: Coupling = "picture",
        **vectors: NDArray[np.float32],
    ) -> ExplorerState:
        """Return the state at z (d,) and at the vectors (width,) of named conditions; the browser chooses the rest."""
        known = _conditions(payload["models"])
        given = {name: known[name].to_state(vector.tolist()) for name, vector in vectors.items() if name in known}
        return cls(None if z is None else tuple(z), given, lead, coupling)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON for the browser. The browser keeps its own value for each absent key."""
        values: dict[str, Any] = {"conditions": dict(self.conditions), "lead": self.lead, "coupling": self.coupling}
        if self.z is not None:
            values["z"] = list(self.z)
        if self.path:
            values |= {"path": [list(point) for point in self.path], "progress": self.progress}
        return values

    def says(self, wanted: ExplorerState, conditions: Sequence[Condition]) -> bool:
        """Return whether this state equals `wanted`, up to the rounding in a link."""
        near = functools.partial(np.allclose, rtol=0.01, atol=0.002)
        numbers = {one.name: near(self.of(one), wanted.of(one)) for one in conditions}
        same = (numbers.get(name, self.conditions.get(name) == value) for name, value in wanted.conditions.items())
        return self._at(wanted, near) and all(same) and wanted.path in ((), self.path)

    def _at(self, wanted: ExplorerState, near: Callable[[Any, Any], bool]) -> bool:
        """Return whether the code is the wanted one, of the same model, with the same coupling."""
        if (self.lead, self.coupling) != (wanted.lead, wanted.coupling):
            return False
        if self.z is None or wanted.z is None:
            return self.z is wanted.z
        return len(self.z) == len(wanted.z) and near(self.z, wanted.z)

    @classmethod
    def from_json(cls, values: Any) -> ExplorerState | None:
        """Return the state that the browser reported; None if `values` are not a state."""
        try:
            cursor = values.get("cursor")
            state = cls(
                z=None if values["z"] is None else tuple(map(float, values["z"])),
                conditions=dict(values["conditions"]),
                lead=int(values.get("lead", 0)),
                coupling=COUPLINGS[COUPLINGS.index(values.get("coupling", "picture"))],
                path=tuple(tuple(map(float, point)) for point in values["path"]),
                progress=float(values["progress"]),
                cursor=None if cursor is None else (float(cursor[0]), float(cursor[1])),
            )
            json.dumps(state.conditions, allow_nan=False)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return None
        return state if all(map(math.isfinite, state.z or ())) and state.lead >= 0 else None


def explorer(
    payload: Mapping[str, Any],
    *,
    key: str,
    language: str = DEFAULT,
    panels: Sequence[Panel] = PANELS,
    state: ExplorerState | None = None,
    height: Literal["content", "stretch"] | int = "content",
) -> ExplorerState:
    """Show the models of a payload (`cvae.browser.explorer.export`) and return what the user has set.

    `key` names the explorer in the session: with the same key the browser keeps zoom, cursor and label across reruns,
    other weights, a change of theme or of language. `state` is where it starts, and where it goes when the page asks
    for another one (a link, a button); passing back what this function returned, even rounded, moves nothing.
    `panels` are the parts to show; those that the models have no use for do not appear.

    The payload may come in parts (`cvae.browser.parts.parted`): a model that the browser has is then not sent again.

    Raises `InputError` where the payload is not one.
    """
    models = payload.get("models")
    if not models or "hash" not in payload:
        raise InputError("explorer.no_models")
    if unknown := set(panels) - set(PANELS):
        raise InputError("explorer.no_panel", unknown=", ".join(sorted(unknown)), known=", ".join(PANELS))
    reported = _reported(key)
    if parts := payload.get("parts"):
        with st.container(key=PARTS):
            for name, part in parts.items():
                _keep_part(key=f"part-{name}", data=part)
    sent = [{name: model[name] for name in REFERENCE} if parts else model for model in models]
    result = _mount(
        key=key,
        data=[  # in a list: it looks for data frames in a dictionary, and imports pandas for that
            {
                **{name: value for name, value in payload.items() if name != "parts"},
                "models": sent,
                "key": key,
                "panels": list(panels),
                "language": language,
                "text": texts(language),
                "state": _forwarded(key, state, reported, list(_conditions(models).values())),
            }
        ],
        height=height,
        on_state_change=lambda: None,
    )
    return _fitting(ExplorerState.from_json(result.get("state")) or state, models)


def explorer_at_link(payload: Mapping[str, Any], key: str, panels: Sequence[Panel] = PANELS) -> ExplorerState:
    """Show the explorer, at first at the link's z and conditions; write its state to the link and return it."""
    models = payload["models"]
    conditions = list(_conditions(models).values())
    start = None  # once it has reported, the browser knows better
    if _reported(key) is None:
        linked = {one.name: link.condition(one) for one in conditions}
        vectors = {name: vector for name, vector in linked.items() if vector is not None}
        lead, coupling = link.leader(len(models)), link.choice("coupling", COUPLINGS)
        start = ExplorerState.at(payload, link.z(models[0]["latentDim"]), lead, coupling, **vectors)
    current = explorer(payload, key=key, language=link.language(), panels=panels, state=start)
    link.keep_z(current.z)
    if len(models) > 1:
        link.remember(lead=str(current.lead) if current.lead else None, coupling=current.coupling)
    for one in conditions:
        if one.name in current.conditions:
            link.keep_condition(one, current.of(one).tolist())
    return current


def payload_of(runs: Sequence[Run], *, step: int | None = None, titles: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the `export` of runs, with thumbnails if their data are on this disk. The cache renews it when a run's
    files change. All sessions share it, so do not change it. Raises `InputError` as `export` does."""
    data = [cache.held_out_data(run) for run in runs]
    stamps = tuple(
        (cache.stamp(run), images is not None, cache.data_written(run)) for run, images in zip(runs, data, strict=True)
    )
    return _payload(tuple(str(run.path) for run in runs), step, None if titles is None else tuple(titles), stamps, data)


@st.cache_resource(max_entries=16, show_spinner=False)
def _payload(
    paths: tuple[str, ...],
    step: int | None,
    titles: tuple[str, ...] | None,
    stamps: tuple[Any, ...],
    _data: Sequence[ImageData | None],
) -> dict[str, Any]:
    return parted(export([Run(path) for path in paths], step=step, data=_data, titles=titles))


@functools.lru_cache
def texts(language: str) -> dict[str, Any]:
    """Return the component's texts, nested by key. English replaces a text that a language lacks."""
    english: dict[str, Any] = json.loads((TEXT / "explorer.en.json").read_text(encoding="utf-8"))
    path = TEXT / f"explorer.{language}.json"
    if language == DEFAULT or not language.isalpha() or not path.is_file():
        return english
    return merged(english, json.loads(path.read_text(encoding="utf-8")))


def _reported(key: str) -> ExplorerState | None:
    """Return the last state that the browser reported; None if this explorer is not on the page."""
    value = st.session_state.get(key)
    return ExplorerState.from_json(value.get("state")) if isinstance(value, Mapping) else None


def _forwarded(
    key: str, state: ExplorerState | None, reported: ExplorerState | None, conditions: Sequence[Condition]
) -> dict[str, Any] | None:
    """Return the state to send: the one sent before, unless the page asks for a new one that the browser lacks.

    Streamlit sends the large data of a component again only if they have changed.
    """
    asked, sent = f"{key}.asked", f"{key}.sent"
    if state is not None and (reported is None or state != st.session_state.get(asked)):
        st.session_state[asked] = state
        if reported is None or not reported.says(state, conditions):
            st.session_state[sent] = state.to_json()
    forwarded: dict[str, Any] | None = st.session_state.get(sent)
    return forwarded


def _fitting(state: ExplorerState | None, models: Sequence[Mapping[str, Any]]) -> ExplorerState:
    """Return the state without the parts that do not fit these models: it may come from other models."""
    if state is None or (state.z is not None and len(state.z) != models[0]["latentDim"]) or state.lead >= len(models):
        return ExplorerState(z=None)
    names = {condition["name"] for model in models for condition in model["conditions"]}
    conditions = {name: value for name, value in state.conditions.items() if name in names}
    for name, condition in _conditions(models).items():
        try:
            condition.from_state(conditions.get(name))
        except ValueError:
            conditions.pop(name, None)
    return replace(state, conditions=conditions)


def _conditions(models: Sequence[Mapping[str, Any]]) -> dict[str, Condition]:
    """Return the conditions with numbers of all models, by name."""
    found = [condition for model in models for condition in model["conditions"] if condition["kind"] != "image"]
    return {condition["name"]: Condition.from_json(condition) for condition in found}
