"""The live explorer as a Streamlit component: a trained decoder runs in the browser and follows the pointer.

Nothing is sent while the user drags. On release the state comes back once, as an `ExplorerState`, with a rerun of the
page (or of the fragment that the component stands in).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import streamlit as st

from cvae.assets import EXPLORER, TEXT
from cvae.browser.explorer import export
from cvae.browser.js_bundler import bundle
from cvae.data import ImageData
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.ui.frame import state as link
from cvae.ui.parts import cache

Panel = Literal["map", "picture", "labels", "sliders", "path", "options"]
STYLES = ("explorer.css", "controls.css")
PANELS: tuple[Panel, ...] = ("map", "picture", "labels", "sliders", "path", "options")

_mount = st.components.v2.component(
    "latent_explorer",
    css="\n".join((EXPLORER / name).read_text(encoding="utf-8") for name in STYLES),
    js=bundle(EXPLORER),
    isolate_styles=False,  # its names all begin with lx-; so the page's own tools, and tests, can see into it
)


@dataclass(frozen=True)
class ExplorerState:
    """What the user has set in an explorer, when they last let go."""

    z: tuple[float, ...]  # the latent point, (d,)
    conditions: Mapping[str, Any] = field(default_factory=dict)  # by name; what a value is, its kind says:
    # a class {"weights": (K,), each 0 … 1, as set, "mixing": several mixed, rather than one}, an image its index
    path: tuple[tuple[float, ...], ...] = ()  # the points A, B, …
    progress: float = 0.0  # along the path, 0 … 1
    cursor: tuple[float, float] | None = None  # where z lies in the plane of the map

    @property
    def label(self) -> tuple[float, ...]:
        """The class that the models are given: weights that add up to 1, (K,); empty where they are given none."""
        weights = next((value["weights"] for value in self.conditions.values() if _is_class(value)), ())
        total = sum(weights)
        return tuple(w / total if total > 0 else 1 / len(weights) for w in weights)

    @classmethod
    def at(
        cls, payload: Mapping[str, Any], z: Sequence[float] | None = None, label: Sequence[float] | None = None
    ) -> ExplorerState:
        """The state at a point and a class (weights); where the explorer starts, for what is not given."""
        start = _initial(payload["models"])
        conditions = dict(start.conditions)
        if label is not None:
            value = {"weights": list(map(float, label)), "mixing": sum(w > 0 for w in label) > 1}
            conditions |= dict.fromkeys(conditions, value)
        return cls(z=start.z if z is None else tuple(z), conditions=conditions)

    def to_json(self) -> dict[str, Any]:
        """As the browser understands it: what is not set here stays there as it is."""
        values: dict[str, Any] = {"z": list(self.z), "conditions": dict(self.conditions)}
        if self.path:
            values |= {"path": [list(point) for point in self.path], "progress": self.progress}
        return values

    def says(self, wanted: ExplorerState) -> bool:
        """Whether this is already what is wanted, up to the rounding of an address."""
        near = functools.partial(math.isclose, rel_tol=0.01, abs_tol=0.002)
        return (
            len(self.z) == len(wanted.z)
            and len(self.label) == len(wanted.label)
            and all(map(near, self.z + self.label, wanted.z + wanted.label))
            and all(_is_class(value) or self.conditions.get(name) == value for name, value in wanted.conditions.items())
            and wanted.path in ((), self.path)
        )

    @classmethod
    def from_json(cls, values: Any) -> ExplorerState | None:
        """What the browser reported, or None if that is not a state."""
        try:
            cursor = values.get("cursor")
            state = cls(
                z=tuple(map(float, values["z"])),
                conditions=dict(values["conditions"]),
                path=tuple(tuple(map(float, point)) for point in values["path"]),
                progress=float(values["progress"]),
                cursor=None if cursor is None else (float(cursor[0]), float(cursor[1])),
            )
            totals = [sum(map(float, value["weights"])) for value in state.conditions.values() if _is_class(value)]
            sound = all(map(math.isfinite, (*state.z, *totals)))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError):
            return None
        return state if sound else None


def _is_class(value: Any) -> bool:
    return isinstance(value, Mapping) and "weights" in value


def explorer(
    payload: Mapping[str, Any],
    *,
    key: str,
    language: str = "en",
    panels: Sequence[Panel] = PANELS,
    state: ExplorerState | None = None,
    height: Literal["content", "stretch"] | int = "content",
) -> ExplorerState:
    """Show the models of a payload (`cvae.browser.explorer.export`) and return what the user has set.

    `key` names the explorer in the session: with the same key the browser keeps zoom, cursor and label across reruns,
    other weights, a change of theme or of language. `state` is where it starts, and where it goes when the page asks
    for another one (a link, a button); passing back what this function returned, even rounded, moves nothing.
    `panels` are the parts to show; those that the models have no use for do not appear.

    Raises `InputError` where the payload is not one.
    """
    models = payload.get("models")
    if not models or "hash" not in payload:
        raise InputError("explorer.no_models")
    if unknown := set(panels) - set(PANELS):
        raise InputError("explorer.no_panel", unknown=", ".join(sorted(unknown)), known=", ".join(PANELS))
    reported = _reported(key)
    result = _mount(
        key=key,
        data=[  # in a list: it looks for data frames in a dictionary, and imports pandas for that
            {
                **payload,
                "key": key,
                "panels": list(panels),
                "language": language,
                "text": texts(language),
                "state": _forwarded(key, state, reported),
            }
        ],
        height=height,
        on_state_change=lambda: None,
    )
    return _fitting(ExplorerState.from_json(result.get("state")) or state, models)


def explorer_at_link(payload: Mapping[str, Any], key: str, panels: Sequence[Panel] = PANELS) -> ExplorerState:
    """The live explorer, at the link's z and label when it appears, and the link kept at what is set in it."""
    models = payload["models"]
    classes = max(map(len, _classes(models).values()), default=0)
    start = None  # from then on the browser knows better
    if key not in st.session_state:
        start = ExplorerState.at(payload, link.z(models[0]["latentDim"]), link.label(classes) if classes else None)
    current = explorer(payload, key=key, language=link.language(), panels=panels, state=start)
    link.keep_z(current.z)
    if classes:
        link.keep_label(current.label)
    return current


