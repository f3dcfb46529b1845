"""The shipped runs: how a run is made small, and those that are in assets/gallery."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.data import complaint
from helpers.engine import tiny_run

from cvae.assets import GALLERY
from cvae.browser.explorer import export
from cvae.cli import main, parser
from cvae.cli.training import run_config
from cvae.config import RunConfig
from cvae.data import DATASETS, ImageData
from cvae.explore.inference import Inference
from cvae.measuring import shipping
from cvae.measuring.evaluation import evaluate
from cvae.measuring.shipping import evenly, prune
from cvae.results import recipes
from cvae.results.cards import LARGEST, card, size
from cvae.results.protocols import PROTOCOLS
from cvae.results.recipes import RECIPES, Recipe, command
from cvae.runs.folder import Run
from cvae.training.load import load
from cvae.training.loop import fit

NEVER = ("held_out.safetensors", "checkpoint.safetensors", "live.safetensors", "log.txt", "lock", "control.json")


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A recipe of the digits, known by the name `tiny`."""
    tiny = Recipe("to be tested", tiny_run("cvae-learned-prior", batch_size=256), snapshots=4)
    monkeypatch.setitem(RECIPES, "tiny", tiny)
    return tiny


@pytest.fixture
def make(tmp_path: Path, digits: ImageData) -> Callable[[RunConfig], Run]:
    """make(config): a finished run of it."""

    def train(config: RunConfig) -> Run:
        list(fit(tmp_path / "whole", config, data=digits))
        return Run(tmp_path / "whole")

    return train


# --- what pruning leaves


def test_a_pruned_run_is_a_small_run_without_pictures_of_the_data(
    recipe: Recipe, make: Callable[[RunConfig], Run], tmp_path: Path
) -> None:
    whole = make(recipe.config.with_data_in(str(tmp_path)))
    kept = prune(whole, tmp_path / "gallery" / "tiny", recipe)
    assert kept.config() == recipe.config
    assert str(tmp_path) not in (kept.path / "config.json").read_text()
    assert not [name for name in NEVER if (kept.path / name).exists()]
    assert [path.name for path in kept.path.parent.iterdir()] == ["tiny"]
    assert kept.status().state == "finished"
    assert all(weight.dtype == np.float16 for weight in kept.weights().values())
    assert kept.weights_step() == whole.weights_step() == kept.status().step
    assert kept.history()[-1]["seconds"] == pytest.approx(whole.history()[-1]["seconds"])
    steps = kept.snapshot_steps()
    assert (steps[0], steps[-1], len(steps)) == (0, kept.status().step, 4)
    assert size(kept.path) < size(whole.path) / 4


def test_what_is_shipped_opens_everywhere(recipe: Recipe, make: Callable[[RunConfig], Run], tmp_path: Path) -> None:
    kept = prune(make(recipe.config), tmp_path / "tiny", recipe)
    model, arrays = load(kept.path), Inference.load(kept)
    z, y = np.random.RandomState(0).randn(5, 2), np.eye(10)[:5]
    expected = model.decode(torch.tensor(z).float(), torch.tensor(y).float()).numpy()
    np.testing.assert_allclose(arrays.decode(z, y), expected, atol=1e-5)
    last = kept.snapshot_steps()[-1]
    np.testing.assert_array_equal(Inference.at(kept, last).decode(z, y), arrays.decode(z, y))
    for payload in (export([kept]), export([kept], step=last)):
        weights = payload["models"][0]["networks"]["decoder"]["weights"]
        assert {weight["dtype"] for weight in weights.values()} == {"f16"}
    assert "no decoder" in complaint(lambda: Inference.at(kept, 0))


def test_completions_are_of_other_pictures_than_the_data_s(
    make: Callable[[RunConfig], Run], digits: ImageData, tmp_path: Path
) -> None:
    recipe = Recipe("", tiny_run("cvae-predictive", batch_size=256), snapshots=1, pictures="other")
    whole = make(recipe.config)
    assert "other pictures" in complaint(lambda: prune(whole, tmp_path / "q", recipe))
    given = np.full((16, 1, 8, 8), 77, np.uint8)
    strip = prune(whole, tmp_path / "r", recipe, given).snapshot(whole.snapshot_steps()[-1])["strip"]
    assert (strip[:, :, 4:, :4] == 77).all()  # the lower left quadrant, which is given
    original = whole.snapshot(whole.snapshot_steps()[-1])["strip"]
    np.testing.assert_array_equal(original[:, :, 4:, :4], digits.validation.images[:16, :, 4:, :4])


def test_a_weight_that_half_precision_cannot_hold_is_refused(
    recipe: Recipe, make: Callable[[RunConfig], Run], tmp_path: Path
) -> None:
    whole = make(recipe.config)
    whole.write_arrays("model", {**whole.weights(), "decoder.head.0.bias": np.full(16, 1e5, np.float32)})
    assert "decoder.head.0.bias" in complaint(lambda: prune(whole, tmp_path / "tiny", recipe))


def test_a_run_of_another_config_or_unfinished_is_refused(
    recipe: Recipe, make: Callable[[RunConfig], Run], tmp_path: Path
) -> None:
    whole = make(recipe.config)
    other = replace(recipe, config=tiny_run("cvae-learned-prior", batch_size=256, lr=0.5))
    assert "lr is 0.003 and not 0.5" in complaint(lambda: prune(whole, tmp_path / "tiny", other))
    whole.write_status(replace(whole.status(), state="stopped"))
    assert "not finished" in complaint(lambda: prune(whole, tmp_path / "tiny", recipe))
    assert not (tmp_path / "tiny").exists()


@pytest.mark.parametrize(("count", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (364, 60), (1000, 75)])
def test_evenly(count: int, most: int) -> None:
    items = list(range(count))
    few = evenly(items, most)
    assert len(few) <= most
    assert list(few[-1:]) == items[-1:]
    assert len(set(np.diff(few))) <= 1


