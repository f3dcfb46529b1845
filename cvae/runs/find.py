"""Find the user's runs and those that the project ships."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path

from cvae.assets import GALLERY, SHIPPED
from cvae.errors import InputError
from cvae.runs.folder import Run


def runs_folder() -> Path:
    """Return the folder of new runs: the environment's CVAE_RUNS, else `runs` in the working directory."""
    return Path(os.environ.get("CVAE_RUNS", "runs"))


def is_plain_name(text: str) -> bool:
    """Return whether a text that stands for a run is a name alone, without a separator of folders."""
    return Path(text).name == text and text != ".."


def run_path(text: str | os.PathLike[str]) -> Path:
    """Return where a run lies that a user calls so: a plain name is one in `runs_folder()`, all else is a path."""
    text = os.fspath(text)
    return runs_folder() / text if is_plain_name(text) else Path(text)


def find_run(text: str) -> Run:
    """Return the run at a path, or with a name in `runs_folder()` or the gallery; else raise `InputError`."""
    place = run_path(text)
    if is_plain_name(text) and not (place / "config.json").is_file():
        if (GALLERY / text / "config.json").is_file():
            return Run.open(GALLERY / text)
        if (Path(text) / "config.json").is_file():
            path = shlex.quote(f".{os.sep}{text}")
            raise InputError("run.by_path", name=text, folder=runs_folder(), path=path)
    return Run.open(place)


def is_shipped(run: Run) -> bool:
    """Return whether the run lies in the gallery, whose files are the project's and not the user's."""
    return run.path.resolve().parent in (GALLERY.resolve(), SHIPPED.resolve())


def runs_in(folder: str | os.PathLike[str]) -> list[Run]:
    """Return the runs directly in `folder`, the newest first.

    Skip symbolic links: a link can repeat a run, or name a run of another folder, which cannot be queued or deleted
    here. `find_run` still opens such a run by its path.
    """
    written = {}
    for config in Path(folder).glob("[!.]*/config.json") if Path(folder).is_dir() else ():  # .name: one being made
        with contextlib.suppress(OSError):  # one that is just being deleted
            if not config.parent.is_symlink():
                written[config] = config.stat().st_mtime
    return [Run(config.parent) for config in sorted(written, key=written.__getitem__, reverse=True)]
