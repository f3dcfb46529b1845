"""Reasons why a training ended by an error that is not addressed to the user, as a sentence where there is a remedy."""

from __future__ import annotations

import traceback

from cvae.errors import InputError

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
SAVING = "safetensors"  # the library that panics when there is no memory for the bytes that it makes


def explanation(error: BaseException) -> InputError | str:
    """Return the sentence that names the remedy, where memory ran out; else the error's type and words in English."""
    if is_out_of_memory(error):
        return InputError("training.no_memory")
    return f"{type(error).__name__}: {error}"


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: Python's, that of a device, or in a library of its own that could not say so
    better."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if type(error).__name__ == "PanicException":
        return any(SAVING in frame.filename for frame in traceback.extract_tb(error.__traceback__))
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)
