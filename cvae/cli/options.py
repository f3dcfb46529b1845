"""What several commands take alike."""

from __future__ import annotations

import argparse


def add_run(sub: argparse.ArgumentParser) -> None:
    """The run that a command is about."""
    sub.add_argument("run", metavar="RUN", help="a run folder, or the name of one below runs/")
    sub.add_argument("--data-dir", metavar="D", help="where the data lies, if not where it lay in training")
