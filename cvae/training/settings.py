"""Process-wide settings of torch: as a training needs them while it computes, else as they were."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from typing import TypeVar

import torch

Item = TypeVar("Item")


@contextlib.contextmanager
def training_settings(threads: int) -> Generator[None]:
    """Compute with that many threads and without denormal numbers; afterwards both are as they were.

    The optimiser's moments of units that have died decay into denormal numbers, each of which costs a trap.
    """
    before, flushed = torch.get_num_threads(), denormals_are_flushed()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(flushed)


def step_by_settings(steps: Generator[Item], threads: int) -> Generator[Item]:
    """Yield what `steps` yields; its own code runs under `training_settings`, the caller's code does not.

    Closing this generator closes `steps`, under the settings too.
    """
    try:
        while True:
            with training_settings(threads):
                item = next(steps, None)
            if item is None:
                return
            yield item
    finally:
        with training_settings(threads):
            steps.close()


def denormals_are_flushed() -> bool:
    """Return whether this thread of the processor counts denormal numbers as zero; torch can set this, but not tell
    it."""
    return sys.float_info.min / 2 == 0.0
