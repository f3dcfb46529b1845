"""Training: what a run folder holds after it, and what the numbers mean."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.engine import DIGITS, KINDS, PER_EPOCH, changed, of, tiny_run, weights_equal, without_times

from cvae.conditions import ClassCondition
from cvae.config import NETS
from cvae.data import ImageData, Split
from cvae.runs.folder import Run
from cvae.runs.status import Record
from cvae.training.batches import DeviceSplit
from cvae.training.load import load
from cvae.training.loop import fit
from cvae.training.schedule import record_steps
from cvae.training.settings import denormals_are_flushed, training_settings

# --- what a run holds


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("family", "task"), KINDS, ids=str)
def test_every_kind_of_model_trains_into_a_whole_run(
    family: str, task: str, net: str, path: Path, finish: Callable[..., list[Record]], few_digits: ImageData
):
    global_state = torch.get_rng_state()
    records = finish(tiny_run(family, task=task, net=net))
    assert torch.equal(global_state, torch.get_rng_state())  # every draw has a generator of its own

    run = Run.open(path)
    assert run.history() == json.loads(json.dumps(records, allow_nan=False))
    status = run.status()
    assert (status.state, status.step, status.steps, status.epoch) == ("finished", 8, 8, 2.0)
    assert status.seconds_left == 0
    assert run.snapshot_steps() == [0, 1, 2, 4, 8]

    snapshot, weights = run.snapshot(8), run.weights()
    np.testing.assert_array_equal(snapshot["labels"], few_digits.validation.labels)
    assert snapshot["codes"].shape == run.codes()["codes"].shape == (64, 2)
    assert run.codes()["labels"].tolist() == few_digits.test.labels.tolist()
    drawn = {name for name in weights if name.startswith(("decoder.", "prior_net."))}
    assert snapshot.keys() - {"codes", "labels", "strip"} == drawn
    for name in drawn:
        np.testing.assert_allclose(snapshot[name], weights[name], rtol=1e-3, atol=1e-3)
    assert ("strip" in snapshot) == (task == "quadrants")
    if "strip" in snapshot:
        assert snapshot["strip"].shape == run.held_out().shape == (16, 1, 8, 8)
        assert snapshot["strip"].dtype == np.uint8
    np.testing.assert_array_equal(run.held_out(), few_digits.validation.images[:16])


def test_torch_is_as_the_caller_had_it_whenever_the_caller_is_at_work(path: Path, few_digits: ImageData):
    config = tiny_run("vae", threads=2)
    before, seen = torch.get_num_threads(), []
    assert before == 1
    training = fit(path, config, data=few_digits)
    for _ in training:
        seen.append((torch.get_num_threads(), denormals_are_flushed()))
        if len(seen) == 3:
            training.close()
    assert seen == [(before, False)] * 3
    assert (torch.get_num_threads(), denormals_are_flushed()) == (before, False)
    with training_settings(2):
        assert (torch.get_num_threads(), denormals_are_flushed()) == (2, True)


@pytest.mark.parametrize("family", ["ae", "cvae", "cvae-predictive"])
def test_codes_and_strips_are_those_of_the_model(family: str, path: Path, few_digits: ImageData):
    """The posterior means of the held-out images, from one state of the weights, and what decoding makes of them."""
    list(fit(path, tiny_run(family), data=few_digits))
    run, model = Run(path), load(path)
    last = run.snapshot(8)
    for split, codes in ((few_digits.validation, last["codes"]), (few_digits.test, run.codes()["codes"])):
        means = model.encode(*everything(split)).mean
        np.testing.assert_allclose(codes, means, rtol=1e-3, atol=1e-3)
    x, y = everything(few_digits.validation)
    pictures = model.decode(model.encode(x, y).mean, x if family == "cvae-predictive" else y)[:16]
    np.testing.assert_allclose(last["strip"] / 255, pictures, atol=0.51 / 255)


def everything(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """All images of a split, grey values in [0, 1], and their labels, one-hot."""
    return DeviceSplit(split, (ClassCondition("label", DIGITS),), None, torch.device("cpu")).eval_batch(
        torch.arange(len(split))
    )


def test_what_a_record_says(finish: Callable[..., list[Record]]):
    records = finish(tiny_run(beta=4.0, latent_dim=3, epochs=3))
    for record in records:
        assert record["kl"] == pytest.approx(sum(record["kl_per_dim"]))
        assert record["neg_elbo"] == pytest.approx(record["reconstruction"] + record["kl"])  # whatever beta
        assert record["loss"] == pytest.approx(record["reconstruction"] + 4 * record["kl"], rel=1e-5)
        assert record["beta"] == 4.0
        assert len(record["kl_per_dim"]) == 3
        assert record["epoch"] == record["step"] / PER_EPOCH
    assert [r["epoch"] for r in of(records, "validation")] == [1, 2, 3]
    assert [r["step"] for r in of(records, "train")] == record_steps(PER_EPOCH, 3)
    seconds = [r["seconds"] for r in records]
    assert seconds == sorted(seconds)
    assert of(records, "validation")[-1]["loss"] < of(records, "validation")[0]["loss"]


def test_an_autoencoder_has_no_kl(finish: Callable[..., list[Record]]):
    for record in finish(tiny_run("ae")):
        assert record["kl"] is record["neg_elbo"] is record["kl_per_dim"] is None
        assert record["loss"] == pytest.approx(record["reconstruction"])


def test_training_records_are_means_over_their_steps(path: Path, few_digits: ImageData):
    """Almost without learning, an epoch's records together say what the model makes of all the training images."""
    records = of(list(fit(path, tiny_run("ae", epochs=1, batch_size=8, lr=1e-9), data=few_digits)), "train")
    steps = [record["step"] for record in records]
    assert steps == record_steps(32, 1)
    losses = np.repeat([record["reconstruction"] for record in records], np.diff([0, *steps]))
    x = torch.from_numpy(few_digits.train.images).float() / 255
    assert losses.mean() == pytest.approx(float(load(path)(x).reconstruction.mean()), rel=1e-5)


