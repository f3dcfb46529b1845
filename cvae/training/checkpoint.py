"""Save and restore a training in one file without pickle: weights, Adam's moments, the generator's state, the step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cvae.errors import InputError
from cvae.models import Autoencoder
from cvae.runs.folder import Run
from cvae.training import snapshots

CHECKPOINT = "checkpoint.safetensors"


def save(
    run: Run,
    model: Autoencoder,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    rows: Tensor,
    state: dict[str, Any],
) -> None:
    """Replace the run's checkpoint. `rows` (n, width) are the steps since the last record; `state` is other JSON."""
    arrays = {f"model.{name}": weight for name, weight in snapshots.weights(model).items()}
    for i, moments in optimiser.state_dict()["state"].items():
        arrays.update({f"adam.{i}.{name}": value.cpu().numpy() for name, value in moments.items()})
    arrays["generator"] = generator.get_state().numpy()
    arrays["rows"] = rows.cpu().numpy()
    run.write_arrays(Path(CHECKPOINT).stem, arrays, {"state": json.dumps(state)})


def restore(
    run: Run, model: Autoencoder, optimiser: torch.optim.Optimizer, generator: torch.Generator
) -> tuple[Tensor, dict[str, Any]] | None:
    """Restore model, optimiser and generator; return the rows and the state of `save`, or None without a checkpoint.

    Raises `InputError` if the file is damaged or belongs to another model.
    """
    path = run.path / CHECKPOINT
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            state: dict[str, Any] = json.loads(file.metadata()["state"])
        model.load_state_dict({k.removeprefix("model."): v for k, v in arrays.items() if k.startswith("model.")})
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in arrays.items():
            if name.startswith("adam."):
                _, i, key = name.split(".")
                moments.setdefault(int(i), {})[key] = value
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
        generator.set_state(arrays["generator"])
        return arrays["rows"], state
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError("checkpoint.damaged", path=path) from error
