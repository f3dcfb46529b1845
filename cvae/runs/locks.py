"""Use files as locks: the system releases a lock when its process ends in any way."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int, *, exclusive: bool) -> bool:
        """Lock an open file, exclusively or shared, without waiting; return whether it worked."""
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
    """Return whether a living process holds a lock on the file. Do not open a pipe, which would block for ever."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return not try_lock(file.fileno(), exclusive=False)
    except OSError:
        return False