def test_classes_and_shape_come_from_the_data(path: Path, few_digits: ImageData):
    next(fit(path, tiny_run("cvae", class_names=("a", "b"), image_shape=(3, 9, 9)), data=few_digits))
    assert Run(path).config().model.class_names == few_digits.class_names
    assert Run(path).config().model.image_shape == (1, 8, 8)


# --- what its numbers mean


def test_a_seed_decides_everything(path: Path, few_digits: ImageData):
    runs = {}
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        runs[name] = Run(path / name)
        list(fit(runs[name].path, tiny_run("cvae", seed=seed), data=few_digits))
    assert (runs["one"].path / "model.safetensors").read_bytes() == (
        runs["same"].path / "model.safetensors"
    ).read_bytes()
    assert without_times(runs["one"].history()) == without_times(runs["same"].history())
    assert not weights_equal(runs["one"], runs["other"])


def test_validation_does_not_change_training(path: Path, few_digits: ImageData):
    smaller = dataclasses.replace(few_digits, validation=few_digits.test, test=few_digits.validation)
    runs = []
    for name, data in (("one", few_digits), ("other", smaller)):
        runs.append(Run(path / name))
        list(fit(runs[-1].path, tiny_run(binarize="dynamic"), data=data))
    assert weights_equal(*runs)
    one, other = (of(run.history(), "validation")[-1]["loss"] for run in runs)
    assert one != other


def test_the_validation_loss_is_that_of_fixed_draws(finish: Callable[..., list[Record]], path: Path):
    """Almost without learning, it hardly moves: the noise of z and of the pixels is the same every epoch."""
    for likelihood in ("bernoulli", "gaussian"):
        records = finish(tiny_run(binarize="dynamic", lr=1e-9, epochs=3, likelihood=likelihood))
        losses = [r["loss"] for r in of(records, "validation")]
        assert losses == pytest.approx([losses[0]] * 3, abs=1e-4)
        path.rename(path.with_name(likelihood))


def test_the_last_batch_of_an_epoch_may_be_smaller(path: Path, few_digits: ImageData):
    records = list(fit(path, tiny_run(batch_size=100, epochs=2), data=few_digits))
    assert records[-1]["step"] == 6  # 100 + 100 + 56 images an epoch
    path = path.with_name("one-batch")
    assert list(fit(path, tiny_run(batch_size=1000, epochs=2), data=few_digits))[-1]["step"] == 2


def test_the_first_of_very_many_steps_is_later_than_nothing(path: Path, few_digits: ImageData):
    many = changed(few_digits, lambda split: Split(np.tile(split.images, (400, 1, 1, 1)), np.tile(split.labels, 400)))
    assert next(fit(path, tiny_run("ae", batch_size=1), data=many))["epoch"] > 0  # progress divides by it


def test_full_train_takes_the_validation_images_too(path: Path, few_digits: ImageData):
    records = list(fit(path, tiny_run(full_train=True), data=few_digits))
    assert records[-1]["step"] == 2 * (256 + 64) // 64
    assert of(records, "validation")


def test_warm_up_raises_beta_linearly(finish: Callable[..., list[Record]]):
    records = finish(tiny_run(beta=2.0, kl_warmup=2.0, epochs=3))
    for record in records:
        step = record["step"] - (record["split"] == "train")  # the one that the last step of the record used
        assert record["beta"] == pytest.approx(2.0 * min(1.0, step / (2 * PER_EPOCH)))
    first = records[0]
    assert first["loss"] == pytest.approx(first["reconstruction"], rel=1e-5)  # β was 0 when it was taken


def test_kl_alone_collapses_the_posterior_and_reconstruction_alone_does_not(path: Path, digits: ImageData):
    kl = {}
    for name, options in (("kl", {"recon_weight": 0.0}), ("both", {}), ("reconstruction", {"beta": 0.0})):
        config = tiny_run(epochs=4, likelihood="gaussian", sigma=0.4, **options)
        kl[name] = list(fit(path / name, config, data=digits))[-1]["kl"]
    assert kl["kl"] < 0.01 < kl["both"] < kl["reconstruction"]


def test_free_bits_keep_dimensions_alive(path: Path, digits: ImageData):
    kl = {}
    for free in (0.0, 1.0):
        config = tiny_run("cvae", epochs=6, free_bits=free)
        kl[free] = list(fit(path / str(free), config, data=digits))[-1]["kl_per_dim"]
    assert min(kl[1.0]) > 0.7
    assert min(kl[0.0]) < 0.5
