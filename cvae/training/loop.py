"""Training: a generator of records that writes a run folder and knows nothing of who watches.

    for record in fit("runs/mine", RunConfig(...)):
        print(record["epoch"], record["neg_elbo"])

Everything that moves is in the checkpoint, and every draw comes from the seed, so that a run which is interrupted
anywhere and resumed ends with the same weights, bit for bit, on the same processor with as many threads.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shutil
import time
from collections.abc import Callable, Generator

import numpy as np
import torch
from torch import Tensor

from cvae.config import RunConfig
from cvae.data import ImageData, load_data
from cvae.errors import InputError, KeyedError
from cvae.models import Autoencoder, build
from cvae.runs.folder import Run, reason
from cvae.runs.machine import cores
from cvae.runs.status import Control, Record, State, Status
from cvae.training import checkpoint, snapshots
from cvae.training.batches import DeviceSplit
from cvae.training.checkpoint import CHECKPOINT
from cvae.training.failure import explanation
from cvae.training.recorder import Failed, Recorder
from cvae.training.schedule import lr_factor, record_steps, snapshot_steps
from cvae.training.settings import step_by_settings, training_settings

CHECKPOINT_SECONDS = 20.0  # at most this much work is done twice after a kill
POLL_SECONDS = 0.1  # how often control.json is looked at
HEARTBEAT_SECONDS = 0.5
LIVE_SECONDS = 0.5  # between two live pictures, while someone watches,
LIVE_SHARE = 0.04  # which take at most this share of the time
FITTED_CODES = 10_000  # training images whose codes stand in for the prior that an autoencoder lacks

__all__ = ["Failed", "fit"]


def fit(
    path: str | os.PathLike[str],
    config: RunConfig | None = None,
    *,
    data: ImageData | None = None,
    resume: bool = False,
    locked: bool = False,
) -> Generator[Record]:
    """Train a model in the run folder `path`, yielding each record as it is written to its history.

    A record has `split` (train: the mean since the record before; validation: all validation images), `step`, `epoch`,
    and in nats an image `reconstruction`, `kl`, `neg_elbo`, `kl_per_dim` (null for an autoencoder), `loss`, beside
    `beta`, `seconds` and `images_per_second`. Closing the generator saves the run as stopped.

    config: of a new run; with `resume=True` the folder's own is used, or this one where it only asks for other epochs.
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
    kept, config = config.model, with_data(config, data)
    if resume and (run.path / CHECKPOINT).exists() and config.model != kept:
        raise InputError("run.other_data", data=data.name, name=run.name)
    threads = config.train.threads or cores()
    with training_settings(threads):
        training = _Training(run, config, data)
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
    """The config with the image shape and class names of `data` filled in."""
    model = dataclasses.replace(config.model, image_shape=data.image_shape, class_names=data.class_names)
    return dataclasses.replace(config, model=model)


def device_of(config: RunConfig) -> torch.device:
    """The device the config asks for; `auto` is CUDA, else MPS, else the processor."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    name = config.train.device
    if name == "auto":
        name = "cuda" if cuda else "mps" if mps else "cpu"
    if (name == "cuda" and not cuda) or (name == "mps" and not mps):
        raise InputError("training.no_device", device=name.upper())
    return torch.device(name)


def _resumed(run: Run, new: RunConfig | None) -> RunConfig:
    """The run's config, with as many epochs as the new one asks for; `InputError` where it cannot go on."""
    config = run.config()
    if new is not None:
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, epochs=new.train.epochs))
    done = run.status().epoch
    if config.train.epochs < done:
        raise InputError("run.trained_already", name=run.name, done=done)
    if (run.path / "codes.safetensors").exists() and not (run.path / CHECKPOINT).exists():
        raise InputError("run.no_checkpoint", name=run.name, file=CHECKPOINT)
    return config


