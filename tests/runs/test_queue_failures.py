"""What is asked of a run of the queue before its training begins, and how a training, a disk or a worker can fail."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import itertools
import os
import pkgutil
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.engine import tiny_run, wait_until

from cvae.data import ImageData
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.runs.status import Status
from cvae.training import worker
from cvae.training.worker import work

Loading = Callable[[Callable[[], object]], None]


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


def test_a_worker_whose_server_has_ended_empties_the_queue_and_does_not_wait_for_more(
    here: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.submit("a", tiny_run(epochs=1))
    parents = itertools.chain([4321], itertools.repeat(1))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    work(here, idle_seconds=1e9)
    assert run.status().state == "finished"


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
