"""What a run is made from: data, model, objective and training, as frozen dataclasses to and from JSON.

Every value is checked when the object is made, so that a config that exists can be trained. What a user can set is
declared by `option`: its values, its flag, its help and when it has an effect (see `cvae.options`).
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cvae.conditions import ClassCondition, Condition, ImageCondition
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.options import Option, check_options, check_whole, option, options_of

if TYPE_CHECKING:
    from typing_extensions import Self

FORMAT = 1  # of config.json; raised when an old run could no longer be read

Net = Literal["mlp", "conv"]
Likelihood = Literal["bernoulli", "gaussian", "gaussian-learned"]
Activation = Literal["relu", "tanh"]
Task = Literal["quadrants", "label"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Binarize = Literal["dynamic", "static"]
Schedule = Literal["constant", "cosine", "iwae"]

NETS: tuple[str, ...] = typing.get_args(Net)
LIKELIHOODS: tuple[str, ...] = typing.get_args(Likelihood)
ACTIVATIONS: tuple[str, ...] = typing.get_args(Activation)
TASKS: tuple[str, ...] = typing.get_args(Task)
DEVICES: tuple[str, ...] = typing.get_args(Device)
BINARIZE: tuple[str, ...] = typing.get_args(Binarize)
SCHEDULES: tuple[str, ...] = typing.get_args(Schedule)


class Section:
    """A part of a config: a frozen dataclass that reads itself from a JSON object."""

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Build from a JSON object; unknown keys and values of the wrong type raise `InputError`."""
        where = cls.__name__
        if not isinstance(values, dict):
            raise InputError("config.not_object", where=where, value=type(values).__name__)
        names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - names)
        if unknown:
            known = ", ".join(sorted(names))
            raise InputError("config.unknown_keys", where=where, unknown=", ".join(unknown), known=known)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which `from_json` makes an equal config."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


# --- when an option has an effect -------------------------------------------------------------------------------------


def _no_pixels(config: RunConfig) -> InputError | None:
    return InputError("effect.task", task=config.model.task) if config.model.predicts_label else None


def _no_sigma(config: RunConfig) -> InputError | None:
    likelihood = config.model.likelihood
    fixed = None if likelihood == "gaussian" else InputError("effect.likelihood", likelihood=likelihood)
    return _no_pixels(config) or fixed


def _no_convolutions(config: RunConfig) -> InputError | None:
    return None if config.model.net == "conv" else InputError("effect.net", net=config.model.net)


def _no_prediction(config: RunConfig) -> InputError | None:
    family = config.model.family
    return None if FAMILIES[family].completes else InputError("effect.family", family=family)


