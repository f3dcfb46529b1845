"""The queue of trainings: in which order runs are trained, how many at a time, and how they leave it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers.engine import tiny_run

from cvae.config import DataConfig
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.training.worker import work


def at_the_same_time(what: Callable[[], object], times: int) -> None:
    """Do the same in so many threads, as the sessions of a server do."""
    with ThreadPoolExecutor(times) as pool:
        barrier = threading.Barrier(times, timeout=60)
        for done in [pool.submit(lambda: (barrier.wait(), what())) for _ in range(times)]:
            done.result()


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


def test_runs_that_cannot_be_written_to_are_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    jobs = Jobs(tmp_path / "file" / "runs")
    jobs.warm()
    jobs.ensure_worker()
    with pytest.raises(InputError, match="cannot write"):
        jobs.submit("a", tiny_run())


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


def test_damaged_runs_do_not_stop_the_queue(here: Jobs) -> None:
    config, status, then = (here.submit(name, tiny_run(epochs=1)) for name in "abc")
    (config.path / "config.json").write_text("{")
    (status.path / "status.json").write_text("{")
    work(here, idle_seconds=0)
    assert config.status().state == "failed"
    assert "config.json" in str(config.status().message)
    assert then.status().state == "finished"


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
