"""Run the command line, `python -m cvae`. A module holds a group of commands; only some commands import torch."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from typing import NoReturn

from cvae.cli import exploring, judging, measuring, shipping, training
from cvae.errors import InputError
from cvae.runs.folder import reason

DESCRIPTION = """\
Train and explore autoencoders, VAEs and conditional VAEs.

  python -m cvae train                            a 2-D VAE on scikit-learn's digits, in seconds, into runs/
  python -m cvae train --model cvae --data mnist --download
  python -m cvae evaluate vae-digits-1            its figures on the test images
  python -m cvae manifold vae-digits-1 --out manifold.png
  streamlit run app.py                            the same runs, to be touched
"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit with one line, as for every other bad input, instead of the whole usage."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for a failed training, 2 for bad input, or 130 for Ctrl-C without a save."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console without an arrow prints a question mark
    args = parser().parse_args(argv)
    try:
        return int(args.command(args) or 0)
    except InputError as error:
        print(f"cvae: {error}", file=sys.stderr)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"cvae: cannot use{where}: {reason(error)}.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ncvae: interrupted.", file=sys.stderr)
        return 130
    return 2


def parser() -> Parser:
    """Return the parser of all commands. Each command sets `command`, the function that runs it."""
    formatter = argparse.RawDescriptionHelpFormatter
    whole = Parser(prog="cvae", description=DESCRIPTION, formatter_class=formatter)
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for group in (training, measuring, judging, exploring, shipping):
        group.add_to(commands)
    return whole