def _no_quadrants(config: RunConfig) -> InputError | None:
    return _no_prediction(config) or _no_pixels(config)


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
    # pixels become Bernoulli draws: fresh ones in training (dynamic), or one draw
    binarize: Binarize | None = option(
        None, "choice", "--binarize",
        "pixels as Bernoulli draws: in training fresh ones (dynamic, if nothing is said) or one draw (static)",
        optional=True, choices=BINARIZE, const="dynamic", metavar="|".join(BINARIZE),
    )  # fmt: skip
    # train on the validation images too, as published protocols do
    full_train: bool = option(
        False, "switch", "--full-train", "train on the validation images too, as papers do", called="full_train"
    )

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True)
class ModelConfig(Section):
    family: str = option("vae", "choice", "--model", "{choices} ({default})", choices=tuple(FAMILIES))
    net: Net = option("mlp", "choice", "--net", "{either} ({default})", choices=NETS)
    # from image to code; the decoder mirrors them
    hidden: tuple[int, ...] = option(
        (400,), "widths", "--hidden", "dense layer widths ({default})", low=1, high=4096, metavar="H"
    )
    # of the strided convolutions; the decoder mirrors them
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
    task: Task = option(
        "quadrants", "choice", "--task", "of cvae-predictive: {either} ({default})",
        choices=TASKS, no_effect=_no_prediction,
    )  # fmt: skip
    quadrants: int = option(
        1, "whole", "--quadrants", "how many cvae-predictive is given: 1, 2 or 3 ({default})",
        low=1, high=3, no_effect=_no_quadrants,
    )  # fmt: skip
    image_shape: tuple[int, int, int] = (1, 8, 8)  # channels, height, width: taken from the data
    class_names: tuple[str, ...] = tuple("0123456789")  # taken from the data; empty where it has no labels

    def __post_init__(self) -> None:
        check_options(self)
        if not isinstance(self.image_shape, tuple) or len(self.image_shape) != 3:
            raise InputError("config.image_shape", value=repr(self.image_shape))
        channels, *sides = self.image_shape
        if type(channels) is not int or channels not in (1, 3):
            raise InputError("config.channels", value=repr(channels))
        for side in sides:
            check_whole("image side", side, 8, 64)
        if not isinstance(self.class_names, tuple) or not all(isinstance(c, str) for c in self.class_names):
            raise InputError("config.class_names")
        if FAMILIES[self.family].needs_labels(self.task) and len(self.class_names) < 2:
            raise InputError("config.needs_labels", family=self.family)

    @property
    def classes(self) -> int:
        """How many classes the labels have; 0 where there are no labels."""
        return len(self.class_names)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the model is given beside z."""
        family = FAMILIES[self.family]
        found: list[Condition] = []
        if family.takes_class:
            found.append(ClassCondition("label", self.class_names))
        if family.completes:
            found.append(ImageCondition("image", self.image_shape, None if self.predicts_label else self.quadrants))
        return tuple(found)

    @property
    def condition_width(self) -> int:
        """The width of the vector that the networks see: of the conditions, or of the label that is predicted."""
        return self.classes if self.predicts_label else sum(condition.width for condition in self.conditions)

    @property
    def predicts_label(self) -> bool:
        """Whether the model answers with class probabilities in place of pictures."""
        return FAMILIES[self.family].completes and self.task == "label"


@dataclass(frozen=True)
class ObjectiveConfig(Section):
    # Higgins et al. 2017
    beta: float = option(1.0, "number", "--beta", "weight of the KL term ({default})", step=0.5, no_effect=_no_kl)
    # over which that weight rises linearly (Bowman et al. 2016)
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
    # 0 leaves the KL alone
    recon_weight: float = option(1.0, "number", "--recon-weight", "weight of the reconstruction ({default})", step=0.5)
    # α of the hybrid α·CVAE + (1−α)·GSNN (Sohn et al. 2015)
    alpha: float = option(
        1.0, "number", "--alpha", "of cvae-predictive's hybrid ({default}: plain)",
        high=1, step=0.1, no_effect=_no_prediction,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_options(self)
        if self.k > 1 and self.free_bits > 0:
            raise InputError("config.free_bits_with_k")


@dataclass(frozen=True)
class TrainConfig(Section):
    epochs: int = option(20, "whole", "--epochs", "passes over the training images ({default})", low=1, high=100_000)
    batch_size: int = option(128, "whole", "--batch-size", "images a step ({default})", low=1, high=65_536)
    lr: float = option(1e-3, "number", "--lr", "learning rate of Adam ({default})", high=10, above=True, step=1e-3)
    # cosine: down to 0; iwae: see `cvae.training.schedule`
    lr_schedule: Schedule = option("constant", "choice", "--lr-schedule", "{choices} ({default})", choices=SCHEDULES)
    # one seed, one result on one machine
    seed: int = option(0, "whole", "--seed", "of weights, order and draws ({default})", high=2**31 - 1)
    threads: int | None = option(
        None, "whole", "--threads", "of the processor (all its cores)", optional=True, low=1, high=1024, metavar="N"
    )
    # auto: CUDA, else MPS, else the processor
    device: Device = option("auto", "choice", "--device", "{either} ({default})", choices=DEVICES)

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run is made from; `runs/<name>/config.json` holds it."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def without_data_dir(self) -> RunConfig:
        """The same, but for where the data lies on this machine."""
        return self.with_data_in(None)

    def with_data_in(self, directory: str | None) -> RunConfig:
        """The same, but for where the data lies."""
        return dataclasses.replace(self, data=dataclasses.replace(self.data, dir=directory))

    def to_json(self) -> dict[str, Any]:
        """A JSON object, `{"format": 1, "data": {...}, "model": {...}, "objective": {...}, "train": {...}}`."""
        return {"format": FORMAT, **{f.name: getattr(self, f.name).to_json() for f in dataclasses.fields(self)}}

    @classmethod
    def from_json(cls, values: Any) -> RunConfig:
        """The config that `to_json` wrote; anything else raises `InputError`. Keys beyond it are left alone."""
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise InputError("config.format", format=FORMAT)
        return cls(
            data=DataConfig.from_json(values.get("data")),
            model=ModelConfig.from_json(values.get("model")),
            objective=ObjectiveConfig.from_json(values.get("objective")),
            train=TrainConfig.from_json(values.get("train")),
        )


# The options of each section of a `RunConfig`, by the names of their fields.
OPTIONS: dict[str, dict[str, Option]] = {
    "data": options_of(DataConfig),
    "model": options_of(ModelConfig),
    "objective": options_of(ObjectiveConfig),
    "train": options_of(TrainConfig),
}
