"""Change process-wide settings of torch while a training computes, and restore them afterwards."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from typing import TypeVar

import torch

Item = TypeVar("Item")


@contextlib.contextmanager
def training_settings(threads: int) -> Generator[None]:
    """Compute with `threads` threads and without denormal numbers in the block; then restore both settings.

    The optimiser's moments of dead units decay into denormal numbers, which are slow: each causes a trap.
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
    """Yield the items of `steps`. Its code runs under `training_settings`, the caller's code does not.

    If the caller closes this generator, `steps` closes too, under the settings.
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
    """Return whether this thread treats denormal numbers as zero; torch can set this, but cannot report it."""
    return sys.float_info.min / 2 == 0.0
