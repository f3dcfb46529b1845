"""Compute the steps of snapshots and records, and the learning rate, from the length of a training alone."""

from __future__ import annotations

import math

from cvae.config import Schedule

IWAE_EPOCHS = (3**8 - 1) // 2


def snapshot_steps(steps_per_epoch: int, epochs: int) -> list[int]:
    """Return 0, powers of 2 within the first epoch, then ends of epochs: about 60 steps, however long the training."""
    early = [0] + [2**i for i in range(steps_per_epoch.bit_length()) if 2**i < steps_per_epoch]
    stride = math.ceil(epochs / 50)
    late = {e * steps_per_epoch for e in (*range(stride, epochs + 1, stride), epochs)}
    return sorted({*early, *late})


def record_steps(steps_per_epoch: int, epochs: int) -> list[int]:
    """Return powers of 2 within the first epoch, then about ten even points in each epoch, fewer in long trainings."""
    early = {2**i for i in range(steps_per_epoch.bit_length()) if 2**i < steps_per_epoch}
    points = max(1, min(10, 1000 // epochs, steps_per_epoch))
    even = {(i + 1) * steps_per_epoch // points for i in range(points)}
    return sorted(early | {e * steps_per_epoch + s for e in range(epochs) for s in even})


def lr_factor(schedule: Schedule, step: int, steps_per_epoch: int, epochs: int) -> float:
    """Return the factor, in [0, 1], of the learning rate at a step.

    "cosine" falls as half a wave from 1 to 0 at the end (Loshchilov & Hutter 2017). "iwae" is 10^(−i/7) in stage i,
    which lasts 3^i epochs, i = 0 … 7 (Burda, Grosse & Salakhutdinov 2016, section 5). A training shorter than these
    3,280 epochs misses the small rates of the end, so its factor falls to 0 in the last fifth instead.
    """
    match schedule:
        case "cosine":
            return (1 + math.cos(math.pi * step / (steps_per_epoch * epochs))) / 2
        case "iwae":
            epoch = step // steps_per_epoch
            stage = next((i for i in range(7) if epoch < (3 ** (i + 1) - 1) // 2), 7)
            factor = float(10 ** (-stage / 7))
            return factor if epochs >= IWAE_EPOCHS else factor * min(1.0, 5 * (1 - step / (steps_per_epoch * epochs)))
        case _:
            return 1.0
