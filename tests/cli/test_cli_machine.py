"""The number of threads: what a container grants counts, and not what its host has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cvae.runs import machine
from cvae.runs.machine import cores, cpu_quota


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root folder, on a machine of eight processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    return tmp_path


def test_without_control_groups_all_processors_count(root: Path):
    assert cpu_quota(root) is None
    assert cores(root) == 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max 100000\n", 8), ("200000 100000\n", 2), ("150000 100000\n", 2), ("5000 100000\n", 1), ("900000 50000", 8)],
)
def test_the_quota_of_version_2(root: Path, text: str, expected: int):
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/cpu.max", text)
    assert cores(root) == expected


def test_the_smallest_quota_of_all_groups_above_counts(root: Path):
    write(root / "proc/self/cgroup", "0::/slice/job\n")
    write(root / "sys/fs/cgroup/slice/cpu.max", "300000 100000\n")
    write(root / "sys/fs/cgroup/slice/job/cpu.max", "max 100000\n")
    assert cores(root) == 3


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
def test_the_quota_of_version_1(root: Path, controllers: str):
    write(root / "proc/self/cgroup", f"5:cpuset:/\n4:{controllers}:/docker/abc\n")
    folder = root / "sys/fs/cgroup" / controllers  # the container's own group, whatever path its host knows
    write(folder / "cpu.cfs_period_us", "50000\n")
    write(folder / "cpu.cfs_quota_us", "-1\n")
    assert cores(root) == 8
    write(folder / "cpu.cfs_quota_us", "200000\n")
    assert cores(root) == 4


@pytest.mark.parametrize("text", ["", "abc", "max", "100000", "100000 0", "0 100000", "² 100000"])
def test_a_file_that_says_nothing_readable_is_no_limit(root: Path, text: str):
    write(root / "proc/self/cgroup", "0::/\nnonsense\n")
    write(root / "sys/fs/cgroup/cpu.max", text)
    assert cores(root) == 8


def test_libraries_get_the_quota_unless_the_user_chose(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setattr(machine, "cpu_quota", lambda root=root: 2.0)
    machine.limit_threads()
    assert os.environ["OMP_NUM_THREADS"] == "5"
    monkeypatch.delenv("OMP_NUM_THREADS")
    machine.limit_threads()
    assert os.environ["OMP_NUM_THREADS"] == "2"
