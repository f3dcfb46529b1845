"""Trainings as processes of their own, one after the other. No torch in the process that asks.

A run waits when its own status says `queued` and no process has taken it: its own files and its own lock are the only
truth, and the queue is a view of them. Among those that wait, the lowest `turn` of the status comes first, then the
name. A worker (`cvae.training.worker`) that takes a run locks it, and writes its process number into the status; the
run stays `queued` until its training begins. So a run that is `queued`, has a process and is not locked was taken by a
worker that died.

    <runs>/.jobs/workers/<pid>                 kept locked by worker <pid> for as long as it lives
    <runs>/.jobs/workers.log                   what workers print between two trainings
    <runs>/.jobs/lock                          held by whoever changes what waits; written to when a run is queued
    <runs>/<name>/log.txt                      what the training printed

Workers train what waits, whether a page is open or not. Nobody owns them: the server may end, and the page be closed.
`Jobs.ensure_worker`, which every page calls now and then, starts one where it is needed, and speaks for those that
died.
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
from cvae.runs.find import runs_folder, runs_in
from cvae.runs.folder import Run, reason
from cvae.runs.locks import is_locked, try_lock
from cvae.runs.machine import cores
from cvae.runs.status import State, Status

NAME = re.compile(r"\w[\w .+-]{0,59}")  # of a run: a plain folder name
LOG_END = 4096  # bytes at the end of a log, in which its last line is looked for
KILLED = tuple(-getattr(signal, name, signal.SIGTERM) for name in ("SIGKILL", "SIGTERM", "SIGINT"))

_children: dict[Path, subprocess.Popen[bytes]] = {}  # the last worker that this process started, by runs folder


class Jobs:
    """The trainings of one runs folder.

    at_once: how many may train at the same time; the environment's CVAE_JOBS, else 1. Paused ones count.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, at_once: int | None = None) -> None:
        self.folder = Path(folder if folder is not None else runs_folder()).resolve()
        self.at_once = at_once or _positive(os.environ.get("CVAE_JOBS")) or 1
        self.home = self.folder / ".jobs"
        self.workers, self.lock_file, self.log = self.home / "workers", self.home / "lock", self.home / "workers.log"

    # --- asking -------------------------------------------------------------------------------------------------

    def submit(self, name: str | Iterable[str], config: RunConfig) -> Run:
        """Make a new run that waits behind all others.

        name: its name, or several, of which it gets the first that is free. `InputError` where none is free, or where
        it cannot name a folder.
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
        """Let a paused training go on, or queue again one that has ended, up to `epochs` where given.

        What was asked of the training before is forgotten here, before a worker can take the run, so that what is asked
        from now on is obeyed. A run that waits or trains already is left alone.
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
        """Have the training pause; one that has not begun yet pauses as it begins."""
        if run.status().active:
            run.request("pause")

    def step(self, run: Run, n: int = 1) -> None:
        """Take n optimiser steps and pause; a training that has not begun yet does so as it begins."""
        if run.status().active:
            run.request("step", n)

    def stop(self, run: Run) -> None:
        """End a training with its state saved, also one that is about to begin; a run that waits does so no more."""
        with self._locked(), _writing(run.path):
            status = status_of(run)
            if _is_waiting(run, status):
                run.write_status(dataclasses.replace(status, state="stopped", turn=0))
            elif status.active:
                run.request("stop")

    def delete(self, run: Run) -> None:
        """Stop the training, if it is under way, and remove the folder; someone else may have done so already."""
        self.stop(run)
        _wait(lambda: not run.locked(), 10)
        with _writing(run.path), contextlib.suppress(FileNotFoundError):
            if run.path.exists():
                run.delete()

    def waiting(self) -> list[str]:
        """Return the names of the runs that wait, the next one first."""
        return [run.name for run in self._waiting()]

    def state(self, run: Run) -> State:
        """Return the run's state."""
        return run.status().state

    # --- tending ------------------------------------------------------------------------------------------------

    def ensure_worker(self) -> None:
        """Start a worker if a run waits that could be trained now, and say of runs whose worker died that it did."""
        place = self.lock_file if self.lock_file.exists() else self.folder
        if not os.access(place, os.W_OK) or not self._needs_attention():  # a folder to look at alone has no queue
            return
        with self._locked():
            self._speak_for_the_dead()
            busy = self._busy()
            alive = any(map(is_locked, _files(self.workers)))
            if self._waiting() and not self._idle_worker() and (len(busy) < self.at_once or not alive):
                self._start_worker()

    def warm(self) -> None:
        """Have a worker ready, with torch imported, for a start that is likely soon."""
        with contextlib.suppress(InputError), self._locked():  # where nothing can be written, nothing will start
            if not any(map(is_locked, _files(self.workers))) and not self._idle_worker():
                self._start_worker()

    def _needs_attention(self) -> bool:
        """Return whether any run waits, or was left behind by a worker, as far as can be seen without the lock."""
        child = _children.get(self.folder)
        return (child is not None and child.poll() is not None) or any(
            status_on_disk(run).state == "queued" for run in runs_in(self.folder)
        )

    def _ring(self) -> None:
        """Let workers know, by the time of the lock file, that a run was queued."""
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
        """Return the runs that wait, the next one first."""
        turns = {}
        for run in runs_in(self.folder):
            status = status_on_disk(run)
            if _is_waiting(run, status):
                turns[run] = (status.turn, run.name)
        return sorted(turns, key=turns.__getitem__)

    def _last_turn(self) -> int:
        """Return the turn of the last run that waits; 0 where none does."""
        return max((int(status_on_disk(run).turn) for run in self._waiting()), default=0)

    def _busy(self) -> list[Run]:
        """Return the runs that a process works on, from the queue or from the command line."""
        return [run for run in runs_in(self.folder) if run.locked()]

    def _idle_worker(self) -> bool:
        """Return whether a living worker has no run, or one is just being started."""
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
        """Say of every run whose worker died before the training began that it failed.

        A worker that ended by itself before it was one, as where a module is missing, would do so again and again: the
        run that it was started for fails. One that was killed says nothing about the runs that wait.
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
            if self._waiting():
                return False
            registered.close()
            Path(registered.name).unlink()
            return True

    def last_queued(self) -> int:
        """Return a number that changes whenever a run is queued, at the cost of one look at one file."""
        try:
            return self.lock_file.stat().st_mtime_ns
        except OSError:
            return 0

    @contextlib.contextmanager
    def take(self) -> Iterator[Run | None]:
        """Take the next run that waits, if one may be trained now: it is locked for this process until the end of the
        `with` block, and says so."""
        with contextlib.ExitStack() as held:
            with self._locked():
                run = self._take(held) if len(self._busy()) < self.at_once else None
            yield run

    def _take(self, held: contextlib.ExitStack) -> Run | None:
        for run in self._waiting():
            # A run that someone trains or removes meanwhile is not ours, and a full disk may have room a moment later.
            with contextlib.suppress(InputError, OSError), contextlib.ExitStack() as lock:
                lock.enter_context(run.lock())
                status = run.status_on_disk()
                if status.state != "queued" or status.pid:  # the command line trained it meanwhile
                    continue
                run.write_status(dataclasses.replace(status, pid=os.getpid()))
                held.enter_context(lock.pop_all())
                return run
        return None

    # --- the last version ---------------------------------------------------------------------------------------

    def _take_over_tickets(self) -> None:
        """The last version kept its queue in files of `.jobs/queue`, `<nanoseconds>.<name>`, and those of runs that a
        worker had taken in `.jobs/taken`, `<pid>.<name>`. Write into the runs' own status what they say, once.

        A queued run without a ticket was one that nothing would begin any more.
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
            elif is_locked(self.workers / worker):  # it is still at it
                continue
            else:
                status = dataclasses.replace(status, pid=int(worker) if worker.isdecimal() else 1)
            try:
                run.write_status(status)
            except OSError:  # a full disk: the tickets say it still
                return
        for folder in (queue, taken):
            shutil.rmtree(folder, ignore_errors=True)


