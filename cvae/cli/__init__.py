"""Run the command line, `python -m cvae`. A module holds a group of commands; only some commands import torch."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from cvae.cli import exploring, judging, measuring, shipping, training
from cvae.cli.terminal import READER_GONE, drop_output, open_streams, quiet_libraries, say
from cvae.errors import InputError
from cvae.runs.files import reason
from cvae.runs.machine import limit_threads

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
    """Run one command; returns 0, 1 for a failed training, 2 for bad input, 130 for a Ctrl-C at once, or 141 where
    nobody reads what it prints any more."""
    open_streams()
    limit_threads()
    try:
        with quiet_libraries():
            args = parser().parse_args(argv)
            code = int(args.command(args) or 0)
            sys.stdout.flush()
            return code
    except InputError as error:
        say(f"cvae: {error}")
    except BrokenPipeError:
        return READER_GONE
    except OSError as error:
        what = f"cannot use {error.filename}: " if error.filename else ""
        say(f"cvae: {what}{reason(error)}.")
    except KeyboardInterrupt:
        say("\ncvae: interrupted.")
        return 130
    finally:
        drop_output()
    return 2


def parser() -> Parser:
    """Return the parser of all commands. Each command sets `command`, the function that runs it."""
    formatter = argparse.RawDescriptionHelpFormatter
    whole = Parser(prog="cvae", description=DESCRIPTION, formatter_class=formatter)
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for group in (training, measuring, judging, exploring, shipping):
        group.add_to(commands)
    return whole
