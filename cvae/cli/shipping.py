"""Define the commands `gallery`, which makes the shipped runs, and `reproduce`, which repeats published results."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cvae.assets import GALLERY, README, RESULTS
from cvae.cli.measuring import refuse_no_samples, show_share
from cvae.cli.options import check_folder
from cvae.cli.training import follow
from cvae.config import TrainConfig
from cvae.results import cards
from cvae.results import tables as results
from cvae.results.protocols import PROTOCOLS
from cvae.results.recipes import RECIPES, recipe
from cvae.runs.find import find_run, runs_folder


def add_to(commands: Any) -> None:
    sub = commands.add_parser("gallery", help="make a run that the project ships")
    sub.set_defaults(command=gallery)
    sub.add_argument("name", nargs="?", metavar="NAME", help="the recipe; without it, all of them are listed")
    sub.add_argument("--data-dir", metavar="D", help="where the data sets lie (./data)")
    sub.add_argument("--out", type=Path, default=GALLERY, metavar="DIR", help="where it goes (assets/gallery)")
    sub.add_argument(
        "--samples",
        type=int,
        default=cards.SAMPLES,
        metavar="K",
        help=f"importance samples of nll ({cards.SAMPLES})",
    )
    sub.add_argument("--from", dest="run", metavar="RUN", help="a run of that recipe (runs/gallery-NAME)")

    sub = commands.add_parser("reproduce", help="train and measure what stands beside published figures")
    sub.set_defaults(command=reproduce)
    sub.add_argument("name", nargs="?", metavar="NAME", help="the protocol; without it, all of them are listed")
    sub.add_argument("--epochs", type=int, metavar="E", help="of each training (the protocol's)")
    sub.add_argument("--samples", type=int, metavar="K", help="importance samples of nll (the protocol's)")
    sub.add_argument("--seed", type=int, default=0, help="of the draws, and added to those of the trainings (0)")
    sub.add_argument("--data-dir", metavar="D", help="where the data sets lie (./data)")
    sub.add_argument("--runs", type=Path, metavar="DIR", help="where the trainings go (runs)")
    sub.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="of the result (assets/results)")
    sub.add_argument("--table", action="store_true", help="write the table of all results into README.md instead")


def gallery(args: argparse.Namespace) -> None:
    if args.name is None:
        for name, one in RECIPES.items():
            place = args.out / name
            state = f"{cards.size(place) / 1e6:5.2f} MB" if place.exists() else " not made"
            print(f"  {name:26} {state}  {one.purpose}")
        print(f"\n{cards.size(args.out) / 1e6:.1f} of {cards.LARGEST / 1e6:.0f} MB in {args.out}")
        return
    config = recipe(args.name).config
    check_folder(args.out)
    refuse_no_samples(args.samples)
    if args.run is None:
        from cvae.measuring.reproduce import finished

        run = finished(runs_folder() / f"gallery-{args.name}", config, args.data_dir, _train)
    else:
        run = find_run(args.run)
    from cvae.measuring.shipping import ship

    small = ship(args.name, run, args.out, data_dir=args.data_dir, samples=args.samples, progress=show_share)
    print(f"{cards.size(run.path) / 1e6:.2f} MB → {cards.size(small.path) / 1e6:.2f} MB in {small.path}")


def reproduce(args: argparse.Namespace) -> None:
    if args.table:
        _write_table(args.out)
        return
    if args.name is None:
        for name, protocol in PROTOCOLS.items():
            print(f"  {name:16} {protocol.title}; {len(protocol.runs)} trainings")
        return
    TrainConfig(epochs=TrainConfig.epochs if args.epochs is None else args.epochs, seed=args.seed)  # checks both
    refuse_no_samples(args.samples)
    check_folder(args.out)
    check_folder(args.runs)
    from cvae.measuring.reproduce import reproduce as run_protocol

    result = run_protocol(
        args.name,
        epochs=args.epochs,
        seed=args.seed,
        samples=args.samples,
        data_dir=args.data_dir,
        runs=args.runs,
        results=args.out,
        train=_train,
        progress=show_share,
    )
    for row in results.rows({args.name: result}):
        beside = ", ".join(f"{published.value:g} {published.source}" for published in row.published)
        print(f"{row.what:40} {row.figure:24} {results.value(row):>18}  {beside}")
    print(f"→ {args.out / args.name}.json")


def _train(path: Path, config: Any, data: Any, resume: bool) -> None:
    follow(path, config, data, resume=resume)


def _write_table(folder: Path) -> None:
    table = results.markdown(results.rows(results.read(folder)))
    text = README.read_text(encoding="utf-8")
    README.write_text(results.insert(text, table), encoding="utf-8")
    print(f"{table.count(chr(10)) + 1} lines → {README}")
