"""The queue of trainings: nothing is trained twice, nothing waits for ever, and nobody has to stay."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import itertools
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.engine import tiny_run, wait_until

from cvae.config import DataConfig, RunConfig
from cvae.data import ImageData
from cvae.errors import InputError
from cvae.runs import queue as jobs_module
from cvae.runs.folder import Run
from cvae.runs.locks import is_locked
from cvae.runs.queue import Jobs
from cvae.runs.status import Status
from cvae.training import worker
from cvae.training.worker import work

Loading = Callable[[Callable[[], object]], None]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """A runs folder of its own; its workers are ended with the test."""
    jobs = Jobs(tmp_path / "runs", at_once=1)
    yield jobs
    for registered in jobs.workers.glob("*"):
        if registered.name != str(os.getpid()):  # a test that failed in the midst of its work
            os.kill(int(registered.name), signal.SIGKILL)


@pytest.fixture
def here(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """The same without worker processes: `work` is called by the test itself."""
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    return jobs


def endless() -> RunConfig:
    return tiny_run(epochs=100_000)


def at_the_same_time(what: Callable[[], object], times: int) -> None:
    """Do the same in so many threads, as the sessions of a server do."""
    with ThreadPoolExecutor(times) as pool:
        barrier = threading.Barrier(times, timeout=60)
        for done in [pool.submit(lambda: (barrier.wait(), what())) for _ in range(times)]:
            done.result()


# --- the queue, in this process -------------------------------------------------------------------------------------


def test_runs_are_trained_in_the_order_of_their_submission(here: Jobs) -> None:
    runs = [here.submit(name, tiny_run("ae", epochs=1)) for name in ("b", "a", "c")]
    assert here.waiting() == ["b", "a", "c"]
    work(here, idle_seconds=0)
    assert [run.status().state for run in runs] == ["finished"] * 3
    assert sorted(runs, key=lambda run: run.status().heartbeat) == runs
    assert here.waiting() == []
    assert not list(here.workers.iterdir())


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a\\b", "-", "x" * 61, "a\nb", "a\0b", " a"])
def test_a_name_that_is_no_folder_name_is_refused(here: Jobs, name: str) -> None:
    with pytest.raises(InputError, match="cannot name a run"):
        here.submit(name, tiny_run())
    assert not here.folder.exists() or not list(here.folder.glob("*"))


def test_a_taken_name_is_refused_and_the_run_left_alone(here: Jobs) -> None:
    here.submit("a", tiny_run("ae"))
    with pytest.raises(InputError, match="exists already"):
        here.submit("a", tiny_run("vae"))
    assert Run(here.folder / "a").config().model.family == "ae"
    assert here.waiting() == ["a"]


def test_data_that_cannot_be_read_fails_the_run_and_says_so(here: Jobs, tmp_path: Path) -> None:
    run = here.submit("a", dataclasses.replace(tiny_run(), data=DataConfig("mnist", str(tmp_path))))
    then = here.submit("b", tiny_run(epochs=1))
    work(here, idle_seconds=0)
    assert run.status().state == "failed"
    assert "MNIST was looked for in" in str(run.status().message)
    assert then.status().state == "finished"


def test_a_diverging_run_fails_with_its_own_message(here: Jobs) -> None:
    run = here.submit("a", tiny_run(lr=9.0, epochs=3))
    work(here, idle_seconds=0)
    assert run.status().state == "failed"
    assert "try a smaller learning rate" in str(run.status().message)


def test_a_waiting_run_is_stopped_by_leaving_the_queue(here: Jobs) -> None:
    run = here.submit("a", tiny_run())
    here.stop(run)
    assert here.waiting() == []
    assert run.status().state == "stopped"
    here.resume(run)
    assert here.waiting() == ["a"]
    assert run.status().state == "queued"
    here.delete(run)
    assert here.waiting() == []
    assert not run.path.exists()


def test_a_run_deleted_by_hand_does_not_hold_up_the_queue(here: Jobs) -> None:
    gone, run = here.submit("a", tiny_run()), here.submit("b", tiny_run(epochs=1))
    gone.delete()
    work(here, idle_seconds=0)
    assert run.status().state == "finished"
    assert not gone.path.exists()


def test_a_run_that_someone_else_deleted_is_deleted(here: Jobs) -> None:
    run = here.submit("a", tiny_run())
    shutil.rmtree(run.path)
    here.delete(run)
    assert here.waiting() == []


def test_two_resumes_at_once_are_one_and_stop_ends_it(here: Jobs) -> None:
    run = here.submit("a", tiny_run(epochs=1))
    here.stop(run)
    at_the_same_time(lambda: here.resume(run), 8)
    assert here.waiting() == ["a"]
    here.stop(run)
    work(here, idle_seconds=0)
    assert (run.status().state, run.status().step) == ("stopped", 0)


def test_the_order_of_the_queue_is_not_the_clocks(here: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(10**18, -(10**9))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    monkeypatch.setattr(time, "time", lambda: next(moments) / 1e9)
    for name in ("c", "b", "a"):
        here.submit(name, tiny_run())
    assert here.waiting() == ["c", "b", "a"]
    here.stop(Run(here.folder / "b"))
    here.resume(Run(here.folder / "b"))
    assert here.waiting() == ["c", "a", "b"]


def test_unnamed_trainings_that_start_at_once_each_get_a_name(here: Jobs) -> None:
    names: list[str] = []

    def start() -> None:
        free = (f"vae-{n}" for n in itertools.count(1) if not (here.folder / f"vae-{n}").exists())
        names.append(here.submit(free, tiny_run()).name)

    for _ in range(3):
        at_the_same_time(start, 10)
    assert sorted(names) == sorted(f"vae-{n}" for n in range(1, 31))
    assert Counter(here.waiting()) == Counter(names)


def test_the_last_of_the_names_that_is_taken_is_said(here: Jobs) -> None:
    here.submit("a", tiny_run())
    with pytest.raises(InputError, match="exists already"):
        here.submit(["a", "a"], tiny_run())
    with pytest.raises(InputError, match="cannot name a run"):
        here.submit(["a", "../b"], tiny_run())
    assert here.submit(["a", "b"], tiny_run()).name == "b"


# --- what is asked before the training begins, and how it can fail ------------------------------------------------


@pytest.fixture
def loading(here: Jobs, monkeypatch: pytest.MonkeyPatch, digits: ImageData) -> Loading:
    """loading(ask): work, and have `ask` called while the data of the run are read, as by a page in that moment."""

    def work_and_ask(ask: Callable[[], object]) -> None:
        monkeypatch.setattr(worker, "_images", lambda *_: (ask(), digits)[1])
        work(here, idle_seconds=0)

    return work_and_ask


def test_stop_that_is_asked_while_the_data_load_is_obeyed(here: Jobs, loading: Loading) -> None:
    run = here.submit("a", tiny_run(epochs=1))
    loading(lambda: here.stop(run))
    assert (run.status().state, run.status().step) == ("stopped", 0)
    here.resume(run)  # what was asked before is forgotten
    loading(lambda: None)
    assert run.status().state == "finished"


@pytest.mark.parametrize("steps", [0, 2])
def test_pause_and_step_that_are_asked_while_the_data_load_are_obeyed(here: Jobs, loading: Loading, steps: int) -> None:
    run = here.submit("a", tiny_run(epochs=1))
    training = threading.Thread(target=loading, args=[lambda: here.step(run, 2) if steps else here.pause(run)])
    training.start()
    wait_until(lambda: run.status().state == "paused" and run.status().step == steps, 30)
    here.resume(run)
    training.join(30)
    assert run.status().state == "finished"


def test_a_run_that_is_queued_again_while_its_training_fails_waits(here: Jobs, loading: Loading) -> None:
    """What a worker says of a run is said of one that it holds; this one was handed on meanwhile."""
    run = here.submit("a", tiny_run(epochs=1))
    asked: list[str] = []

    def queue_again() -> None:
        if not asked:
            asked.append("once")
            run.write_status(Status("queued", turn=7))
            raise InputError("run.no_config")

    loading(queue_again)
    assert run.status().state == "finished"


def test_a_folder_that_is_deleted_as_its_log_is_opened_does_not_end_the_worker(
    here: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, run = here.submit("a", tiny_run(epochs=1)), here.submit("b", tiny_run(epochs=1))
    printing = worker._printing_to

    def deleted(path: Path) -> contextlib.AbstractContextManager[None]:
        shutil.rmtree(gone.path, ignore_errors=True)
        return printing(path)

    monkeypatch.setattr(worker, "_printing_to", deleted)
    work(here, idle_seconds=0)
    assert not gone.path.exists()
    assert run.status().state == "finished"


class PanicException(BaseException):
    """As a library in Rust raises it: no `Exception`."""


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("safetensors.numpy.serialize", PanicException("called `Result::unwrap()` on an `Err` value: MemoryError")),
        ("safetensors.numpy.serialize", MemoryError()),
        ("torch.optim.Adam.step", torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")),
        ("torch.optim.Adam.step", RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")),
        ("cvae.training.step.build", RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9")),
    ],
)
def test_a_run_for_which_memory_runs_out_fails_with_the_remedy_and_the_next_is_trained(
    here: Jobs, monkeypatch: pytest.MonkeyPatch, where: str, error: BaseException
) -> None:
    run, then = here.submit("a", tiny_run(epochs=1)), here.submit("b", tiny_run(epochs=1))
    real, module = pkgutil.resolve_name(where), where.rpartition(".")

    def out_of_memory(*args: Any, **options: Any) -> Any:
        if run.locked():
            raise error
        return real(*args, **options)

    monkeypatch.setattr(pkgutil.resolve_name(module[0]), module[2], out_of_memory)
    work(here, idle_seconds=0)
    assert run.status().error == {"key": "training.no_memory", "values": {}}
    assert (run.status().state, then.status().state) == ("failed", "finished")


def test_a_panic_that_is_not_about_memory_fails_the_run_as_it_is(here: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*args: object) -> None:
        if run.locked():
            raise PanicException("index out of bounds")

    run = here.submit("a", tiny_run(epochs=1))
    monkeypatch.setattr(torch.optim.Adam, "step", panic)
    work(here, idle_seconds=0)
    assert (run.status().state, run.status().message) == ("failed", "PanicException: index out of bounds")


def test_on_a_full_disk_the_worker_lives_and_the_run_says_why(here: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    run, then = here.submit("a", tiny_run(epochs=1)), here.submit("b", tiny_run(epochs=1))
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.is_relative_to(run.path) and run.status_on_disk().pid:  # from when it was taken on
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    work(here, idle_seconds=0)
    assert then.status().state == "finished"
    assert (run.status().state, run.status().error) == ("interrupted", None)
    usage = shutil.disk_usage(run.path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=0))
    assert run.status().state == "interrupted"
    assert "no space left on device" in str(run.status().failure)


def test_a_run_that_cannot_be_marked_as_taken_waits_for_room(here: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = here.submit("a", tiny_run(epochs=1))

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with here.take() as taken:
            assert taken is None
        assert not run.locked()
    with here.take() as taken:
        assert taken is not None


def test_a_full_disk_is_a_sentence(here: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = here.submit("a", tiny_run())
    here.stop(run)

    def full(self: Path, *args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="no space left on device"):
        here.resume(run)
    assert run.status().state == "stopped"


def test_runs_that_cannot_be_written_to_are_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    jobs = Jobs(tmp_path / "file" / "runs")
    jobs.warm()
    jobs.ensure_worker()
    with pytest.raises(InputError, match="cannot write"):
        jobs.submit("a", tiny_run())


def test_a_worker_whose_server_has_ended_empties_the_queue_and_does_not_wait_for_more(
    here: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.submit("a", tiny_run(epochs=1))
    parents = itertools.chain([4321], itertools.repeat(1))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    work(here, idle_seconds=1e9)
    assert run.status().state == "finished"


def test_a_finished_run_goes_on_to_more_epochs(here: Jobs) -> None:
    run = here.submit("a", tiny_run(epochs=1))
    work(here, idle_seconds=0)
    here.resume(run, epochs=3)
    work(here, idle_seconds=0)
    assert (run.status().state, run.status().epoch) == ("finished", 3)
    assert [r["epoch"] for r in run.history() if r["split"] == "validation"] == [1, 2, 3]


def test_a_run_is_taken_once_however_many_workers_look(here: Jobs) -> None:
    names = [f"run {i}" for i in range(12)]
    for name in names:
        here.submit(name, tiny_run())
    taken: list[str] = []

    def look() -> None:
        with contextlib.ExitStack() as held:
            while run := held.enter_context(Jobs(here.folder, at_once=len(names)).take()):
                taken.append(run.name)
            everybody_has_looked.wait()

    everybody_has_looked = threading.Barrier(6, timeout=60)
    at_the_same_time(look, 6)
    assert Counter(taken) == Counter(names)


def test_no_more_are_taken_than_may_train_at_once(here: Jobs) -> None:
    for name in "abc":
        here.submit(name, tiny_run())
    two = Jobs(here.folder, at_once=2)
    with two.take() as first, two.take() as second, two.take() as third:
        assert [run and run.name for run in (first, second, third)] == ["a", "b", None]


def test_a_training_from_the_command_line_counts(here: Jobs) -> None:
    here.submit("a", tiny_run())
    other = Run.create(here.folder / "other", tiny_run())
    with other.lock(), here.take() as run:
        assert run is None
    with here.take() as run:
        assert run is not None


def test_many_pages_that_tend_at_once_start_one_worker(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Sleeper:
        pid, returncode = 2**30, None

        def __init__(self, *args: object, **options: object) -> None:
            started.append(self)

        def poll(self) -> None: ...

    monkeypatch.setattr(subprocess, "Popen", Sleeper)
    monkeypatch.setattr(jobs_module, "_children", {})
    jobs.submit("a", tiny_run())
    threads = [threading.Thread(target=Jobs(jobs.folder).ensure_worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1


def test_a_worker_that_died_before_it_began_fails_its_run(here: Jobs) -> None:
    run, then = here.submit("a", tiny_run()), here.submit("b", tiny_run())
    with here.take() as taken:
        assert taken is not None
        assert (run.status().state, here.waiting()) == ("queued", ["b"])
    (here.workers / str(os.getpid())).touch()  # and nobody keeps it locked
    assert run.status().state == "interrupted"
    (run.path / "log.txt").write_text("loading\nMemoryError: no more\n\n")
    here.ensure_worker()
    status = run.status()
    assert status.state == "failed"
    assert status.message == "the training process died: MemoryError: no more"
    assert status.error == {"key": "queue.died", "values": {"line": "MemoryError: no more"}}
    assert not list(here.workers.iterdir())
    assert (then.status().state, here.waiting()) == ("queued", ["b"])


def test_a_run_that_ends_while_the_dead_are_spoken_for_does_not_fail(
    here: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.submit("a", tiny_run())
    run.write_status(dataclasses.replace(run.status_on_disk(), pid=12345))

    def locked(self: Run) -> bool:
        """Say that nobody has the lock, as of a training that ended between the two looks."""
        self.write_status(Status("finished"))
        return False

    monkeypatch.setattr(Run, "locked", locked)
    here.ensure_worker()
    assert run.status_on_disk().state == "finished"


def test_a_run_that_the_command_line_trained_meanwhile_is_not_taken(
    here: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.submit("a", tiny_run())
    waiting = here._waiting()
    run.write_status(Status("finished"))
    monkeypatch.setattr(Jobs, "_waiting", lambda self: waiting)
    with here.take() as taken:
        assert taken is None
    assert run.status().state == "finished"


def test_damaged_runs_do_not_stop_the_queue(here: Jobs) -> None:
    config, status, then = (here.submit(name, tiny_run(epochs=1)) for name in "abc")
    (config.path / "config.json").write_text("{")
    (status.path / "status.json").write_text("{")
    work(here, idle_seconds=0)
    assert config.status().state == "failed"
    assert "config.json" in str(config.status().message)
    assert then.status().state == "finished"


# --- the queue of the last version ---------------------------------------------------------------------------------


def test_tickets_of_the_last_version_become_states_once_and_in_their_order(here: Jobs) -> None:
    for name in ("a", "b", "c", "begun", "lost", "ended"):
        Run.create(here.folder / name, tiny_run(epochs=1), "stopped" if name == "ended" else "queued")
    queue, taken = here.home / "queue", here.home / "taken"
    for folder in (queue, taken):
        folder.mkdir(parents=True)
    for number, name in enumerate(("c", "a", "deleted", "b")):
        (queue / f"{number:020d}.{name}").touch()
    (taken / "4194305.begun").touch()  # of a worker that died
    here.ensure_worker()
    assert here.waiting() == ["c", "a", "b"]
    states = {name: Run(here.folder / name).status().state for name in ("begun", "lost", "ended")}
    assert states == {"begun": "failed", "lost": "interrupted", "ended": "stopped"}
    assert not queue.exists()
    assert not taken.exists()
    here.submit("d", tiny_run())
    here.stop(Run(here.folder / "a"))
    here.ensure_worker()
    assert here.waiting() == ["c", "b", "d"]


# --- with processes -------------------------------------------------------------------------------------------------


def test_a_process_that_cannot_start_fails_the_run(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    run = jobs.submit("a", tiny_run())

    def failed() -> bool:
        jobs.ensure_worker()
        return run.status().state == "failed"

    wait_until(failed)
    assert run.status().message == "the training process ended at once: no such module"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    again = jobs.submit("b", tiny_run())
    assert again.status().state == "failed"
    assert "no such file" in str(again.status().message)


def test_a_training_outlives_whoever_asked_for_it_and_obeys_the_next(jobs: Jobs) -> None:
    code = (
        "import json, sys\nfrom cvae.config import RunConfig\nfrom cvae.runs.queue import Jobs\n"
        "jobs, config = Jobs(sys.argv[1]), RunConfig.from_json(json.loads(sys.argv[2]))\n"
        "[jobs.submit(name, config) for name in 'ab']"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(jobs.folder), json.dumps(endless().to_json())], cwd=ROOT, check=True
    )
    first, second = Run(jobs.folder / "a"), Run(jobs.folder / "b")

    wait_until(lambda: first.status().step > 20, 30)
    assert jobs.state(second) == "queued"
    assert not second.locked()
    jobs.pause(first)
    wait_until(lambda: first.status().state == "paused", 30)
    at = first.status().step
    jobs.step(first)
    wait_until(lambda: first.status().step == at + 1, 30)
    assert first.status().state == "paused"
    assert first.history()[-1]["step"] == at + 1
    live = first.live()
    assert live is not None
    assert live["step"][0] == at + 1
    jobs.resume(first)
    wait_until(lambda: first.status().step > at + 20, 30)

    jobs.stop(first)  # the same worker goes on with the next, nobody tending
    wait_until(lambda: second.status().step > 0, 30)
    assert first.status().state == "stopped"
    os.kill(second.status().pid, signal.SIGKILL)
    wait_until(lambda: second.status().state == "interrupted", 30)
    jobs.resume(second)
    wait_until(lambda: second.status().state == "running", 30)
    jobs.delete(second)
    assert not second.path.exists()


def test_a_worker_that_is_killed_fails_no_run_that_waits(jobs: Jobs) -> None:
    first, second = (jobs.submit(name, endless()) for name in "ab")
    wait_until(lambda: first.status().step > 0, 30)
    os.kill(first.status().pid, signal.SIGKILL)
    wait_until(lambda: not first.locked(), 30)
    wait_until(lambda: jobs_module._children[jobs.folder].poll() is not None, 30)
    jobs.ensure_worker()
    assert (first.status().state, second.status().state) == ("interrupted", "queued")
    wait_until(lambda: second.status().step > 0, 30)
    assert first.status().state == "interrupted"


def test_a_worker_that_is_killed_before_it_could_begin_fails_no_run(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    suicide = tmp_path / "python"
    suicide.write_text("#!/bin/sh\nkill -KILL $$\n")
    suicide.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(suicide))
        run = jobs.submit("a", tiny_run(epochs=1))
        wait_until(lambda: jobs_module._children[jobs.folder].poll() is not None, 30)
    jobs.ensure_worker()
    wait_until(lambda: run.status().state == "finished", 60)


def test_slow_motion_keeps_its_pace_and_records_every_step(jobs: Jobs) -> None:
    run = jobs.submit("a", endless())
    wait_until(lambda: run.status().step > 0, 30)
    run.request("slow", 10)
    wait_until(lambda: run.control().pace == 10 and (run.live() or {"step": [0]})["step"][0] > 0, 30)
    first = run.history()[-1]["step"]
    wait_until(lambda: run.history()[-1]["step"] >= first + 10, 30)
    steps = [record["step"] for record in run.history() if record["split"] == "train" and record["step"] > first]
    assert steps[:9] == list(range(first + 1, first + 10))
    jobs.pause(run)
    wait_until(lambda: run.status().state == "paused", 30)


def test_a_warm_worker_begins_at_once(jobs: Jobs) -> None:
    jobs.warm()
    wait_until(lambda: any(map(is_locked, jobs.workers.glob("*"))), 30)
    jobs.warm()
    jobs.ensure_worker()
    assert len(list(jobs.workers.iterdir())) == 1
    run = jobs.submit("a", tiny_run(epochs=1))
    wait_until(lambda: run.status() != Status("queued") and run.status().state == "finished", 30)
    assert [str(run.status().pid)] == [worker.name for worker in jobs.workers.iterdir()]
