"""Describe the processors of this machine."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def cores(root: Path = ROOT) -> int:
    """Count the processors that this process may run on, which in a container can be fewer than the machine has.

    root: the folder below which `proc` and `sys` lie.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(root)
    # A part of a processor counts as one: fewer threads would leave that part of the quota unused.
    return count if quota is None else max(1, min(count, math.ceil(quota)))


def cpu_quota(root: Path = ROOT) -> float | None:
    """Return how many processors' time the control groups (cgroups) of this process grant; None where nothing limits
    it.

    A group has what all groups above it grant at most, so the smallest quota counts.
    """
    return min(_quotas(root), default=None)


def limit_threads() -> None:
    """Let the libraries that this process imports later start no more threads than its quota allows.

    They look at the processors of the machine alone. A number that the user has set stays.
    """
    quota = cpu_quota()
    if quota is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(cores()))


def _quotas(root: Path) -> Iterator[float]:
    mount = root / "sys" / "fs" / "cgroup"
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:  # version 2
            for place in (mount, mount / "unified"):
                for group in _up(place, path):
                    yield from _quotient(*_text(group / "cpu.max").split()[:2])
        elif "cpu" in controllers.split(","):  # version 1
            for place in (mount / controllers, mount / "cpu"):
                for group in _up(place, path):
                    yield from _quotient(_text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us"))


def _up(mount: Path, path: str) -> Iterator[Path]:
    """Yield the folders of a group and of those above it.

    In a container the path may be one of its host, which does not exist there; its own group is then the topmost.
    """
    names = [name for name in PurePosixPath(path).parts if name not in ("/", "..")]
    for depth in range(len(names), -1, -1):
        yield mount.joinpath(*names[:depth])


def _quotient(quota: str = "", period: str = "") -> Iterator[float]:
    """Quota by period, where both are positive numbers: "max" and "-1" are no limit."""
    if quota.strip().isdecimal() and period.strip().isdecimal() and int(quota) > 0 and int(period) > 0:
        yield int(quota) / int(period)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def machine() -> str:
    """Return the machine for a table of times: "2 cores, Intel(R) Xeon(R) Processor @ 2.10GHz"."""
    name = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")  # Linux, where `platform` knows no more than the architecture
    if listed.exists():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    count = cores()
    return f"{count} core{'s' if count > 1 else ''}, {name}"
