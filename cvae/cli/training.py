"""train: a model into a run folder."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from pathlib import Path
from typing import Any

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
from cvae.runs.find import find_run, runs_folder
from cvae.runs.folder import Run
from cvae.runs.status import Record


def add_to(commands: Any) -> None:
    sub = commands.add_parser("train", help="train a model into a run folder")
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
    training.add_argument(
        "--resume",
        action="store_true",
        help="go on with --run; --epochs may ask for more, and a learning rate that falls to 0 then rises again",
    )
    usual = vars(sub.parse_args([]))
    sub.set_defaults(command=lambda args: train(args, usual))


def train(args: argparse.Namespace, usual: dict[str, Any]) -> int:
    if args.resume:
        return _resume(args, usual)
    config = _data_config(args)
    if args.download and config.name in DATASETS and DATASETS[config.name].missing(config.dir):
        download(config.name, config.dir, _download_progress)
        print(file=sys.stderr)
    data = load_data(config)
    path = args.run or _free_name(args.model, args.data)
    return follow(path, run_config(args, data.image_shape, data.class_names), data, resume=False)


def _resume(args: argparse.Namespace, usual: dict[str, Any]) -> int:
    if not args.run:
        raise InputError("--resume needs --run, the run to go on with.")
    free = {"run", "resume", "epochs", "data_dir"}
    if changed := [name for name in usual.keys() - free if getattr(args, name) != usual[name]]:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(changed))
        raise InputError(f"--resume goes on with the run's own settings, but for --epochs: leave out {options}.")
    run = find_run(args.run)
    config = run.config()
    if args.epochs is not None:
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, epochs=args.epochs))
    directory = args.data_dir or config.data.dir
    data = load_data(dataclasses.replace(config.data, dir=directory))
    return follow(run.path, config, data, resume=True)


def follow(path: str | Path, config: RunConfig, data: ImageData, *, resume: bool) -> int:
    """Train, and tell the terminal how it goes. Ctrl-C stops between two steps and saves; a second one at once."""
    from cvae.training.loop import Failed, fit

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not Run(path).locked():  # not begun yet: nothing to save
            raise KeyboardInterrupt
        print("\nstopping and saving; once more to stop at once", file=sys.stderr)
        Run(path).request("stop")

    model, images = config.model, len(data.all_train if config.data.full_train else data.train)
    print(f"{FAMILIES[model.family].title} ({model.net}) on {data.name}: {images:,} images → {path}", flush=True)
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


def run_config(args: argparse.Namespace, image_shape: tuple[int, int, int], class_names: tuple[str, ...]) -> RunConfig:
    """What the options ask for, on data of that shape and with these classes."""
    model = ModelConfig(
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
        image_shape=image_shape,
        class_names=class_names,
    )
    objective = ObjectiveConfig(args.beta, args.kl_warmup, args.free_bits, args.k, args.recon_weight, args.alpha)
    epochs = TrainConfig.epochs if args.epochs is None else args.epochs
    train = TrainConfig(epochs, args.batch_size, args.lr, args.lr_schedule, args.seed, args.threads, args.device)
    return RunConfig(_data_config(args), model, objective, train)


def _data_config(args: argparse.Namespace) -> DataConfig:
    return DataConfig(_data_name(args.data), args.data_dir, args.binarize, args.full_train)


def _data_name(name: str) -> str:
    """The user's own data by its whole path, so that the run can be resumed from anywhere."""
    return name if name in DATASETS or not Path(name).exists() else str(Path(name).resolve())


def _free_name(family: str, data: str) -> Path:
    stem = f"{family}-{Path(data).stem}"
    return next(p for n in range(1, 10_000) if not (p := runs_folder() / f"{stem}-{n}").exists())


def _download_progress(done: int, total: int | None, name: str) -> None:
    share = f" of {total / 1e6:.1f}" if total else ""
    print(f"\r{name}: {done / 1e6:.1f}{share} MB ", end="", file=sys.stderr, flush=True)
