"""Trainings as processes of their own, fed from a queue in the file system. No torch in the process that asks.

    <runs>/.jobs/queue/<nanoseconds>.<name>    a ticket: this run waits for its turn
    <runs>/.jobs/taken/<pid>.<name>            the ticket of the run that worker <pid> is at
    <runs>/.jobs/workers/<pid>                 kept locked by worker <pid> for as long as it lives
    <runs>/.jobs/lock                          held by whoever looks at these together
    <runs>/<name>/log.txt                      what the training printed

Workers (`cvae.training.worker`) empty the queue, whether a page is open or not. Nobody owns them: the server may end,
and the page be closed. `Jobs.ensure_worker`, which every page calls now and then, starts one where it is needed, and
speaks for those that died.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from cvae.assets import PACKAGE
from cvae.config import RunConfig
from cvae.errors import InputError, KeyedError
from cvae.runs.find import runs_folder, runs_in
from cvae.runs.folder import Run, reason
from cvae.runs.locks import is_locked, try_lock
from cvae.runs.machine import cores
from cvae.runs.status import State, Status

NAME = re.compile(r"\w[\w .+-]{0,59}")  # of a run: a plain folder name

_children: dict[Path, subprocess.Popen[bytes]] = {}  # the last worker that this process started, by runs folder


class Jobs:
    """The trainings of one runs folder.

    at_once: how many may train at the same time; the environment's CVAE_JOBS, else 1. Paused ones count.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, at_once: int | None = None) -> None:
        self.folder = Path(folder if folder is not None else runs_folder()).resolve()
        self.at_once = at_once or _positive(os.environ.get("CVAE_JOBS")) or 1
        home = self.folder / ".jobs"
        self.queue, self.taken, self.workers = home / "queue", home / "taken", home / "workers"
        self.lock_file, self.log = home / "lock", home / "workers.log"

    # --- asking -------------------------------------------------------------------------------------------------

    def submit(self, name: str, config: RunConfig) -> Run:
        """A new run, at the end of the queue; a name that is taken or no folder name raises `InputError`."""
        if not NAME.fullmatch(name):
            raise InputError("queue.bad_name", name=name[:60])
        run = Run.create(self.folder / name, config)
        self._enqueue(run)
        return run

    def resume(self, run: Run, epochs: int | None = None) -> None:
        """Let a paused training go on, or put one that has ended back into the queue, up to `epochs` where given."""
        state = self.state(run)
        if state == "paused":
            run.request("run")
        elif state not in ("queued", "running"):
            config = run.config()
            with _writing(run.path):
                if epochs is not None:
                    more = dataclasses.replace(config.train, epochs=epochs)
                    run.write_config(dataclasses.replace(config, train=more))
                run.write_status(dataclasses.replace(run.status(), state="queued", message=None, error=None, pid=0))
            self._enqueue(run)

    def pause(self, run: Run) -> None:
        self._when_begun(run, lambda: run.request("pause"))

    def step(self, run: Run, n: int = 1) -> None:
        """Take n optimiser steps and pause."""
        self._when_begun(run, lambda: run.request("step", n))

    def stop(self, run: Run) -> None:
        """End a training with its state saved, or take a waiting one out of the queue."""
        with self._locked(), _writing(self.queue):
            tickets = [ticket for ticket in self._tickets() if _name(ticket) == run.name]
            for ticket in tickets:
                ticket.unlink()
        if tickets and run.path.is_dir():
            with _writing(run.path):
                run.write_status(dataclasses.replace(run.status(), state="stopped"))
        elif not tickets:
            self._when_begun(run, lambda: run.request("stop"))

    def delete(self, run: Run) -> None:
        """Stop the training, if it is under way, and remove the folder; someone else may have done so already."""
        self.stop(run)
        _wait(lambda: not run.locked(), 10)
        with _writing(run.path), contextlib.suppress(FileNotFoundError):
            if run.path.exists():
                run.delete()

    def waiting(self) -> list[str]:
        """The names of the runs in the queue, the next one first."""
        return [_name(ticket) for ticket in self._tickets()]

    def state(self, run: Run) -> State:
        """The run's state; "queued" with nothing left that would begin it is "interrupted"."""
        state = run.status().state
        if state != "queued" or run.locked():
            return state
        expected = {*self.waiting(), *map(_name, _files(self.taken))}
        return "queued" if run.name in expected else "interrupted"

    # --- tending ------------------------------------------------------------------------------------------------

    def ensure_worker(self) -> None:
        """Start a worker if a run waits that could be trained now, and close the books of workers that died."""
        if not self.queue.is_dir() or not os.access(self.lock_file, os.W_OK):  # a folder to look at alone has no queue
            return
        with self._locked():
            self._close_books()
            tickets = self._tickets()
            taken = _files(self.taken)
            if tickets and not self._idle_worker() and (len(self._busy()) < self.at_once or not taken):
                self._start_worker()

    def warm(self) -> None:
        """Have a worker ready, with torch imported, for a start that is likely soon."""
        with contextlib.suppress(InputError), self._locked():  # where nothing can be written, nothing will start
            if not any(map(is_locked, _files(self.workers))) and not self._idle_worker():
                self._start_worker()

    def _enqueue(self, run: Run) -> None:
        with self._locked(), _writing(self.queue):
            (self.queue / f"{time.time_ns():020d}.{run.name}").touch()
        self.ensure_worker()

    def _when_begun(self, run: Run, ask: Callable[[], None]) -> None:
        """Ask a training for something once it listens: one that is just starting would forget it."""
        if self.state(run) == "queued" and run.name not in self.waiting():
            _wait(lambda: self.state(run) != "queued", 15)
        if self.state(run) in ("running", "paused"):
            ask()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            for folder in (self.queue, self.taken, self.workers):
                folder.mkdir(parents=True, exist_ok=True)
            file = open(self.lock_file, "a+b")  # noqa: SIM115
        except OSError as error:
            raise InputError("file.cannot_write", path=self.folder, reason=reason(error)) from error
        with file:
            if not _wait(lambda: try_lock(file.fileno(), exclusive=True), 10):
                raise InputError("queue.held", folder=self.folder)
            yield

    def _tickets(self) -> list[Path]:
        return sorted(_files(self.queue))

    def _busy(self) -> set[str]:
        """The names of runs that a process is at, from the queue or from the command line."""
        return {_name(t) for t in _files(self.taken)} | {run.name for run in runs_in(self.folder) if run.locked()}

    def _idle_worker(self) -> bool:
        """Whether a living worker has no run, or one is just being started."""
        at_work = {ticket.name.partition(".")[0] for ticket in _files(self.taken)}
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

    def _close_books(self) -> None:
        """Say of every run whose worker died before the training began, or could not even start, that it failed."""
        for worker in _files(self.workers):
            if is_locked(worker):
                continue
            for ticket in _files(self.taken):
                if ticket.name.startswith(f"{worker.name}."):
                    run = self.run_of(ticket)
                    if run.path.is_dir() and status_of(run).state == "queued":
                        fail(run, InputError("queue.died", line=_last_line(run.path / "log.txt")))
                    ticket.unlink(missing_ok=True)
            worker.unlink(missing_ok=True)
        child = _children.get(self.folder)
        if child is not None and child.poll() is not None:
            del _children[self.folder]
            if child.returncode != 0 and not self._idle_worker():
                self._fail_next(InputError("queue.ended_at_once", line=_last_line(self.log)))

    def _fail_next(self, why: KeyedError) -> None:
        for ticket in self._tickets()[:1]:
            ticket.unlink()
            fail(self.run_of(ticket), why)

    # --- what a worker does -------------------------------------------------------------------------------------

    def register(self) -> IO[bytes]:
        """Make this process a worker of the queue; the file stays locked until it retires or dies."""
        with self._locked():
            file = open(self.workers / str(os.getpid()), "a+b")  # noqa: SIM115
            try_lock(file.fileno(), exclusive=True)
            return file

    def unregister(self, registered: IO[bytes]) -> bool:
        """Leave, unless a run was queued in the last moment by someone who counted on this worker."""
        with self._locked():
            if self._tickets():
                return False
            registered.close()
            Path(registered.name).unlink()
            return True

    def take(self) -> Path | None:
        """Claim the ticket of the oldest run that is still there, if it may be trained now."""
        if not _files(self.queue):
            return None
        with self._locked():
            for ticket in self._tickets():
                if not (self.folder / _name(ticket) / "config.json").is_file():
                    ticket.unlink()
                elif len(self._busy()) < self.at_once:
                    mine = self.taken / f"{os.getpid()}.{_name(ticket)}"
                    ticket.rename(mine)
                    return mine
        return None

    def run_of(self, ticket: Path) -> Run:
        """The run that a ticket is for."""
        return Run(self.folder / _name(ticket))


def spare_threads() -> int:
    """Threads for a training beside a server and a browser: a core less than there are. One that has to wait for its
    core holds up all the others at every operation, and the training slows down by a factor, not by a share."""
    return max(1, cores() - 1)


def status_of(run: Run) -> Status:
    """The status, or where that is damaged an empty one."""
    try:
        return run.status()
    except InputError:
        return Status("interrupted")


def fail(run: Run, why: KeyedError | str) -> None:
    """Say of a run that no training can say it of that it failed."""
    error = why.to_json() if isinstance(why, KeyedError) else None
    run.write_status(dataclasses.replace(status_of(run), state="failed", message=str(why), error=error, pid=0))


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """A disk that is full, or a folder that may not be written, is told in a sentence."""
    try:
        yield
    except OSError as error:
        raise InputError("file.cannot_write", path=path, reason=reason(error)) from error


def _name(ticket: Path) -> str:
    """The run that a ticket is for."""
    return ticket.name.partition(".")[2]


def _files(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []


def _wait(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until `true()`, at most so long; whether it came true."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _last_line(log: Path) -> str:
    """How a log ends, where the reason mostly stands."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it left no message")


def _positive(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and int(text) > 0 else None
