"""Explain the end of a training by an unexpected error, with a sentence if there is a remedy."""

from __future__ import annotations

import traceback

from cvae.errors import InputError

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
SAVING = "safetensors"  # this library panics if there is no memory for its bytes


def explanation(error: BaseException) -> InputError | str:
    """Return a sentence with the remedy if memory ran out; else the error's type and message in English."""
    if is_out_of_memory(error):
        return InputError("training.no_memory")
    return f"{type(error).__name__}: {error}"


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: Python's, a device's, or a library's that reports it in its own way."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if type(error).__name__ == "PanicException":
        return any(SAVING in frame.filename for frame in traceback.extract_tb(error.__traceback__))
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)
