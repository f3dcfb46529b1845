"""Train in a process of the interruption tests. The server of forked processes imports this module once."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from cvae.config import RunConfig
from cvae.data import ImageData

FILE_OPERATIONS = ("open", "os.rename", "os.truncate", "os.remove", "os.mkdir")  # names of Python's audit events


def train(path: Path, config: RunConfig | None, data: ImageData, operations: int | None) -> None:
    """Begin a training, or resume it without `config`; die after so many `operations` on the run's files, if given."""
    import cvae.training.loop

    cvae.training.loop.CHECKPOINT_SECONDS = 0.0  # a checkpoint after every step
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
