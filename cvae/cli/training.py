"""Define the command `train`, which trains a model into a run folder."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from pathlib import Path
from typing import Any

from cvae.config import OPTIONS, DataConfig, Described, ObjectiveConfig, RunConfig, TrainConfig, model_on
from cvae.data import DATASETS, ImageData, download, load_data
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.options import Option
from cvae.runs.find import find_run, runs_folder
from cvae.runs.folder import Run
from cvae.runs.status import Record

GROUPS = {
    "train": "training",
    "family": "of single models",
}  # titles in --help that differ from the name of the section
TYPES: dict[str, type] = {"whole": int, "widths": int, "number": float}
WITH_RESUME = ("--epochs", "--data-dir")  # the only settings that may change when a run resumes

Given = dict[str, dict[str, Any]]  # the options on the command line, by section and field


def add_to(commands: Any) -> None:
    sub = commands.add_parser("train", help="train a model into a run folder")
    for section, options in OPTIONS.items():
        group = sub.add_argument_group(GROUPS.get(section, section))
        for option in options.values():
            _add(group, option)
            if option.flag == "--data-dir":
                group.add_argument("--download", action="store_true", help="fetch the data set if it is not there")
    group.add_argument("--run", metavar="DIR", help="the run folder (runs/MODEL-DATA-N)")
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with --run; --epochs may ask for more, and a learning rate that falls to 0 then rises again",
    )
    sub.set_defaults(command=train)


def _add(group: Any, option: Option) -> None:
    """Add an option as an argument, which is None without a value."""
    default = " ".join(map(str, option.default)) if isinstance(option.default, tuple) else str(option.default)
    how: dict[str, Any] = {"metavar": option.metavar, "type": TYPES.get(option.kind, str)}
    if isinstance(option.default, float):
        default = f"{option.default:g}"
    if option.kind == "switch":
        how = {"action": "store_true", "default": None}
    elif option.kind in ("widths", "names"):
        how["nargs"] = "+"
    elif option.const is not None:
        how |= {"nargs": "?", "const": option.const}
    group.add_argument(option.flag, help=_help(option, default), **how)


def _help(option: Option, default: str) -> str:
    *others, last = option.choices or ("",)
    either = f"{', '.join(others)} or {last}"
    return option.help.format(
        default=default, choices=", ".join(option.choices), either=either, datasets=", ".join(DATASETS)
    )


def _given(args: argparse.Namespace) -> Given:
    """Return the options on the command line, with values as in the config."""
    given: Given = {}
    for section, options in OPTIONS.items():
        values = {name: getattr(args, option.flag[2:].replace("-", "_")) for name, option in options.items()}
        given[section] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if value is not None
        }
    if "name" in given["data"]:
        given["data"]["name"] = _data_name(given["data"]["name"])
    return given


def train(args: argparse.Namespace) -> int:
    if args.resume:
        return _resume(args)
    of_data = DataConfig(**_given(args)["data"])
    if args.download and of_data.name in DATASETS and DATASETS[of_data.name].missing(of_data.dir):
        download(of_data.name, of_data.dir, _download_progress)
        print(file=sys.stderr)
    data = load_data(of_data)
    config = run_config(args, data)
    for line in without_effect(args, config):
        print(line, file=sys.stderr)
    if args.run:
        return follow(args.run, config, data, resume=False)
    while True:
        try:
            return follow(_free_name(config), config, data, resume=False)
        except InputError as error:
            if error.key != "run.exists":  # else another training took the name first
                raise


def without_effect(args: argparse.Namespace, config: RunConfig) -> list[InputError]:
    """Return a message for each option on the command line that has no effect in this config."""
    given = _given(args)
    return [
        InputError("train.no_effect", option=option.flag, reason=reason)
        for section, options in OPTIONS.items()
        for name, option in options.items()
        if name in given[section] and (reason := option.no_effect(config))
    ]


def _resume(args: argparse.Namespace) -> int:
    if not args.run:
        raise InputError("train.resume_needs_run")
    run = find_run(args.run)
    config, given = run.config(), _given(args)
    changed = ["--download"] if args.download else []
    for section, options in OPTIONS.items():
        for name, value in given[section].items():
            if options[name].flag not in WITH_RESUME and value != getattr(config.section(section), name, None):
                changed.append(options[name].flag)
    if changed:
        raise InputError("train.resume_changed", options=", ".join(sorted(changed)))
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, **_only(given["train"], "epochs")))
    data = load_data(dataclasses.replace(config.data, **_only(given["data"], "dir")))
    return follow(run.path, config, data, resume=True)


def _only(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: values[name]} if name in values else {}


def follow(path: str | Path, config: RunConfig, data: ImageData, *, resume: bool) -> int:
    """Train with progress lines; return 0, or 1 after a failure. Ctrl-C saves and stops, a second one stops at once."""
    from cvae.training.loop import Failed, fit

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not Run(path).locked():  # the training has not begun: there is nothing to save
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
    """Print one line for each epoch; on a terminal, update it within the epoch."""
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


def run_config(args: argparse.Namespace, data: Described) -> RunConfig:
    """Return the config of the options on these data. Raises `InputError` if an option is wrong."""
    given = _given(args)
    model = model_on(data, options=given["family"], **given["model"])
    objective, train = ObjectiveConfig(**given["objective"]), TrainConfig(**given["train"])
    return RunConfig(DataConfig(**given["data"]), model, objective, train)


def _data_name(name: str) -> str:
    """Return the full path of the user's own data, so that the run can resume from any folder."""
    return name if name in DATASETS or not Path(name).exists() else str(Path(name).resolve())


def _free_name(config: RunConfig) -> Path:
    stem = f"{config.model.family}-{Path(config.data.name).stem}"
    return next(p for n in range(1, 10_000) if not (p := runs_folder() / f"{stem}-{n}").exists())


def _download_progress(done: int, total: int | None, name: str) -> None:
    share = f" of {total / 1e6:.1f}" if total else ""
    print(f"\r{name}: {done / 1e6:.1f}{share} MB ", end="", file=sys.stderr, flush=True)