class _Training:
    """The state of one training, and its loop."""

    def __init__(self, run: Run, config: RunConfig, data: ImageData) -> None:
        self.run, self.config = run, config
        train = config.train
        self.device = device_of(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(train.seed)
            self.model: Autoencoder = build(config.model)
        self.model.init_output_bias(torch.from_numpy(data.train.images.mean(0, dtype=np.float64) / 255).float())
        self.model.to(self.device)
        self.parameters = list(self.model.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=train.lr, fused=True)
        self.noise = torch.Generator(self.device).manual_seed(train.seed)
        classes = config.model.classes
        splits = (data.all_train if config.data.full_train else data.train, data.validation, data.test)
        batches = [DeviceSplit(split, classes, config.data.binarize, self.device) for split in splits]
        self.train, self.validation, self.test = batches

        self.per_epoch = math.ceil(len(self.train) / train.batch_size)
        self.steps = self.per_epoch * train.epochs
        self.record_at = set(record_steps(self.per_epoch, train.epochs))
        self.snapshot_at = set(snapshot_steps(self.per_epoch, train.epochs))
        self.recorder = Recorder(config, self.per_epoch, len(self.train), self.device)

        self.step = 0
        self.history_length = 0
        self.step_by_step = False  # single steps or slow motion: look at control.json before each step, and show each
        self.next_live_at = 0.0  # when the next live picture may be written
        self.last_heartbeat = self.saved = self.polled = time.perf_counter()

    # --- the loop -----------------------------------------------------------------------------------------------

    def records(self) -> Generator[Record]:
        """Train from wherever the checkpoint stands to the end, saving on every way out.

        A checkpoint that cannot be gone on from raises `InputError`, and leaves the run as it is.
        """
        resumed = self._restore()
        try:
            self._truncate_to_checkpoint(resumed)
            yield from self._train()
        except (Failed, InputError) as error:
            self._status("failed", error)
            raise
        except OSError as error:
            with contextlib.suppress(OSError):  # a full disk may not take the status either; the error says enough
                self._status("failed", InputError("run.disk", reason=reason(error)))
            raise InputError("run.cannot_write", path=self.run.path, reason=reason(error)) from error
        except GeneratorExit:  # the caller has had enough: between two steps, so the state is whole
            self._save_for_now()
            self._status("stopped")
            raise
        except (KeyboardInterrupt, SystemExit):  # perhaps in the midst of a step: the last checkpoint stands
            self._status("stopped")
            raise
        except BaseException as error:  # a panic of a library in Rust is no Exception
            why = explanation(error)
            with contextlib.suppress(OSError):
                self._status("failed", why)
            if isinstance(why, InputError):
                raise why from error
            raise

    def _train(self) -> Generator[Record]:
        self.recorder.skip()
        self.last_heartbeat = self.saved = time.perf_counter()
        self.polled = -math.inf  # what was asked while the data were read is obeyed before the first step
        if self.step == 0:
            self._save_weights()
            self.run.write_arrays("held_out", snapshots.originals(self.validation))
            self._save_snapshot()
        self._status("running")
        train = self.config.train
        for epoch in range(self.step // self.per_epoch, train.epochs):
            order = self.train.order(train.seed, epoch)
            for first in range(self.step % self.per_epoch, self.per_epoch):
                if not self._may_go_on():
                    self._save_for_now()
                    self._status("stopped")
                    return
                self._optimise(order[first * train.batch_size : (first + 1) * train.batch_size])
                records = []
                if self.step in self.record_at or self.step_by_step:
                    records.append(self._write(self.recorder.train(self.step, self._beta())))
                if self.step % self.per_epoch == 0:
                    records.append(self._write(self._validate()))
                    self._save_weights()
                if self.step in self.snapshot_at:
                    self._save_snapshot()
                elif self.step_by_step or self._watched():
                    self._save_live()
                if time.perf_counter() - self.saved > CHECKPOINT_SECONDS or self.step == self.steps:
                    self._save_checkpoint()
                yield from records
        self._save_codes()
        self._status("finished")

    def _optimise(self, index: Tensor) -> None:
        """One step of Adam on the images at `index`."""
        train = self.config.train
        self.optimiser.param_groups[0]["lr"] = train.lr * lr_factor(
            train.lr_schedule, self.step, self.per_epoch, train.epochs
        )
        x, y = self.train.train_batch(index, self.noise)
        loss, terms = self.model.loss(x, y, self.config.objective, self._beta(), self.noise)
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        self.optimiser.step()
        self.recorder.add(loss, terms)
        self.step += 1

    def _beta(self) -> float:
        """The KL weight of this step: it rises linearly over the warm-up."""
        objective = self.config.objective
        warmup = objective.kl_warmup * self.per_epoch
        return objective.beta * min(1.0, self.step / warmup) if warmup else objective.beta

    def _may_go_on(self) -> bool:
        """Look at control.json now and then; wait while paused. False: stop."""
        now = time.perf_counter()
        if now - self.last_heartbeat > HEARTBEAT_SECONDS:
            self._status("running")
        if now - self.polled < POLL_SECONDS and not self.step_by_step:
            return True
        control = self.run.control()
        self.polled = now
        if control.action == "pause" and self.step >= control.until:
            self._save_for_now()
            self._status("paused")
            control = self._wait("paused", lambda c: c.action == "pause" and self.step >= c.until)
            if control.action == "run":
                self._status("running")
        elif control.pace:
            due = now + 1 / control.pace
            control = self._wait("running", lambda c: c == control and time.perf_counter() < due)
        self.step_by_step = control.action == "pause" or control.pace > 0
        return control.action != "stop"

    def _wait(self, state: State, still: Callable[[Control], bool]) -> Control:
        """Do nothing, on no clock but with a heartbeat, for as long as what is asked says so; what is asked then."""
        self.recorder.elapsed()
        while still(control := self.run.control()):
            time.sleep(0.03)
            self.recorder.skip()
            if time.perf_counter() - self.last_heartbeat > HEARTBEAT_SECONDS:
                self._status(state)
        return control

    def _watched(self) -> bool:
        """Whether someone waits for a live picture, and it may be paid for."""
        now = time.perf_counter()
        if now < self.next_live_at:
            return False
        self.next_live_at = now + POLL_SECONDS
        return self.run.watched()

    def _validate(self) -> Record:
        return self.recorder.validation(self.model, self.validation, self.step, self._beta())

    # --- the run folder -------------------------------------------------------------------------------------------

    def _write(self, record: Record) -> Record:
        self.history_length = self.run.append(record)
        return record

    def _status(self, state: State, why: KeyedError | str | None = None) -> None:
        self.last_heartbeat = time.perf_counter()
        train = self.config.train
        done = max(self.step, 1)
        left = self.recorder.elapsed() / done * (self.steps - self.step)
        self.run.write_status(
            Status(
                state, None if why is None else str(why), os.getpid(), time.time(), self.step, self.steps,
                round(self.step / self.per_epoch, 4), train.epochs, round(self.recorder.rate), left,
                why.to_json() if isinstance(why, KeyedError) else None,
            )
        )  # fmt: skip

    def _save_weights(self) -> None:
        self.run.forget_measures()  # of the weights before
        self.run.write_arrays("model", snapshots.weights(self.model), {"step": str(self.step)})

    def _save_codes(self) -> None:
        arrays = snapshots.codes(self.model, self.test, len(self.test))
        if self.model.family.prior == "none":  # what a Gaussian is fitted to, in place of a prior
            arrays["train_codes"] = snapshots.codes(self.model, self.train, FITTED_CODES)["codes"]
        self.run.write_arrays("codes", arrays)

    def _save_snapshot(self) -> None:
        self.run.write_arrays(f"snapshots/{self.step}", snapshots.snapshot(self.model, self.validation))

    def _save_live(self) -> None:
        began = time.perf_counter()
        self.run.write_arrays("live", snapshots.live(self.model, self.validation, self.step))
        now = time.perf_counter()
        self.next_live_at = now + max(LIVE_SECONDS, (now - began) / LIVE_SHARE)

    def _save_for_now(self) -> None:
        """What a run that halts in mid-epoch is opened and resumed from."""
        self._save_live()  # codes of these very weights
        self._save_weights()
        self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        state = {
            "step": self.step,
            "images": len(self.train),
            "history": self.history_length,
            **self.recorder.state(),
        }
        rows = self.recorder.rows[: self.recorder.filled]
        checkpoint.save(self.run, self.model, self.optimiser, self.noise, rows, state)
        self.saved = time.perf_counter()

    def _restore(self) -> bool:
        """Take up the checkpoint, if there is one."""
        kept = checkpoint.restore(self.run, self.model, self.optimiser, self.noise)
        if kept is None:
            return False
        rows, state = kept
        if state["images"] != len(self.train):
            raise InputError("run.other_count", name=self.run.name, before=state["images"], now=len(self.train))
        self.step, self.history_length = state["step"], state["history"]
        self.recorder.restore(rows, state)
        return True

    def _truncate_to_checkpoint(self, resumed: bool) -> None:
        """Drop what was written after the checkpoint, or after the beginning."""
        self.run.write_config(self.config)
        self.run.cut_back(self.history_length, self.step if resumed else -1)
        if self.step < self.steps:
            self.run.forget_measures()
            (self.run.path / "codes.safetensors").unlink(missing_ok=True)
