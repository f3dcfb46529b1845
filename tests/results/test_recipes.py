"""Recipes and protocols: their configs are what was trained, whatever the defaults of the options become."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from types import ModuleType
from typing import Any

import pytest

import cvae.results
from cvae.assets import GALLERY, RESULTS
from cvae.config import OPTIONS, DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
from cvae.families.cvae_predictive import Options
from cvae.results import protocols, recipes
from cvae.results.recipes import RECIPES, command, exactly

SECTIONS = {
    "data": DataConfig, "model": ModelConfig, "family": Options, "objective": ObjectiveConfig, "train": TrainConfig,
}  # fmt: skip
OTHERS: dict[str, Any] = {  # a value of each option that no recipe relies on
    "name": "kmnist",
    "dir": "elsewhere",
    "binarize": "static",
    "full_train": True,
    "family": "cmma",
    "net": "conv",
    "hidden": (7,),
    "channels": (9,),
    "activation": "tanh",
    "latent_dim": 3,
    "likelihood": "gaussian",
    "sigma": 0.7,
    "condition": ("slant",),
    "task": "label",
    "quadrants": 3,
    "beta": 0.3,
    "kl_warmup": 1.5,
    "free_bits": 0.2,
    "k": 4,
    "recon_weight": 0.4,
    "alpha": 0.6,
    "epochs": 3,
    "batch_size": 11,
    "lr": 0.2,
    "lr_schedule": "iwae",
    "seed": 9,
    "threads": 2,
    "device": "cpu",
}


def everything(of_recipes: ModuleType, of_protocols: ModuleType) -> dict[str, str]:
    """Every config that the project names, with its command, as text."""
    configs: dict[str, RunConfig] = {name: recipe.config for name, recipe in of_recipes.RECIPES.items()}
    for name, protocol in of_protocols.PROTOCOLS.items():
        configs |= {f"{name} {label}": config for label, config in protocol.runs.items()}
    return {name: f"{json.dumps(c.to_json())} {of_recipes.command(c)}" for name, c in configs.items()}


def test_a_recipe_is_what_its_shipped_run_was_made_from():
    for name in RECIPES:
        written = json.loads((GALLERY / name / "config.json").read_text(encoding="utf-8"))
        assert {key: value for key, value in written.items() if key != "versions"} == RECIPES[name].config.to_json()


def test_a_protocol_is_what_its_results_were_made_from():
    for name in protocols.PROTOCOLS:
        written = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        assert protocols.PROTOCOLS[name].runs.keys() == written["runs"].keys()
        for label, run in written["runs"].items():
            asked = protocols.PROTOCOLS[name].at(run["epochs"], written["seed"])
            assert run["config"] == asked[label].to_json()


def test_another_default_changes_no_recipe_and_no_command(monkeypatch: pytest.MonkeyPatch):
    before = everything(recipes, protocols)
    for name, other in OTHERS.items():
        with monkeypatch.context() as patch:
            change_default(name, other, patch)
            for module in ("recipes", "protocols"):
                patch.setattr(cvae.results, module, getattr(cvae.results, module))
                patch.delitem(sys.modules, f"cvae.results.{module}")
            again = [importlib.import_module(f"cvae.results.{module}") for module in ("recipes", "protocols")]
            assert again[0] is not recipes
            assert everything(*again) == before, name


def change_default(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the default of a field would be, had another been stated."""
    section = next(section for section, options in OPTIONS.items() if name in options)
    cls = SECTIONS[section]
    places = list(cls.__dataclass_fields__)
    defaults = list(cls.__init__.__defaults__ or ())
    defaults[places.index(name)] = value
    monkeypatch.setattr(cls.__init__, "__defaults__", tuple(defaults))
    monkeypatch.setattr(cls, name, value)
    monkeypatch.setattr(cls.__dataclass_fields__[name], "default", value)
    about = dataclasses.replace(OPTIONS[section][name], default=value)
    monkeypatch.setitem(OPTIONS[section], name, about)
    monkeypatch.setattr(cls.__dataclass_fields__[name], "metadata", {"option": about})
    assert getattr(cls(), name) == value


def test_every_option_has_another_value_here():
    assert OTHERS.keys() == {name for options in OPTIONS.values() for name in options}
    for name, value in OTHERS.items():
        option = next(options[name] for options in OPTIONS.values() if name in options)
        option.check(value)
        assert value != option.default


def test_a_config_in_which_an_option_is_not_named_is_refused():
    with pytest.raises(TypeError, match="kl_warmup"):
        exactly(ObjectiveConfig, beta=1.0, free_bits=0.0, k=1, recon_weight=1.0)


def test_a_command_names_what_has_an_effect_though_it_is_the_default():
    line = command(RECIPES["digits-vae"].config)
    assert "--beta 1 " in line
    assert "--lr 0.001 " in line
    assert "--sigma" not in line
