"""What the command line shares about its terminal: closed streams, lines that move, commands to copy, warnings."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import TextIO

from cvae.errors import Notice

READER_GONE = 128 + 13  # the exit status that a shell gives a program which SIGPIPE ended
PROGRAM = "python -m cvae"


# --- the streams ------------------------------------------------------------------------------------------------------


def open_streams() -> None:
    """Give this process standard streams where it was started with closed ones: what it prints there is dropped.

    Otherwise the next file that is opened, perhaps one of a run, would get the number of a standard stream.
    """
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    if closed:
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)
    for name in closed:
        setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where a console has no arrow, a question mark will do


def drop_output() -> None:
    """Send what is still to be printed nowhere, so that the interpreter finds nothing to complain about at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                target = os.open(os.devnull, os.O_WRONLY)
                os.dup2(target, stream.fileno())
                os.close(target)


def say(text: str) -> None:
    """Print a line to the standard error; nothing happens where nobody can read it."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


# --- lines that move --------------------------------------------------------------------------------------------------


def columns() -> int:
    """Return how many characters a line may have: one less than the terminal, as some wrap a line that fills it."""
    return max(1, shutil.get_terminal_size().columns - 1)


def fitted(parts: Sequence[tuple[int, str]], width: int) -> str:
    """Return the parts in one line of at most `width` characters. Each comes with its rank: those of the highest rank
    are left out first, and what then remains is cut."""
    left = list(parts)
    while len(left) > 1 and len(_line(left)) > width:
        left.remove(max(reversed(left), key=lambda part: part[0]))
    return _line(left)[:width]


def _line(parts: Sequence[tuple[int, str]]) -> str:
    return "  ".join(text for _, text in parts)


def print_over(text: str, stream: TextIO, *, end: str = "") -> None:
    """Print over the line that the terminal shows last, so that nothing of that one is left, and without wrapping."""
    width = columns()
    print("\r" + text[:width].ljust(width), end=end, file=stream, flush=True)


# --- commands to copy -------------------------------------------------------------------------------------------------


def command(*words: object) -> str:
    """Return a command of this package that can be pasted into a shell, whatever characters the names in it have."""
    return f"{PROGRAM} {shlex.join(map(str, words))}"


# --- warnings ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Print this package's own warnings as sentences and hide those of libraries, which address programmers.

    Whoever asks Python for warnings, by -W or PYTHONWARNINGS, gets them all as they are.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # of torch's C++ part, which is imported later
    if sys.warnoptions:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", Notice)
        warnings.showwarning = lambda message, *where, **more: say(f"cvae: {message}")
        yield
