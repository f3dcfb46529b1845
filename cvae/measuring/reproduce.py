"""Run a protocol: train its runs, measure them, and write assets/results/<name>.json (`cvae.results.tables`)."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cvae.assets import RESULTS
from cvae.config import RunConfig
from cvae.data import ImageData, load_data
from cvae.errors import InputError
from cvae.measuring.evaluation import Progress, evaluate
from cvae.measuring.shipping import evenly, same_config
from cvae.results.protocols import Protocol, protocol_named
from cvae.results.tables import Result
from cvae.runs.find import runs_folder
from cvae.runs.folder import Run
from cvae.runs.machine import machine
from cvae.training.loop import fit

CURVE = 60  # the most points of a curve

Train = Callable[[Path, RunConfig, ImageData, bool], Any]  # path, config, data, whether to resume the run


def reproduce(
    name: str,
    *,
    epochs: int | None = None,
    seed: int = 0,
    samples: int | None = None,
    data_dir: str | None = None,
    runs: Path | None = None,
    results: Path = RESULTS,
    train: Train | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train the runs of a protocol into <runs>/reproduce-<name>-<label>, measure them, write and return the result.

    Use a finished run as it is, and resume an unfinished one. `epochs` and `samples` replace the protocol's. `seed` is
    the seed of measuring, and is added to the seeds of training. An existing run with another config raises
    `InputError`, and so does an unknown protocol.
    """
    protocol = protocol_named(name)
    samples = samples or protocol.samples
    folder = runs or runs_folder()
    found = {}
    for label, config in protocol.at(epochs, seed).items():
        run = finished(folder / f"reproduce-{name}-{label}", config, data_dir, train)
        metrics = _metrics(run, _wanted(protocol, label), data_dir, samples, seed, progress)
        found[label] = _found(run, config, protocol, metrics)
    result = {
        "protocol": name,
        "command": _command(name, epochs, seed, samples if samples != protocol.samples else None),
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
        "threads": next(iter(protocol.runs.values())).train.threads,
        "samples": samples,
        "seed": seed,
        "runs": found,
    }
    _write(results / f"{name}.json", result)
    return result


def finished(path: Path, config: RunConfig, data_dir: str | None = None, train: Train | None = None) -> Run:
    """Return the finished run `path` of the config: use it as it is, resume it, or train it from the start.

    Raise `InputError` if the run has another config, and if the training was stopped.
    """
    run, there = Run(path), path.exists()
    if there:
        same_config(run, config)
        if run.status().state == "finished":
            return run
        config = run.config()
    if data_dir is not None:
        config = config.with_data_in(data_dir)
    (train or _quietly)(path, config, load_data(config.data), there)
    if run.status().state != "finished":
        raise InputError("reproduce.unfinished", name=run.name)
    return run


def _quietly(path: Path, config: RunConfig, data: ImageData, resume: bool) -> None:
    for _ in fit(path, config, data=data, resume=resume):
        pass


def _wanted(protocol: Protocol, label: str) -> set[str]:
    return {figure.key for figure in protocol.figures if label in figure.runs}


def _metrics(
    run: Run, wanted: set[str], data_dir: str | None, samples: int, seed: int, progress: Progress | None
) -> dict[str, Any]:
    """Return the result of `evaluate`, or the stored one for the same weights, seed and samples."""
    known = run.metrics() or {}
    samples_then = samples if known.get("nll") is not None else None
    same = {"nll_samples": samples_then, "seed": seed, "step": run.weights_step()}
    if wanted <= known.keys() and all(known.get(name, ...) == value for name, value in same.items()):
        return known
    return evaluate(run.path, data_dir=data_dir, samples=samples, seed=seed, progress=progress)


def _found(run: Run, config: RunConfig, protocol: Protocol, metrics: dict[str, Any]) -> dict[str, Any]:
    history = run.history()
    curve = [(r["epoch"], r["neg_elbo"]) for r in history if r["split"] == "validation" and r["neg_elbo"] is not None]
    return {
        "config": config.without_data_dir().to_json(),
        "epochs": config.train.epochs,
        "epochs_published": protocol.epochs_published,
        "seed": config.train.seed,
        "seconds": round(history[-1]["seconds"], 1),
        "curve": [[round(epoch, 2), round(neg_elbo, 3)] for epoch, neg_elbo in evenly(curve, CURVE)],
        "metrics": metrics,
    }


def _command(name: str, epochs: int | None, seed: int, samples: int | None) -> str:
    options = {"epochs": epochs, "seed": seed or None, "samples": samples}
    words = [f"--{option} {value}" for option, value in options.items() if value is not None]
    return " ".join(["python -m cvae reproduce", name, *words])


def _write(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, path)
