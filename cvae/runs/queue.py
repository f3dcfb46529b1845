"""Train runs in processes of their own, one after the other. The process that queues a run does not import torch.

A run waits if its status is `queued` and no process has taken it. The files and the lock of each run are the only
record, and the queue is a view of them. The waiting run with the lowest `turn` comes first, then the name decides. A
worker (`cvae.training.worker`) that takes a run locks it and writes its process number into the status; the run stays
`queued` until its training begins. So if a run is `queued`, has a process number and is not locked, its worker died.

    <runs>/.jobs/workers/<pid>                 worker <pid> keeps this file locked while it lives
    <runs>/.jobs/workers.log                   output of workers between two trainings
    <runs>/.jobs/lock                          locked by a process that changes the queue; touched for each new run
    <runs>/<name>/log.txt                      output of the training

Workers train the waiting runs, even when no page is open, and survive the end of the server. Every page calls
`Jobs.ensure_worker` regularly, which starts a worker if necessary, and marks the runs of dead workers as failed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from cvae.assets import PACKAGE
from cvae.config import RunConfig
from cvae.errors import InputError, KeyedError
from cvae.runs.files import reason
from cvae.runs.find import runs_folder, runs_in
from cvae.runs.folder import Run
from cvae.runs.locks import is_locked, try_lock
from cvae.runs.machine import cores
from cvae.runs.status import Status

NAME = re.compile(r"\w[\w .+-]{0,59}")  # the valid names of a run
LOG_END = 4096  # bytes at the end of a log, to find its last line
KILLED = tuple(-getattr(signal, name, signal.SIGTERM) for name in ("SIGKILL", "SIGTERM", "SIGINT"))

_children: dict[Path, subprocess.Popen[bytes]] = {}  # this process's last worker, by runs folder


class Jobs:
    """Jobs manages the trainings of one runs folder.

    `at_once` is the most runs that train at the same time, paused ones too: by default CVAE_JOBS, else 1.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, at_once: int | None = None) -> None:
        self.folder = Path(folder if folder is not None else runs_folder()).resolve()
        self.at_once = at_once or _positive(os.environ.get("CVAE_JOBS")) or 1
        self.home = self.folder / ".jobs"
        self.workers, self.lock_file, self.log = self.home / "workers", self.home / "lock", self.home / "workers.log"

    # --- asking -------------------------------------------------------------------------------------------------

    def submit(self, name: str | Iterable[str], config: RunConfig) -> Run:
        """Create a run and queue it behind all others.

        `name` is its name, or several names, of which it gets the first free one. Raises `InputError` if none is free
        or a name is not valid.
        """
        taken = InputError("queue.bad_name", name="")
        for candidate in (name,) if isinstance(name, str) else name:
            if not NAME.fullmatch(candidate):
                raise InputError("queue.bad_name", name=candidate[:60])
            try:
                with self._locked():
                    run = Run.create(self.folder / candidate, config, turn=self._last_turn() + 1)
                    self._ring()
            except InputError as error:
                if error.key != "run.exists":
                    raise
                taken = error
            else:
                self.ensure_worker()
                return run
        raise taken

    def resume(self, run: Run, epochs: int | None = None) -> None:
        """Continue a paused training, or queue an ended one again, up to `epochs` if given.

        Reset the control before a worker can take the run, so that the training obeys every later request. Do nothing
        if the run waits or trains already.
        """
        with self._locked(), _writing(run.path):
            status = run.status()
            if status.state == "paused":
                run.request("run")
            elif status.state not in ("queued", "running"):
                config = run.config()
                if epochs is not None:
                    more = dataclasses.replace(config.train, epochs=epochs)
                    run.write_config(dataclasses.replace(config, train=more))
                run.request("run")
                turn = self._last_turn() + 1
                run.write_status(
                    dataclasses.replace(status, state="queued", message=None, error=None, pid=0, turn=turn)
                )
                self._ring()
        self.ensure_worker()

    def pause(self, run: Run) -> None:
        """Pause a training, or make it pause when it begins."""
        if run.status().active:
            run.request("pause")

    def step(self, run: Run, n: int = 1) -> None:
        """Take n optimiser steps and pause, now or when the training begins."""
        if run.status().active:
            run.request("step", n)

    def stop(self, run: Run) -> None:
        """Save and end a training, even one that is about to begin; take a waiting run out of the queue."""
        with self._locked(), _writing(run.path):
            status = status_of(run)
            if _is_waiting(run, status):
                run.write_status(dataclasses.replace(status, state="stopped", turn=0))
            elif status.active:
                run.request("stop")

    def delete(self, run: Run) -> None:
        """Stop the training, if it is active, and remove the folder, if it still exists."""
        self.stop(run)
        _wait(lambda: not run.locked(), 10)
        with _writing(run.path), contextlib.suppress(FileNotFoundError):
            if run.path.exists():
                run.delete()

    def waiting(self) -> list[str]:
        """Return the names of the waiting runs, the next one first."""
        return [run.name for run in self._waiting()]

    # --- workers ------------------------------------------------------------------------------------------------

    def ensure_worker(self) -> None:
        """Start a worker if a waiting run could train now, and mark the runs of dead workers as failed."""
        place = self.lock_file if self.lock_file.exists() else self.folder
        if not os.access(place, os.W_OK) or not self._needs_attention():  # a read-only folder has no queue
            return
        with self._locked():
            self._speak_for_the_dead()
            busy = self._busy()
            alive = any(map(is_locked, _files(self.workers)))
            if self._waiting() and not self._idle_worker() and (len(busy) < self.at_once or not alive):
                self._start_worker()

    def warm(self) -> None:
        """Start a worker that imports torch in advance, if none is ready, because a training will begin soon."""
        with contextlib.suppress(InputError), self._locked():  # in a read-only folder nothing will start
            if not any(map(is_locked, _files(self.workers))) and not self._idle_worker():
                self._start_worker()

    def _needs_attention(self) -> bool:
        """Return whether a run seems to wait, or to have lost its worker. This check does not take the lock."""
        child = _children.get(self.folder)
        return (child is not None and child.poll() is not None) or any(
            status_on_disk(run).state == "queued" for run in runs_in(self.folder)
        )

    def _ring(self) -> None:
        """Set the time of the lock file, so that workers notice a new run in the queue."""
        os.utime(self.lock_file)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.workers.mkdir(parents=True, exist_ok=True)
            file = open(self.lock_file, "a+b")  # noqa: SIM115
        except OSError as error:
            raise InputError("file.cannot_write", path=self.folder, reason=reason(error)) from error
        with file:
            if not _wait(lambda: try_lock(file.fileno(), exclusive=True), 10):
                raise InputError("queue.held", folder=self.folder)
            self._take_over_tickets()
            yield

    def _waiting(self) -> list[Run]:
        """Return the waiting runs, the next one first."""
        turns = {}
        for run in runs_in(self.folder):
            status = status_on_disk(run)
            if _is_waiting(run, status):
                turns[run] = (status.turn, run.name)
        return sorted(turns, key=turns.__getitem__)

    def _last_turn(self) -> int:
        """Return the turn of the last waiting run; 0 if none waits."""
        return max((int(status_on_disk(run).turn) for run in self._waiting()), default=0)

    def _busy(self) -> list[Run]:
        """Return the runs that a process has locked, from the queue or from the command line."""
        return [run for run in runs_in(self.folder) if run.locked()]

    def _idle_worker(self) -> bool:
        """Return whether a living worker has no run, or a new worker is starting."""
        at_work = {str(status_on_disk(run).pid) for run in self._busy()}
        if any(worker.name not in at_work and is_locked(worker) for worker in _files(self.workers)):
            return True
        child = _children.get(self.folder)
        return child is not None and child.poll() is None and not (self.workers / str(child.pid)).exists()

    def _start_worker(self) -> None:
        package = str(PACKAGE.parent)
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        detached = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        try:
            with open(self.log, "ab") as log:
                _children[self.folder] = subprocess.Popen(
                    [sys.executable, "-m", "cvae.training.worker", str(self.folder)],
                    env={**os.environ, "PYTHONPATH": path, "CVAE_JOBS": str(self.at_once)},
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, creationflags=detached,
                )  # fmt: skip
        except OSError as error:
            self._fail_next(InputError("queue.no_process", reason=reason(error)))

    def _speak_for_the_dead(self) -> None:
        """Mark every run as failed whose worker died before the training began.

        If a worker ended with an error before it registered, for example because a module is missing, the next one
        would do the same: mark the next waiting run as failed. A killed worker changes no waiting run.
        """
        for run in runs_in(self.folder):
            status = status_on_disk(run)
            # A training that ended since says so before it lets go of the lock.
            if status.state == "queued" and status.pid and not run.locked() and status == status_on_disk(run):
                fail(run, InputError("queue.died", line=_last_line(run.path / "log.txt")))
        child = _children.get(self.folder)
        if child is not None and child.poll() is not None:
            del _children[self.folder]
            registered = (self.workers / str(child.pid)).exists()
            if child.returncode not in (0, *KILLED) and not registered:
                self._fail_next(InputError("queue.ended_at_once", line=_last_line(self.log)))
        for worker in _files(self.workers):
            if not is_locked(worker):
                worker.unlink(missing_ok=True)

    def _fail_next(self, why: KeyedError) -> None:
        for run in self._waiting()[:1]:
            fail(run, why)

    # --- methods for a worker -----------------------------------------------------------------------------------

    def register(self) -> IO[bytes]:
        """Make this process a worker of the queue; return its file, locked until `unregister` or its end."""
        with self._locked():
            file = open(self.workers / str(os.getpid()), "a+b")  # noqa: SIM115
            try_lock(file.fileno(), exclusive=True)
            return file

    def unregister(self, registered: IO[bytes]) -> bool:
        """Remove this worker from the queue and return True; return False if a run has begun to wait for it."""
        with self._locked():
            if self._waiting():
                return False
            registered.close()
            Path(registered.name).unlink()
            return True

    def last_queued(self) -> int:
        """Return a number that changes when a run is queued. It costs one look at one file."""
        try:
            return self.lock_file.stat().st_mtime_ns
        except OSError:
            return 0

    @contextlib.contextmanager
    def take(self) -> Iterator[Run | None]:
        """Take the next waiting run and yield it, locked by this process until the block ends; yield None if no run
        may train now."""
        with contextlib.ExitStack() as held:
            with self._locked():
                run = self._take(held) if len(self._busy()) < self.at_once else None
            yield run

    def _take(self, held: contextlib.ExitStack) -> Run | None:
        for run in self._waiting():
            # Try the next run if another process trains or removes this one; a full disk may have room later.
            with contextlib.suppress(InputError, OSError), contextlib.ExitStack() as lock:
                lock.enter_context(run.lock())
                status = run.status_on_disk()
                if status.state != "queued" or status.pid:  # the command line trained it meanwhile
                    continue
                run.write_status(dataclasses.replace(status, pid=os.getpid()))
                held.enter_context(lock.pop_all())
                return run
        return None

    # --- files of the last version ------------------------------------------------------------------------------

    def _take_over_tickets(self) -> None:
        """Move the last version's queue into the status of each run, once.

        That version kept a file `.jobs/queue/<nanoseconds>.<name>` for each waiting run, and `.jobs/taken/<pid>.<name>`
        for each run of a worker. Nothing would begin a queued run without such a file, so it becomes interrupted.
        """
        queue, taken = self.home / "queue", self.home / "taken"
        if not queue.is_dir():
            return
        turns = {_ticket_name(ticket): turn for turn, ticket in enumerate(sorted(_files(queue)), self._last_turn() + 1)}
        begun = {_ticket_name(ticket): ticket.name.partition(".")[0] for ticket in _files(taken)}
        for run in runs_in(self.folder):
            status = status_on_disk(run)
            if status.state != "queued" or status.turn or run.locked():
                continue
            worker = begun.get(run.name)
            if run.name in turns:
                status = dataclasses.replace(status, turn=turns[run.name])
            elif worker is None:
                status = dataclasses.replace(status, state="interrupted")
            elif is_locked(self.workers / worker):  # the worker still has the run
                continue
            else:
                status = dataclasses.replace(status, pid=int(worker) if worker.isdecimal() else 1)
            try:
                run.write_status(status)
            except OSError:  # the disk is full: keep the tickets for the next time
                return
        for folder in (queue, taken):
            shutil.rmtree(folder, ignore_errors=True)


