"""python -m cvae.data NAME DIRECTORY: download a data set, with progress as a line of JSON a report.

The app runs it as a process of its own: where the files are is known to torchvision, which takes seconds to import.
"""

from __future__ import annotations

import json
import sys

from cvae.data import download
from cvae.errors import InputError


def main(name: str, directory: str) -> int:
    """Lines {"done": bytes, "total": bytes | null, "file": name}; where it failed, the last is {"error": …}, an
    `InputError` as its `to_json` writes it."""

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
