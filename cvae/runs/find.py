"""Find the user's runs and those that the project ships."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cvae.assets import GALLERY
from cvae.runs.folder import Run


def runs_folder() -> Path:
    """Return the folder of new runs: the environment's CVAE_RUNS, else `runs` in the working directory."""
    return Path(os.environ.get("CVAE_RUNS", "runs"))


def find_run(text: str) -> Run:
    """Return the run at a path, or with a name in `runs_folder()` or the gallery; else raise `InputError`."""
    for path in (Path(text), runs_folder() / text, GALLERY / text):
        if (path / "config.json").is_file():
            return Run.open(path)
    return Run.open(text)


def runs_in(folder: str | os.PathLike[str]) -> list[Run]:
    """Return the runs directly in `folder`, the newest first.

    Skip symbolic links: a link can repeat a run, or name a run of another folder, which cannot be queued or deleted
    here. `find_run` still opens such a run by its path.
    """
    written = {}
    for config in Path(folder).glob("[!.]*/config.json") if Path(folder).is_dir() else ():  # a dot: not complete yet
        with contextlib.suppress(OSError):  # another process may delete the run
            if not config.parent.is_symlink():
                written[config] = config.stat().st_mtime
    return [Run(config.parent) for config in sorted(written, key=written.__getitem__, reverse=True)]
