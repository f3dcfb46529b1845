"""The parts of a run that pages read: once for all sessions, and again when its files change. Do not change them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cvae.conditions import LABEL, Condition, vectors
from cvae.config import DataConfig
from cvae.data import ImageData, load_data
from cvae.errors import InputError
from cvae.explore.inference import Inference, checked_codes
from cvae.explore.numpy_nets import Array
from cvae.runs.folder import Run
from cvae.runs.history import curves

Stamp = tuple[int, ...]  # when the files that something was read from were written


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A HeldOut holds the held-out codes (N, d) of a run, with labels (N,) and images (N, C, H, W) if known."""

    split: str  # "test", or "validation" until a training has ended
    codes: Array
    labels: NDArray[np.uint8] | None
    images: NDArray[np.uint8] | None  # None where the data set is not on this disk
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # (N,) each, of further conditions, likewise

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """Return the raw values (N,) of every known condition, by name."""
        return {**({} if self.labels is None else {LABEL: self.labels}), **self.columns}

    def vectors(self, conditions: Sequence[Condition], rows: NDArray[np.intp]) -> Array | None:
        """Return the condition vectors (n, width) of the images at `rows` (n,); None if no condition has numbers.

        A condition without known values has its default.
        """
        rows = rows[rows < len(self.codes)]
        return vectors(conditions, len(rows), {name: column[rows] for name, column in self.values.items()})


def model(run: Run) -> Inference:
    """Return the trained model."""
    return _model(run.path, stamp(run))


def held_out(run: Run) -> HeldOut:
    """Return the held-out codes of a run, with their images if the data set is on this disk."""
    split, codes, labels = _codes(run.path, stamp(run))
    config = run.config()
    data = held_out_data(run)
    found = None if data is None else data.test if split == "test" else data.validation
    if found is None or len(found) < len(codes) or found.images.shape[1:] != config.model.image_shape:
        return HeldOut(split, codes, labels, None)  # the data set is not here, or is another one by now
    return HeldOut(split, codes, labels, found.images, found.columns)


def figures(run: Run) -> dict[str, Any] | None:
    """Return the metrics of `evaluate` on the test images; else the last validation record; None without one."""
    measured, step = run.metrics(), run.weights_step()
    if measured is not None and (step is None or measured.get("step", step) == step):
        return measured
    return next((record for record in reversed(curves(run).records) if record["split"] == "validation"), None)


def known_figures(run: Run) -> tuple[Mapping[str, Any], InputError | None]:
    """Return `figures`, empty without any; and the problem if they are damaged."""
    try:
        return figures(run) or {}, None
    except InputError as error:
        return {}, error


def kl_per_dim(run: Run) -> list[float] | None:
    """Return the KL of each dimension (d,) in nats; None if there is none. Raises `InputError` if it is damaged."""
    kl: Any = (figures(run) or {}).get("kl_per_dim")
    if kl is None:
        return None
    d = run.config().model.latent_dim
    if not isinstance(kl, list) or len(kl) != d or not all(isinstance(value, (int, float)) for value in kl):
        raise InputError("figures.damaged", name=run.name)
    return kl


def held_out_data(run: Run) -> ImageData | None:
    """Return the images that a run was made with, but for those it was trained on; None where they are not on this
    disk.

    A run from another machine names a folder of that machine: the default one is tried as well.
    """
    config = run.config().data
    for place in (config, dataclasses.replace(config, dir=None)):
        with contextlib.suppress(InputError):
            return _data(place, _written(place.name))
    return None


def data_written(run: Run) -> int:
    """Return when the user's own images of a run were last written, in ns; 0 for a registered data set."""
    return _written(run.config().data.name)


def stamp(run: Run) -> Stamp:
    """Return a value that changes when the run's weights, codes or figures change."""
    names = ("config.json", "model.safetensors", "codes.safetensors", "snapshots", "metrics.json")
    files = (run.path / name for name in names)
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


@st.cache_resource(max_entries=16, show_spinner=False)
def _model(path: Path, stamp: Stamp) -> Inference:
    return Inference.load(Run(path))


@st.cache_resource(max_entries=16, show_spinner=False)
def _codes(path: Path, stamp: Stamp) -> tuple[str, Array, NDArray[np.uint8] | None]:
    run = Run(path)
    split = "test" if (path / "codes.safetensors").is_file() else "validation"
    codes, labels = checked_codes(run.name, run.config().model, run.codes())
    if codes is None:
        raise InputError("file.damaged", path=path / "codes.safetensors")
    return split, codes, labels


def _written(name: str) -> int:
    """Return when the user's own file, or the user's folder with its subfolders, was last written, in ns."""
    path = Path(name)
    folders = [child for child in path.iterdir() if child.is_dir()] if path.is_dir() else []
    return max((place.stat().st_mtime_ns for place in (path, *folders) if place.exists()), default=0)


@st.cache_resource(max_entries=4, show_spinner=False)
def _data(config: DataConfig, written: int) -> ImageData:
    data = load_data(config)
    return dataclasses.replace(data, train=data.train.at(np.arange(0)))  # a copy: it holds no memory
