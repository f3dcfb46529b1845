"""The card of a shipped run states the commands that make it again, the time, the machine and its data's licence."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.results.recipes import command
from cvae.runs.folder import Run
from cvae.runs.machine import machine

LARGEST = 32_000_000  # the most bytes of all shipped runs together
SAMPLES = 200  # importance samples for the `nll` of shipped runs


def write_card(run: Run, seconds: float, samples: int) -> None:
    """Write card.json of a shipped run, trained in `seconds` on this machine, with `samples` for its `nll`."""
    config = run.config()
    trained = datetime.datetime.fromtimestamp(run.status().heartbeat, datetime.timezone.utc)
    card = {
        "command": f"python -m cvae gallery {run.name}" + (f" --samples {samples}" if samples != SAMPLES else ""),
        "train_command": command(config),
        "seconds": round(seconds, 1),
        "machine": machine(),
        "date": trained.date().isoformat(),
        "data_licence": DATASETS[config.data.name].licence,
    }
    write_json(run.path / "card.json", card)


def card(run: Run) -> dict[str, Any] | None:
    """Read card.json of a shipped run; return None without one; a damaged file raises `InputError`."""
    path = run.path / "card.json"
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("file.not_json", path=path) from error
    return values if isinstance(values, dict) else None


def size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
