"""python tests/kills.py [--kills N] [--starts N] [--seed S]: trainings that are killed at random moments, and starts at
the same moment.

Workers of the queue, trainers of the command line and visitors who submit runs are processes of their own; one after
the other is killed outright. No run may be lost or fail without having been killed, and every one must end with the
weights of a training that nobody disturbed, bit for bit. The suite runs a short form (tests/runs/test_kills.py).
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from helpers.engine import tiny_run

from cvae.config import RunConfig
from cvae.runs.find import runs_in
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs

AT_ONCE = 2  # runs that may be trained at the same time
WORKERS = 3
UNFINISHED = 5  # runs that wait or are trained at each moment
PATIENCE = 120.0  # seconds in which what was left when the killing ended must finish
PRELOAD = ["cvae.training.loop", "cvae.training.worker", "cvae.cli", "torch._dynamo", "sklearn.datasets", "kills"]

CONFIGS: dict[str, RunConfig] = {
    "ae": tiny_run("ae", epochs=3),
    "cvae": tiny_run("cvae", epochs=3, binarize="dynamic"),
    "learned": tiny_run("cvae-learned-prior", epochs=2),
}


# --- what the processes do ------------------------------------------------------------------------------------------


def _often() -> None:
    """Save a checkpoint after every step, so that kills fall between two of them."""
    import cvae.training.loop

    cvae.training.loop.CHECKPOINT_SECONDS = 0.0


def be_worker(folder: Path) -> None:
    """Be a worker of the queue."""
    from cvae.training.worker import work

    _often()
    with mock.patch.object(Jobs, "_start_worker"):
        work(Jobs(folder, AT_ONCE))


def be_trainer(path: Path) -> None:
    """Go on with a run as the command line does."""
    from cvae.errors import InputError
    from cvae.training.loop import fit

    _often()
    try:
        for _ in fit(path, resume=True):
            pass
    except InputError as error:
        if error.key != "run.taken" and path.exists():  # else a worker trains it, or has ended it meanwhile
            raise


def be_visitor(folder: Path, kind: str, number: int) -> None:
    """Submit a run without a name of its own, as the page Train does."""
    with mock.patch.object(Jobs, "_start_worker"):
        Jobs(folder, AT_ONCE).submit((f"{kind}-{i}" for i in itertools.count(number)), CONFIGS[kind])


def start_together(folder: Path, barrier: Any, kind: str) -> None:
    """Submit a run at the same moment as others."""
    barrier.wait(60)
    be_visitor(folder, kind, 1)


def train_together(folder: Path, barrier: Any, kind: str) -> None:
    """Train a run without a name from the command line at the same moment as others."""
    from cvae.cli import main

    os.environ["CVAE_RUNS"] = str(folder)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    barrier.wait(60)
    sys.exit(main(["train", "--model", kind, "--epochs", "1", "--hidden", "8", "--threads", "1"]))


# --- killing --------------------------------------------------------------------------------------------------------


@dataclass
class Killing:
    """Kills processes of a runs folder, and looks after each kill at what is left."""

    context: ForkServerContext
    folder: Path
    whole: dict[str, dict[str, bytes]]  # what an undisturbed training of each kind writes, by file
    choose: random.Random
    workers: list[BaseProcess] = field(default_factory=list)
    others: list[BaseProcess] = field(default_factory=list)
    trains: dict[BaseProcess, str] = field(default_factory=dict)  # the run that a trainer was started for
    known: set[str] = field(default_factory=set)  # names of runs that must be there
    killed: set[str] = field(default_factory=set)  # runs whose process was killed since they were begun or resumed
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    number: int = 0  # of the next run, so that no name comes twice

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.folder, AT_ONCE)

    def round(self) -> None:
        """Start what is missing, wait for a random moment, kill a random process, and look."""
        self.workers = self._living(self.workers)
        self.others = self._living(self.others)
        while len(self.workers) < WORKERS:
            self.workers.append(self._start(be_worker, self.folder))
        if len(self.known) < UNFINISHED:
            self.number += 1
            kind = self.choose.choice(sorted(CONFIGS))
            if self.choose.random() < 0.5:
                self.others.append(self._start(be_visitor, self.folder, kind, self.number))
            else:
                self.jobs.submit(f"{kind}-{self.number}", CONFIGS[kind])
        time.sleep(self.choose.choice([0.0, 0.02, 0.1, 0.3]) * self.choose.random())
        self._kill(self.choose.choice([*self.workers, *self.others]))
        self.look(resume=True)

    def look(self, *, resume: bool) -> None:
        """Check every run, compare what has finished, and have what was killed go on."""
        self.jobs.ensure_worker()
        runs = {run.name: run for run in runs_in(self.folder)}
        self._tell(f"lost: {sorted(self.known - set(runs))}", self.known <= set(runs))
        self.known = set(runs)
        for name, run in runs.items():
            run.config()
            run.history()
            status = run.status()
            if status.state == "finished":
                self._compare(run)
            elif status.state in ("failed", "interrupted"):
                self._tell(f"{name} {status.state} without a kill: {status.message}", name in self.killed)
                self.counts[status.state] += 1
                if resume and self.choose.random() < 0.25:
                    self.others.append(self._start(be_trainer, run.path))  # it goes on a moment later
                    self.trains[self.others[-1]] = name
                elif resume:
                    self.killed.discard(name)
                    self.jobs.resume(run)
            else:
                self._tell(f"{name} is {status.state}", status.state in ("queued", "running"))

    def finish(self) -> None:
        """Let everything end in peace."""
        deadline = time.monotonic() + PATIENCE
        while self.known and time.monotonic() < deadline:
            self.workers = self._living(self.workers)
            while len(self.workers) < WORKERS:
                self.workers.append(self._start(be_worker, self.folder))
            self.look(resume=True)
            time.sleep(0.1)
        self._tell(f"not finished: {sorted(self.known)}", not self.known)
        for process in [*self.workers, *self.others]:
            process.kill()
            process.join()

    def _kill(self, process: BaseProcess) -> None:
        assert process.pid is not None
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(process.pid, signal.SIGSTOP)  # once it is dead, a visitor may speak for it before we look
        held = self._runs_of(process)
        process.kill()
        process.join()
        held |= self._runs_of(process)
        self.killed |= held
        self.counts["kills"] += process.exitcode == -signal.SIGKILL
        self.counts["kills in training"] += bool(held)

    def _runs_of(self, process: BaseProcess) -> set[str]:
        """Return the names of the runs that a process has taken or begun, or was started for."""
        trains = {self.trains[process]} if process in self.trains else set()
        return trains | {run.name for run in runs_in(self.folder) if run.status_on_disk().pid == process.pid}

    def _compare(self, run: Run) -> None:
        same = files_of(run) == self.whole[run.name.partition("-")[0]]
        self._tell(f"{run.name} ended with other weights", same)
        self.counts["finished"] += 1
        self.jobs.delete(run)
        self.known.discard(run.name)
        self.killed.discard(run.name)

    def _tell(self, problem: str, fine: bool) -> None:
        if not fine:
            self.problems.append(f"after {self.counts['kills']} kills: {problem}")

    def _start(self, what: Any, *args: Any) -> BaseProcess:
        process = self.context.Process(target=what, args=args, daemon=True)
        process.start()
        return process

    def _living(self, processes: list[BaseProcess]) -> list[BaseProcess]:
        for process in processes:
            self._tell(f"a process ended with {process.exitcode}", process.exitcode in (None, 0, -signal.SIGKILL))
        return [process for process in processes if process.exitcode is None]


def files_of(run: Run) -> dict[str, bytes]:
    """Read every array that a training leaves behind, but for the checkpoint, which holds times."""
    files = sorted(path for path in run.path.rglob("*.safetensors") if path.name not in ("checkpoint.safetensors",))
    return {str(path.relative_to(run.path)): path.read_bytes() for path in files if path.name != "live.safetensors"}


def forkserver() -> ForkServerContext:
    """Return a context whose processes have torch imported when they start, so that each costs little."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def kill(kills: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Kill so many processes; return what was counted, and the problems."""
    context = forkserver()
    whole = {}
    for kind, config in CONFIGS.items():
        run = Run.create(folder / "whole" / kind, config)
        process = context.Process(target=be_trainer, args=(run.path,))
        process.start()
        process.join(PATIENCE)
        whole[kind] = files_of(run)
    killing = Killing(context, folder / "runs", whole, random.Random(seed))
    with mock.patch.object(Jobs, "_start_worker"):
        while killing.counts["kills"] < kills:
            killing.round()
        killing.finish()
    return killing.counts, killing.problems


def starts(count: int, folder: Path, *, command: bool = False) -> list[str]:
    """Have ten processes start a run at the same moment, so many times; return the problems."""
    context, problems = forkserver(), []
    for number in range(count):
        runs, barrier = folder / f"starts-{number}", context.Barrier(10)
        target = train_together if command else start_together
        processes = [context.Process(target=target, args=(runs, barrier, "ae")) for _ in range(10)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PATIENCE)
        made = runs_in(runs)
        wanted = {"finished"} if command else {"queued"}
        if len(made) != 10 or {run.status().state for run in made} != wanted or any(p.exitcode for p in processes):
            problems.append(f"start {number}: {len(made)} runs, exits {[process.exitcode for process in processes]}")
        shutil.rmtree(runs, ignore_errors=True)
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.modules["__main__"] = ModuleType("__main__")  # processes need not run this script again
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        counts, problems = kill(args.kills, args.seed, folder)
        problems += starts(args.starts, folder)
        problems += starts(max(1, args.starts // 10), folder, command=True)
    print("\n".join(problems))
    print(f"{dict(counts)}; {args.starts} times ten starts; {time.monotonic() - began:.0f} s; {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    from kills import main  # the processes find what they do in a module of this name

    main()
