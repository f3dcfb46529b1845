"""A config describes a run: data, model, objective and training, as frozen dataclasses to and from JSON.

Each object checks its values when it is made, so every existing config can be trained. `option` declares each value
that a user can set: its range, its flag, its help and when it has an effect (see `cvae.options`).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cvae.conditions import LABEL, ClassCondition, Condition, ImageCondition, vectors, width
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.options import Option, Section, check_whole, option, options_of

FORMAT = 2  # the version of config.json; version 1, with a family's own options among all others, is read too

Net = Literal["mlp", "conv"]
Likelihood = Literal["bernoulli", "gaussian", "gaussian-learned"]
Activation = Literal["relu", "tanh"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Binarize = Literal["dynamic", "static"]
Schedule = Literal["constant", "cosine", "iwae"]

NETS: tuple[str, ...] = typing.get_args(Net)
LIKELIHOODS: tuple[str, ...] = typing.get_args(Likelihood)
ACTIVATIONS: tuple[str, ...] = typing.get_args(Activation)
DEVICES: tuple[str, ...] = typing.get_args(Device)
BINARIZE: tuple[str, ...] = typing.get_args(Binarize)
SCHEDULES: tuple[str, ...] = typing.get_args(Schedule)


# --- when an option has an effect -------------------------------------------------------------------------------------


def _no_pixels(config: RunConfig) -> InputError | None:
    model = config.model
    return InputError("effect.task", task=model.options.task) if model.predicts_label else None


def _no_sigma(config: RunConfig) -> InputError | None:
    likelihood = config.model.likelihood
    fixed = None if likelihood == "gaussian" else InputError("effect.likelihood", likelihood=likelihood)
    return _no_pixels(config) or fixed


def _no_convolutions(config: RunConfig) -> InputError | None:
    return None if config.model.net == "conv" else InputError("effect.net", net=config.model.net)


def _no_condition(config: RunConfig) -> InputError | None:
    family = config.model.family
    return None if FAMILIES[family].takes == "condition" else InputError("effect.family", family=family)


def _no_kl(config: RunConfig) -> InputError | None:
    family = config.model.family
    return InputError("effect.no_kl", family=family) if FAMILIES[family].prior == "none" else None


def _no_analytic_kl(config: RunConfig) -> InputError | None:
    k = config.objective.k
    return _no_kl(config) or (InputError("effect.k", k=k) if k > 1 else None)


# --- the sections -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataConfig(Section):
    # a registered dataset, or the path of an .npz or of a folder of class folders
    name: str = option("digits", "text", "--data", "{datasets}, an .npz, or a folder ({default})", called="data name")
    # where the files of a registered dataset lie; None: ./data
    dir: str | None = option(
        None, "text", "--data-dir", "where the data set's files lie (./data)",
        optional=True, called="data dir", metavar="D",
    )  # fmt: skip
    # pixels become Bernoulli draws: fresh ones in training (dynamic), or one fixed draw (static)
    binarize: Binarize | None = option(
        None, "choice", "--binarize",
        "pixels as Bernoulli draws: in training fresh ones (dynamic, if nothing is said) or one draw (static)",
        optional=True, choices=BINARIZE, const="dynamic", metavar="|".join(BINARIZE),
    )  # fmt: skip
    # published protocols train on both splits
    full_train: bool = option(
        False, "switch", "--full-train", "train on the validation images too, as papers do", called="full_train"
    )


@dataclass(frozen=True)
class ModelConfig(Section):
    family: str = option("vae", "choice", "--model", "{choices} ({default})", choices=tuple(FAMILIES))
    net: Net = option("mlp", "choice", "--net", "{either} ({default})", choices=NETS)
    # the encoder's, from image to code; the decoder has them in reverse
    hidden: tuple[int, ...] = option(
        (400,), "widths", "--hidden", "dense layer widths ({default})", low=1, high=4096, metavar="H"
    )
    # the encoder's strided convolutions; the decoder has them in reverse
    channels: tuple[int, ...] = option(
        (16, 32), "widths", "--channels", "of --net conv ({default})",
        low=1, high=512, metavar="C", no_effect=_no_convolutions,
    )  # fmt: skip
    activation: Activation = option("relu", "choice", "--activation", "{either} ({default})", choices=ACTIVATIONS)
    latent_dim: int = option(
        2, "whole", "--latent-dim", "size of the code z ({default})", low=1, high=1024, metavar="d"
    )
    likelihood: Likelihood = option(
        "bernoulli", "choice", "--likelihood", "{choices} ({default})", choices=LIKELIHOODS, no_effect=_no_pixels
    )
    # 1 gives the half sum of squares
    sigma: float = option(
        1.0, "number", "--sigma", "of --likelihood gaussian ({default})", above=True, step=0.1, no_effect=_no_sigma
    )
    # the model's inputs besides z: names among the label and the data's further columns
    condition: tuple[str, ...] = option(
        (LABEL,), "names", "--condition", "what conditional models are given of the data ({default})",
        metavar="NAME", no_effect=_no_condition,
    )  # fmt: skip
    image_shape: tuple[int, int, int] = (1, 8, 8)  # channels, height, width: taken from the data
    class_names: tuple[str, ...] = tuple("0123456789")  # taken from the data; empty where it has no labels
    columns: tuple[Condition, ...] = ()  # the data's further columns that are inputs of the model
    options: Any = None  # the family's own options, a `Family.options`, or a mapping of some of them

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.image_shape, tuple) or len(self.image_shape) != 3:
            raise InputError("config.image_shape", value=repr(self.image_shape))
        channels, *sides = self.image_shape
        if type(channels) is not int or channels not in (1, 3):
            raise InputError("config.channels", value=repr(channels))
        for side in sides:
            check_whole("image side", side, 8, 64)
        if not isinstance(self.class_names, tuple) or not all(isinstance(c, str) for c in self.class_names):
            raise InputError("config.class_names")
        own = FAMILIES[self.family].options
        if self.options is None or isinstance(self.options, Mapping):
            object.__setattr__(self, "options", own.from_json(dict(self.options or {})))
        if not isinstance(self.options, own):
            raise InputError("config.other_options", family=self.family)
        if self.needs_labels and self.classes < 2:
            raise InputError("config.needs_labels", family=self.family)
        columns = self.columns if isinstance(self.columns, tuple) else (None,)
        known = [LABEL, *(one.name for one in columns if isinstance(one, Condition) and one.width)]
        if len(known) <= len(columns) or len(set(known)) < len(known):
            raise InputError("config.columns")
        if self.takes_condition:
            for name in self.condition:
                if name not in known:
                    raise InputError("config.no_condition", name=name, known=", ".join(known))

    @classmethod
    def from_json(cls, values: Any) -> ModelConfig:
        """Build from a JSON object, as every section does; wrong values raise `InputError`."""
        columns = values.get("columns") if isinstance(values, dict) else None
        if isinstance(columns, list):
            values = {**values, "columns": tuple(map(Condition.from_json, columns))}
        return super().from_json(values)

    @property
    def classes(self) -> int:
        """Return the number of classes; 0 means no labels."""
        return len(self.class_names)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the model's inputs besides z."""
        family = FAMILIES[self.family]
        if family.completes:
            return (ImageCondition("image", self.image_shape, family.visible_quadrants(self.options)),)
        return self._columns(self.condition) if self.takes_condition else ()

    @property
    def batch_conditions(self) -> tuple[Condition, ...]:
        """Return the conditions whose vectors come with a batch: the inputs besides z, or the label to predict."""
        return self._columns((LABEL,)) if self.predicts_label else tuple(c for c in self.conditions if c.width)

    def every_class(self) -> NDArray[np.float32]:
        """Return the vectors (K, width) of the conditions for each class; other conditions have their default."""
        found = vectors(self.conditions, self.classes, {LABEL: np.arange(self.classes)})
        assert found is not None, "the model is given no label"
        return found

    def _columns(self, names: tuple[str, ...]) -> tuple[Condition, ...]:
        known = {one.name: one for one in (ClassCondition(LABEL, self.class_names), *self.columns)}
        return tuple(known[name] for name in names)

    @property
    def condition_width(self) -> int:
        """Return the width of the networks' vector: of the conditions, or of the label to predict."""
        return width(self.batch_conditions)

    @property
    def takes_condition(self) -> bool:
        """Return whether the model's input besides z is a vector of conditions."""
        return FAMILIES[self.family].takes == "condition"

    @property
    def takes_label(self) -> bool:
        """Return whether the label is one of these conditions."""
        return self.takes_condition and LABEL in self.condition

    @property
    def takes_only_label(self) -> bool:
        """Return whether the label is the one condition, so that a sum over the labels gives p(x)."""
        return self.takes_label and self.condition_width == self.classes

    @property
    def predicts_label(self) -> bool:
        """Return whether the model predicts class probabilities and not pictures."""
        return FAMILIES[self.family].predicts_label(self.options)

    @property
    def needs_labels(self) -> bool:
        """Return whether training needs labelled images."""
        return self.takes_label or self.predicts_label


