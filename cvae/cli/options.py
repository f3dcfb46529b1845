"""What several commands take alike."""

from __future__ import annotations

import argparse


def add_run(sub: argparse.ArgumentParser) -> None:
    """The run that a command is about."""
    sub.add_argument("run", metavar="RUN", help="the name of a run below runs/ or in the gallery, or a path")
    sub.add_argument("--data-dir", metavar="D", help="where the data lies, if not where it lay in training")