def payload_of(runs: Sequence[Run], *, step: int | None = None, titles: Sequence[str] | None = None) -> dict[str, Any]:
    """`export` of runs, with thumbnails where their data are at hand, made once until a run's files change.

    Shared by all sessions: read only. Raises `InputError` as `export` does.
    """
    data = [cache.data_of(run) for run in runs]
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
    return export([Run(path) for path in paths], step=step, data=_data, titles=titles)


@functools.lru_cache
def texts(language: str) -> dict[str, Any]:
    """The component's words, nested by key; English where a language lacks them."""
    english: dict[str, Any] = json.loads((TEXT / "explorer.en.json").read_text(encoding="utf-8"))
    path = TEXT / f"explorer.{language}.json"
    if language == "en" or not language.isalpha() or not path.is_file():
        return english
    return _over(english, json.loads(path.read_text(encoding="utf-8")))


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    nested = {k: _over(v, merged[k]) for k, v in below.items() if isinstance(v, dict) and isinstance(merged[k], dict)}
    return {**merged, **nested}


def _reported(key: str) -> ExplorerState | None:
    """What the browser said last, if this explorer is on the page."""
    value = st.session_state.get(key)
    return ExplorerState.from_json(value.get("state")) if isinstance(value, Mapping) else None


def _forwarded(key: str, state: ExplorerState | None, reported: ExplorerState | None) -> dict[str, Any] | None:
    """The state to send: what was sent before, unless the page asks anew for one that the browser is not in already.

    The data of a component that do not change are not sent again, and these are large.
    """
    asked, sent = f"{key}.asked", f"{key}.sent"
    if state is not None and (reported is None or state != st.session_state.get(asked)):
        st.session_state[asked] = state
        if reported is None or not reported.says(state):
            st.session_state[sent] = state.to_json()
    forwarded: dict[str, Any] | None = st.session_state.get(sent)
    return forwarded


def _fitting(state: ExplorerState | None, models: Sequence[Mapping[str, Any]]) -> ExplorerState:
    """The state, as far as it fits the models: other ones may have been here before."""
    initial = _initial(models)
    if state is None or len(state.z) != len(initial.z):
        return initial
    names = {condition["name"] for model in models for condition in model["conditions"]}
    conditions = {name: value for name, value in state.conditions.items() if name in names}
    for name, value in initial.conditions.items():
        found = conditions.get(name)
        if found is None or not _is_class(found) or len(found["weights"]) != len(value["weights"]):
            conditions[name] = value
    return replace(state, conditions=conditions)


def _initial(models: Sequence[Mapping[str, Any]]) -> ExplorerState:
    """Where the browser starts: the middle of the prior, the first class; of other conditions it knows better.

    The prior is that of `reference` in assets/explorer/prior.js: N(0, I) where a model has it, else one fitted to
    codes, else the first model's.
    """
    first = min(models, key=lambda model: ("standard", "fitted", "learned").index(model["prior"]["kind"]))
    return ExplorerState(
        z=tuple(first["prior"]["start"]),
        conditions={
            name: {"weights": [float(k == 0) for k in range(len(values))], "mixing": False}
            for name, values in _classes(models).items()
        },
    )


def _classes(models: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[str]]:
    """The names of the classes that the models are given, by the condition's name."""
    conditions = [condition for model in models for condition in model["conditions"]]
    return {condition["name"]: condition["values"] for condition in conditions if condition["kind"] == "class"}
