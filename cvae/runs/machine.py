"""The processors: how many this process may use, and what they are."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def cores() -> int:
    """Count the processors that this process may run on, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> str:
    """Describe what figures of time were measured on: "2 cores, Intel(R) Xeon(R) Processor @ 2.10GHz"."""
    name = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")  # Linux, where `platform` knows no more than the architecture
    if listed.exists():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    count = cores()
    return f"{count} core{'s' if count > 1 else ''}, {name}"
