"""The project ships runs in assets/gallery; this module makes a small run of a trained one, and its card.

A shipped run is an ordinary run folder with a card.json: the commands that make it again, the time of its training
and the machine, the licence of its data. The run holds weights, codes and the model's pictures, and no picture of the
data set.
"""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cvae.assets import GALLERY
from cvae.config import RunConfig
from cvae.data.images import as_bytes
from cvae.errors import InputError, listed
from cvae.explore.inference import Inference
from cvae.families import FAMILIES
from cvae.results.cards import SAMPLES, write_card, write_json
from cvae.results.recipes import Recipe, recipe
from cvae.runs.files import Arrays
from cvae.runs.folder import Run
from cvae.runs.status import Record

CODES = 5000  # test images whose codes are shipped
RECORDS = 150  # the most records of the history

T = TypeVar("T")


def ship(
    name: str,
    run: Run,
    folder: Path = GALLERY,
    *,
    data_dir: str | None = None,
    samples: int = SAMPLES,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Write a finished run of the recipe `name` to `folder`, with the figures of the small run, and its card.

    The complete new run replaces the old one and its augmentation.json. Raise `InputError` for an unknown recipe,
    and for a run that is not finished or has another config.
    """
    from cvae.measuring.evaluation import evaluate  # torch

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as aside:  # a name that no list of runs shows
        made = prune(run, Path(aside) / name, recipe(name), _pictures(name, folder))
        evaluate(made.path, data_dir=data_dir, samples=samples, progress=progress)
        write_card(made, run.history()[-1]["seconds"], samples)
        if (folder / name).exists():
            (folder / name).rename(Path(aside) / "before")
        made.path.rename(folder / name)
    return Run(folder / name)


def _pictures(name: str, folder: Path) -> NDArray[np.uint8] | None:
    """Return the pictures (M, C, H, W) of the shipped run that the recipe's `pictures` names, or None.

    Raise `InputError` if that run is not there.
    """
    other = Run(folder / recipe(name).pictures)
    if other.path == folder:
        return None
    steps = other.snapshot_steps()
    if not steps:
        raise InputError("shipping.needs_other", name=name, other=other.name)
    return other.snapshot(steps[-1], ("strip",))["strip"]


# --- making a run small -----------------------------------------------------------------------------------------------


def prune(run: Run, out: Path, recipe: Recipe, pictures: NDArray[np.uint8] | None = None) -> Run:
    """Write a small copy of a finished run to the new folder `out`: half precision, fewer codes, snapshots and
    records, and no picture of the data. Raise `InputError` if the run has another config or is not finished.

    `pictures` (M, C, H, W) are for cvae-predictive to complete, as the visible part of a picture stays the same.
    """
    same_config(run, recipe.config)
    if run.status().state != "finished":
        raise InputError("shipping.unfinished", name=run.name, path=shlex.quote(str(run.path)))
    (out / "snapshots").mkdir(parents=True)
    kept = Run(out)
    config = json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    write_json(out / "config.json", {**recipe.config.to_json(), "versions": config.get("versions")})
    kept.write_status(dataclasses.replace(run.status(), pid=0))
    for record in _thinned(run.history()):
        kept.append(record)
    kept.write_arrays("model", _half(run.weights()), {"step": str(run.weights_step())})
    kept.write_arrays("codes", {name: values[:CODES] for name, values in run.codes().items()})
    for step in _chosen(run.snapshot_steps(), recipe.snapshots):
        kept.write_arrays(f"snapshots/{step}", _snapshot(run, step, recipe, pictures))
    return kept


def same_config(run: Run, config: RunConfig) -> None:
    """Raise `InputError` if a run has another config; the data folder may differ."""
    found, config = run.config().without_data_dir(), config.without_data_dir()
    if found != config:
        mine, due = _flat(found), _flat(config)
        others = [
            InputError("shipping.other_value", name=name, found=repr(mine[name]), due=repr(value))
            for name, value in due.items()
            if mine[name] != value
        ]
        raise InputError("shipping.other_config", path=run.path, values=listed(others))


def _flat(config: RunConfig) -> dict[str, Any]:
    """Return every value of a config by its name."""
    return {name: value for section in vars(config).values() for name, value in vars(section).items()}


def _half(weights: Arrays) -> Arrays:
    """Convert weights to half precision; a weight outside its range raises `InputError`."""
    with np.errstate(over="ignore"):
        half = {name: values.astype(np.float16) for name, values in weights.items()}
    if broken := [name for name, values in half.items() if not np.isfinite(values).all()]:
        raise InputError("shipping.half_precision", weight=broken[0])
    return half


def _snapshot(run: Run, step: int, recipe: Recipe, pictures: NDArray[np.uint8] | None) -> Arrays:
    arrays = run.snapshot(step, ("codes", "labels", "strip"))
    if FAMILIES[recipe.config.model.family].completes:
        arrays["strip"] = _completed(run, pictures)
    return arrays


def _completed(run: Run, pictures: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    if pictures is None:
        raise InputError("shipping.needs_pictures", name=run.name)
    model = Inference.load(run)
    return as_bytes(model.decode(model.encode(pictures)[0], pictures))


def _chosen(steps: list[int], count: int) -> list[int]:
    """Choose the first step, the last, and about geometric steps between; if `count` is 1, only the last."""
    if count == 1:
        return steps[-1:]
    wanted = np.geomspace(4, max(steps[-1], 4), count - 1)
    return sorted({steps[0], *(min(steps, key=lambda s: abs(np.log((s + 1) / (w + 1)))) for w in wanted)})


def evenly(items: Sequence[T], most: int) -> Sequence[T]:
    """Return at most `most` items at even distances; the last item is always one of them."""
    stride = max(1, math.ceil(len(items) / most))
    return items[(len(items) - 1) % stride :: stride]


def _thinned(records: list[Record]) -> list[Record]:
    """Return at most RECORDS records with six digits, equally many of each split."""
    places = [[i for i, record in enumerate(records) if record["split"] == split] for split in ("train", "validation")]
    return [_short(records[i]) for i in sorted(i for some in places for i in evenly(some, RECORDS // 2))]


def _short(record: Record) -> Record:
    return {name: _digits_of(value) for name, value in record.items()}


def _digits_of(value: Any) -> Any:
    if isinstance(value, list):
        return [_digits_of(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
