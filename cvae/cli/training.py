"""Define the command `train`, which trains a model into a run folder."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import signal
import sys
from pathlib import Path
from typing import Any

from cvae.cli.terminal import columns, command, fitted, print_over, say
from cvae.config import OPTIONS, DataConfig, Described, ObjectiveConfig, RunConfig, TrainConfig, model_on
from cvae.data import DATASETS, ImageData, download, load_data
from cvae.errors import InputError, KeyedError, listed
from cvae.families import FAMILIES
from cvae.options import Option
from cvae.runs.find import find_run, run_path, runs_folder
from cvae.runs.folder import Run
from cvae.runs.status import Record

GROUPS = {
    "train": "training",
    "family": "of single models",
}  # titles in --help that differ
TYPES: dict[str, type] = {"whole": int, "widths": int, "number": float}
WITH_RESUME = ("--epochs", "--threads", "--device", "--data-dir")  # what going on with a run may change

Given = dict[str, dict[str, Any]]  # the options that were given, by section and field


def add_to(commands: Any) -> None:
    sub = commands.add_parser("train", help="train a model into a run folder")
    for section, options in OPTIONS.items():
        group = sub.add_argument_group(GROUPS.get(section, section))
        for option in options.values():
            _add(group, option)
            if option.flag == "--data-dir":
                group.add_argument("--download", action="store_true", help="fetch the data set if it is not there")
    group.add_argument("--run", metavar="RUN", help="a name below runs/, or the path of one (MODEL-DATA-N)")
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with --run and its settings; --epochs may ask for more (a learning rate that falls to 0 then rises"
        " again), and --threads and --device may change",
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
    """Return the options that were given, as the config has them."""
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
    _download_if_asked(args, of_data)
    data = load_data(of_data)
    config = run_config(args, data)
    _say_without_effect(args, config)
    if args.run:
        return follow(run_path(args.run), config, data, resume=False)
    while True:
        try:
            return follow(_free_name(config), config, data, resume=False)
        except InputError as error:
            if error.key != "run.exists":  # else another training took the name in the same moment
                raise


def _download_if_asked(args: argparse.Namespace, of_data: DataConfig) -> None:
    if args.download and of_data.name in DATASETS and DATASETS[of_data.name].missing(of_data.dir):
        download(of_data.name, of_data.dir, _download_progress)
        print(file=sys.stderr)


def _say_without_effect(args: argparse.Namespace, config: RunConfig) -> None:
    for line in without_effect(args, config):
        say(str(line))


def without_effect(args: argparse.Namespace, config: RunConfig) -> list[InputError]:
    """Return a sentence for each option that was given and has no effect in this config."""
    given = _given(args)
    return [
        InputError("train.no_effect", option=option.flag, reason=reason)
        for section, options in OPTIONS.items()
        for name, option in options.items()
        if name in given[section] and (reason := option.no_effect(config))
    ]


def _resume(args: argparse.Namespace) -> int:
    """Go on with a run: by the command that began it and --resume, or by less of it."""
    if not args.run:
        raise InputError("train.resume_needs_run")
    run = find_run(args.run)
    config, given = run.config(), _given(args)
    if others := _other_settings(given, config):
        raise InputError("train.resume_changed", values=listed(others))
    _say_without_effect(args, config)
    asked = {name: value for name, value in given["train"].items() if OPTIONS["train"][name].flag in WITH_RESUME}
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, **asked))
    if "device" in asked:
        from cvae.training.loop import device_of

        device_of(config)  # refuses what is not here; a run's own device may be left out instead
    of_data = dataclasses.replace(config.data, dir=given["data"].get("dir", config.data.dir))
    _download_if_asked(args, of_data)
    return follow(run.path, config, load_data(of_data), resume=True)


def _other_settings(given: Given, config: RunConfig) -> list[InputError]:
    """Return the settings that were given and differ from the run's, but for those that may and those without
    effect."""
    others = []
    for section, options in OPTIONS.items():
        for name, value in given[section].items():
            option = options[name]
            option.check(value)
            if option.flag in WITH_RESUME or not option.applies(config):
                continue
            stored = getattr(config.section(section), name, None)
            # Own data may have been moved since: then --data names the place where it was.
            moved = option.flag == "--data" and value not in DATASETS and str(Path(value).resolve()) == stored
            if value != stored and not moved:
                here, then = _shown(value), _shown(stored)
                others.append(InputError("train.resume_other", option=option.flag, given=here, stored=then))
    return others


def _shown(value: Any) -> Any:
    """Return a setting as it is written on the command line; in words where it is not written there."""
    if value is None:
        return KeyedError("train.not_set")
    if isinstance(value, bool):
        return KeyedError("train.on" if value else "train.off")
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return value


def follow(path: str | Path, config: RunConfig, data: ImageData, *, resume: bool) -> int:
    """Train with progress lines; return 0, or 1 after a failure. Ctrl-C saves and stops, a second one stops at once."""
    from cvae.training.loop import Failed, fit

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not Run(path).locked():  # not begun yet: nothing to save
            raise KeyboardInterrupt
        say("\nstopping and saving; once more to stop at once")
        Run(path).request("stop")

    model, images = config.model, len(data.all_train if config.data.full_train else data.train)
    print(f"{FAMILIES[model.family].title} ({model.net}) on {data.name}: {images:,} images → {path}", flush=True)
    if data.note:
        print(data.note)
    before = signal.signal(signal.SIGINT, stop)
    try:
        with contextlib.closing(fit(path, config, data=data, resume=resume)) as records:
            record: Record | None = None
            for record in records:
                _show(record, config)
            if record is not None and record["split"] != "validation" and sys.stdout.isatty():
                print()  # the line that moved stays
    except Failed as error:
        say(f"\ncvae: the training failed at {error}")
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        if (Run(path).path / "config.json").is_file():
            say(f"\nstopped. {_going_on(path)}")
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    status = Run(path).status()
    after = f"Next: {command('evaluate', path)}" if status.state == "finished" else _going_on(path)
    print(f"{status.state} after {status.step:,} steps. {after}")
    return 0


def _going_on(path: str | Path) -> str:
    return f"To go on: {command('train', '--resume', '--run', path)}"


def _show(record: Record, config: RunConfig) -> None:
    """Print one line for each epoch; on a terminal, update it within the epoch."""
    moves = sys.stdout.isatty()
    if record["split"] == "validation":
        line = progress_line(record, config, columns() if moves else None)
        print_over(line, sys.stdout, end="\n") if moves else print(line, flush=True)
    elif moves:
        print_over(progress_line(record, config, columns()), sys.stdout)


def progress_line(record: Record, config: RunConfig, width: int | None) -> str:
    """Return what a record says, in at most `width` characters; what matters least is left out first. None: all of
    it."""
    epoch, epochs = record["epoch"], config.train.epochs
    left = int(record["seconds"] / epoch * (epochs - epoch))
    parts = [
        (0, f"epoch {epoch:6.2f}/{epochs}"),
        (3, f"{record['split']:<10}"),
        (2 if record["kl"] is not None else 1, f"reconstruction {record['reconstruction']:8.2f}"),
    ]
    if record["kl"] is not None:
        parts += [(4, f"kl {record['kl']:6.2f}"), (1, f"neg_elbo {record['neg_elbo']:8.2f}")]
    parts += [(5, f"{record['images_per_second']:,} images/s"), (2, f"{left // 60}:{left % 60:02d} left")]
    return "  ".join(text for _, text in parts) if width is None else fitted(parts, width)


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
    print_over(f"{name}: {done / 1e6:.1f}{share} MB", sys.stderr)