# --- the command


def test_the_command_makes_the_run_and_takes_a_finished_one(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVAE_RUNS", raising=False)
    assert main(["gallery", "tiny", "--out", "out", "--samples", "3"]) == 0
    trained, shipped = Run("runs/gallery-tiny"), Run("out/tiny")
    made = card(shipped)
    assert made is not None
    assert made["command"] == "python -m cvae gallery tiny --samples 3"
    assert made["seconds"] == pytest.approx(trained.history()[-1]["seconds"], abs=0.1)
    assert made["data_licence"] == "CC BY 4.0"
    figures = shipped.metrics()
    assert figures == evaluate(shipped.path, samples=3)  # of what is shipped, not of what was trained
    before = (trained.path / "model.safetensors").stat().st_mtime_ns
    assert main(["gallery", "tiny", "--out", "again", "--samples", "3"]) == 0
    assert (trained.path / "model.safetensors").stat().st_mtime_ns == before
    assert Run("again/tiny").metrics() == figures
    capsys.readouterr()
    assert main(["gallery", "--out", "out"]) == 0
    assert "MB  to be tested" in capsys.readouterr().out
    assert main(["gallery", "digits-ae", "--out", "out", "--from", "runs/gallery-tiny"]) == 2
    assert "another config" in capsys.readouterr().err
    assert main(["gallery", "nothing"]) == 2


def configs() -> dict[str, RunConfig]:
    """All that the project names."""
    named = {name: recipe.config for name, recipe in RECIPES.items()}
    return named | {f"{name} {label}": c for name, p in PROTOCOLS.items() for label, c in p.runs.items()}


def test_the_command_line_of_a_config_gives_that_config() -> None:
    for name, config in configs().items():
        options = parser().parse_args(shlex.split(command(config))[3:])
        assert run_config(options, DATASETS[config.data.name]) == config, name


def test_the_command_line_says_everything_that_has_an_effect() -> None:
    assert command(RECIPES["mnist-cvae-16d"].config) == (
        "python -m cvae train --data mnist --model cvae --net mlp --hidden 400 400 --activation relu --latent-dim 16"
        " --likelihood bernoulli --condition label --beta 2.5 --kl-warmup 0 --free-bits 0 --k 1 --recon-weight 1"
        " --epochs 30 --batch-size 128 --lr 0.001 --lr-schedule cosine --seed 0 --threads 1"
    )


# --- what is shipped


def test_every_recipe_is_shipped_with_figures_and_a_card() -> None:
    for name in RECIPES:
        run = Run.open(GALLERY / name)
        assert run.config() == RECIPES[name].config
        assert run.status().state == "finished"
        assert not [path for path in NEVER if (run.path / path).exists()]
        figures, made = run.metrics(), card(run)
        assert figures is not None
        assert made is not None
        assert figures["step"] == run.weights_step()
        assert made["command"].startswith(f"python -m cvae gallery {name}")
        assert made["train_command"] == command(run.config())
        assert made["seconds"] > 0
        assert made["machine"]
        assert made["date"]
        assert made["data_licence"] == DATASETS[run.config().data.name].licence
        assert export([run])["models"][0]["codes"] is not None


def test_the_gallery_is_small_and_holds_nothing_else() -> None:
    assert size(GALLERY) <= LARGEST
    assert {path.name for path in GALLERY.iterdir()} == RECIPES.keys()
    text = "".join(path.read_text(encoding="utf-8") for path in GALLERY.rglob("*.json"))
    assert '"/' not in text  # no path of the machine that made it


def test_a_shipped_run_has_the_figures_that_it_says(tmp_path: Path) -> None:
    run = Run(shutil.copytree(GALLERY / "digits-cvae", tmp_path / "digits-cvae"))
    stored = json.loads((run.path / "metrics.json").read_text())
    found = evaluate(run.path, samples=stored["nll_samples"], seed=stored["seed"])
    assert found.keys() == stored.keys()
    for name, value in stored.items():
        if isinstance(value, (float, list)):
            assert found[name] == pytest.approx(value, rel=2e-3), name
        else:
            assert found[name] == value, name


def test_the_shipped_models_do_what_is_said_of_them() -> None:
    figures = {name: Run(GALLERY / name).metrics() or {} for name in RECIPES}
    assert figures["mnist-cvae-16d"]["conditional_accuracy"] >= 0.985
    assert figures["mnist-cvae"]["conditional_accuracy"] >= 0.99
    assert figures["mnist-cvae"]["classifier_accuracy"] >= 0.99
    assert figures["mnist-cvae"]["nll_mixture"] < figures["mnist-vae"]["nll"] - 5
    assert figures["mnist-cmma"]["linear_probe_accuracy"] > figures["mnist-cvae"]["linear_probe_accuracy"] + 0.5


def test_a_failure_leaves_what_was_shipped_before(
    recipe: Recipe, make: Callable[[RunConfig], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = make(recipe.config), tmp_path / "gallery"
    shipping.ship("tiny", whole, out, samples=2)
    before = (out / "tiny" / "card.json").read_text()
    monkeypatch.setattr(shipping, "write_card", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        shipping.ship("tiny", whole, out, samples=2)
    assert [path.name for path in out.iterdir()] == ["tiny"]
    assert (out / "tiny" / "card.json").read_text() == before


def test_what_is_not_in_the_gallery_has_no_card(recipe: Recipe, make: Callable[[RunConfig], Run]) -> None:
    run = make(recipe.config)
    assert card(run) is None
    (run.path / "card.json").write_text("{")
    assert "damaged" in complaint(lambda: card(run))
    assert recipes.recipe("tiny") is recipe
