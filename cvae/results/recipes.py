"""Each recipe makes one shipped run: `python -m cvae gallery NAME`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, TypeVar

from cvae.config import OPTIONS, DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.options import Section, options_of

SectionT = TypeVar("SectionT", bound=Section)

# The trainings of this project share these values, which do not follow later changes of an option's default.
DATA: dict[str, Any] = {"dir": None, "binarize": None, "full_train": False}
MODEL: dict[str, Any] = {
    "net": "mlp", "hidden": (400,), "channels": (16, 32), "activation": "relu", "latent_dim": 2,
    "likelihood": "bernoulli", "sigma": 1.0, "condition": ("label",),
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {"cvae-predictive": {"task": "quadrants", "quadrants": 1, "alpha": 1.0}}  # by family
OBJECTIVE: dict[str, Any] = {"beta": 1.0, "kl_warmup": 0.0, "free_bits": 0.0, "k": 1, "recon_weight": 1.0}
TRAIN: dict[str, Any] = {
    "batch_size": 128, "lr": 1e-3, "lr_schedule": "constant", "seed": 0, "threads": 1, "device": "auto",
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A Recipe makes one shipped run."""

    purpose: str
    config: RunConfig
    snapshots: int = 10  # shipped moments of the training: codes and reconstructions, no weights
    pictures: str = ""  # the shipped run whose reconstructions cvae-predictive completes, in place of the data


def exactly(cls: type[SectionT], **values: Any) -> SectionT:
    """Make a section of a config without any default; raise `TypeError` if an option is missing."""
    if unnamed := options_of(cls).keys() - values.keys():
        raise TypeError(f"{cls.__name__} must name every option, and lacks {', '.join(sorted(unnamed))}")
    return cls(**values)


def data_of(name: str, **options: Any) -> DataConfig:
    """Return the config of a registered data set."""
    return exactly(DataConfig, **{**DATA, **options, "name": name})


def model_of(data: str, family: str, **options: Any) -> ModelConfig:
    """Return the config of a model for a registered data set."""
    known, own = DATASETS[data], FAMILIES[family].options
    values: dict[str, Any] = {**MODEL, "family": family}
    of_family = dict(OWN.get(family, {}))
    for name, value in options.items():
        (of_family if name in of_family else values)[name] = value
    return exactly(
        ModelConfig, **values, image_shape=known.image_shape, class_names=known.class_names,
        options=exactly(own, **of_family),
    )  # fmt: skip


def objective_of(**options: Any) -> ObjectiveConfig:
    """Return the config of the plain bound, changed by these options."""
    return exactly(ObjectiveConfig, **{**OBJECTIVE, **options})


def train_of(epochs: int, **options: Any) -> TrainConfig:
    """Return the config of a training with this number of epochs."""
    return exactly(TrainConfig, **{**TRAIN, **options, "epochs": epochs})


def _trained(data: str, epochs: int, model: ModelConfig, objective: ObjectiveConfig | None = None) -> RunConfig:
    return RunConfig(data_of(data), model, objective or objective_of(), train_of(epochs, lr_schedule="cosine"))


def _plane(family: str, objective: ObjectiveConfig | None = None) -> RunConfig:
    """Train two latent dimensions on the same network, data, seed and epochs for every family."""
    return _trained("mnist", 20, model_of("mnist", family, hidden=(256, 256)), objective)


def _sixteen(family: str, beta: float = 1.0, epochs: int = 30) -> RunConfig:
    """Train sixteen latent dimensions, which draw well."""
    model = model_of("mnist", family, hidden=(400, 400), latent_dim=16)
    return _trained("mnist", epochs, model, objective_of(beta=beta))


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
    "mnist-ae-16d": Recipe("an autoencoder's hole: where no code lies", _sixteen("ae", epochs=12), snapshots=1),
    "mnist-vae-16d": Recipe("sixteen dimensions: better pictures, no map", _sixteen("vae"), snapshots=1),
    "mnist-cvae-16d": Recipe("the asked digit, drawn well", _sixteen("cvae", beta=2.5), snapshots=1),
    "mnist-quadrant": Recipe(
        "three quadrants of a picture from one",
        _trained("mnist", 15, model_of("mnist", "cvae-predictive", hidden=(256, 256), latent_dim=16)),
        snapshots=1,
        pictures="mnist-vae-16d",
    ),
    "mnist-reconstruction-only": Recipe("the reconstruction term alone", _plane("vae", objective_of(beta=0.0))),
    "mnist-kl-only": Recipe("the KL term alone", _plane("vae", objective_of(recon_weight=0.0))),
    "digits-ae": Recipe("an autoencoder of 8×8 digits", _digits("ae")),
    "digits-vae": Recipe("a VAE of 8×8 digits", _digits("vae")),
    "digits-cvae": Recipe("a conditional VAE of 8×8 digits", _digits("cvae")),
}


def recipe(name: str) -> Recipe:
    """Return the recipe of a name; an unknown name raises `InputError`."""
    if name not in RECIPES:
        raise InputError("recipe.unknown", name=repr(name), names=", ".join(RECIPES))
    return RECIPES[name]


def command(config: RunConfig) -> str:
    """Return the command line that trains a run with this config, independent of the options' defaults.

    The line names every option with an effect, except those that are off or left to the machine.
    """
    words = ["python -m cvae train"]
    for section, options in OPTIONS.items():
        for name, option in options.items():
            if option.applies(config):
                words += _arguments(option.flag, getattr(config.section(section), name))
    return " ".join(words)


def _arguments(flag: str, value: object) -> list[str]:
    if value is None or value is False or (flag, value) == ("--device", "auto"):
        return []
    if value is True:
        return [flag]
    if isinstance(value, tuple):
        return [flag, *(shlex.quote(str(one)) for one in value)]
    if isinstance(value, float):
        short = f"{value:g}"
        return [flag, short if float(short) == value else repr(value)]
    text = str(value)
    return [shlex.quote(f"{flag}={text}")] if text.startswith("-") else [flag, shlex.quote(text)]
