"""The queue with its processes: trainings outlive whoever asked for them, and a killed worker harms no other run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.engine import tiny_run, wait_until

from cvae.config import RunConfig
from cvae.runs import queue as jobs_module
from cvae.runs.folder import Run
from cvae.runs.locks import is_locked
from cvae.runs.queue import Jobs
from cvae.runs.status import Status

ROOT = Path(__file__).parents[2]


def endless() -> RunConfig:
    return tiny_run(epochs=100_000)


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
    assert second.status().state == "queued"
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
