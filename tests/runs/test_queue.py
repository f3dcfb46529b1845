"""The queue of trainings: nothing is trained twice, nothing waits for ever, and nobody has to stay."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.engine import tiny_run, wait_until

from cvae.config import DataConfig, RunConfig
from cvae.errors import InputError
from cvae.runs import queue as jobs_module
from cvae.runs.folder import Run
from cvae.runs.locks import is_locked
from cvae.runs.queue import Jobs
from cvae.runs.status import Status
from cvae.training.worker import work

ROOT = Path(__file__).parents[2]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """A runs folder of its own; its workers are ended with the test."""
    jobs = Jobs(tmp_path / "runs", at_once=1)
    yield jobs
    for worker in jobs.workers.glob("*"):
        os.kill(int(worker.name), signal.SIGKILL)


@pytest.fixture
def here(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """The same without worker processes: `work` is called by the test itself."""
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    return jobs


def endless() -> RunConfig:
    return tiny_run(epochs=100_000)


# --- the queue, in this process -------------------------------------------------------------------------------------


def test_runs_are_trained_in_the_order_of_their_submission(here: Jobs) -> None:
    runs = [here.submit(name, tiny_run("ae", epochs=1)) for name in ("b", "a", "c")]
    assert here.waiting() == ["b", "a", "c"]
    work(here, idle_seconds=0)
    assert [run.status().state for run in runs] == ["finished"] * 3
    assert sorted(runs, key=lambda run: run.status().heartbeat) == runs
    assert here.waiting() == []
    assert not list(here.taken.iterdir())
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


def test_a_ticket_is_taken_once_however_many_workers_look(here: Jobs) -> None:
    names = [f"run {i}" for i in range(12)]
    for name in names:
        here.submit(name, tiny_run())
    taken: list[str] = []

    def look() -> None:
        other = Jobs(here.folder, at_once=len(names))
        while ticket := other.take():
            taken.append(ticket.name.partition(".")[2])

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == Counter(names)


def test_no_more_are_taken_than_may_train_at_once(here: Jobs) -> None:
    for name in "abc":
        here.submit(name, tiny_run())
    two = Jobs(here.folder, at_once=2)
    assert two.take()
    assert two.take()
    assert not two.take()


def test_a_training_from_the_command_line_counts(here: Jobs) -> None:
    here.submit("a", tiny_run())
    other = Run.create(here.folder / "other", tiny_run())
    with other.lock():
        assert here.take() is None
    assert here.take() is not None


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
    run = here.submit("a", tiny_run())
    ticket = here.take()
    assert ticket is not None
    (here.workers / str(os.getpid())).touch()  # and nobody keeps it locked
    (run.path / "log.txt").write_text("loading\nMemoryError: no more\n\n")
    here.ensure_worker()
    status = run.status()
    assert status.state == "failed"
    assert status.message == "the training process died: MemoryError: no more"
    assert status.error == {"key": "queue.died", "values": {"line": "MemoryError: no more"}}
    assert not list(here.taken.iterdir())
    assert not list(here.workers.iterdir())


def test_a_queued_run_that_nobody_will_begin_reads_as_interrupted(here: Jobs) -> None:
    waiting = here.submit("a", tiny_run())
    orphan = Run.create(here.folder / "b", tiny_run())
    assert (here.state(waiting), here.state(orphan)) == ("queued", "interrupted")


def test_a_damaged_status_does_not_stop_the_queue(here: Jobs) -> None:
    run, then = here.submit("a", tiny_run()), here.submit("b", tiny_run(epochs=1))
    (run.path / "config.json").write_text("{")
    (run.path / "status.json").write_text("{")
    work(here, idle_seconds=0)
    assert run.status().state == "failed"
    assert "config.json" in str(run.status().message)
    assert then.status().state == "finished"


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
