"""The command line: python -m cvae train | evaluate | sample | manifold | bench | list."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cvae.config import (
    BINARIZE,
    LIKELIHOODS,
    NETS,
    SCHEDULES,
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    RunConfig,
    TrainConfig,
)
from cvae.data import DATASETS, ImageData, download, load_data
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.runs import GALLERY, Record, Run, find_run, reason, runs_folder, runs_in

if TYPE_CHECKING:
    from cvae.inference import Inference

DESCRIPTION = """\
Train and explore autoencoders, VAEs and conditional VAEs.

  python -m cvae train                            a 2-D VAE on scikit-learn's digits, in seconds, into runs/
  python -m cvae train --model cvae --data mnist --download
  python -m cvae evaluate vae-digits-1            its figures on the test images
  python -m cvae manifold vae-digits-1 --out manifold.png
  streamlit run app.py                            the same runs, to be touched
"""


PICTURE_WIDTH = 1000  # pixels, about


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other bad input; the usage is a --help away."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, 1 for a failed training, 2 for bad input, or 130 for a Ctrl-C at once."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where a console has no arrow, a question mark will do
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


# --- train ------------------------------------------------------------------------------------------------------------


def train(args: argparse.Namespace) -> int:
    if args.resume:
        return _resume(args)
    config = DataConfig(_data_name(args.data), args.data_dir, args.binarize, args.full_train)
    if args.download and config.name in DATASETS and DATASETS[config.name].missing(config.dir):
        download(config.name, config.dir, _download_progress)
        print(file=sys.stderr)
    data = load_data(config)
    run_config = RunConfig(config, _model_config(args, data), _objective_config(args), _train_config(args))
    path = args.run or _free_name(args.model, args.data)
    return _follow(path, run_config, data, resume=False)


def _resume(args: argparse.Namespace) -> int:
    if not args.run:
        raise InputError("--resume needs --run, the run to go on with.")
    usual = vars(parser().parse_args(["train"]))
    free = {"run", "resume", "epochs", "data_dir"}
    if changed := [name for name, value in vars(args).items() if name not in free and value != usual[name]]:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise InputError(f"--resume goes on with the run's own settings, but for --epochs: leave out {options}.")
    run = find_run(args.run)
    config = run.config()
    if args.epochs is not None:
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, epochs=args.epochs))
    directory = args.data_dir or config.data.dir
    data = load_data(dataclasses.replace(config.data, dir=directory))
    return _follow(run.path, config, data, resume=True)


def _follow(path: str | Path, config: RunConfig, data: ImageData, *, resume: bool) -> int:
    """Train, and tell the terminal how it goes. Ctrl-C stops between two steps and saves; a second one at once."""
    from cvae.train import Failed, fit

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not Run(path).locked():  # not begun yet: nothing to save
            raise KeyboardInterrupt
        print("\nstopping and saving; once more to stop at once", file=sys.stderr)
        Run(path).request("stop")

    model = config.model
    print(
        f"{FAMILIES[model.family].title} ({model.net}) on {data.name}: {len(data.train):,} images → {path}", flush=True
    )
    if data.note:
        print(data.note)
    before = signal.signal(signal.SIGINT, stop)
    try:
        for record in fit(path, config, data=data, resume=resume):
            _show(record, config)
    except Failed as error:
        print(f"\ncvae: the training failed at {error}", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, before)
    status = Run(path).status()
    print(f"{status.state} after {status.step:,} steps. Next: python -m cvae evaluate {path}")
    return 0


def _show(record: Record, config: RunConfig) -> None:
    """One line an epoch; on a terminal, one that moves in between."""
    epoch, epochs = record["epoch"], config.train.epochs
    figures = f"reconstruction {record['reconstruction']:8.2f}"
    if record["kl"] is not None:
        figures += f"  kl {record['kl']:6.2f}  neg_elbo {record['neg_elbo']:8.2f}"
    left = record["seconds"] / epoch * (epochs - epoch)
    line = f"epoch {epoch:6.2f}/{epochs}  {record['split']:<10}  {figures}  {record['images_per_second']:,} images/s"
    line += f"  {int(left) // 60}:{int(left) % 60:02d} left"
    if record["split"] == "validation":
        print(("\r" if sys.stdout.isatty() else "") + line, flush=True)
    elif sys.stdout.isatty():
        print("\r" + line, end="", flush=True)


def _model_config(args: argparse.Namespace, data: ImageData) -> ModelConfig:
    return ModelConfig(
        family=args.model,
        net=args.net,
        hidden=tuple(args.hidden),
        channels=tuple(args.channels),
        activation=args.activation,
        latent_dim=args.latent_dim,
        likelihood=args.likelihood,
        sigma=args.sigma,
        task=args.task,
        quadrants=args.quadrants,
        image_shape=data.image_shape,
        class_names=data.class_names,
    )


def _objective_config(args: argparse.Namespace) -> ObjectiveConfig:
    return ObjectiveConfig(args.beta, args.kl_warmup, args.free_bits, args.k, args.recon_weight, args.alpha)


def _train_config(args: argparse.Namespace) -> TrainConfig:
    epochs = TrainConfig.epochs if args.epochs is None else args.epochs
    return TrainConfig(epochs, args.batch_size, args.lr, args.lr_schedule, args.seed, args.threads, args.device)


def _data_name(name: str) -> str:
    """The user's own data by its whole path, so that the run can be resumed from anywhere."""
    return name if name in DATASETS or not Path(name).exists() else str(Path(name).resolve())


