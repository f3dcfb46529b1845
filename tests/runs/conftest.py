"""Define the fixtures of the queue: one on a folder of its own, with and without processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvae.runs.queue import Jobs


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """Yield the queue of an empty runs folder; its workers are ended with the test."""
    jobs = Jobs(tmp_path / "runs", at_once=1)
    yield jobs
    for registered in jobs.workers.glob("*"):
        if registered.name != str(os.getpid()):  # a test that failed in the midst of its work
            os.kill(int(registered.name), signal.SIGKILL)


@pytest.fixture
def here(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """Return the same queue without worker processes: the test itself calls `work`."""
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    return jobs
