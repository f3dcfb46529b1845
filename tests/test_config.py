"""Configs: what they refuse, and the way to JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from helpers.data import complaint
from helpers.engine import DIGITS, tiny_run

from cvae.config import DataConfig, ModelConfig, ObjectiveConfig, RunConfig, Section, TrainConfig
from cvae.families import FAMILIES

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
    (ModelConfig, "task", ["segment", None]),
    (ModelConfig, "quadrants", [0, 4, 1.0, True]),
    (ModelConfig, "image_shape", [(8, 8), (2, 8, 8), (1, 7, 8), (1, 8, 65), (1.0, 8, 8), "188", None]),
    (ModelConfig, "class_names", ["ab", (1, 2), None]),
    (ObjectiveConfig, "beta", [-0.1, NAN, INF, None, "1", -(10**400)]),
    (ObjectiveConfig, "kl_warmup", [-1, NAN]),
    (ObjectiveConfig, "free_bits", [-1, INF]),
    (ObjectiveConfig, "k", [0, 1.0, 5001, True]),
    (ObjectiveConfig, "recon_weight", [-1, NAN]),
    (ObjectiveConfig, "alpha", [-0.1, 1.1, NAN]),
    (TrainConfig, "epochs", [0, -1, 1.5, 100_001]),
    (TrainConfig, "batch_size", [0, 65_537, 1.5]),
    (TrainConfig, "lr", [0, -1e-3, 11, NAN]),
    (TrainConfig, "seed", [-1, 2**31, 0.5]),
    (TrainConfig, "threads", [0, -1, 1025, 1.5]),
    (TrainConfig, "device", ["tpu", None, "cuda:1"]),
]


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        pytest.param(section, name, value, id=f"{name}={value!r}"[:40])
        for section, name, values in BAD_VALUES
        for value in values
    ],
)
def test_a_bad_value_is_refused_by_name(section: type[Section], name: str, value: object):
    message = complaint(lambda: section(**{name: value}))
    assert any(word in message for word in (name.replace("_", "-"), *name.split("_"), *ALSO_CALLED.get(name, ())))


def test_free_bits_and_importance_samples_exclude_one_another():
    assert "free-bits" in complaint(lambda: ObjectiveConfig(k=5, free_bits=0.1))


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_asked_for_where_a_model_needs_them(family: str):
    needs = family in ("cvae", "cvae-learned-prior", "cmma")
    for names in ((), ("only one",)):
        if needs:
            assert "labels" in complaint(lambda names=names: ModelConfig(family, class_names=names))
        else:
            assert ModelConfig(family, class_names=names).classes == len(names)
    if family == "cvae-predictive":
        assert "labels" in complaint(lambda: ModelConfig(family, task="label", class_names=()))


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


def test_what_json_leaves_out_has_its_default():
    assert RunConfig.from_json({"format": 1, "data": {}, "model": {}, "objective": {}, "train": {}}) == RunConfig()


@pytest.mark.parametrize(
    "damage",
    [
        lambda j: None,
        lambda j: [],
        lambda j: {**j, "format": 2},
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
