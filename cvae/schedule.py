"""When a training takes snapshots and writes records: a function of its length alone."""

from __future__ import annotations

import math


def snapshot_steps(steps_per_epoch: int, epochs: int) -> list[int]:
    """0, then powers of 2 within the first epoch, then ends of epochs: about 60 in all, however long the training."""
    early = [0] + [2**i for i in range(steps_per_epoch.bit_length()) if 2**i < steps_per_epoch]
    stride = math.ceil(epochs / 50)
    late = {e * steps_per_epoch for e in (*range(stride, epochs + 1, stride), epochs)}
    return sorted({*early, *late})


def record_steps(steps_per_epoch: int, epochs: int) -> list[int]:
    """Powers of 2 within the first epoch, then some ten even points an epoch, fewer in long trainings."""
    early = {2**i for i in range(steps_per_epoch.bit_length()) if 2**i < steps_per_epoch}
    points = max(1, min(10, 1000 // epochs, steps_per_epoch))
    even = {(i + 1) * steps_per_epoch // points for i in range(points)}
    return sorted(early | {e * steps_per_epoch + s for e in range(epochs) for s in even})
