"""The figures of `evaluate`: what they are, and how they hang together."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.data import complaint
from helpers.engine import KINDS, tiny_run

from cvae.config import LIKELIHOODS
from cvae.data import ImageData, Split
from cvae.families import FAMILIES
from cvae.measuring.evaluation import evaluate
from cvae.runs.folder import Run
from cvae.training.loop import fit

CONDITIONAL = [family for family in FAMILIES if FAMILIES[family].takes == "condition"]


@pytest.fixture
def measured(
    trained: Callable[..., Run], few_digits: ImageData, tmp_path: Path
) -> Callable[..., tuple[Run, dict[str, Any]]]:
    """measured(family, ...): a run of its own and its figures on 64 test images."""

    def measure(family: str, samples: int = 200, **changes: Any) -> tuple[Run, dict[str, Any]]:
        run = Run(shutil.copytree(trained(family, **changes).path, tmp_path / f"run-{family}"))
        return run, evaluate(run.path, data=few_digits, samples=samples)

    return measure


@pytest.mark.parametrize(("family", "task"), KINDS, ids=str)
def test_every_kind_of_model_is_measured(family: str, task: str, measured: Callable[..., tuple[Run, dict[str, Any]]]):
    changes = {"task": task} if task == "label" else {}
    run, figures = measured(family, **changes)
    assert run.metrics() == json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["model"] == family
    assert (figures["split"], figures["images"], figures["pixels"]) == ("test", 64, "grey")
    assert 0 <= figures["active_units"] <= 2
    assert 0.1 < figures["knn_accuracy"] <= 1
    assert 0.1 < figures["linear_probe_accuracy"] <= 1
    judged = (figures[name] is not None for name in ("classifier_accuracy", "generated", "frechet_distance"))
    assert set(judged) == {family != "cvae-predictive"}
    for name in ("conditional_accuracy", "conditional_accuracy_per_class", "diversity"):
        assert (figures[name] is not None) == (family in CONDITIONAL)
    densities = (
        "kl",
        "neg_elbo",
        "neg_elbo_quantiles",
        "kl_per_dim",
        "nll",
        "nll_samples",
        "neg_iwae_5",
        "neg_iwae_50",
    )
    if family == "ae":
        assert all(figures[name] is None for name in densities)
        return
    assert figures["neg_elbo"] == pytest.approx(figures["reconstruction"] + figures["kl"])
    assert figures["kl"] == pytest.approx(sum(figures["kl_per_dim"]))
    quantiles = figures["neg_elbo_quantiles"]
    assert len(quantiles) == 21
    assert quantiles == sorted(quantiles)
    assert quantiles[0] < figures["neg_elbo"] < quantiles[-1]
    assert np.mean([quantiles[i : i + 2] for i in range(20)]) == pytest.approx(figures["neg_elbo"], rel=0.05)
    assert figures["nll_samples"] == 200
    assert figures["neg_elbo"] + 0.2 > figures["neg_iwae_5"] > figures["neg_iwae_50"] > figures["nll"]
    assert 20 < figures["nll_effective_samples"] <= 200
    assert 0 <= figures["nll_poor"] < 0.5
    assert (figures["nll_exact"] is not None) == (family != "cvae-predictive")
    for name in ("nll_mixture", "nll_mixture_exact", "accuracy_bayes"):
        assert (figures[name] is not None) == (family in CONDITIONAL)


@pytest.mark.parametrize("family", ["vae", *CONDITIONAL])
def test_importance_sampling_comes_near_the_exact_figure(
    family: str, measured: Callable[..., tuple[Run, dict[str, Any]]]
):
    _, figures = measured(family, samples=1000)
    assert figures["nll"] == pytest.approx(figures["nll_exact"], abs=0.05)
    if family in CONDITIONAL:
        assert figures["nll_mixture"] == pytest.approx(figures["nll_mixture_exact"], abs=0.05)
        assert 0 <= figures["nll_mixture_exact"] - figures["nll_exact"] <= math.log(10)
        assert 0.2 < figures["accuracy_bayes"] <= 1


def test_beyond_two_dimensions_nothing_is_exact(measured: Callable[..., tuple[Run, dict[str, Any]]]):
    _, figures = measured("cvae", samples=30, latent_dim=3)
    assert [figures[name] for name in ("nll_exact", "nll_mixture_exact", "accuracy_bayes")] == [None] * 3


def test_the_figures_are_those_of_the_validation_record(trained: Callable[..., Run], digits: ImageData, tmp_path: Path):
    """On the same images, what training logged last and what evaluate finds agree."""
    run = Run(shutil.copytree(trained("vae").path, tmp_path / "run"))
    figures = evaluate(run.path, data=dataclasses.replace(digits, test=digits.validation), samples=1)
    record = run.history()[-1]
    assert record["split"] == "validation"
    assert figures["kl"] == pytest.approx(record["kl"], rel=1e-5)
    assert figures["reconstruction"] == pytest.approx(record["reconstruction"], abs=0.3)  # another draw of z


@pytest.mark.parametrize("family", CONDITIONAL)
def test_a_mixture_lies_within_log_k_of_the_conditional(
    family: str, measured: Callable[..., tuple[Run, dict[str, Any]]]
):
    """log p(x) = log 1/K Σ_y p(x|y) ≥ log p(x|y) − log K, for the true label as for any."""
    _, figures = measured(family)
    assert figures["nll_mixture"] <= figures["nll"] + math.log(10) + 0.05
    assert figures["nll_mixture_images"] == 64


def test_where_labels_say_nothing_the_mixture_is_the_conditional(few_digits: ImageData, tmp_path: Path):
    """With weights that ignore y, p(x|y) is the same for all y, and so is their mean."""
    path = tmp_path / "run"
    list(fit(path, tiny_run("cvae", epochs=1), data=few_digits))
    run = Run(path)
    weights = run.weights()
    weights["encoder.head.0.weight"][:, 64:] = 0
    weights["decoder.head.0.weight"][:, 2:] = 0
    run.write_arrays("model", weights)
    figures = evaluate(path, data=few_digits, samples=500)
    assert figures["nll_mixture"] == pytest.approx(figures["nll"], abs=0.02)


def test_a_seed_decides_the_figures(measured: Callable[..., tuple[Run, dict[str, Any]]], few_digits: ImageData):
    run, figures = measured("cvae", 20)
    assert evaluate(run.path, data=few_digits, samples=20) == figures
    assert evaluate(run.path, data=few_digits, samples=20, seed=1)["nll"] != figures["nll"]


def test_no_figure_depends_on_which_others_are_measured(
    measured: Callable[..., tuple[Run, dict[str, Any]]], few_digits: ImageData
):
    run, figures = measured("vae", 20)
    other = evaluate(run.path, data=few_digits, samples=40)
    assert other["reconstruction"] == figures["reconstruction"]
    assert other["nll"] != figures["nll"]


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_binarised_pixels_are_one_fixed_draw(likelihood: str, few_digits: ImageData, tmp_path: Path):
    list(fit(tmp_path / "run", tiny_run(epochs=1, binarize="dynamic", likelihood=likelihood), data=few_digits))
    figures = [evaluate(tmp_path / "run", data=few_digits, samples=5) for _ in range(2)]
    assert figures[0] == figures[1]
    assert figures[0]["pixels"] == "binarized"


def test_predicting_the_label_beats_chance_as_its_baseline_does(measured: Callable[..., tuple[Run, dict[str, Any]]]):
    _, figures = measured("cvae-predictive", task="label", alpha=0.5)
    for name in ("accuracy", "accuracy_monte_carlo", "accuracy_baseline"):
        assert 0.6 < figures[name] <= 1
    assert 0 < figures["nll_baseline"] < math.log(10)
    assert figures["nll"] < math.log(10)


def test_completion_by_importance_sampling_and_by_monte_carlo_agree(
    measured: Callable[..., tuple[Run, dict[str, Any]]],
):
    """Both estimate −log p(t|c), with draws from q and from the prior."""
    _, figures = measured("cvae-predictive", 2000)
    assert figures["nll_monte_carlo"] == pytest.approx(figures["nll"], abs=0.15)
    assert figures["nll"] < figures["nll_baseline"]


def test_unlabelled_images_have_no_figures_of_classes(few_digits: ImageData, tmp_path: Path):
    splits = {name: Split(getattr(few_digits, name).images, None) for name in ("train", "validation", "test")}
    data = dataclasses.replace(few_digits, class_names=(), **splits)
    list(fit(tmp_path / "run", tiny_run(epochs=1), data=data))
    figures = evaluate(tmp_path / "run", data=data, samples=5)
    for name in ("active_units_within_class", "knn_accuracy", "linear_probe_accuracy", "classifier_accuracy"):
        assert figures[name] is None
    assert figures["nll"] is not None


def test_progress_ends_at_one(measured: Callable[..., tuple[Run, dict[str, Any]]], digits: ImageData):
    run, _ = measured("vae", 1)
    shares: list[float] = []
    evaluate(run.path, data=digits, samples=1, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 1


def test_other_data_than_it_was_trained_on_is_refused(
    measured: Callable[..., tuple[Run, dict[str, Any]]], few_digits: ImageData
):
    run, figures = measured("vae", 1)
    renamed = dataclasses.replace(few_digits, class_names=tuple("abcdefghij"))
    wide = Split(np.zeros((9, 1, 8, 9), np.uint8), None)
    wider = dataclasses.replace(few_digits, train=wide, validation=wide, test=wide)
    for data in (renamed, wider):
        assert "is not what" in complaint(lambda data=data: evaluate(run.path, data=data))
    assert run.metrics() == figures


def test_weights_of_another_model_are_refused(
    measured: Callable[..., tuple[Run, dict[str, Any]]], few_digits: ImageData
):
    run, _ = measured("vae", 1)
    weights = run.weights()
    for change in ({}, {**weights, "more": np.zeros(1)}, {**weights, "decoder.head.0.bias": np.zeros(3)}):
        run.write_arrays("model", change)
        assert "do not fit" in complaint(lambda: evaluate(run.path, data=few_digits))
    assert torch.is_grad_enabled()


def test_the_figures_name_the_step_of_the_weights_that_were_measured(few_digits: ImageData, tmp_path: Path):
    run = Run(tmp_path / "run")
    for record in fit(run.path, tiny_run(epochs=2), data=few_digits):
        if record["split"] == "validation" and record["epoch"] == 1:
            assert evaluate(run.path, data=few_digits, samples=2)["step"] == record["step"]
    assert run.metrics() is None  # they were of weights that are no more
    assert evaluate(run.path, data=few_digits, samples=2)["step"] == run.status().step


def test_figures_of_weights_that_are_gone_are_not_written(
    trained: Callable[..., Run], few_digits: ImageData, tmp_path: Path
):
    run = Run(shutil.copytree(trained("vae").path, tmp_path / "run"))
    step = run.weights_step()

    def train_on(share: float) -> None:
        run.write_arrays("model", run.weights(), {"step": str(step + 1)})

    with pytest.warns(UserWarning, match="has been trained meanwhile"):
        figures = evaluate(run.path, data=few_digits, samples=2, progress=train_on)
    assert figures["step"] == step
    assert run.metrics() is None


def test_a_bound_of_more_samples_than_were_drawn_is_not_given(measured: Callable[..., tuple[Run, dict[str, Any]]]):
    _, figures = measured("vae", samples=20)
    assert figures["neg_iwae_5"] > figures["nll"]
    assert figures["neg_iwae_50"] is None


def test_a_run_that_may_only_be_read_still_gives_its_figures(
    trained: Callable[..., Run], few_digits: ImageData, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Run, "write_metrics", refuse)
    with pytest.warns(UserWarning, match="metrics.json"):
        assert evaluate(trained("vae").path, data=few_digits, samples=2)["neg_elbo"] > 0
