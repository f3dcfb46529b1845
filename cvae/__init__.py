"""Autoencoders, VAEs and conditional VAEs: small, exact, and meant to be read.

From the bottom up; imports point to what stands above, here or in the list below.

    errors         the exception that is addressed to the user
    processors     how many of them this process may use
    locks          files as locks between processes
    families       the registry of model families: a line a family
    config         what a run is made from, as frozen dataclasses to and from JSON
    architecture   the networks of a config as short lists of operations
    data           images to train on: registered data sets and the user's own
    status         what a training says of itself, and what is asked of it
    runs           the run folder, read and written                             (up to here, no torch)
    distributions  densities, divergences and bounds on tensors
    nets           op lists as torch modules
    models         one file a model, its objective in sight
    batches        a split of the data on the training's device
    views          what a run folder shows of a model at one moment
    checkpoint     what resuming needs
    schedule       when a training takes snapshots and writes records, and its learning rate
    recorder       the records of a training
    train          fit(): a generator of records that writes a run folder
    trained        load(): the model back from its run folder
    metrics        measures of codes, features and densities
    classifier     the frozen judge of a data set's samples
    generation     what a model's samples are worth to it
    augmentation   what they teach a classifier that has few real images
    evaluation     the figures of a run on its test images
    reproduce      a protocol: trained, measured, written down
    bench          how fast training is here

Beside them, without torch, for pages that must open at once and for whoever wants arrays:

    numpy_nets     op lists run in NumPy
    inference      a trained model as arrays in, arrays out
    explore        manifold, traversal, interpolation, label swap, samples
    projection     codes of many dimensions on a plane: PCA, t-SNE
    comparison     which figures of two runs may stand in one row, and which is the better
    pictures       images as one picture file
    palette        the colours of classes and runs
    plots          arrays as Plotly figures
    charts         measured figures as Plotly figures
    places         where runs are, the user's and the shipped ones
    export         a run as what the browser decodes
    live           a training as what the browser draws
    jobs           trainings as processes with a queue
    worker         one of these processes
    recipes        what is shipped, and how each of it is made
    gallery        how a run is made small and gets its card
    protocols      what stands beside published figures, and how it is trained and measured
    results        what was found, in rows
    cli            the command line
    ui             what the Streamlit pages share

The names below are the public interface of a few lines of Python; they are imported when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cvae.batches import tensor
    from cvae.config import DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
    from cvae.data import load_data, one_hot
    from cvae.errors import InputError
    from cvae.evaluation import evaluate
    from cvae.inference import Inference
    from cvae.runs import Run
    from cvae.train import fit
    from cvae.trained import load

_HOME = {
    "DataConfig": "config",
    "Inference": "inference",
    "InputError": "errors",
    "ModelConfig": "config",
    "ObjectiveConfig": "config",
    "Run": "runs",
    "RunConfig": "config",
    "TrainConfig": "config",
    "evaluate": "evaluation",
    "fit": "train",
    "load": "trained",
    "load_data": "data",
    "one_hot": "data",
    "tensor": "batches",
}

__all__ = [
    "DataConfig",
    "Inference",
    "InputError",
    "ModelConfig",
    "ObjectiveConfig",
    "Run",
    "RunConfig",
    "TrainConfig",
    "evaluate",
    "fit",
    "load",
    "load_data",
    "one_hot",
    "tensor",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'cvae' has no attribute {name!r}")
    return getattr(importlib.import_module(f"cvae.{_HOME[name]}"), name)
