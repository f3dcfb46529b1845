"""Define the commands `evaluate`, which measures a run, and `bench`, which measures the speed of training."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cvae.cli.options import add_run, check_file
from cvae.cli.terminal import print_over
from cvae.config import TrainConfig
from cvae.errors import InputError
from cvae.numbers import fixed
from cvae.runs.find import find_run


def add_to(commands: Any) -> None:
    sub = commands.add_parser("evaluate", help="measure a run on its test images")
    sub.set_defaults(command=evaluate)
    add_run(sub)
    sub.add_argument("--samples", type=int, default=1000, metavar="K", help="importance samples of nll (1000)")
    sub.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    sub.add_argument("--json", action="store_true", help="print one JSON object")
    sub.add_argument(
        "--out", type=Path, metavar="FILE", help="the JSON file to write, in place of the run's own (metrics.json)"
    )

    sub = commands.add_parser("bench", help="time training on this machine against a plain loop and its limit")
    sub.set_defaults(command=bench)
    sub.add_argument("--data-dir", metavar="D", help="where MNIST lies (./data); without it, random images")


def evaluate(args: argparse.Namespace) -> None:
    from cvae.measuring.evaluation import evaluate as measure

    refuse_no_samples(args.samples)
    check_file(args.out, ".json")
    TrainConfig(seed=args.seed)  # refuses what no seed can be
    run = find_run(args.run)
    figures = measure(
        run.path, data_dir=args.data_dir, samples=args.samples, seed=args.seed, out=args.out, progress=show_share
    )
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {_figure(value)}")


def _figure(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " ".join(fixed(v, 2) for v in value)
    return fixed(value, 4) if isinstance(value, float) else str(value)


def refuse_no_samples(samples: int | None) -> None:
    if samples is not None and samples < 1:
        raise InputError("command.samples", samples=samples)


def show_share(share: float) -> None:
    """Print the progress of a measurement, if the output is a terminal."""
    if sys.stderr.isatty():
        print_over(f"measuring {share:4.0%}", sys.stderr, end="\n" if share == 1 else "")


def bench(args: argparse.Namespace) -> None:
    from cvae.measuring.bench import report

    report(args.data_dir)
