"""Define the arguments that several commands share."""

from __future__ import annotations

import argparse


def add_run(sub: argparse.ArgumentParser) -> None:
    """Add the arguments for a run and its data."""
    sub.add_argument("run", metavar="RUN", help="a run folder, or the name of one below runs/")
    sub.add_argument("--data-dir", metavar="D", help="where the data lies, if not where it lay in training")
