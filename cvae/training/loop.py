"""Train a model: a generator writes a run folder and yields records.

    for record in fit("runs/mine", RunConfig(...)):
        print(record["epoch"], record["neg_elbo"])

The checkpoint holds the whole state of a training, and every draw comes from the seed. So an interrupted and resumed
run ends with the same weights, bit for bit, on the same processor with as many threads.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shutil
import time
from collections.abc import Callable, Generator

import torch

from cvae.config import RunConfig, fields_of
from cvae.data import ImageData, load_data
from cvae.errors import InputError
from cvae.runs.files import reason
from cvae.runs.folder import Run
from cvae.runs.machine import cores
from cvae.runs.status import Control, Record, State
from cvae.training.checkpoint import CHECKPOINT
from cvae.training.failure import explanation
from cvae.training.recorder import Failed, Recorder
from cvae.training.schedule import record_steps, snapshot_steps
from cvae.training.settings import step_by_settings, training_settings
from cvae.training.step import Learner
from cvae.training.world import World
from cvae.training.writer import RunWriter

CHECKPOINT_SECONDS = 20.0  # at most this much work is done twice after a kill
POLL_SECONDS = 0.1  # how often control.json is looked at
HEARTBEAT_SECONDS = 0.5
LIVE_SECONDS = 0.5  # between two live pictures, while someone watches,
LIVE_SHARE = 0.04  # which take at most this share of the time

__all__ = ["Failed", "fit"]


def fit(
    path: str | os.PathLike[str],
    config: RunConfig | None = None,
    *,
    data: ImageData | None = None,
    resume: bool = False,
    locked: bool = False,
) -> Generator[Record]:
    """Return a generator that trains a model in the run folder `path` and yields each record of its history.

    Nothing happens before the first record is asked for. Between two records torch is as the caller had it.

    A record has `split` (train: the mean since the record before; validation: all validation images), `step`, `epoch`,
    and in nats an image `reconstruction`, `kl`, `neg_elbo`, `kl_per_dim` (null for an autoencoder), `loss`, beside
    `beta`, `seconds` and `images_per_second`. Closing the generator saves the run as stopped.

    config: of a new run; with `resume=True` the folder's own is used, with the epochs, threads and device of this one.
    A run whose own device is not here goes on with the device that `auto` finds, and a warning says so.
    data: the images, where they are in memory already; else they are loaded as the config says.
    locked: whether the caller holds the run's lock already. What was asked of the run since is obeyed then; else what
    was asked before is forgotten.

    Raises `InputError` for what the user can mend (before anything is written), `Failed` when the loss diverges.
    """
    run = Run(path)
    if resume:
        config = _resumed(run, config)
    elif config is None:
        raise InputError("run.no_config")
    data = data or load_data(config.data)
    if not all(map(len, (data.train, data.validation, data.test))):
        raise InputError("images.none", name=data.name)
    kept, config = config.model, with_data(config, data)
    if resume and (run.path / CHECKPOINT).exists() and config.model != kept:
        raise InputError("run.other_data", data=data.name, name=run.name)
    threads = config.train.threads or cores()
    with training_settings(threads):
        training = _Training(run, config, data, World())
    if not resume:
        Run.create(path, config, "running")
    with contextlib.nullcontext() if locked else run.lock():
        if resume and not locked:
            run.request("run")  # whatever was asked last
        try:
            yield from step_by_settings(training.records(), threads)
        except InputError:
            if not resume and training.step == 0:  # it could not even begin: leave nothing behind
                shutil.rmtree(run.path, ignore_errors=True)
            raise


def with_data(config: RunConfig, data: ImageData) -> RunConfig:
    """Return the config with the image shape, the class names and the condition columns of `data`."""
    model = dataclasses.replace(config.model, **fields_of(data, config.model.condition))
    return dataclasses.replace(config, model=model)


def device_of(config: RunConfig) -> torch.device:
    """Return the config's device; `auto` is CUDA, else MPS, else the CPU. Raises `InputError` if it is missing."""
    name = config.train.device
    if name == "auto":
        name = "cuda" if _is_here("cuda") else "mps" if _is_here("mps") else "cpu"
    if not _is_here(name):
        raise InputError("training.no_device", device=name.upper())
    return torch.device(name)


def _is_here(device: str) -> bool:
    """Return whether this machine has a device of that kind."""
    if device == "cuda":
        return torch.cuda.is_available()
    return device != "mps" or torch.backends.mps.is_available()


def _resumed(run: Run, new: RunConfig | None) -> RunConfig:
    """Return the run's config, with the epochs, threads and device of the new one; `InputError` where it cannot go
    on."""
    config = run.config()
    own = config.train.device
    if new is not None:
        asked = {name: getattr(new.train, name) for name in ("epochs", "threads", "device")}
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, **asked))
    if config.train.device == own and not _is_here(own):  # it was trained on another machine
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, device="auto"))
    done = run.status().epoch
    if config.train.epochs < done:
        raise InputError("run.trained_already", name=run.name, done=done)
    if (run.path / "codes.safetensors").exists() and not (run.path / CHECKPOINT).exists():
        raise InputError("run.no_checkpoint", name=run.name, file=CHECKPOINT)
    return config


