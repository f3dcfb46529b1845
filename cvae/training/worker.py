"""Train the queued runs (`cvae.runs.queue`) one after the other: python -m cvae.training.worker RUNS.

A worker without a run imports torch, rehearses one step and waits for some time, so that the next start is quick.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from cvae.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from cvae.data import ImageData, load_data
from cvae.errors import InputError, KeyedError
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs, fail, status_of

IDLE_SECONDS = 300.0  # the longest wait for another run while the parent process lives
LOOK_SECONDS = 0.05  # between two looks at `last_queued`
WAIT_SECONDS = 0.5  # between two tries to take a run that waits
SEARCH_SECONDS = 2.0  # between two searches of all runs, if `last_queued` stays the same


def work(jobs: Jobs, idle_seconds: float = IDLE_SECONDS) -> None:
    """Train the queued runs until none came for `idle_seconds`, or none waits and the parent process has ended."""
    registered, parent = jobs.register(), os.getppid()
    warm_up: list[Callable[[], object]] = [lambda: importlib.import_module("cvae.training.loop"), _rehearse]
    free_since = time.monotonic()
    queued, searched, waits = 0, 0.0, True
    while jobs.folder.is_dir():
        left = os.getppid() != parent
        if waits or jobs.last_queued() != queued or time.monotonic() - searched > SEARCH_SECONDS:
            queued = jobs.last_queued()
            if train_next(jobs):
                free_since, waits = time.monotonic(), True
                continue
            searched, waits = time.monotonic(), bool(jobs.waiting())
        if warm_up and not left:
            warm_up.pop(0)()
        elif waits:
            time.sleep(WAIT_SECONDS)
        elif time.monotonic() - free_since < idle_seconds and not left:
            time.sleep(LOOK_SECONDS)
        elif jobs.unregister(registered):
            return


def train_next(jobs: Jobs) -> bool:
    """Train the next waiting run, if one may train now; return whether there was one."""
    try:
        with jobs.take() as run:
            if run is not None:
                train(run)
            return run is not None
    except InputError:  # another process holds the lock of the queue
        return False


def train(run: Run) -> None:
    """Train one run that this process has locked. Write any failure into the run's status instead of raising it."""
    try:
        with _printing_to(run.path / "log.txt"):
            try:
                from cvae.training.loop import fit

                data = run.config().data
                images = _images(data.name, data.dir, _written(data.name))
                for _ in fit(run.path, resume=True, locked=True, data=images):
                    pass
            except BaseException as error:
                if not isinstance(error, InputError):
                    traceback.print_exc()
                raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # also a missing folder, or the panic of a library in Rust
        status = status_of(run)
        if status.active and status.pid == os.getpid():  # else fit() wrote it, or the run waits again
            fail(run, _why(error))


def _why(error: BaseException) -> KeyedError | str:
    if isinstance(error, KeyedError):
        return error
    from cvae.training.failure import explanation

    return explanation(error)


def _rehearse() -> None:
    """Take the first step of a small training, so that torch does its slow preparations now."""
    from cvae.training.loop import fit

    config = RunConfig(model=ModelConfig(hidden=(8,)), train=TrainConfig(epochs=1, batch_size=2000))
    with contextlib.suppress(Exception), tempfile.TemporaryDirectory() as folder:
        for _ in fit(Path(folder) / "run", config, data=_images(config.data.name, None, 0)):
            pass


@functools.lru_cache(maxsize=1)
def _images(name: str, directory: str | None, _written: int) -> ImageData:
    """Return the images of a training, from memory if the last training used the same."""
    return load_data(DataConfig(name, directory))


def _written(name: str) -> int:
    """Return the time, in ns, of the last change of the user's file; 0 for a data set; the time now for a folder."""
    if Path(name).is_dir():
        return time.time_ns()
    return Path(name).stat().st_mtime_ns if Path(name).is_file() else 0


@contextlib.contextmanager
def _printing_to(path: Path) -> Iterator[None]:
    """Append both standard streams to a file, even the output of C libraries and of a dying process."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = [os.dup(1), os.dup(2)]
    with open(path, "ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, copy in zip((1, 2), before, strict=True):
            os.dup2(copy, stream)
            os.close(copy)


if __name__ == "__main__":
    work(Jobs(sys.argv[1]))
