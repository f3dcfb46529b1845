"""The live view's data as JSON: the browser says what it has seen of a training, and gets the rest.

So nothing is sent twice, nothing that got lost is missing for long, and the server remembers nothing of who watches.
`assets/live/store.js` is the other side of this, and takes:

    token      of the training: all that the browser has is of another one when it changes
    status     as status.json, and `stepsPerEpoch`
    history    {from, records, kept}: the records from the `from`-th on, as in history.jsonl, thinned where they are
               many; the first `kept` of all stay for now, those behind them are replaced by the next answer
    steps      of all snapshots there are
    snapshots  [{step, codes, active, strip}]: some of those that are missing, the newest first
    live       {step, codes, active, strip} | null: this moment, if it is newer than the snapshots and has not been seen
    labels     tensor (N,) of the codes | null      heldOut  tensor (16, C, H, W) | null: what the strips reconstruct
    plane      what the codes are coordinates in: {key, kind: "codes" | "pca", origin, explained}
    more       whether snapshots are still missing after this

Codes are a tensor (N, min(d, 2)); beyond two dimensions, in the main plane of one snapshot for all of them. `origin` is
where the mean of a standard prior lies in that plane. `active` is how many of all d dimensions are active units.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvae.browser.tensors import tensor
from cvae.errors import InputError
from cvae.explore.codes import active_units
from cvae.explore.projection import Projection, pca
from cvae.runs.files import Arrays
from cvae.runs.folder import Run
from cvae.runs.history import curves
from cvae.runs.status import Status

SNAPSHOTS = 8  # in one answer
STRIP_BYTES = 50_000  # of one strip; large pictures are fewer
LARGEST = 6e4  # about what half precision holds

Json = dict[str, Any]
Codes = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ClientState:
    """The browser reports its data in this form; the values may be wrong."""

    token: str = ""
    plane: str = ""
    records: int = 0  # as many as stay
    last: int = 0  # the step of the last of them
    steps: frozenset[int] = frozenset()  # of the snapshots
    live: int = -1  # the step of the live picture
    others: Mapping[str, tuple[int, int]] = dataclasses.field(default_factory=dict)  # records and last, by run

    @classmethod
    def from_json(cls, values: Any) -> ClientState:
        """Return the browser's report, or an empty state if the report is invalid."""
        try:
            return cls(
                token=str(values["token"]),
                plane=str(values["plane"]),
                records=int(values["records"]),
                last=int(values["last"]),
                steps=frozenset(int(step) for step in values["steps"]),
                live=int(values["live"]),
                others={str(name): (int(count), int(last)) for name, (count, last) in values["others"].items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return cls()


def updates_since(run: Run, status: Status, seen: ClientState) -> Json:
    """Return all data of a run that the browser does not have; damaged files raise `InputError`."""
    steps = run.snapshot_steps()
    token = _token(run)
    if token != seen.token:
        seen = ClientState()
    plane = _plane(run, steps, status)
    known = seen.steps if plane.key == seen.plane else frozenset()
    missing = [step for step in reversed(steps) if step not in known]
    snapshots = [_shown(step, arrays, plane) for step, arrays in _read(run, missing[:SNAPSHOTS])]
    live = run.live() if status.active else None
    if live is not None and int(live["step"][0]) in (seen.live, *steps):
        live = None
    labels = held_out = None
    if steps and not seen.steps:
        labels = run.snapshot(steps[0], ("labels",)).get("labels")
        held_out = run.held_out()
    return {
        "token": token,
        "status": {**dataclasses.asdict(status), "stepsPerEpoch": status.steps / max(status.epochs, 1)},
        "history": history(run, seen.records, seen.last),
        "steps": steps,
        "snapshots": snapshots,
        "live": None if live is None else _shown(int(live["step"][0]), live, plane),
        "labels": None if labels is None else tensor(labels, "u8"),
        "heldOut": None if held_out is None else tensor(_few(held_out), "u8"),
        "plane": plane.to_json(),
        "more": len(missing) > SNAPSHOTS,
    }


def _read(run: Run, steps: list[int]) -> Iterator[tuple[int, Arrays]]:
    for step in steps:
        try:
            yield step, run.snapshot(step, ("codes", "strip"))
        except InputError:
            if step in run.snapshot_steps():  # else it went while we looked: the training began anew
                raise


def history(run: Run, records: int, last: int) -> Json:
    """Return the records after the first `records`, the last of which was of step `last`; else, all records."""
    found = curves(run)
    known = records if 0 < records <= len(found.kept) and found.kept[records - 1]["step"] == last else 0
    rest = [_short(record) for record in found.records[known:]]
    return {"from": known, "records": rest, "kept": len(found.kept)}


def _short(record: Json) -> Json:
    """Round a record to the digits that a screen shows."""
    return {
        name: [float(f"{v:.4g}") for v in value] if isinstance(value, list) else
        float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in record.items()
    }  # fmt: skip


def _token(run: Run) -> str:
    """Return a token that changes when the training restarts, but not when it resumes."""
    try:
        return f"{run.name}/{(run.path / 'snapshots' / '0.safetensors').stat().st_mtime_ns}"
    except OSError:
        return run.name


@dataclass(frozen=True)
class _Plane:
    """A _Plane maps codes to their own one or two dimensions, or to a projection of more dimensions."""

    key: str
    project: Projection | None = None
    explained: tuple[float, ...] | None = None

    def __call__(self, codes: Codes) -> Codes:
        codes = _finite(codes)
        return codes if self.project is None else _finite(self.project(codes))

    def to_json(self) -> Json:
        kind, origin = ("codes", [0.0, 0.0]) if self.project is None else ("pca", self._origin(self.project))
        return {"key": self.key, "kind": kind, "origin": origin, "explained": self.explained}

    @staticmethod
    def _origin(project: Projection) -> list[float]:
        return [float(value) for value in project(np.zeros((1, project.mean.size)))[0]]


def _plane(run: Run, steps: list[int], status: Status) -> _Plane:
    """Return the plane of the codes; for d > 2, the main plane of one snapshot: the last one after the training, and
    during the training another one whenever the number of snapshots has doubled."""
    if run.config().model.latent_dim <= 2 or not steps:
        return _Plane("codes")
    step = steps[-1] if not status.active else steps[2 ** (len(steps).bit_length() - 1) - 1]
    return _main_plane(run.path, step, _token(run))


@functools.lru_cache(maxsize=32)
def _main_plane(path: Path, step: int, _token: str) -> _Plane:
    projection, explained = pca(_finite(_codes(Run(path).snapshot(step, ("codes",)), step)), 2)
    return _Plane(f"pca {step}", projection, tuple(round(float(share), 4) for share in explained))


def _finite(codes: Codes) -> Codes:
    values: Codes = np.clip(np.nan_to_num(np.asarray(codes, np.float64)), -LARGEST, LARGEST)
    return values


def _codes(arrays: Arrays, step: int) -> Codes:
    codes = arrays.get("codes")
    if codes is None or codes.ndim != 2 or not len(codes):
        raise InputError("snapshot.no_codes", step=step)
    return codes


def _shown(step: int, arrays: Arrays, plane: _Plane) -> Json:
    strip = arrays.get("strip")
    codes = _codes(arrays, step)
    return {
        "step": step,
        "codes": tensor(plane(codes), "f16"),
        "active": active_units(_finite(codes)),
        "strip": None if strip is None else tensor(_few(strip), "u8"),
    }


def _few(pictures: NDArray[Any]) -> NDArray[Any]:
    return pictures[: max(1, STRIP_BYTES // max(1, math.prod(pictures.shape[1:])))]
