"""The one exception that is addressed to the user."""

from __future__ import annotations


class InputError(ValueError):
    """What the user gave cannot be used. The message is one sentence: what is wrong, and what to do.

    The command line prints it and exits with code 2; a page shows it in place of its content.
    """
