"""Load a trained model from its run folder, and the data of its training."""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from cvae.data import ImageData, load_data
from cvae.errors import InputError
from cvae.explore.inference import checked_weights
from cvae.models import Autoencoder, build
from cvae.runs.files import Arrays
from cvae.runs.folder import Run


def load(path: str | os.PathLike[str]) -> Autoencoder:
    """Return the model of the run folder `path`, on the CPU, in evaluation mode.

    During a training, return the newest weights on disk. Raises `InputError` if there is no run, or its weights are
    damaged or belong to another model. The state of torch's global generator stays as it is.
    """
    run = Run.open(path)
    return model_from(run, checked_weights(run))


def model_from(run: Run, weights: Arrays) -> Autoencoder:
    """Return the run's model with these weights, in full or half precision. Raises `InputError` if they do not fit."""
    with torch.random.fork_rng(devices=[]):  # the first weights are drawn, and then replaced
        model = build(run.config().model)
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: value.shape for name, value in weights.items()}
    if found != expected:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        weight = wrong[0]
        if weight not in found:
            raise InputError("weights.missing_in_run", name=run.name, weight=weight, expected=expected[weight])
        if weight not in expected:
            raise InputError("weights.unknown_in_run", name=run.name, weight=weight, found=found[weight])
        raise InputError(
            "weights.shape_in_run", name=run.name, weight=weight, found=found[weight], expected=expected[weight]
        )
    model.load_state_dict({name: torch.from_numpy(value).float() for name, value in weights.items()})
    return model.eval().requires_grad_(False)


def load_data_of(run: Run, data_dir: str | None = None, data: ImageData | None = None) -> ImageData:
    """Load the data that the run was trained on, from `data_dir` if it lies elsewhere now; `data` if it is at hand.

    Raises `InputError` for data that is missing, or whose images or classes are others.
    """
    config = run.config()
    if data is None:
        data = load_data(replace(config.data, dir=config.data.dir if data_dir is None else data_dir))
    same = data.image_shape == config.model.image_shape and data.class_names == config.model.class_names
    if not same or not set(config.model.columns) <= set(data.further):
        raise InputError("run.other_images_or_classes", data=data.name, name=run.name)
    return data
