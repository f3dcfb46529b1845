"""Write the run folder of a training: status, records, weights, snapshots, codes, checkpoints."""

from __future__ import annotations

import os
import time
import warnings

from cvae.config import RunConfig
from cvae.data import Split
from cvae.errors import InputError, KeyedError, Notice
from cvae.runs.folder import Run
from cvae.runs.status import Record, State, Status
from cvae.training import checkpoint, snapshots
from cvae.training.recorder import Recorder
from cvae.training.step import Learner

FITTED_CODES = 10_000  # training images whose codes replace the prior that an autoencoder lacks

DEVICES = {"cpu": KeyedError("device.cpu"), "cuda": KeyedError("device.cuda"), "mps": KeyedError("device.mps")}


class RunWriter:
    """A RunWriter writes the run folder of a training. In a process that is not its world's writer, it does nothing."""

    def __init__(self, run: Run, config: RunConfig, learner: Learner, recorder: Recorder, held_out: Split, test: Split):
        self.run, self.config, self.learner, self.recorder = run, config, learner, recorder
        self.validation, self.test = learner.on_device(held_out), learner.on_device(test)
        self.writes = learner.world.writes
        self.history_length = 0  # bytes of the history that belong to this training
        self.last_heartbeat = time.perf_counter()  # the time of the last status

    def record(self, record: Record) -> Record:
        """Append a record to the history and return the record."""
        if self.writes:
            self.history_length = self.run.append(record)
        return record

    def status(self, state: State, why: KeyedError | str | None = None) -> None:
        """Write the state and the progress of the training, and the reason of a failure."""
        self.last_heartbeat = time.perf_counter()
        if not self.writes:
            return
        learner, epochs = self.learner, self.config.train.epochs
        left = self.recorder.elapsed() / max(learner.step, 1) * (learner.steps - learner.step)
        self.run.write_status(
            Status(
                state, None if why is None else str(why), os.getpid(), time.time(), learner.step, learner.steps,
                round(learner.step / learner.per_epoch, 4), epochs, round(self.recorder.rate), left,
                why.to_json() if isinstance(why, KeyedError) else None,
            )
        )  # fmt: skip

    def start(self) -> None:
        """Write the untrained model, the images of the strips, and the first snapshot."""
        self.weights()
        if self.writes:
            self.run.write_arrays("held_out", snapshots.originals(self.validation))
        self.snapshot()

    def weights(self) -> None:
        """Write the model's weights and remove the results of the old ones."""
        if self.writes:
            self.run.forget_measures()
            self.run.write_arrays("model", snapshots.weights(self.learner.model), {"step": str(self.learner.step)})

    def codes(self) -> None:
        """Write the codes of the test images; for an autoencoder, also those of training images."""
        if not self.writes:
            return
        model = self.learner.model
        arrays = snapshots.codes(model, self.test, len(self.test))
        if model.family.prior == "none":  # a Gaussian fitted to them replaces the prior
            arrays["train_codes"] = snapshots.codes(model, self.learner.train, FITTED_CODES)["codes"]
        self.run.write_arrays("codes", arrays)

    def snapshot(self) -> None:
        """Write the snapshot of this step for the replay."""
        if self.writes:
            arrays = snapshots.snapshot(self.learner.model, self.validation)
            self.run.write_arrays(f"snapshots/{self.learner.step}", arrays)

    def live(self) -> None:
        """Write the live picture of this step."""
        if self.writes:
            arrays = snapshots.live(self.learner.model, self.validation, self.learner.step)
            self.run.write_arrays("live", arrays)

    def checkpoint(self) -> None:
        """Write the checkpoint to resume from."""
        if not self.writes:
            return
        learner, recorder = self.learner, self.recorder
        state = {
            "step": learner.step,
            "images": len(learner.train),
            "history": self.history_length,
            **recorder.state(),
        }
        rows = recorder.rows[: recorder.filled]
        checkpoint.save(self.run, learner.model, learner.optimiser, learner.noise, rows, state)

    def for_now(self) -> None:
        """Write everything to open and resume a run that halts within an epoch."""
        self.live()  # it holds the codes of these weights
        self.weights()
        self.checkpoint()

    def restore(self) -> bool:
        """Restore learner and recorder from the checkpoint; return False if there is none.

        Raises `InputError` if it is damaged, or belongs to other data.
        """
        learner = self.learner
        kept = checkpoint.restore(self.run, learner.model, learner.optimiser, learner.noise)
        if kept is None:
            return False
        rows, state = kept
        images = len(learner.train)
        if state["images"] != images:
            raise InputError("run.other_count", name=self.run.name, before=state["images"], now=images)
        learner.step, self.history_length = state["step"], state["history"]
        try:
            self.recorder.restore(rows, state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError("checkpoint.damaged", path=self.run.path / checkpoint.CHECKPOINT) from error
        before, now = state["device"], learner.device.type
        if before != now and learner.step < learner.steps:
            names = [DEVICES.get(kind, kind) for kind in (before, now)]
            warnings.warn(Notice("run.other_device", name=self.run.name, before=names[0], now=names[1]), stacklevel=2)
        return True

    def truncate(self, resumed: bool) -> None:
        """Remove everything later than the checkpoint, or everything if the run did not resume from one."""
        if not self.writes:
            return
        self.run.write_config(self.config)
        self.run.cut_back(self.history_length, self.learner.step if resumed else -1)
        if self.learner.step < self.learner.steps:
            self.run.forget_measures()
            (self.run.path / "codes.safetensors").unlink(missing_ok=True)
