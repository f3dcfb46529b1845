"""What a run is made from: data, model, objective and training, as frozen dataclasses to and from JSON.

Every value is checked when the object is made, so that a config that exists can be trained.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cvae.conditions import ClassCondition, Condition, ImageCondition
from cvae.errors import InputError
from cvae.families import FAMILIES

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
BINARIZE: tuple[str, ...] = typing.get_args(Binarize)
SCHEDULES: tuple[str, ...] = typing.get_args(Schedule)


class Section:
    """A part of a config: a frozen dataclass that reads itself from a JSON object."""

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Build from a JSON object; unknown keys and values of the wrong type raise `InputError`."""
        where = cls.__name__
        if not isinstance(values, dict):
            raise InputError(f"{where} must be a JSON object, not {type(values).__name__}.")
        names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - names)
        if unknown:
            raise InputError(f"{where} does not know {', '.join(unknown)}; it knows {', '.join(sorted(names))}.")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which `from_json` makes an equal config."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _whole(name: str, value: Any, low: int, high: float = math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        limit = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
        raise InputError(f"{name} must be a whole number {limit}, not {value!r}.")


def _number(name: str, value: Any, low: float, high: float = math.inf, *, above: bool = False) -> None:
    real = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if not real or value < low or value > high or (above and value == low):
        limit = f"above {low:g}" if above else f"of at least {low:g}"
        limit = limit if high == math.inf else f"{limit} and at most {high:g}"
        raise InputError(f"{name} must be a number {limit}, not {value!r}.")


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise InputError(f"{name} must be a text that is not empty, not {value!r}.")


@dataclass(frozen=True)
class DataConfig(Section):
    name: str = "digits"  # a registered dataset, or the path of an .npz or of a folder of class folders
    dir: str | None = None  # where the files of a registered dataset lie; None: ./data
    binarize: Binarize | None = None  # pixels become Bernoulli draws: fresh ones in training (dynamic), or one draw
    full_train: bool = False  # train on the validation images too, as published protocols do

    def __post_init__(self) -> None:
        _text("data name", self.name)
        if self.dir is not None:
            _text("data dir", self.dir)
        if self.binarize is not None:
            _choice("binarize", self.binarize, BINARIZE)
        if not isinstance(self.full_train, bool):
            raise InputError(f"full_train must be true or false, not {self.full_train!r}.")


@dataclass(frozen=True)
class ModelConfig(Section):
    family: str = "vae"
    net: Net = "mlp"
    hidden: tuple[int, ...] = (400,)  # widths of the dense layers, from image to code; the decoder mirrors them
    channels: tuple[int, ...] = (16, 32)  # of the strided convolutions (net="conv"); the decoder mirrors them
    activation: Activation = "relu"
    latent_dim: int = 2
    likelihood: Likelihood = "bernoulli"
    sigma: float = 1.0  # of likelihood="gaussian"; 1 gives the half sum of squares
    task: Task = "quadrants"  # what cvae-predictive predicts
    quadrants: int = 1  # how many of the four quadrants cvae-predictive is given
    image_shape: tuple[int, int, int] = (1, 8, 8)  # channels, height, width: taken from the data
    class_names: tuple[str, ...] = tuple("0123456789")  # taken from the data; empty where it has no labels

    def __post_init__(self) -> None:
        _choice("model", self.family, tuple(FAMILIES))
        _choice("net", self.net, NETS)
        _choice("activation", self.activation, typing.get_args(Activation))
        _choice("likelihood", self.likelihood, LIKELIHOODS)
        _choice("task", self.task, typing.get_args(Task))
        for name, widths, most in (("hidden", self.hidden, 4096), ("channels", self.channels, 512)):
            if not isinstance(widths, tuple) or not 1 <= len(widths) <= 6:
                raise InputError(f"{name} must be one to six layer widths, not {widths!r}.")
            for width in widths:
                _whole(name, width, 1, most)
        _whole("latent-dim", self.latent_dim, 1, 1024)
        _number("sigma", self.sigma, 0, above=True)
        _whole("quadrants", self.quadrants, 1, 3)
        if not isinstance(self.image_shape, tuple) or len(self.image_shape) != 3:
            raise InputError(f"image_shape must be channels, height, width, not {self.image_shape!r}.")
        channels, *sides = self.image_shape
        if type(channels) is not int or channels not in (1, 3):
            raise InputError(f"images must have 1 or 3 channels, not {channels!r}.")
        for side in sides:
            _whole("image side", side, 8, 64)
        if not isinstance(self.class_names, tuple) or not all(isinstance(c, str) for c in self.class_names):
            raise InputError("class_names must be a list of texts.")
        if FAMILIES[self.family].needs_labels(self.task) and len(self.class_names) < 2:
            raise InputError(
                f"{self.family} needs labels of at least two classes, and this data has none; use ae or vae."
            )

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
    beta: float = 1.0  # weight of the KL term (Higgins et al. 2017)
    kl_warmup: float = 0.0  # epochs over which that weight rises linearly from 0 (Bowman et al. 2016)
    free_bits: float = 0.0  # nats of KL that each latent dimension has for free (Kingma et al. 2016)
    k: int = 1  # importance samples of the bound (Burda et al. 2016); 1 is the ELBO
    recon_weight: float = 1.0  # weight of the reconstruction term; 0 leaves the KL alone
    alpha: float = 1.0  # cvae-predictive: α of the hybrid α·CVAE + (1−α)·GSNN (Sohn et al. 2015)

    def __post_init__(self) -> None:
        _number("beta", self.beta, 0)
        _number("kl-warmup", self.kl_warmup, 0)
        _number("free-bits", self.free_bits, 0)
        _whole("k", self.k, 1, 5000)
        _number("recon-weight", self.recon_weight, 0)
        _number("alpha", self.alpha, 0, 1)
        if self.k > 1 and self.free_bits > 0:
            raise InputError(
                "free-bits bounds the analytic KL, which the importance-weighted bound (k > 1) lacks; drop one."
            )


@dataclass(frozen=True)
class TrainConfig(Section):
    epochs: int = 20
    batch_size: int = 128
    lr: float = 1e-3  # of Adam
    lr_schedule: Schedule = "constant"  # cosine: down to 0; iwae: see `cvae.training.schedule`
    seed: int = 0  # weights, order of the images and every draw: one seed, one result on one machine
    threads: int | None = None  # of the processor; None: all of its cores
    device: Device = "auto"  # CUDA, else MPS, else the processor

    def __post_init__(self) -> None:
        _whole("epochs", self.epochs, 1, 100_000)
        _whole("batch-size", self.batch_size, 1, 65_536)
        _number("lr", self.lr, 0, 10, above=True)
        _choice("lr-schedule", self.lr_schedule, SCHEDULES)
        _whole("seed", self.seed, 0, 2**31 - 1)
        if self.threads is not None:
            _whole("threads", self.threads, 1, 1024)
        _choice("device", self.device, typing.get_args(Device))


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
            raise InputError(f"this is not a config of format {FORMAT}.")
        return cls(
            data=DataConfig.from_json(values.get("data")),
            model=ModelConfig.from_json(values.get("model")),
            objective=ObjectiveConfig.from_json(values.get("objective")),
            train=TrainConfig.from_json(values.get("train")),
        )
