"""Provide the damage that a file may come to, by accident or an attacker; random numbers choose its kind and place."""

from __future__ import annotations

import os
import random
from pathlib import Path


def truncate(path: Path, r: random.Random) -> None:
    """Keep only the first bytes of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: r.randint(0, len(content))])


def flip(path: Path, r: random.Random) -> None:
    """Change some bytes, mostly near the beginning, where a file has its header."""
    content = bytearray(path.read_bytes())
    for _ in range(r.choice([1, 4, 64]) if content else 0):
        content[r.randrange(min(len(content), r.choice([64, 4096, 1 << 30])))] = r.randrange(256)
    path.write_bytes(content)


def append(path: Path, r: random.Random) -> None:
    """Add random bytes at the end."""
    path.write_bytes(path.read_bytes() + r.randbytes(r.choice([1, 1000])))


def remove(path: Path, r: random.Random) -> None:
    """Remove a file; sometimes a folder, a pipe, a link to itself or an endless device takes its place."""
    path.unlink()
    kind = r.randrange(6)
    if kind == 0:
        path.mkdir()
    elif kind == 1 and hasattr(os, "mkfifo"):
        os.mkfifo(path)
    elif kind == 2:
        path.symlink_to(path.name)
    elif kind == 3:
        path.symlink_to("/dev/zero" if Path("/dev/zero").exists() else "nothing")
