"""`python -m cvae.data NAME DIRECTORY` downloads a data set and prints each report of progress as a line of JSON.

The app runs this in a separate process, because torchvision knows the addresses and takes seconds to import.
"""

from __future__ import annotations

import json
import sys

from cvae.data import download
from cvae.errors import InputError


def main(name: str, directory: str) -> int:
    """Print lines {"done": bytes, "total": bytes | null, "file": name}, and after a failure {"error": …}, the JSON of
    an `InputError`; return the exit code."""

    def report(done: int, total: int | None, file: str) -> None:
        print(json.dumps({"done": done, "total": total, "file": file}), flush=True)

    try:
        download(name, directory, report)
    except InputError as error:
        print(json.dumps({"error": error.to_json()}), flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
