"""What is asked of a training through its run folder, and who trains: one process at a time, seen by all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from helpers.data import complaint
from helpers.engine import tiny_run

from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.runs.status import Control, Status


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", tiny_run())


def test_what_is_asked_is_read_back(run: Run):
    assert run.control() == Control("run", 0)
    run.request("pause")
    assert run.control() == Control("pause", 0)
    run.request("slow", 4)
    assert run.control() == Control("run", 0, pace=4.0)
    run.request("stop")
    assert run.control() == Control("stop", 0)
    run.request("run")
    assert run.control() == Control("run", 0)


def test_steps_add_up_from_where_the_training_stands(run: Run):
    run.write_status(Status("paused", step=10))
    run.request("step")
    assert run.control() == Control("pause", 11)
    run.request("step", 5)  # asked before the first was taken
    assert run.control() == Control("pause", 16)
    run.write_status(Status("paused", step=40))
    run.request("step")
    assert run.control() == Control("pause", 41)


def test_many_may_ask_at_once(run: Run):
    """Every session of a server is a thread of one process."""
    failures: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(100):
                run.request("pause")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"action": "run"}', '{"until": 3}', '{"action": "run", "until": "x"}']
)
def test_an_unreadable_request_is_to_run(run: Run, content: str):
    (run.path / "control.json").write_text(content)
    assert run.control() == Control("run", 0)


def test_one_trainer_at_a_time(run: Run):
    assert not run.locked()
    with run.lock():
        assert run.locked()
        with pytest.raises(InputError, match="already being trained"), Run(run.path).lock():
            pass
    assert not run.locked()


def test_readers_who_ask_do_not_keep_a_trainer_out(run: Run):
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            run.locked()

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(5):
            with run.lock():
                time.sleep(0.01)
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_a_state_that_nobody_keeps_up_was_interrupted(run: Run):
    for state in ("running", "paused"):
        run.write_status(Status(state, step=7, seconds_left=3.0))
        with run.lock():
            assert run.status().state == state
        status = run.status()
        assert (status.state, status.step, status.seconds_left) == ("interrupted", 7, None)
        assert not status.active
    for state in ("queued", "finished", "stopped", "failed"):
        run.write_status(Status(state))
        assert run.status().state == state


def test_a_training_that_ends_is_never_seen_as_interrupted(run: Run):
    """It says `finished` and lets go of the lock, and a reader may look between any two instants of that."""
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(run.status().state)

    run.write_status(Status("finished"))
    watcher = threading.Thread(target=watch)
    watcher.start()
    for step in range(100):
        with run.lock():
            run.write_status(Status("running", step=step))
            run.write_status(Status("finished", step=step))
    done.set()
    watcher.join()
    assert seen <= {"running", "finished"}


def test_a_run_that_cannot_be_locked_gets_one_sentence(run: Run):
    (run.path / "lock").mkdir()
    with pytest.raises(InputError, match="cannot write"), run.lock():
        pass


def test_a_request_to_a_run_that_is_gone_gets_one_sentence(run: Run):
    run.delete()
    complaint(run.request, "pause")
