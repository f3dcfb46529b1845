"""Configs: what they refuse, and the way to JSON and back."""

from __future__ import annotations

import functools
import json
import math
import random
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from helpers.data import complaint
from helpers.engine import DIGITS, tiny_run
from streamlit.testing.v1 import AppTest

from cvae.cli import parser
from cvae.cli.training import run_config, without_effect
from cvae.config import OPTIONS, DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig, model_on
from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.families.cvae_predictive import Options
from cvae.options import Option, Section
from cvae.results.recipes import command
from cvae.ui.pages import training

NAN, INF = float("nan"), float("inf")

ALSO_CALLED = {"family": ["model"]}

BAD_VALUES = [
    (DataConfig, "name", ["", None, 3]),
    (DataConfig, "dir", ["", 3]),
    (DataConfig, "binarize", [1, "yes", True]),
    (DataConfig, "full_train", [0, "no", None]),
    (ModelConfig, "family", ["gan", None, ["vae"]]),
    (ModelConfig, "net", ["transformer", None]),
    (ModelConfig, "hidden", [(), (0,), (-3,), (4097,), (1.5,), (True,), ("400",), ((400,),), (8,) * 7, 400, None]),
    (ModelConfig, "channels", [(), (0,), (513,), (8,) * 7, None]),
    (ModelConfig, "activation", ["gelu", 1]),
    (ModelConfig, "latent_dim", [0, -1, 1025, 2.0, True, "2", None]),
    (ModelConfig, "likelihood", ["poisson", None]),
    (ModelConfig, "sigma", [0, -1, NAN, INF, "1", True, 10**400]),
    (Options, "task", ["segment", None]),
    (Options, "quadrants", [0, 4, 1.0, True]),
    (ModelConfig, "image_shape", [(8, 8), (2, 8, 8), (1, 7, 8), (1, 8, 65), (1.0, 8, 8), "188", None]),
    (ModelConfig, "class_names", ["ab", (1, 2), None]),
    (ObjectiveConfig, "beta", [-0.1, NAN, INF, None, "1", -(10**400)]),
    (ObjectiveConfig, "kl_warmup", [-1, NAN]),
    (ObjectiveConfig, "free_bits", [-1, INF]),
    (ObjectiveConfig, "k", [0, 1.0, 5001, True]),
    (ObjectiveConfig, "recon_weight", [-1, NAN]),
    (Options, "alpha", [-0.1, 1.1, NAN]),
    (TrainConfig, "epochs", [0, -1, 1.5, 100_001]),
    (TrainConfig, "batch_size", [0, 65_537, 1.5]),
    (TrainConfig, "lr", [0, -1e-3, 11, NAN]),
    (TrainConfig, "seed", [-1, 2**31, 0.5]),
    (TrainConfig, "threads", [0, -1, 1025, 1.5]),
    (TrainConfig, "device", ["tpu", None, "cuda:1"]),
]


@pytest.mark.parametrize(("section", "name", "values"), [pytest.param(*each, id=each[1]) for each in BAD_VALUES])
def test_a_bad_value_is_refused_by_name(section: type[Section], name: str, values: list[object]):
    for value in values:
        message = complaint(lambda value=value: section(**{name: value}))
        words = (name.replace("_", "-"), *name.split("_"), *ALSO_CALLED.get(name, ()))
        assert any(word in message for word in words), value


def test_free_bits_and_importance_samples_exclude_one_another():
    for k in (2, 5):
        assert "free-bits" in complaint(lambda k=k: ObjectiveConfig(k=k, free_bits=0.1))


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_asked_for_where_a_model_needs_them(family: str):
    needs = family in ("cvae", "cvae-learned-prior", "cmma")
    for names in ((), ("only one",)):
        if needs:
            assert "labels" in complaint(lambda names=names: ModelConfig(family, class_names=names))
        else:
            assert ModelConfig(family, class_names=names).classes == len(names)
    if family == "cvae-predictive":
        assert "labels" in complaint(lambda: ModelConfig(family, options={"task": "label"}, class_names=()))


def test_a_model_can_be_named_before_its_data_is_read():
    """Image shape and class names come from the data; until then they are those of the default data, the digits."""
    for family in FAMILIES:
        assert ModelConfig(family).class_names == DIGITS


@pytest.mark.parametrize("family", FAMILIES)
def test_json_gives_an_equal_config(family: str):
    config = tiny_run(family, net="conv", hidden=(7, 5), beta=0.5, binarize="dynamic", threads=2, dir="data", sigma=1)
    text = json.dumps(config.to_json(), allow_nan=False)
    assert RunConfig.from_json(json.loads(text)) == config
    assert RunConfig.from_json({**json.loads(text), "versions": {}, "note": "kept by hand"}) == config


@pytest.mark.parametrize("format", [1, 2])
def test_what_json_leaves_out_has_its_default(format: int):
    assert RunConfig.from_json({"format": format, "data": {}, "model": {}, "objective": {}, "train": {}}) == RunConfig()


