"""What is shipped, and how each of it is made: `python -m cvae gallery NAME`."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import Any

from cvae.config import DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
from cvae.data import DATASETS
from cvae.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """How one shipped run is made."""

    purpose: str
    config: RunConfig
    snapshots: int = 10  # moments of the training to be replayed: codes and reconstructions, no weights
    pictures: str = ""  # cvae-predictive: the shipped run whose reconstructions it completes, in place of the data


def model_of(data: str, family: str, **options: Any) -> ModelConfig:
    """A model of a registered data set's images."""
    known = DATASETS[data]
    return ModelConfig(family, image_shape=known.image_shape, class_names=known.class_names, **options)


def _trained(data: str, epochs: int, model: ModelConfig, objective: ObjectiveConfig | None = None) -> RunConfig:
    train = TrainConfig(epochs, lr_schedule="cosine", threads=1)
    return RunConfig(DataConfig(data), model, objective or ObjectiveConfig(), train)


def _plane(family: str, objective: ObjectiveConfig | None = None) -> RunConfig:
    """Two latent dimensions, on the same network, data, seed and epochs for every family."""
    return _trained("mnist", 20, model_of("mnist", family, hidden=(256, 256)), objective)


def _sixteen(family: str, beta: float = 1.0) -> RunConfig:
    """Sixteen latent dimensions, which draw well."""
    model = model_of("mnist", family, hidden=(400, 400), latent_dim=16)
    return _trained("mnist", 30, model, ObjectiveConfig(beta))


def _digits(family: str) -> RunConfig:
    return _trained("digits", 200, model_of("digits", family, hidden=(128, 128)))


RECIPES: dict[str, Recipe] = {
    "mnist-ae": Recipe("an autoencoder's plane: codes without a prior", _plane("ae")),
    "mnist-vae": Recipe("a VAE's plane; both terms of the objective", _plane("vae")),
    "mnist-cvae": Recipe("the label beside z: what is left for z is style", _plane("cvae")),
    "mnist-cvae-learned-prior": Recipe("a prior for each label", _plane("cvae-learned-prior")),
    "mnist-cmma": Recipe("the label through z alone: codes cluster by class", _plane("cmma")),
    "mnist-vae-conv": Recipe(
        "a convolutional VAE's plane",
        _trained("mnist", 20, model_of("mnist", "vae", net="conv", channels=(16, 32), hidden=(64,))),
    ),
    "mnist-vae-16d": Recipe("sixteen dimensions: better pictures, no map", _sixteen("vae"), snapshots=1),
    "mnist-cvae-16d": Recipe("the asked digit, drawn well", _sixteen("cvae", beta=2.5), snapshots=1),
    "mnist-quadrant": Recipe(
        "three quadrants of a picture from one",
        _trained("mnist", 15, model_of("mnist", "cvae-predictive", hidden=(256, 256), latent_dim=16)),
        snapshots=1,
        pictures="mnist-vae-16d",
    ),
    "mnist-reconstruction-only": Recipe("the reconstruction term alone", _plane("vae", ObjectiveConfig(beta=0.0))),
    "mnist-kl-only": Recipe("the KL term alone", _plane("vae", ObjectiveConfig(recon_weight=0.0))),
    "digits-ae": Recipe("an autoencoder of 8×8 digits", _digits("ae")),
    "digits-vae": Recipe("a VAE of 8×8 digits", _digits("vae")),
    "digits-cvae": Recipe("a conditional VAE of 8×8 digits", _digits("cvae")),
}


def recipe(name: str) -> Recipe:
    """The recipe of that name; `InputError` where there is none."""
    if name not in RECIPES:
        raise InputError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]


def command(config: RunConfig) -> str:
    """The line that trains a run with this config; what is as usual is left out."""
    words = ["python -m cvae train"]
    for section in (config.data, config.model, config.objective, config.train):
        usual = type(section)()
        for field in dataclasses.fields(section):
            value = getattr(section, field.name)
            if value == getattr(usual, field.name) or field.name in ("image_shape", "class_names"):  # of the data
                continue
            option = {"name": "--data", "dir": "--data-dir", "family": "--model"}.get(field.name, _option(field.name))
            words += [option, *_arguments(value)]
    return " ".join(words)


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def _arguments(value: object) -> list[str]:
    if value is True:
        return []
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return [f"{value:g}" if isinstance(value, float) else shlex.quote(str(value))]
