"""What a page says belongs to the run: its objective chooses the notices, and its settings stand beside its name."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cvae.config import RunConfig
from cvae.families import FAMILIES
from cvae.results.recipes import RECIPES
from cvae.ui.frame.text import LANGUAGES, translate
from cvae.ui.parts.kinds import kind, notices, settings, training_notice


def changed(name: str, section: str, **values: Any) -> RunConfig:
    config = RECIPES[name].config
    return dataclasses.replace(config, **{section: dataclasses.replace(getattr(config, section), **values)})


def test_a_run_without_a_term_is_of_its_own_kind() -> None:
    kinds = {name: kind(recipe.config) for name, recipe in RECIPES.items()}
    assert kinds["mnist-kl-only"] == "kl-only"
    assert kinds["mnist-reconstruction-only"] == "reconstruction-only"
    assert kinds["mnist-ae"] == "ae"  # an autoencoder has no KL to leave out
    assert {kinds[name] for name in ("mnist-vae", "mnist-vae-16d")} == {"vae"}


@pytest.mark.parametrize("page", ["latent", "sample", "compare"])
def test_every_kind_has_words_of_its_own(page: str) -> None:
    said = {kind(recipe.config): notices(recipe.config, page) for recipe in RECIPES.values()}
    assert set(said) == {*FAMILIES, "kl-only", "reconstruction-only"}
    assert len(set(said.values())) == len(said)
    assert all(" " in words for words in said.values())  # a key has none


def test_the_notice_of_a_training_follows_the_objective() -> None:
    said = [
        training_notice(RECIPES[f"mnist-{name}"].config) for name in ("vae", "ae", "kl-only", "reconstruction-only")
    ]
    assert len(set(said)) == 4
    assert training_notice(RECIPES["mnist-cvae"].config) == said[0]


def test_settings_are_those_that_differ_from_the_plain_bound() -> None:
    assert settings(RECIPES["mnist-vae"].config) == []
    assert settings(RECIPES["mnist-ae"].config) == []
    assert settings(RECIPES["mnist-cvae-16d"].config) == ["β 2.5"]
    assert settings(changed("mnist-vae", "objective", free_bits=0.5)) == ["0.5 free bits"]
    assert settings(changed("mnist-vae", "objective", k=5)) == ["k 5"]
    assert settings(changed("mnist-vae", "objective", beta=0.0)) == ["β 0"]
    assert settings(changed("mnist-ae", "objective", beta=4.0)) == []  # it has no effect
    assert settings(RECIPES["mnist-vae-conv"].config) == ["convolutional"]
    assert settings(changed("mnist-vae", "model", likelihood="gaussian")) == ["Gaussian pixels"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_kinds_are_in_every_language(language: str) -> None:
    for name in ("kl-only", "reconstruction-only"):
        for page in ("latent", "sample", "compare"):
            assert translate(language, f"kinds.{name}.{page}") != f"kinds.{name}.{page}"