def spare_threads() -> int:
    """Threads for a training beside a server and a browser: a core less than there are. One that has to wait for its
    core holds up all the others at every operation, and the training slows down by a factor, not by a share."""
    return max(1, cores() - 1)


def status_of(run: Run) -> Status:
    """Return the status, or where that is damaged an empty one."""
    try:
        return run.status()
    except InputError:
        return Status("interrupted")


def status_on_disk(run: Run) -> Status:
    """Return what the run's status file says, whether a process keeps it up or not; where it is damaged, an empty
    status."""
    try:
        return run.status_on_disk()
    except InputError:
        return Status("interrupted")


def fail(run: Run, why: KeyedError | str) -> None:
    """Say of a run that no training can say it of that it failed, where the disk takes it: a full one may not."""
    error = why.to_json() if isinstance(why, KeyedError) else None
    with contextlib.suppress(OSError):
        run.write_status(
            dataclasses.replace(status_of(run), state="failed", message=str(why), error=error, pid=0, turn=0)
        )


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a disk that is full, or a folder that may not be written, into a sentence."""
    try:
        yield
    except OSError as error:
        raise InputError("file.cannot_write", path=path, reason=reason(error)) from error


def _is_waiting(run: Run, status: Status) -> bool:
    """Return whether a run of that status waits for a worker: no process has taken it, or trains it."""
    return status.state == "queued" and not status.pid and not run.locked()


def _ticket_name(ticket: Path) -> str:
    """Return the run that a ticket of the last version is for."""
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
    """Return how a log ends, where the reason mostly stands."""
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
