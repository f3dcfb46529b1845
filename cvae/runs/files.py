"""Read and replace single files so that no reader sees half of one, and say in a sentence why the system refuses."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from cvae.errors import InputError, KeyedError

FULL = 1 << 16  # free bytes of a disk below which it counts as full

Arrays = dict[str, np.ndarray[Any, Any]]


def regular(path: Path) -> Path:
    """Return the path of a file, or of nothing yet. Raises `OSError` for a pipe or a device, which would block for
    ever."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file", str(path))
    return path


def read_arrays(path: Path, names: Collection[str] | None = None) -> Arrays:
    """Return the arrays of a safetensors file, or those of `names` that it has. Raises `InputError` if the file is
    missing, truncated or of another format."""
    try:
        regular(path)
        if names is None:
            return safetensors.numpy.load_file(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in names if name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError, KeyError, ValueError) as error:
        raise InputError("file.not_safetensors", path=path) from error


def replace(path: Path, content: bytes) -> None:
    """Replace a file atomically; a reader sees the old content or the new one. Raises `OSError`."""
    aside = temporary(path)
    try:
        aside.write_bytes(content)
    except OSError:  # a full disk: leave it no fuller
        aside.unlink(missing_ok=True)
        raise
    for attempt in range(50):
        try:
            os.replace(aside, path)
            return
        except PermissionError:  # Windows: a reader has the file open for a moment
            if sys.platform != "win32" or attempt == 49:
                raise
            time.sleep(0.01)


def temporary(path: Path) -> Path:
    """Return where this process and thread writes a file or folder before it is moved to `path`."""
    return path.parent / f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp"


def disk_is_full(path: Path) -> bool:
    """Return whether the disk has no room even for a status."""
    try:
        return shutil.disk_usage(path).free < FULL
    except OSError:
        return False


def reason(error: OSError) -> KeyedError | str:
    """Return the system's reason of an error in lower case; for the most frequent ones, a `KeyedError`."""
    if error.errno == errno.ENOSPC:
        return KeyedError("system.no_space")
    if error.errno == errno.EACCES:
        return KeyedError("system.no_permission")
    if error.errno == errno.EROFS:
        return KeyedError("system.read_only")
    return (error.strerror or str(error)).lower()


def unreadable(error: OSError) -> InputError:
    """Return the error for a file that a page shows and that cannot be read."""
    return InputError("file.unreadable", path=error.filename, reason=reason(error))