def spare_threads() -> int:
    """Return one less than the number of cores, at least 1, for a training beside a server and a browser. A thread that
    waits for its core delays all the others at every operation, so the training would be several times slower."""
    return max(1, cores() - 1)


def status_of(run: Run) -> Status:
    """Return the status of a run; an empty status if it is damaged."""
    try:
        return run.status()
    except InputError:
        return Status("interrupted")


def status_on_disk(run: Run) -> Status:
    """Return the status in the run's file, even if its process died; an empty status if it is damaged."""
    try:
        return run.status_on_disk()
    except InputError:
        return Status("interrupted")


def fail(run: Run, why: KeyedError | str) -> None:
    """Mark a run as failed, if the disk has room for it. Use this if no training can write the status."""
    error = why.to_json() if isinstance(why, KeyedError) else None
    with contextlib.suppress(OSError):
        run.write_status(
            dataclasses.replace(status_of(run), state="failed", message=str(why), error=error, pid=0, turn=0)
        )


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an `OSError`, as of a full disk or a read-only folder, into an `InputError`."""
    try:
        yield
    except OSError as error:
        raise InputError("file.cannot_write", path=path, reason=reason(error)) from error


def _is_waiting(run: Run, status: Status) -> bool:
    """Return whether a run with this status waits for a worker: no process has taken it, or trains it."""
    return status.state == "queued" and not status.pid and not run.locked()


def _ticket_name(ticket: Path) -> str:
    """Return the name of the run in a ticket, a file of the last version's queue."""
    return ticket.name.partition(".")[2]


def _files(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []


def _wait(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until `true()` holds, at most `seconds`; return whether it holds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _last_line(log: Path) -> str:
    """Return the last line of a log, which mostly holds the reason of a failure."""
    end = b""
    with contextlib.suppress(OSError):
        if log.is_file():
            with open(log, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_END))
                end = file.read()
    lines = end.decode(errors="replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it left no message")


def _positive(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and int(text) > 0 else None
