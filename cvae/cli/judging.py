"""Define `augment`, which trains classifiers with a run's samples, and `classifier`, which builds their judge."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from cvae.cli.measuring import show_share
from cvae.cli.options import add_run, check_file, check_folder
from cvae.cli.terminal import columns, say
from cvae.config import DataConfig, TrainConfig
from cvae.errors import InputError
from cvae.runs.find import find_run


def add_to(commands: Any) -> None:
    sub = commands.add_parser(
        "augment", help="train classifiers from few real images, with and without a run's samples"
    )
    sub.set_defaults(command=augment)
    add_run(sub)
    sub.add_argument("--real", type=int, nargs="+", metavar="N", help="real images a class (10 50 100)")
    sub.add_argument("--generated", type=int, metavar="M", help="samples a class (1000)")
    sub.add_argument("--seeds", type=int, default=5, help="how many pairs of classifiers for each N (5)")
    sub.add_argument("--json", action="store_true", help="print one JSON object")
    sub.add_argument(
        "--out", type=Path, metavar="FILE", help="the JSON file to write, in place of the run's own (augmentation.json)"
    )

    sub = commands.add_parser("classifier", help="build the classifier that judges the samples of a data set's models")
    sub.set_defaults(command=classifier)
    sub.add_argument("--data", default="mnist", help="a registered data set (mnist)")
    sub.add_argument("--data-dir", metavar="D", help="where the data set's files lie (./data)")
    sub.add_argument("--epochs", type=int, default=15, help="passes over the training images (15)")
    sub.add_argument("--seed", type=int, default=0, help="of weights, order and shifts (0)")
    sub.add_argument("--out", type=Path, metavar="DIR", help="where it goes (assets/classifier)")


def augment(args: argparse.Namespace) -> None:
    from cvae.measuring.augmentation import GENERATED_PER_CLASS, REAL_PER_CLASS, augmentation

    real = args.real or REAL_PER_CLASS
    generated = GENERATED_PER_CLASS if args.generated is None else args.generated
    if min(*real, generated, args.seeds) < 1:
        raise InputError("command.augment_counts")
    check_file(args.out, ".json")
    run = find_run(args.run)
    figures = augmentation(
        run.path, data_dir=args.data_dir, real_per_class=real, generated_per_class=generated, seeds=args.seeds,
        out=args.out, progress=show_share,
    )  # fmt: skip
    if args.json:
        print(json.dumps(figures))
        return
    print(f"test accuracy, mean ± standard deviation over {args.seeds} seeds")
    print(f"{'real a class':>12}  {'real alone':>14}  {f'and {generated} samples':>18}")
    for n, without, augmented in zip(figures["real_per_class"], figures["without"], figures["with"], strict=True):
        print(f"{n:12}  {_spread(without):>14}  {_spread(augmented):>18}")
    print("The model has seen all training images: this is what it knows, and no gain from nothing.")


def _spread(accuracies: list[float]) -> str:
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    return f"{statistics.mean(accuracies):.1%} ± {100 * deviation:.1f}"


def classifier(args: argparse.Namespace) -> None:
    from cvae.assets import CLASSIFIERS
    from cvae.measuring.classifier import build_classifier

    config = TrainConfig(epochs=args.epochs, seed=args.seed)  # refuses what neither can be
    check_folder(args.out)
    folder = args.out or CLASSIFIERS

    def report(epoch: int, right: float | None) -> None:
        if sys.stderr.isatty():
            say(f"epoch {epoch:3}/{config.epochs}  validation accuracy {right or 0:.2%}"[: columns()])

    built = build_classifier(
        DataConfig(args.data, args.data_dir), epochs=config.epochs, seed=config.seed, folder=folder, report=report
    )
    print(f"test accuracy {built.card['test_accuracy']:.2%} after {built.card['seconds']:.0f} s → {folder}/{args.data}")
