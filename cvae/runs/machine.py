"""Describe the processors of this machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def cores() -> int:
    """Return the number of cores that this process may use; a container can allow fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> str:
    """Return the machine for a table of times: "2 cores, Intel(R) Xeon(R) Processor @ 2.10GHz"."""
    name = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")  # on Linux, `platform` knows only the architecture
    if listed.exists():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    count = cores()
    return f"{count} core{'s' if count > 1 else ''}, {name}"
