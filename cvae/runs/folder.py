"""Read and write the run folder: training writes it, and everything else reads it. This module does not import torch.

    runs/<name>/
      config.json                    data, model, objective, training, versions: enough to rebuild and to repeat
      status.json                    state, message, process, heartbeat, progress
      control.json                   the user's request to the training: run, pause, step, stop
      history.jsonl                  one record in each line
      snapshots/<step>.safetensors   held-out codes, decoder weights in half precision, a strip of reconstructions
      checkpoint.safetensors         the state to resume from: weights, optimiser, generator state, statistics
      model.safetensors              the final weights, or the newest so far
      codes.safetensors              codes of the test images, after the end
      metrics.json                   results of `evaluate`
      augmentation.json              results of `augment`
      held_out.safetensors           the validation images of the strips
      live.safetensors, watched      the newest codes and strip, renewed while a page touches `watched`
      card.json                      the origin of a shipped run
      lock                           locked by the process that trains the run
      log.txt                        output of the training, if `cvae.runs.queue` ran it

Training replaces each file atomically, or appends whole lines, so that a reader never sees half a file. If a process is
killed at any moment, its run still opens and resumes. (A power cut can lose data: nothing is flushed to the disk.)
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Collection, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy

from cvae.config import RunConfig
from cvae.errors import InputError, KeyedError
from cvae.runs.files import Arrays, disk_is_full, read_arrays, reason, regular, replace, temporary
from cvae.runs.locks import is_locked, try_lock
from cvae.runs.status import Control, Record, State, Status, is_record, is_status

WATCH_SECONDS = 5.0  # for which one look counts
SNAPSHOT = re.compile(r"(0|[1-9][0-9]{0,17})\.safetensors")


class Run:
    """A Run reads and writes one run folder. A damaged or foreign file raises `InputError`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def name(self) -> str:
        return self.path.resolve().name

    # --- making and removing ------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | os.PathLike[str], config: RunConfig, state: State = "queued", *, turn: int = 0) -> Run:
        """Create a run folder with its config. Raises `InputError` if the folder exists or cannot be made.

        `turn` is the place of a waiting run in the queue.
        """
        run = cls(path)
        aside = temporary(run.path)
        try:
            if run.path.exists():
                raise InputError("run.exists", path=run.path)
            (aside / "snapshots").mkdir(parents=True)
            text = json.dumps({**config.to_json(), "versions": versions()}, indent=1, ensure_ascii=False)
            (aside / "config.json").write_text(text, encoding="utf-8")
            values = {"state": state, "turn": turn} if turn else {"state": state}
            (aside / "status.json").write_text(json.dumps(values), encoding="utf-8")
            aside.rename(run.path)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # somebody else made it in this moment
                raise InputError("run.exists", path=run.path) from error
            raise InputError("run.cannot_write", path=run.path, reason=reason(error)) from error
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Return the run at `path`. Raises `InputError` if there is none, or its config cannot be read."""
        run = cls(path)
        run.config()
        return run

    def delete(self) -> None:
        """Remove the folder. Raises `InputError` if the run is in training, or the folder is not a run."""
        if self.locked():
            raise InputError("run.in_training", name=self.name)
        self.config()  # never remove a folder that is not a run
        shutil.rmtree(self.path)

    # --- reading ------------------------------------------------------------------------------------------------

    def config(self) -> RunConfig:
        """Return the run's config. Raises `InputError` if it cannot be read."""
        if not (self.path / "config.json").is_file():
            raise InputError("run.none", path=self.path)
        values = self._json("config.json")
        try:
            return RunConfig.from_json(values)
        except InputError as error:
            raise InputError("run.unusable", path=self.path / "config.json", error=error) from error

    def status(self) -> Status:
        """Return the status; its state is "interrupted" if the process of the training died.

        On a full disk a training cannot write why it ended, so the status then says that the disk is full.
        """
        status = self.status_on_disk()
        while _begun(status) and not self.locked():
            before, status = status, self.status_on_disk()
            if status == before:  # else it ended, and said so, before it let go of the lock
                status = dataclasses.replace(status, state="interrupted", seconds_left=None)
                if disk_is_full(self.path):
                    why = InputError("run.disk", reason=KeyedError("system.no_space"))
                    status = dataclasses.replace(status, message=str(why), error=why.to_json())
                return status
        return status

    def status_on_disk(self) -> Status:
        """Return the contents of status.json, whether a living process keeps it up or not."""
        values = self._json("status.json") if (self.path / "status.json").is_file() else {}
        if not isinstance(values, dict) or not all(is_status(*item) for item in values.items()):
            raise InputError("run.no_status", path=self.path / "status.json")
        return Status(**{"state": "interrupted", **values})

    def history(self) -> list[Record]:
        """Return all records; a line that is still being written is left out. `cvae.runs.history` is for curves."""
        try:
            text = regular(self.path / "history.jsonl").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise InputError("run.unreadable", path=self.path / "history.jsonl") from error
        lines = text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]
        try:
            records = [json.loads(line) for line in lines]
        except (ValueError, RecursionError) as error:
            raise InputError("file.damaged", path=self.path / "history.jsonl") from error
        if not all(map(is_record, records)):
            raise InputError("file.damaged", path=self.path / "history.jsonl")
        return records

    def snapshot_steps(self) -> list[int]:
        """Return the steps that have a snapshot, in ascending order."""
        try:
            with os.scandir(self.path / "snapshots") as entries:
                files = [entry.name for entry in entries if entry.is_file()]
        except OSError:
            return []
        return sorted(int(found[1]) for name in files if (found := SNAPSHOT.fullmatch(name)))

    def snapshot(self, step: int, names: Collection[str] | None = None) -> Arrays:
        """Return `codes` (N, d) posterior means of the first validation images, `labels` (N,) if known, `decoder.*` and
        `prior_net.*` weights in half precision, `strip` (16, C, H, W) uint8 reconstructions.

        A shipped run's last snapshot may lack weights; the model's weights then replace them.
        """
        arrays = self._arrays(f"snapshots/{step}.safetensors", names)
        if names is None and not any(map(decodes, arrays)) and step == self.weights_step():
            arrays |= {name: values for name, values in self.weights().items() if decodes(name)}
        return arrays

    def held_out(self) -> np.ndarray[Any, Any] | None:
        """Return the validation images of the strips, (16, C, H, W) uint8; None if the run did not keep them."""
        if not (self.path / "held_out.safetensors").is_file():
            return None
        return self._arrays("held_out.safetensors").get("images")

    def live(self) -> Arrays | None:
        """Return `codes`, `labels`, `strip` as in a snapshot, and `step` (1,), of the last watched moment, or None."""
        path = self.path / "live.safetensors"
        if not path.is_file():
            return None
        arrays = read_arrays(path)
        if arrays.get("step", np.array(0)).shape != (1,) or arrays["step"].dtype.kind != "i" or "codes" not in arrays:
            raise InputError("file.damaged", path=path)
        return arrays

    def weights(self) -> Arrays:
        """Return every weight of the model, by name. Raises `InputError` if there are none."""
        if not (self.path / "model.safetensors").is_file():
            raise InputError("run.no_weights", name=self.name)
        return self._arrays("model.safetensors")

    def weights_step(self) -> int | None:
        """Return the optimiser step of `weights`; None if the file lacks it."""
        try:
            with safetensors.safe_open(regular(self.path / "model.safetensors"), framework="numpy") as file:
                return int((file.metadata() or {})["step"])
        except (OSError, safetensors.SafetensorError, KeyError, ValueError):
            return None

    def codes(self) -> Arrays:
        """Return `codes` (N, d) posterior means and `labels` (N,) of the test images. Before the end, return those of
        validation images at the step of `weights`, or of the last snapshot before.

        An autoencoder also has `train_codes` (M, d); a Gaussian fitted to them replaces the prior.
        """
        if (self.path / "codes.safetensors").is_file():
            finished = self._arrays("codes.safetensors")
            if "codes" not in finished:
                raise InputError("file.damaged", path=self.path / "codes.safetensors")
            return finished
        steps, step = self.snapshot_steps(), self.weights_step()
        if not steps:
            raise InputError("run.no_codes", name=self.name)
        arrays = self._halted_at(step)
        if arrays is None:
            arrays = self.snapshot(max((s for s in steps if step is None or s <= step), default=steps[0]))
        return {k: v for k, v in arrays.items() if k in ("codes", "labels")}

    def _halted_at(self, step: int | None) -> Arrays | None:
        """Return `live` if it has this step, else None. Each halt within an epoch replaces `live`."""
        with contextlib.suppress(InputError):
            live = self.live()
            return live if live is not None and live["step"][0] == step else None
        return None

    def metrics(self) -> dict[str, Any] | None:
        """Return the results of `evaluate`; None if there are none."""
        return self._object("metrics.json")

    def augmentation(self) -> dict[str, Any] | None:
        """Return the results of `augment`; None if there are none."""
        return self._object("augmentation.json")

    def _object(self, name: str) -> dict[str, Any] | None:
        if not (self.path / name).is_file():
            return None
        values = self._json(name)
        if not isinstance(values, dict):
            raise InputError("file.not_object", path=self.path / name)
        return values

    def _json(self, name: str) -> Any:
        try:
            return json.loads(regular(self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError("file.not_json", path=self.path / name) from error

    def _arrays(self, name: str, names: Collection[str] | None = None) -> Arrays:
        return read_arrays(self.path / name, names)

    # --- asking -------------------------------------------------------------------------------------------------

    def request(self, action: Literal["run", "slow", "pause", "step", "stop"], n: int = 1) -> None:
        """Ask a training to run, to run slowly (n steps a second), to pause, to step (take n steps and pause), or to
        save and stop. Raises `InputError` if the folder cannot be written."""
        if action == "slow":
            control = Control("run", pace=n)
        elif action == "step":
            control = Control("pause", until=max(self.control().until, self.status().step) + n)
        else:
            control = Control(action)
        try:
            self._write_json("control.json", dataclasses.asdict(control))
        except OSError as error:
            raise InputError("run.cannot_ask", path=self.path, reason=reason(error)) from error

    def control(self) -> Control:
        """Return the last request; it is to run where nothing readable was asked."""
        try:
            values = json.loads(regular(self.path / "control.json").read_text(encoding="utf-8"))
            return Control(values["action"], int(values["until"]), float(values.get("pace", 0)))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return Control()

    def watch(self) -> None:
        """Tell the training that somebody watches: for `WATCH_SECONDS` it renews `live`."""
        with contextlib.suppress(OSError):
            (self.path / "watched").touch()

    def watched(self) -> bool:
        """Return whether `watch` was called in the last `WATCH_SECONDS`."""
        try:
            # After the clock was set back, a look of before lies in the future, and does not count.
            return 0 <= time.time() - (self.path / "watched").stat().st_mtime < WATCH_SECONDS
        except OSError:
            return False

    # --- writing (training does) ---------------------------------------------------------------------------------

    def write_status(self, status: Status) -> None:
        self._write_json("status.json", dataclasses.asdict(status))

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        self._write_json("metrics.json", metrics)

    def write_augmentation(self, figures: dict[str, Any]) -> None:
        self._write_json("augmentation.json", figures)

    def forget_measures(self) -> None:
        """Remove the results of `evaluate` and `augment`, because the weights have changed."""
        for name in ("metrics.json", "augmentation.json"):
            (self.path / name).unlink(missing_ok=True)

    def write_config(self, config: RunConfig) -> None:
        self._write_json("config.json", {**config.to_json(), "versions": versions()})

    def write_arrays(self, name: str, arrays: Arrays, metadata: dict[str, str] | None = None) -> None:
        """Replace `<name>.safetensors`."""
        replace(self.path / f"{name}.safetensors", safetensors.numpy.save(arrays, metadata))

    def append(self, record: Record) -> int:
        """Add a line to the history and return the file's new length in bytes."""
        with open(regular(self.path / "history.jsonl"), "ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
            return file.tell()

    def cut_back(self, length: int, step: int) -> None:
        """Remove everything after a checkpoint: history beyond `length` bytes, later snapshots, temporary files."""
        history = self.path / "history.jsonl"
        if history.exists() and history.stat().st_size > length:
            os.truncate(history, length)
        for later in [s for s in self.snapshot_steps() if s > step]:
            (self.path / "snapshots" / f"{later}.safetensors").unlink()
        for stale in [*self.path.glob(".*.tmp"), *self.path.glob("snapshots/.*.tmp")]:
            stale.unlink()

    def _write_json(self, name: str, values: Any) -> None:
        replace(self.path / name, json.dumps(values, indent=1, ensure_ascii=False).encode())

    # --- one trainer at a time ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the run for the process that trains it; the system releases the lock when that process ends in any way.
        Raises `InputError` if another process holds it."""
        try:
            file = open(regular(self.path / "lock"), "a+b")  # noqa: SIM115
        except OSError as error:
            raise InputError("run.cannot_write", path=self.path, reason=reason(error)) from error
        with file:
            for attempt in range(20):
                if try_lock(file.fileno(), exclusive=True):
                    break
                if attempt == 19:
                    raise InputError("run.taken", name=self.name)
                time.sleep(0.05)  # a reader that asks `locked` holds it for an instant
            yield

    def locked(self) -> bool:
        """Return whether a living process trains this run."""
        return is_locked(self.path / "lock")


def _begun(status: Status) -> bool:
    """Return whether the status is true only while its process lives."""
    return status.state in ("running", "paused") or (status.state == "queued" and status.pid != 0)


def decodes(name: str) -> bool:
    """Return whether decoding needs the weight with this name."""
    return name.startswith(("decoder.", "prior_net."))


def versions() -> dict[str, str]:
    """Return the versions that can change the numbers of a run."""
    packages = {name: metadata.version(name) for name in ("torch", "torchvision", "numpy", "scikit-learn")}
    return {"python": platform.python_version(), **packages, "machine": f"{platform.system()} {platform.machine()}"}
