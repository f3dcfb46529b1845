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
from cvae.runs.files import regular
from cvae.runs.folder import Run
from cvae.training import snapshots

CHECKPOINT = "checkpoint.safetensors"
COUNTS = ("step", "images", "history")  # of the state: whole numbers


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
    values = {**state, "device": generator.device.type}
    run.write_arrays(Path(CHECKPOINT).stem, arrays, {"state": json.dumps(values)})


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
        regular(path)
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
        kind = state.setdefault("device", _kind_of(arrays["generator"]))
        if kind == generator.device.type:
            generator.set_state(arrays["generator"])
        else:  # with the first seed alone, the draws of the first steps would come again
            generator.manual_seed(generator.initial_seed() + (state["step"] << 31))
        if not all(isinstance(state[name], int) and state[name] >= 0 for name in COUNTS):
            raise ValueError("no place in the training")
        return arrays["rows"], state
    except (SafetensorError, OSError, AttributeError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError("checkpoint.damaged", path=path) from error


def _kind_of(state: Tensor) -> str:
    """Return the kind of device whose generator has a state of that size, for checkpoints that do not say it."""
    return {torch.Generator().get_state().numel(): "cpu", 16: "cuda"}.get(state.numel(), "mps")