class Described(Protocol):
    """A config needs these facts about data: `ImageData` has them, and so has a description of unread data."""

    @property
    def image_shape(self) -> tuple[int, int, int]: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def further(self) -> tuple[Condition, ...]: ...


def fields_of(data: Described, condition: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a `ModelConfig` that the data decide, for a model with these conditions."""
    columns = tuple(column for column in data.further if column.name in condition)
    return {"image_shape": data.image_shape, "class_names": data.class_names, "columns": columns}


def model_on(data: Described, *, options: Mapping[str, Any], **chosen: Any) -> ModelConfig:
    """Return the chosen model for some data; `options` of other families have no effect.

    A wrong value raises `InputError`, even in an option without effect.
    """
    for name, value in options.items():
        OPTIONS["family"][name].check(value)
    own = options_of(FAMILIES[family].options) if (family := chosen.get("family")) in FAMILIES else {}
    return ModelConfig(
        **chosen,
        **fields_of(data, chosen.get("condition", ModelConfig.condition)),
        options={name: value for name, value in options.items() if name in own},
    )


@dataclass(frozen=True)
class ObjectiveConfig(Section):
    # Higgins et al. 2017
    beta: float = option(1.0, "number", "--beta", "weight of the KL term ({default})", step=0.5, no_effect=_no_kl)
    # the weight rises linearly over these epochs (Bowman et al. 2016)
    kl_warmup: float = option(
        0.0, "number", "--kl-warmup", "epochs of its rise from 0 ({default})", metavar="E", no_effect=_no_kl
    )
    # Kingma et al. 2016
    free_bits: float = option(
        0.0, "number", "--free-bits", "nats each dimension has for free ({default})", step=0.1,
        no_effect=_no_analytic_kl,
    )  # fmt: skip
    # Burda et al. 2016
    k: int = option(
        1, "whole", "--k", "importance samples of the bound ({default}: the ELBO)", low=1, high=5000, no_effect=_no_kl
    )
    # 0 leaves only the KL
    recon_weight: float = option(1.0, "number", "--recon-weight", "weight of the reconstruction ({default})", step=0.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k > 1 and self.free_bits > 0:
            raise InputError("config.free_bits_with_k")


@dataclass(frozen=True)
class TrainConfig(Section):
    epochs: int = option(20, "whole", "--epochs", "passes over the training images ({default})", low=1, high=100_000)
    batch_size: int = option(128, "whole", "--batch-size", "images a step ({default})", low=1, high=65_536)
    lr: float = option(1e-3, "number", "--lr", "learning rate of Adam ({default})", high=10, above=True, step=1e-3)
    # cosine: down to 0; iwae: see `cvae.training.schedule`
    lr_schedule: Schedule = option("constant", "choice", "--lr-schedule", "{choices} ({default})", choices=SCHEDULES)
    # the same seed gives the same result on the same machine
    seed: int = option(0, "whole", "--seed", "of weights, order and draws ({default})", high=2**31 - 1)
    threads: int | None = option(
        None, "whole", "--threads", "of the processor (all its cores)", optional=True, low=1, high=1024, metavar="N"
    )
    # auto: CUDA, else MPS, else the processor
    device: Device = option("auto", "choice", "--device", "{either} ({default})", choices=DEVICES)


@dataclass(frozen=True)
class RunConfig:
    """A RunConfig describes a whole run; `runs/<name>/config.json` holds it."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def without_data_dir(self) -> RunConfig:
        """Return the same config without the data's folder on this machine."""
        return self.with_data_in(None)

    def with_data_in(self, directory: str | None) -> RunConfig:
        """Return the same config with another data folder."""
        return dataclasses.replace(self, data=dataclasses.replace(self.data, dir=directory))

    def section(self, name: str) -> Section:
        """Return one of the sections of `OPTIONS`."""
        section: Section = self.model.options if name == "family" else getattr(self, name)
        return section

    def to_json(self) -> dict[str, Any]:
        """Return JSON, `{"format": 2, "data": {...}, "model": {...}, "objective": {...}, "train": {...}}`."""
        return {"format": FORMAT, **{f.name: getattr(self, f.name).to_json() for f in dataclasses.fields(self)}}

    @classmethod
    def from_json(cls, values: Any) -> RunConfig:
        """Return the config that `to_json` wrote, in this format or format 1; other values raise `InputError`.

        Ignore further keys of the object.
        """
        if not isinstance(values, dict) or type(values.get("format")) is not int:
            raise InputError("config.format", format=FORMAT)
        if values["format"] == 1:
            values = _from_format_1(values)
        if values.get("format") != FORMAT:
            raise InputError("config.format", format=FORMAT)
        return cls(
            data=DataConfig.from_json(values.get("data")),
            model=ModelConfig.from_json(values.get("model")),
            objective=ObjectiveConfig.from_json(values.get("objective")),
            train=TrainConfig.from_json(values.get("train")),
        )


def _from_format_1(values: dict[str, Any]) -> dict[str, Any]:
    """Return the same config in the current format: the own options of cvae-predictive move into `options`."""
    sections = {name: dict(values[name]) for name in ("model", "objective") if isinstance(values.get(name), dict)}
    model, objective = sections.get("model", {}), sections.get("objective", {})
    moved = {name: model.pop(name) for name in ("task", "quadrants") if name in model}
    moved |= {name: objective.pop(name) for name in ("alpha",) if name in objective}
    if model.get("family") == "cvae-predictive":
        model["options"] = moved
    return {**values, **sections, "format": FORMAT}


def _of_family(family: str, own: Option) -> Option:
    """Return an option of one family that has no effect on another."""

    def no_effect(config: RunConfig) -> InputError | None:
        now = config.model.family
        return InputError("effect.family", family=now) if now != family else own.no_effect(config)

    return dataclasses.replace(own, no_effect=no_effect)


# The options of each section of a `RunConfig` by field name; `family` holds each family's own options.
OPTIONS: dict[str, dict[str, Option]] = {
    "data": options_of(DataConfig),
    "model": options_of(ModelConfig),
    "family": {
        name: _of_family(family.id, own)
        for family in FAMILIES.values()
        for name, own in options_of(family.options).items()
    },
    "objective": options_of(ObjectiveConfig),
    "train": options_of(TrainConfig),
}
