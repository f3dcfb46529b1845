"""Where runs are: those of the user, and those that the project ships."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cvae.assets import GALLERY
from cvae.runs.folder import Run


def runs_folder() -> Path:
    """Return where new runs go: the environment's CVAE_RUNS, or `runs` in the working directory."""
    return Path(os.environ.get("CVAE_RUNS", "runs"))


def find_run(text: str) -> Run:
    """Return the run that a user means by a path, or by the name of one in `runs_folder()` or in the gallery."""
    for path in (Path(text), runs_folder() / text, GALLERY / text):
        if (path / "config.json").is_file():
            return Run.open(path)
    return Run.open(text)


def runs_in(folder: str | os.PathLike[str]) -> list[Run]:
    """Return the runs right below `folder`, the newest first.

    A symbolic link to a run is passed over: it would be a second run of the same name, or one that lies elsewhere and
    cannot be queued or deleted here. By its path such a run opens (`find_run`).
    """
    written = {}
    for config in Path(folder).glob("[!.]*/config.json") if Path(folder).is_dir() else ():  # .name: one being made
        with contextlib.suppress(OSError):  # one that is just being deleted
            if not config.parent.is_symlink():
                written[config] = config.stat().st_mtime
    return [Run(config.parent) for config in sorted(written, key=written.__getitem__, reverse=True)]