class _Training:
    """A _Training runs the loop and handles control and clock. A `Learner` takes the steps, a `RunWriter` writes."""

    def __init__(self, run: Run, config: RunConfig, data: ImageData, world: World) -> None:
        self.run, self.config, self.world = run, config, world
        device = device_of(config)
        self.learner = learner = Learner(config, data, device, world)
        self.recorder = Recorder(config, learner.per_epoch, len(learner.train), device, world)
        self.files = RunWriter(run, config, learner, self.recorder, data.validation, data.test)
        self.record_at = set(record_steps(learner.per_epoch, config.train.epochs))
        self.snapshot_at = set(snapshot_steps(learner.per_epoch, config.train.epochs))

        self.step_by_step = False  # single steps or slow motion: look at control.json before each step, and show each
        self.next_live_at = 0.0  # when the next live picture may be written
        self.saved = self.polled = time.perf_counter()

    @property
    def step(self) -> int:
        return self.learner.step

    # --- the loop -----------------------------------------------------------------------------------------------

    def records(self) -> Generator[Record]:
        """Train from the checkpoint, if there is one, to the end; save also at an early end.

        Raises `InputError` if the checkpoint is not usable, and then leaves the run unchanged.
        """
        resumed = self.files.restore()
        try:
            self.files.truncate(resumed)
            yield from self._train()
        except (Failed, InputError) as error:
            self.files.status("failed", error)
            raise
        except OSError as error:
            with contextlib.suppress(OSError):  # a full disk may not take the status either; the error says enough
                self.files.status("failed", InputError("run.disk", reason=reason(error)))
            raise InputError("run.cannot_write", path=self.run.path, reason=reason(error)) from error
        except GeneratorExit:  # the caller has had enough: between two steps, so the state is whole
            self._save_for_now()
            self.files.status("stopped")
            raise
        except (KeyboardInterrupt, SystemExit):  # perhaps in the midst of a step: the last checkpoint stands
            self.files.status("stopped")
            raise
        except BaseException as error:  # a panic of a library in Rust is no Exception
            why = explanation(error)
            with contextlib.suppress(OSError):
                self.files.status("failed", why)
            if isinstance(why, InputError):
                raise why from error
            raise

    def _train(self) -> Generator[Record]:
        learner = self.learner
        self.recorder.skip()
        self.saved = time.perf_counter()
        self.polled = -math.inf  # what was asked while the data were read is obeyed before the first step
        if self.step == 0:
            self.files.start()
        self.files.status("running")
        for epoch in range(self.step // learner.per_epoch, self.config.train.epochs):
            orders = learner.orders(epoch)
            while self.step < (epoch + 1) * learner.per_epoch:
                if not self.world.agree(self._may_go_on()):
                    self._save_for_now()
                    self.files.status("stopped")
                    return
                self.recorder.add(*learner.learn(orders))
                yield from self._records()
        self.files.codes()
        self.files.status("finished")

    def _records(self) -> list[Record]:
        """Write the records, weights, snapshot and checkpoint that are due after a step; return the records."""
        step, records = self.step, []
        end_of_epoch = step % self.learner.per_epoch == 0
        if step in self.record_at or self.step_by_step:
            records.append(self.files.record(self.recorder.train(step, self.learner.used_beta)))
        if end_of_epoch:
            records.append(self.files.record(self._validate()))
            self.files.weights()
        if step in self.snapshot_at:
            self.files.snapshot()
        elif self.step_by_step or self._watched():
            self._save_live()
        if time.perf_counter() - self.saved > CHECKPOINT_SECONDS or step == self.learner.steps:
            self._save_checkpoint()
        return records

    def _may_go_on(self) -> bool:
        """Read control.json regularly and wait while the training is paused; return False if it must stop."""
        now = time.perf_counter()
        if now - self.files.last_heartbeat > HEARTBEAT_SECONDS:
            self.files.status("running")
        if now - self.polled < POLL_SECONDS and not self.step_by_step:
            return True
        control = self.run.control()
        self.polled = now
        if control.action == "pause" and self.step >= control.until:
            self._save_for_now()
            self.files.status("paused")
            control = self._wait("paused", lambda c: c.action == "pause" and self.step >= c.until)
            if control.action == "run":
                self.files.status("running")
        elif control.pace:
            due = now + 1 / control.pace
            control = self._wait("running", lambda c: c == control and time.perf_counter() < due)
        self.step_by_step = control.action == "pause" or control.pace > 0
        return control.action != "stop"

    def _wait(self, state: State, still: Callable[[Control], bool]) -> Control:
        """Wait while `still(control)` holds, keeping the heartbeat; return the control that ended the wait."""
        self.recorder.elapsed()
        while still(control := self.run.control()):
            time.sleep(0.03)
            self.recorder.skip()
            if time.perf_counter() - self.files.last_heartbeat > HEARTBEAT_SECONDS:
                self.files.status(state)
        return control

    def _watched(self) -> bool:
        """Return whether somebody watches and the next live picture is due."""
        now = time.perf_counter()
        if now < self.next_live_at:
            return False
        self.next_live_at = now + POLL_SECONDS
        return self.run.watched()

    def _validate(self) -> Record:
        return self.recorder.validation(self.learner.model, self.files.validation, self.step, self.learner.beta())

    # --- saving, on the clock -------------------------------------------------------------------------------------

    def _save_live(self) -> None:
        """Write a live picture, and set the time of the next so that all take at most `LIVE_SHARE` of the time."""
        began = time.perf_counter()
        self.files.live()
        now = time.perf_counter()
        self.next_live_at = now + max(LIVE_SECONDS, (now - began) / LIVE_SHARE)

    def _save_checkpoint(self) -> None:
        self.files.checkpoint()
        self.saved = time.perf_counter()

    def _save_for_now(self) -> None:
        self.files.for_now()
        self.saved = time.perf_counter()