@pytest.mark.parametrize("family", FAMILIES)
def test_format_1_had_the_options_of_one_family_among_all_others(family: str):
    config = tiny_run(family, task="label", quadrants=3, alpha=0.25)
    new = config.to_json()
    model = {name: value for name, value in new["model"].items() if name not in ("condition", "columns", "options")}
    old = {**new, "format": 1, "model": {**model, "task": "label", "quadrants": 3}}
    assert RunConfig.from_json({**old, "objective": {**new["objective"], "alpha": 0.25}}) == config


@pytest.mark.parametrize(
    "damage",
    [
        lambda j: None,
        lambda j: [],
        lambda j: {**j, "format": 3},
        lambda j: {k: v for k, v in j.items() if k != "format"},
        lambda j: {k: v for k, v in j.items() if k != "model"},
        lambda j: {**j, "train": None},
        lambda j: {**j, "train": [1]},
        lambda j: {**j, "train": {**j["train"], "momentum": 0.9}},
        lambda j: {**j, "model": {**j["model"], "hidden": [[16]]}},
        lambda j: {**j, "model": {**j["model"], "image_shape": [1, 8]}},
        lambda j: {**j, "model": {**j["model"], "latent_dim": "2"}},
        lambda j: {**j, "objective": {**j["objective"], "beta": None}},
    ],
)
def test_foreign_json_is_refused(damage):
    complaint(RunConfig.from_json, damage(tiny_run().to_json()))


def test_a_config_cannot_be_changed_by_accident():
    config = tiny_run()
    with pytest.raises(AttributeError):
        config.train.lr = 1.0  # type: ignore[misc]
    assert replace(config, train=replace(config.train, lr=1.0)).train.lr == 1.0


# --- an option is stated once: the config, the command line and the page have the same ranges

SECTIONS = {
    "data": DataConfig, "model": ModelConfig, "family": Options, "objective": ObjectiveConfig, "train": TrainConfig,
}  # fmt: skip
ALL = [(section, name, option) for section, options in OPTIONS.items() for name, option in options.items()]
RANGED = [each for each in ALL if each[2].kind in ("whole", "number", "widths")]
ON_PAGE = ("family", *training.NETWORK, *training.CODE, *training.TRAINING, *training.MORE)
# The data have a menu of their own, the condition a control where there is more than the label; the rest are usual.
OFF_PAGE = ("name", "dir", "condition", "batch_size", "threads", "device")


