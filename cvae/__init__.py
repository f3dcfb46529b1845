"""This package holds autoencoders, VAEs and conditional VAEs in small, exact and readable code.

The list starts at the bottom: a folder imports only from those before it.

    errors         the exception whose sentence is for the user
    assets         the paths of the files beside the code
    numbers        numbers as people read them
    options        each setting of a training, stated once
    conditions     the model's inputs besides z: named conditions, each of one kind
    families       the description of each model family, without torch
    config         the description of a run, as frozen dataclasses to and from JSON
    architecture   the networks of a config as short lists of operations
    data           images to train on: registered data sets and the user's own
    runs           the run folder; the places of runs; trainings as processes
    explore        a trained model as functions of arrays
    browser        the data for the browser: the explorer, the live view
    plots          arrays and measured figures as Plotly figures
    results        recipes, protocols, tables, cards                         (up to here, no torch)
    models         distributions, networks and the objective of each family
    training       fit(), load() and their parts
    measuring      metrics, evaluation, reproductions
    cli            the command line; torch where a command needs it
    ui             the common parts of the Streamlit pages; never torch

The names below are the public interface for Python; each is imported at its first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cvae.config import DataConfig as DataConfig
    from cvae.config import ModelConfig as ModelConfig
    from cvae.config import ObjectiveConfig as ObjectiveConfig
    from cvae.config import RunConfig as RunConfig
    from cvae.config import TrainConfig as TrainConfig
    from cvae.data import load_data as load_data
    from cvae.data import one_hot as one_hot
    from cvae.errors import InputError as InputError
    from cvae.explore import pictures as pictures
    from cvae.explore.inference import Inference as Inference
    from cvae.measuring.evaluation import evaluate as evaluate
    from cvae.runs.folder import Run as Run
    from cvae.training.batches import tensor as tensor
    from cvae.training.load import load as load
    from cvae.training.loop import fit as fit

_HOME = {
    "DataConfig": "config",
    "Inference": "explore.inference",
    "InputError": "errors",
    "ModelConfig": "config",
    "ObjectiveConfig": "config",
    "Run": "runs.folder",
    "RunConfig": "config",
    "TrainConfig": "config",
    "evaluate": "measuring.evaluation",
    "fit": "training.loop",
    "load": "training.load",
    "load_data": "data",
    "one_hot": "data",
    "tensor": "training.batches",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name == "pictures":  # `from cvae import explore, pictures`
        return importlib.import_module("cvae.explore.pictures")
    if name not in _HOME:
        raise AttributeError(f"module 'cvae' has no attribute {name!r}")
    return getattr(importlib.import_module(f"cvae.{_HOME[name]}"), name)
