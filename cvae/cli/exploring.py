"""Define the commands `list`, and `sample` and `manifold`, which write pictures of a run."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvae.assets import GALLERY
from cvae.cli.options import add_run, check_file
from cvae.conditions import LABEL, joined
from cvae.config import TrainConfig
from cvae.data import DATASETS, load_data
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.runs.find import find_run, runs_folder, runs_in
from cvae.runs.folder import Run

if TYPE_CHECKING:
    from cvae.explore.inference import Inference

PICTURE_WIDTH = 1000  # pixels, about


def add_to(commands: Any) -> None:
    sub = commands.add_parser("sample", help="draw images from a run's prior into a PNG")
    sub.set_defaults(command=sample)
    add_run(sub)
    sub.add_argument("--label", help="class to draw, for a conditional model; 3+8 is an even mixture")
    _add_conditions(sub)
    sub.add_argument("--n", type=int, default=16, help="how many (16)")
    sub.add_argument("--temperature", type=float, default=1.0, help="scales the prior's standard deviation (1)")
    sub.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    sub.add_argument("--out", default="samples.png", help="the picture to write (samples.png)")

    sub = commands.add_parser("manifold", help="decode a grid of the latent plane into a PNG")
    sub.set_defaults(command=manifold)
    add_run(sub)
    sub.add_argument("--steps", type=int, default=20, help="images along each side (20)")
    sub.add_argument("--label", help="class to decode, for a conditional model")
    _add_conditions(sub)
    sub.add_argument("--out", default="manifold.png", help="the picture to write (manifold.png)")

    sub = commands.add_parser("list", help="the models, the data sets and the runs")
    sub.set_defaults(command=list_all)
    sub.add_argument("--data-dir", metavar="D", help="where the data sets lie (./data)")


def _add_conditions(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--condition", metavar="NAME=VALUE", action="append", help="another condition (its default)")


def sample(args: argparse.Namespace) -> None:
    from cvae import explore
    from cvae.explore import pictures
    from cvae.explore.inference import Inference

    if not 1 <= args.n <= 10_000 or not 0 <= args.temperature <= 100:
        raise InputError("command.sample_range")
    check_file(args.out, ".png")
    TrainConfig(seed=args.seed)  # refuses what no seed can be
    run = find_run(args.run)
    model = Inference.load(run)
    how = {"temperature": args.temperature, "seed": args.seed}
    if model.family.completes:
        if model.predicts_label:
            raise InputError("command.predicts_labels", name=run.name)
        config = run.config().data
        data = load_data(dataclasses.replace(config, dir=args.data_dir or config.dir))
        if data.image_shape != model.config.image_shape:
            raise InputError("run.other_images", data=data.name, name=run.name)
        images = explore.complete(model, data.test.images[:8], args.n, **how)
    else:
        images = explore.sample(model, args.n, _given(model, run, args), **how)
    Path(args.out).write_bytes(pictures.png(pictures.grid(images, gap=1), PICTURE_WIDTH))
    print(f"{args.n} images → {args.out} (seed {args.seed}, temperature {args.temperature:g})")


def manifold(args: argparse.Namespace) -> None:
    from cvae import explore
    from cvae.explore import pictures
    from cvae.explore.inference import Inference

    if not 2 <= args.steps <= 100:
        raise InputError("command.manifold_steps", steps=args.steps)
    check_file(args.out, ".png")
    run = find_run(args.run)
    model = Inference.load(run)
    if model.family.completes:
        raise InputError("command.no_manifold", name=run.name)
    images = explore.manifold(model, args.steps, condition=_given(model, run, args))
    Path(args.out).write_bytes(pictures.png(pictures.grid(images), PICTURE_WIDTH))
    print(f"{args.steps}×{args.steps} images at the prior's quantiles 0.01 … 0.99 → {args.out}")


def _given(model: Inference, run: Run, args: argparse.Namespace) -> Any:
    """Return the vector (width,) of the conditions that were named: the label, which must be, and others, which may."""
    config = model.config
    if not config.takes_label and args.label is not None:
        raise InputError("command.no_labels", name=run.name, family=model.family.title)
    if config.takes_label and args.label is None:
        raise InputError("command.needs_label", name=run.name, names=", ".join(config.class_names))
    known = {one.name: one for one in config.conditions if one.width}
    asked = {} if args.label is None else {LABEL: args.label}
    for text in args.condition or ():
        name, equals, value = text.partition("=")
        if name == LABEL or name not in known or not equals:
            names = ", ".join(f"{name}=…" for name in known if name != LABEL) or "–"
            raise InputError("command.no_condition", text=text, name=run.name, names=names)
        asked[name] = value
    return joined(config.conditions, {name: known[name].from_option(text) for name, text in asked.items()})


def list_all(args: argparse.Namespace) -> None:
    print("models")
    for family in FAMILIES.values():
        print(f"  {family.id:20} {family.title:22} {family.bound}")
    print("\ndata")
    for data in DATASETS.values():
        c, h, w = data.image_shape
        state = "here" if not data.missing(args.data_dir) else "to be downloaded (train --download)"
        print(f"  {data.id:20} {data.title:22} {c}×{h}×{w}, {sum(data.sizes):,} images, {state}")
    for title, folder in (("runs", runs_folder()), ("gallery", GALLERY)):
        runs = runs_in(folder)
        print(f"\n{title} ({folder})" if runs else f"\n{title}: none in {folder}")
        for run in runs:
            try:
                config, status = run.config(), run.status()
                print(f"  {run.name:28} {config.model.family:20} {config.data.name:16} {status.state}")
            except InputError as error:
                print(f"  {run.name:28} unreadable: {error}")