def each_option(options: list[tuple[str, str, Option]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("section", "name", "option"), [pytest.param(*each, id=each[1]) for each in options])


def ends(option: Option) -> list[Any]:
    """The lowest and the highest value of an option; where it is open, one that is far out."""
    low = math.nextafter(option.low, math.inf) if option.above else option.low
    high = 1e300 if option.high == math.inf else option.high
    return [(end,) if option.kind == "widths" else end for end in (low, high)]


def outside(option: Option) -> list[Any]:
    """Values just below and just above the range."""
    fine = option.kind == "number"
    below = math.nextafter(option.low, -math.inf) if fine else option.low - 1
    beyond = math.nextafter(option.high, math.inf) if fine else option.high + 1
    values = [float(option.low) if option.above else below, *([beyond] if option.high < math.inf else [])]
    return [(value,) if option.kind == "widths" else value for value in values]


def parsed(line: str) -> RunConfig:
    """The config that a command line asks for, on the digits."""
    family = "" if "--model" in line else "--model cvae-predictive "
    return run_config(parser().parse_args(["train", *shlex.split(family + line)]), DATASETS["digits"])


def as_words(option: Option, value: Any) -> str:
    return f"{option.flag}={value[0] if isinstance(value, tuple) else value!r}"


def test_a_range_has_the_same_ends_in_the_config_and_on_the_command_line():
    for section, name, option in RANGED:
        for value in ends(option):
            assert getattr(SECTIONS[section](**{name: value}), name) == value
            assert getattr(parsed(as_words(option, value)).section(section), name) == value
        for value in outside(option):
            said = complaint(functools.partial(SECTIONS[section], **{name: value}))
            assert complaint(parsed, as_words(option, value)) == said
            assert said.startswith(f"{option.called} must be")


def test_a_choice_is_the_same_in_the_config_and_on_the_command_line():
    for section, name, option in (each for each in ALL if each[2].kind == "choice"):
        for choice in option.choices:
            assert getattr(parsed(f"{option.flag} {choice}").section(section), name) == choice
        assert option.called in complaint(parsed, f"{option.flag} nothing")


def test_what_is_not_given_is_as_the_config_has_it():
    assert parsed("--model vae") == RunConfig()


def test_every_option_is_on_the_page_or_left_out_on_purpose():
    assert sorted((*ON_PAGE, *OFF_PAGE)) == sorted(name for _, name, _ in ALL)


def controls() -> None:
    from cvae.ui.pages.training import CODE, MORE, NETWORK, TRAINING, control

    for name in ("family", *NETWORK, *CODE, *TRAINING, *MORE):
        control(name)


@pytest.fixture(scope="module")
def page() -> AppTest:
    """Every control of the page, those without effect too."""
    app = AppTest.from_function(controls, default_timeout=60).run()
    assert not app.exception
    return app


def test_the_control_of_the_page_has_the_range_and_the_default_of_the_config(page: AppTest):
    for _, name, option in (each for each in ALL if each[1] in ON_PAGE):
        key = f"train.{name}"
        if option.kind in ("whole", "number"):
            control = page.number_input(key=key)
            assert control.min == (training.SMALLEST if option.above else option.low)
            assert (control.max if control.proto.has_max else math.inf) == option.high
            assert control.value == option.default
        elif option.kind == "widths":
            assert page.text_input(key=key).value == ", ".join(map(str, option.default))
        elif option.kind == "switch" or option.const is not None:
            assert page.toggle(key=key).value is bool(option.default)
        else:
            words = training.CHOICES.get(name) or training.choice_of_family(name)
            assert page.selectbox(key=key).options == [words(choice) for choice in option.choices]
            assert page.selectbox(key=key).value == option.default


# --- the command of a config gives that config


def random_values(option: Option, draw: random.Random) -> Any:
    if option.optional and draw.random() < 0.5:
        return None
    match option.kind:
        case "choice":
            return draw.choice(option.choices)
        case "switch":
            return draw.random() < 0.5
        case "text":
            return draw.choice(["digits", "no where/my images.npz", "/tmp/it's.npz", "-dash"])
        case "whole":
            return draw.randint(int(option.low), int(option.high))
        case "names":
            return option.default
        case "widths":
            return tuple(draw.randint(int(option.low), int(option.high)) for _ in range(draw.randint(1, 6)))
        case _:
            high = min(option.high, draw.choice([1, 1e6]))
            return draw.choice([option.default, draw.uniform(option.low, high), round(draw.uniform(0.1, high), 1)])


def with_effects_alone(config: RunConfig) -> RunConfig:
    """The same, with every option that has no effect at its default."""
    for section, name, option in ALL:
        if not option.applies(config):
            if section == "family":
                if hasattr(config.model.options, name):
                    options = replace(config.model.options, **{name: option.default})
                    config = replace(config, model=replace(config.model, options=options))
            else:
                config = replace(config, **{section: replace(config.section(section), **{name: option.default})})
    return config


def random_configs(count: int) -> Iterator[RunConfig]:
    draw = random.Random(0)
    while count:
        parts: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        for section, name, option in ALL:
            parts[section][name] = random_values(option, draw)
        if draw.random() < 0.5:
            parts["objective"]["k"] = 1
        try:
            model = model_on(DATASETS["digits"], options=parts["family"], **parts["model"])
            yield RunConfig(
                DataConfig(**parts["data"]), model,
                ObjectiveConfig(**parts["objective"]), TrainConfig(**parts["train"]),
            )  # fmt: skip
        except InputError:  # k beside free bits
            continue
        count -= 1


def test_the_command_of_a_config_gives_that_config():
    for config in random_configs(200):
        line = command(config).removeprefix("python -m cvae train ")
        args = parser().parse_args(["train", *shlex.split(line)])
        assert run_config(args, DATASETS["digits"]) == with_effects_alone(config), line


def test_a_default_says_no_more_than_what_it_takes_to_train_the_same():
    assert "--sigma" not in command(RunConfig())
    assert "--channels" not in command(RunConfig())
    assert "--beta 1 " in command(RunConfig())


# --- what has no effect


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--sigma 2", "--sigma has no effect here: the likelihood is bernoulli."),
        ("--channels 8", "--channels has no effect here: the net is mlp."),
        ("--alpha 0.5", "--alpha has no effect here: the model is vae."),
        ("--model cvae-predictive --task label --quadrants 2", "--quadrants has no effect here: the task is label."),
        ("--model ae --beta 1", "--beta has no effect here: ae has no KL term."),
        ("--k 5 --free-bits 0", "--free-bits has no effect here: with k = 5 the bound has no analytic KL."),
        ("--likelihood gaussian --sigma 2 --net conv --channels 8 --beta 2", None),
    ],
)
def test_an_option_without_effect_is_said_to_have_none(line: str, said: str | None):
    args = parser().parse_args(["train", *shlex.split(line)])
    lines = [str(each) for each in without_effect(args, run_config(args, DATASETS["digits"]))]
    assert lines == ([said] if said else [])


def test_no_option_is_without_effect_everywhere():
    configs = list(random_configs(40))
    assert [name for _, name, option in ALL if not any(option.applies(config) for config in configs)] == []