def _free_name(family: str, data: str) -> Path:
    stem = f"{family}-{Path(data).stem}"
    return next(p for n in range(1, 10_000) if not (p := runs_folder() / f"{stem}-{n}").exists())


def _download_progress(done: int, total: int | None, name: str) -> None:
    share = f" of {total / 1e6:.1f}" if total else ""
    print(f"\r{name}: {done / 1e6:.1f}{share} MB ", end="", file=sys.stderr, flush=True)


# --- measure and explore ----------------------------------------------------------------------------------------------


def evaluate(args: argparse.Namespace) -> None:
    from cvae.evaluation import evaluate as measure

    if args.samples < 1:
        raise InputError(f"samples must be at least 1, not {args.samples}.")
    TrainConfig(seed=args.seed)  # refuses what no seed can be
    show = sys.stderr.isatty()

    def progress(share: float) -> None:
        if show:
            print(f"\rmeasuring {share:4.0%}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)

    figures = measure(
        find_run(args.run).path, data_dir=args.data_dir, samples=args.samples, seed=args.seed, progress=progress
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
        return " ".join(f"{v:.2f}" for v in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def sample(args: argparse.Namespace) -> None:
    from cvae import explore, pictures
    from cvae.inference import Inference

    if not 1 <= args.n <= 10_000 or not 0 <= args.temperature <= 100:
        raise InputError("n must lie from 1 to 10000 and the temperature from 0 to 100.")
    TrainConfig(seed=args.seed)  # refuses what no seed can be
    run = find_run(args.run)
    model = Inference.load(run)
    how = {"temperature": args.temperature, "seed": args.seed}
    if model.family.given == "condition":
        if model.config.task == "label":
            raise InputError(f"{run.name} predicts labels; it has no images to sample.")
        config = run.config().data
        data = load_data(dataclasses.replace(config, dir=args.data_dir or config.dir))
        if data.image_shape != model.config.image_shape:
            raise InputError(f"{data.name} is not what {run.name} was trained on: its images differ.")
        images = explore.complete(model, data.test.images[:8] / 255, args.n, **how)
    else:
        images = explore.sample(model, args.n, _label(model, run, args.label), **how)
    Path(args.out).write_bytes(pictures.png(pictures.grid(images, gap=1), PICTURE_WIDTH))
    print(f"{args.n} images → {args.out} (seed {args.seed}, temperature {args.temperature:g})")


def manifold(args: argparse.Namespace) -> None:
    from cvae import explore, pictures
    from cvae.inference import Inference

    if not 2 <= args.steps <= 100:
        raise InputError(f"steps must lie from 2 to 100, not {args.steps}.")
    run = find_run(args.run)
    model = Inference.load(run)
    if model.family.given == "condition":
        raise InputError(f"{run.name} decodes from an image, so it has no one manifold; `sample` shows completions.")
    images = explore.manifold(model, args.steps, given=_label(model, run, args.label))
    Path(args.out).write_bytes(pictures.png(pictures.grid(images), PICTURE_WIDTH))
    print(f"{args.steps}×{args.steps} images at the prior's quantiles 0.01 … 0.99 → {args.out}")


def _label(model: Inference, run: Run, text: str | None) -> Any:
    """A label vector (K,) from a class name, or from several joined by + as an even mixture; None where none is due."""
    from cvae.explore import label_vector

    names = model.config.class_names
    if model.family.given == "nothing":
        if text is not None:
            raise InputError(f"{run.name} is a plain {model.family.title}: it has no labels to choose from.")
        return None
    if text is None:
        raise InputError(f"{run.name} is conditional: choose a --label, one of {', '.join(names)}.")
    parts = [text] if text in names else text.split("+")
    for part in parts:
        if part not in names:
            raise InputError(f"{part!r} is no label of {run.name}; its labels are {', '.join(names)}.")
    return label_vector({names.index(part): float(parts.count(part)) for part in parts}, len(names))


def bench(args: argparse.Namespace) -> None:
    from cvae.bench import report

    report(args.data_dir)


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


# --- the parser -------------------------------------------------------------------------------------------------------


def parser() -> Parser:
    """The parser of all commands; each sets `command`, the function that runs it."""
    formatter = argparse.RawDescriptionHelpFormatter
    whole = Parser(prog="cvae", description=DESCRIPTION, formatter_class=formatter)
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    _add_train(commands)

    sub = commands.add_parser("evaluate", help="measure a run on its test images")
    sub.set_defaults(command=evaluate)
    _add_run(sub)
    sub.add_argument("--samples", type=int, default=1000, metavar="K", help="importance samples of nll (1000)")
    sub.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    sub = commands.add_parser("sample", help="draw images from a run's prior into a PNG")
    sub.set_defaults(command=sample)
    _add_run(sub)
    sub.add_argument("--label", help="class to draw, for a conditional model; 3+8 is an even mixture")
    sub.add_argument("--n", type=int, default=16, help="how many (16)")
    sub.add_argument("--temperature", type=float, default=1.0, help="scales the prior's standard deviation (1)")
    sub.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    sub.add_argument("--out", default="samples.png", help="the picture to write (samples.png)")

    sub = commands.add_parser("manifold", help="decode a grid of the latent plane into a PNG")
    sub.set_defaults(command=manifold)
    _add_run(sub)
    sub.add_argument("--steps", type=int, default=20, help="images along each side (20)")
    sub.add_argument("--label", help="class to decode, for a conditional model")
    sub.add_argument("--out", default="manifold.png", help="the picture to write (manifold.png)")

    sub = commands.add_parser("bench", help="time training on this machine against a plain loop and its limit")
    sub.set_defaults(command=bench)
    sub.add_argument("--data-dir", metavar="D", help="where MNIST lies (./data); without it, random images")

    sub = commands.add_parser("list", help="the models, the data sets and the runs")
    sub.set_defaults(command=list_all)
    sub.add_argument("--data-dir", metavar="D", help="where the data sets lie (./data)")
    return whole


def _add_run(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="RUN", help="a run folder, or the name of one below runs/")
    sub.add_argument("--data-dir", metavar="D", help="where the data lies, if not where it lay in training")


def _add_train(commands: Any) -> None:
    sub = commands.add_parser("train", help="train a model into a run folder")
    sub.set_defaults(command=train)
    data = sub.add_argument_group("data")
    data.add_argument("--data", default="digits", help=f"{', '.join(DATASETS)}, an .npz, or a folder (digits)")
    data.add_argument("--data-dir", metavar="D", help="where the data set's files lie (./data)")
    data.add_argument("--download", action="store_true", help="fetch the data set if it is not there")
    data.add_argument(
        "--binarize", nargs="?", const="dynamic", metavar="|".join(BINARIZE),
        help="pixels as Bernoulli draws: in training fresh ones (dynamic, if nothing is said) or one draw (static)",
    )  # fmt: skip
    data.add_argument("--full-train", action="store_true", help="train on the validation images too, as papers do")
    model = sub.add_argument_group("model")
    model.add_argument("--model", default="vae", help=f"{', '.join(FAMILIES)} (vae)")
    model.add_argument("--net", default="mlp", help=f"{' or '.join(NETS)} (mlp)")
    model.add_argument("--hidden", type=int, nargs="+", default=[400], metavar="H", help="dense layer widths (400)")
    model.add_argument("--channels", type=int, nargs="+", default=[16, 32], metavar="C", help="of --net conv (16 32)")
    model.add_argument("--activation", default="relu", help="relu or tanh (relu)")
    model.add_argument("--latent-dim", type=int, default=2, metavar="d", help="size of the code z (2)")
    model.add_argument("--likelihood", default="bernoulli", help=f"{', '.join(LIKELIHOODS)} (bernoulli)")
    model.add_argument("--sigma", type=float, default=1.0, help="of --likelihood gaussian (1)")
    model.add_argument("--task", default="quadrants", help="of cvae-predictive: quadrants or label (quadrants)")
    model.add_argument("--quadrants", type=int, default=1, help="how many cvae-predictive is given: 1, 2 or 3 (1)")
    objective = sub.add_argument_group("objective")
    objective.add_argument("--beta", type=float, default=1.0, help="weight of the KL term (1)")
    objective.add_argument("--kl-warmup", type=float, default=0.0, metavar="E", help="epochs of its rise from 0 (0)")
    objective.add_argument("--free-bits", type=float, default=0.0, help="nats each dimension has for free (0)")
    objective.add_argument("--k", type=int, default=1, help="importance samples of the bound (1: the ELBO)")
    objective.add_argument("--recon-weight", type=float, default=1.0, help="weight of the reconstruction (1)")
    objective.add_argument("--alpha", type=float, default=1.0, help="of cvae-predictive's hybrid (1: plain)")
    training = sub.add_argument_group("training")
    training.add_argument("--epochs", type=int, help="passes over the training images (20)")
    training.add_argument("--batch-size", type=int, default=128, help="images a step (128)")
    training.add_argument("--lr", type=float, default=1e-3, help="learning rate of Adam (0.001)")
    training.add_argument("--lr-schedule", default="constant", help=f"{', '.join(SCHEDULES)} (constant)")
    training.add_argument("--seed", type=int, default=0, help="of weights, order and draws (0)")
    training.add_argument("--threads", type=int, metavar="N", help="of the processor (all its cores)")
    training.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    training.add_argument("--run", metavar="DIR", help="the run folder (runs/MODEL-DATA-N)")
    training.add_argument("--resume", action="store_true", help="go on with --run; --epochs may ask for more")


if __name__ == "__main__":
    sys.exit(main())
