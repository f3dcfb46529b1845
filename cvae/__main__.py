"""The command line: `python -m cvae COMMAND`; --help names the commands."""

from __future__ import annotations

import sys

from cvae.cli import main

if __name__ == "__main__":
    sys.exit(main())
