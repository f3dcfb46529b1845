"""A trainer for the interruption tests: a module of its own, which the server of forked processes imports once."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from cvae.config import RunConfig
from cvae.data import ImageData

FILE_OPERATIONS = ("open", "os.rename", "os.truncate", "os.remove", "os.mkdir")  # as Python's audit events call them


def train(path: Path, config: RunConfig | None, data: ImageData, operations: int | None) -> None:
    """What a trainer does: begin, or go on. With `operations`, it dies before so many of them on the run's files."""
    import cvae.training.loop

    cvae.training.loop.CHECKPOINT_SECONDS = 0.0  # after every step
    if operations is not None:
        _die_before_operation(path, operations)
    for _ in cvae.training.loop.fit(path, config, data=data, resume=config is None):
        pass


def _die_before_operation(path: Path, operations: int) -> None:
    left = operations

    def count(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        if event in FILE_OPERATIONS and str(args[0]).startswith(str(path.parent)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
