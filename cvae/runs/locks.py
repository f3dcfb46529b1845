"""Files as locks: the system lets go of them however the process that holds one ends."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int, *, exclusive: bool) -> bool:
        """Return whether the open file could be locked, against everybody or against those who want it alone."""
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(descriptor: int, *, exclusive: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def is_locked(path: str | os.PathLike[str]) -> bool:
    """Return whether a living process keeps the file locked. Only a file can be: to open a pipe would wait for ever."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return not try_lock(file.fileno(), exclusive=False)
    except OSError:
        return False
