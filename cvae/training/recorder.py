"""Make the records of a training: means over steps, terms over the validation images, and times."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor

from cvae.config import RunConfig
from cvae.errors import KeyedError
from cvae.families import FAMILIES
from cvae.models import Autoencoder
from cvae.models.base import BoundTerms
from cvae.runs.status import Record
from cvae.training.batches import DeviceSplit
from cvae.training.snapshots import BATCH
from cvae.training.world import World

DIVERGED = 100.0  # a value above this multiple of the untrained model's loss has diverged


class Failed(KeyedError, RuntimeError):
    """Failed means that a training diverged; its sentence names step and term."""


class Recorder:
    """A Recorder collects the steps since the last record, and checks them when it makes the next record."""

    def __init__(self, config: RunConfig, per_epoch: int, images: int, device: torch.device, world: World) -> None:
        self.config, self.per_epoch, self.images, self.device = config, per_epoch, images, device
        self.world = world
        family = FAMILIES[config.model.family]
        self.has_kl, self.further = family.prior != "none", family.terms
        width = 2 + config.model.latent_dim + len(self.further)  # loss, reconstruction, KL per dimension, others
        self.per_dim = slice(2, 2 + config.model.latent_dim)
        self.rows = torch.zeros(per_epoch, width, device=device)  # a row for each step since the last record
        self.filled = 0
        self.rate = 0.0  # images a second
        self._seconds = 0.0  # training time of all sessions
        self._clock = time.perf_counter()
        self._last = (0, 0.0)  # step and seconds of the last record
        self._scale: float | None = None  # the size of the first step's loss, to detect divergence

    def add(self, loss: Tensor, terms: BoundTerms) -> None:
        """Add one step, without a transfer from the device."""
        row = self.rows[self.filled]
        row[0], row[1] = loss.detach(), terms.reconstruction.detach().mean()
        if terms.kl is not None:
            row[self.per_dim] = terms.kl.detach().mean(0)
        for i, name in enumerate(self.further):
            row[self.per_dim.stop + i] = terms.further[name].detach().mean()
        self.filled += 1

    def train(self, step: int, beta: float) -> Record:
        """Return a record of the means since the last record. Raises `Failed` if a value has diverged."""
        rows = self.world.mean(self.rows[: self.filled]).cpu().double()  # `cpu` comes first: MPS has no doubles
        self._check(rows, step)
        seconds = self.elapsed()
        before, then = self._last
        self.rate = (self._images_seen(step) - self._images_seen(before)) / max(seconds - then, 1e-9)
        self._last = (step, seconds)
        self.filled = 0
        return self._record("train", step, beta, rows.mean(0))

    @torch.inference_mode()
    def validation(self, model: Autoencoder, images: DeviceSplit, step: int, beta: float) -> Record:
        """Return a record of all validation images, with one fixed draw of noise. Raises `Failed` if one diverged."""
        objective = self.config.objective
        generator = torch.Generator(self.device).manual_seed(self.config.train.seed)
        total = torch.zeros(self.rows.shape[1], dtype=torch.float64)
        for index in torch.arange(len(images), device=self.device).split(max(1, BATCH // objective.k)):
            x, y = images.eval_batch(index)
            loss, terms = model.loss(x, y, objective, beta, generator)
            total[0] += float(loss) * len(x)
            total[1] += float(terms.reconstruction.mean(0).sum())
            if terms.kl is not None:
                total[self.per_dim] += terms.kl.sum(0).cpu().double()
            for i, name in enumerate(self.further):
                total[self.per_dim.stop + i] += float(terms.further[name].sum())
        if not total.isfinite().all():
            raise Failed("training.diverged_validation", step=step)
        return self._record("validation", step, beta, total / len(images))

    def _record(self, split: str, step: int, beta: float, means: Tensor) -> Record:
        loss, reconstruction, *rest = means.tolist()
        per_dim, further = rest[: self.config.model.latent_dim], rest[self.config.model.latent_dim :]
        kl = sum(per_dim) if self.has_kl else None
        return {
            "split": split,
            "step": step,
            "epoch": step / self.per_epoch,
            "reconstruction": reconstruction,
            "kl": kl,
            "neg_elbo": None if kl is None else reconstruction + kl,
            "kl_per_dim": per_dim if self.has_kl else None,
            **dict(zip(self.further, further, strict=True)),
            "loss": loss,
            "beta": beta,
            "seconds": round(self.elapsed(), 3),
            "images_per_second": round(self.rate),
        }

    def _images_seen(self, step: int) -> int:
        """Return the number of images up to a step; the last batch of an epoch can be smaller."""
        epochs, steps = divmod(step, self.per_epoch)
        return epochs * self.images + steps * self.config.train.batch_size

    def _check(self, rows: Tensor, step: int) -> None:
        if self._scale is None:
            self._scale = float(rows[0, 0].abs()) + math.prod(self.config.model.image_shape)
        bad = ~torch.isfinite(rows) | (rows > DIVERGED * self._scale)
        if not bad.any():
            return
        first = int(bad.any(1).nonzero()[0])
        columns = bad[first].nonzero()[:, 0].tolist()
        column = min((c for c in columns if c), default=0)  # prefer a term to the loss, its sum
        at, value = step - len(rows) + first + 1, f"{rows[first, column]:.4g}"
        if column == 0:
            raise Failed("training.diverged_loss", step=at, value=value)
        if column < self.per_dim.start:
            raise Failed("training.diverged_reconstruction", step=at, value=value)
        if column < self.per_dim.stop:
            raise Failed("training.diverged_kl", step=at, dimension=column - self.per_dim.start + 1, value=value)
        raise Failed("training.diverged_term", step=at, term=self.further[column - self.per_dim.stop], value=value)

    # --- the clock, and the state in a checkpoint -----------------------------------------------------------------

    def elapsed(self) -> float:
        """Return the seconds of training so far."""
        now = time.perf_counter()
        self._seconds, self._clock = self._seconds + now - self._clock, now
        return self._seconds

    def skip(self) -> None:
        """Do not count the time since the last look at the clock as training."""
        self._clock = time.perf_counter()

    def state(self) -> dict[str, Any]:
        """Return the state for `restore`, without the rows."""
        return {"seconds": self.elapsed(), "scale": self._scale, "last_record": self._last}

    def restore(self, rows: Tensor, state: dict[str, Any]) -> None:
        """Continue from a checkpoint. `rows` (n, width) are its steps since the last record."""
        self.filled = len(rows)
        self.rows[: self.filled] = rows.to(self.device)
        self._seconds, self._scale = float(state["seconds"]), state["scale"]
        self._last = tuple(state["last_record"])
