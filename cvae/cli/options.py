"""Define the arguments that several commands share."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path

from cvae.errors import InputError
from cvae.runs.files import reason


def add_run(sub: argparse.ArgumentParser) -> None:
    """Add the arguments for a run and its data."""
    sub.add_argument("run", metavar="RUN", help="the name of a run below runs/ or in the gallery, or a path")
    sub.add_argument("--data-dir", metavar="D", help="where the data lies, if not where it lay in training")


def check_file(path: str | os.PathLike[str] | None, suffix: str) -> None:
    """Refuse, before any work is done, a file to write that is called by another kind, or that cannot be made."""
    if path is None:
        return
    path = Path(path)
    if path.suffix and path.suffix.lower() != suffix:
        raise InputError("command.other_suffix", path=path, suffix=suffix)
    if path.is_dir():
        raise InputError("file.cannot_write", path=path, reason=_reason(errno.EISDIR))
    if not path.parent.is_dir():
        raise InputError("file.cannot_write", path=path, reason=_reason(errno.ENOENT))


def check_folder(path: Path | None) -> None:
    """Refuse, before any work is done, a folder to write that is a file."""
    if path is not None and path.exists() and not path.is_dir():
        raise InputError("file.cannot_write", path=path, reason=_reason(errno.ENOTDIR))


def _reason(number: int) -> object:
    return reason(OSError(number, os.strerror(number)))
