"""Runs on disk for the explorer's tests: networks of every kind with random weights, without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from cvae.config import ModelConfig, RunConfig
from cvae.families import FAMILIES
from cvae.models import Autoencoder, build
from cvae.runs import Run

DIGITS = tuple("0123456789")
CODES = 300


def make_run(path: Path, *, seed: int = 0, gain: float = 3.0, codes: int = CODES, **model: Any) -> Run:
    """A finished run of an untrained model, whose weights are enlarged so that its pictures have contrast."""
    config = ModelConfig(**{"hidden": (48,), "channels": (6, 8), "class_names": DIGITS, **model})
    run = Run.create(path, RunConfig(model=config), state="finished")
    torch.manual_seed(seed)
    network = build(config)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.startswith("decoder."):
                value.mul_(gain)
    run.write_arrays("model", {name: value.numpy() for name, value in network.state_dict().items()})
    rng = np.random.default_rng(seed)
    labels = rng.integers(max(config.classes, 1), size=codes).astype(np.uint8)
    spread = rng.standard_normal((codes, config.latent_dim)) + np.sin(labels)[:, None]
    arrays = {"codes": spread.astype(np.float16)}
    run.write_arrays("codes", {**arrays, "labels": labels} if config.classes else arrays)
    if FAMILIES[config.family].given == "condition":
        strip = rng.integers(256, size=(16, *config.image_shape)).astype(np.uint8)
        decoder = {name: value for name, value in run.weights().items() if name.startswith(("decoder.", "prior_net."))}
        run.write_arrays("snapshots/1", {**arrays, "labels": labels, "strip": strip, **decoder})
    return run


def torch_model(run: Run) -> Autoencoder:
    """The run's model as PyTorch computes it."""
    model = build(run.config().model)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in run.weights().items()})
    return model.eval()
