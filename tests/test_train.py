"""Training: what it writes, what it obeys, what it survives, and what its numbers mean."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_helpers import complaint
from engine_helpers import KINDS, Background, tiny_run, wait_until

from cvae.batches import Batches
from cvae.config import NETS, RunConfig
from cvae.data import ImageData, Split
from cvae.errors import InputError
from cvae.runs import Record, Run
from cvae.schedule import record_steps, snapshot_steps
from cvae.train import Failed, fit
from cvae.trained import load

PER_EPOCH = 4  # steps: 256 images in batches of 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def finish(path: Path, few_digits: ImageData) -> Callable[..., list[Record]]:
    """Train to the end on the few digits; the records."""

    def run(config: RunConfig | None = None, **options: Any) -> list[Record]:
        return list(fit(path, config, **{"data": few_digits, **options}))

    return run


def of(records: list[Record], split: str) -> list[Record]:
    return [record for record in records if record["split"] == split]


def without_times(records: list[Record]) -> list[Record]:
    return [{k: v for k, v in r.items() if k not in ("seconds", "images_per_second")} for r in records]


def weights_equal(one: Run, other: Run) -> bool:
    a, b = one.weights(), other.weights()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


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


def test_snapshots_are_dense_early_and_sparse_late():
    assert snapshot_steps(12, 3) == [0, 1, 2, 4, 8, 12, 24, 36]
    assert snapshot_steps(1, 2) == [0, 1, 2]
    for epochs in (1, 49, 50, 51, 73, 1000, 99_999):
        steps = snapshot_steps(391, epochs)
        assert steps[-1] == 391 * epochs
        assert len(steps) <= 62


def test_every_epoch_ends_in_a_record():
    for per_epoch, epochs in ((1, 1), (4, 3), (391, 10), (391, 5000)):
        steps = record_steps(per_epoch, epochs)
        assert set(range(per_epoch, per_epoch * epochs + 1, per_epoch)) <= set(steps)
        assert min(steps) == 1
        assert len(steps) < max(1000, epochs) + 30


def test_a_run_can_be_made_without_naming_classes_or_shape(path: Path, few_digits: ImageData):
    config = dataclasses.replace(tiny_run("cvae"), model=dataclasses.replace(tiny_run("cvae").model, class_names=("a", "b")))
    next(iter(fit(path, config, data=few_digits)))
    assert Run(path).config().model.class_names == few_digits.class_names


# --- what its numbers mean


def test_a_seed_decides_everything(path: Path, few_digits: ImageData):
    runs = {}
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        runs[name] = Run(path / name)
        list(fit(runs[name].path, tiny_run("cvae", seed=seed), data=few_digits))
    assert (runs["one"].path / "model.safetensors").read_bytes() == (runs["same"].path / "model.safetensors").read_bytes()
    assert without_times(runs["one"].history()) == without_times(runs["same"].history())
    assert not weights_equal(runs["one"], runs["other"])


def test_validation_does_not_change_training(path: Path, few_digits: ImageData):
    smaller = dataclasses.replace(few_digits, validation=few_digits.test, test=few_digits.validation)
    runs = []
    for name, data in (("one", few_digits), ("other", smaller)):
        runs.append(Run(path / name))
        list(fit(runs[-1].path, tiny_run(binarize=True), data=data))
    assert weights_equal(*runs)
    one, other = (of(run.history(), "validation")[-1]["loss"] for run in runs)
    assert one != other


def test_the_validation_loss_is_that_of_fixed_draws(finish: Callable[..., list[Record]], path: Path):
    """Almost without learning, it hardly moves: the noise of z and of the pixels is the same every epoch."""
    for likelihood in ("bernoulli", "gaussian"):
        records = finish(tiny_run(binarize=True, lr=1e-9, epochs=3, likelihood=likelihood))
        losses = [r["loss"] for r in of(records, "validation")]
        assert losses == pytest.approx([losses[0]] * 3, abs=1e-4)
        path.rename(path.with_name(likelihood))


def test_the_last_batch_of_an_epoch_may_be_smaller(path: Path, few_digits: ImageData):
    records = list(fit(path, tiny_run(batch_size=100, epochs=2), data=few_digits))
    assert records[-1]["step"] == 6  # 100 + 100 + 56 images an epoch
    path = path.with_name("one-batch")
    assert list(fit(path, tiny_run(batch_size=1000, epochs=2), data=few_digits))[-1]["step"] == 2


def test_full_train_takes_the_validation_images_too(path: Path, few_digits: ImageData):
    records = list(fit(path, tiny_run(full_train=True), data=few_digits))
    assert records[-1]["step"] == 2 * (256 + 64) // 64
    assert of(records, "validation")


def test_warm_up_raises_beta_linearly(finish: Callable[..., list[Record]]):
    records = finish(tiny_run(beta=2.0, kl_warmup=2.0, epochs=3))
    betas = {r["step"]: r["beta"] for r in records}
    for step, beta in betas.items():
        assert beta == pytest.approx(2.0 * min(1.0, step / (2 * PER_EPOCH)))
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


def test_binarised_pixels_are_fresh_in_training_and_fixed_when_measured(few_digits: ImageData):
    batches = Batches(few_digits.train, 10, True, torch.device("cpu"))
    index, generator = torch.arange(64), torch.Generator().manual_seed(0)
    first, second = (batches.batch(index, generator)[0] for _ in range(2))
    fixed, again = (batches.fixed(index)[0] for _ in range(2))
    for x in (first, second, fixed):
        assert set(x.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    assert torch.equal(fixed, again)
    assert torch.equal(Batches(few_digits.train, 10, True, torch.device("cpu")).fixed(index[:5])[0], fixed[:5])
    grey = torch.from_numpy(few_digits.train.images[:64]).float() / 255
    mean = torch.stack([batches.batch(index, generator)[0] for _ in range(400)]).mean(0)
    torch.testing.assert_close(mean, grey, atol=0.15, rtol=0)


def test_grey_pixels_and_labels_come_as_they_are(few_digits: ImageData):
    batches = Batches(few_digits.train, 10, False, torch.device("cpu"))
    index = torch.tensor([5, 0, 5])
    x, y = batches.batch(index, torch.Generator())
    torch.testing.assert_close(x, torch.from_numpy(few_digits.train.images[[5, 0, 5]]).float() / 255)
    assert y.argmax(1).tolist() == few_digits.train.labels[[5, 0, 5]].tolist()
    assert y.sum(1).tolist() == [1.0] * 3


def test_every_epoch_has_another_order_of_all_images(few_digits: ImageData):
    batches = Batches(few_digits.train, 10, False, torch.device("cpu"))
    orders = [batches.order(seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for order in orders:
        assert sorted(order.tolist()) == list(range(256))
    assert len({tuple(order.tolist()) for order in orders}) == 3
    assert torch.equal(batches.order(0, 1), orders[1])


# --- what it obeys


def test_pause_step_and_go_on(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        asked = time.monotonic()
        run.request("pause")
        wait_until(lambda: run.status().state == "paused")
        assert time.monotonic() - asked < 1
        step = run.status().step
        time.sleep(0.2)
        assert run.status().step == step  # it stays where it is
        assert run.locked()

        for moved in (1, 2):
            run.request("step")
            wait_until(lambda moved=moved: run.status().step == step + moved)
        time.sleep(0.1)
        assert run.status().step == step + 2
        assert run.history()[-1]["step"] == step + 2  # a single step is shown
        run.request("step", 5)
        wait_until(lambda: run.status().step == step + 7)
        assert run.status().state == "paused"

        run.request("run")
        wait_until(lambda: run.status().state == "running" and run.status().step > step + 7)
    assert training.error is None
    assert run.status().state == "stopped"
    assert not run.locked()


def test_stop_while_paused_saves_and_ends(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        training.run_folder.request("pause")
        wait_until(lambda: training.run_folder.status().state == "paused")
        step = training.run_folder.status().step
    assert training.run_folder.status().step == step
    assert training.run_folder.status().state == "stopped"
    assert (path / "checkpoint.safetensors").exists()


def test_slow_motion_keeps_its_pace(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        run.request("slow", 20)
        wait_until(lambda: run.control().pace == 20)
        time.sleep(0.3)
        step, began = len(run.history()), time.monotonic()
        time.sleep(0.5)
        pace = (len(run.history()) - step) / (time.monotonic() - began)
        assert 4 < pace < 24  # a record a step, at most 20 of them a second (and a validation every fourth)


def test_time_spent_paused_does_not_count(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        run.request("pause")
        wait_until(lambda: run.status().state == "paused")
        time.sleep(0.8)
        before = run.history()[-1]["seconds"]
        run.request("step")
        wait_until(lambda: len(run.history()) > 0 and run.history()[-1]["step"] == run.control().until)
        assert run.history()[-1]["seconds"] - before < 0.5


def test_while_someone_watches_there_is_a_live_picture(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        run = training.run_folder
        assert run.live() is None
        run.watch()
        wait_until(lambda: run.live() is not None)
        live = run.live()
        assert live["codes"].shape == (64, 2)
        assert live["strip"].shape == (16, 1, 8, 8)
        wait_until(lambda: run.status().step >= int(live["step"][0]) > 0)


def test_closing_the_generator_saves(path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]):
    training = fit(path, tiny_run(), data=few_digits)
    for _ in range(3):
        record = next(training)
    training.close()
    assert Run(path).status().state == "stopped"
    assert Run(path).status().step == record["step"]
    rest = finish(resume=True)
    assert rest[0]["step"] > record["step"]
    assert Run(path).status().state == "finished"


def test_one_run_is_trained_once_at_a_time(path: Path, few_digits: ImageData):
    with Background(Run(path), tiny_run(epochs=100_000), data=few_digits) as training:
        before = training.run_folder.config()
        with pytest.raises(InputError, match="already being trained"):
            next(fit(path, data=few_digits, resume=True))
        assert training.run_folder.status().state == "running"
        assert training.run_folder.config() == before


# --- resuming


@pytest.mark.parametrize("config", [tiny_run(epochs=3), tiny_run("cvae-predictive", epochs=3, binarize=True, k=3)])
def test_stopped_anywhere_and_resumed_equals_uninterrupted(
    config: RunConfig, path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]
):
    whole = Run(path.with_name("whole"))
    list(fit(whole.path, config, data=few_digits))
    training = fit(path, config, data=few_digits)
    while next(training, None):
        training.close()  # after every single step
        training = fit(path, data=few_digits, resume=True)
    run = Run(path)
    for file in ("model.safetensors", "codes.safetensors", *(f"snapshots/{s}.safetensors" for s in run.snapshot_steps())):
        assert (run.path / file).read_bytes() == (whole.path / file).read_bytes(), file
    assert without_times(run.history()) == without_times(whole.history())
    assert run.snapshot_steps() == whole.snapshot_steps()


def test_a_finished_run_goes_on_for_more_epochs(path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]):
    finish(tiny_run(epochs=1))
    Run(path).write_metrics({"nll": 100.0})
    records = finish(tiny_run(epochs=3), resume=True)
    assert [r["epoch"] for r in of(records, "validation")] == [2, 3]
    assert Run(path).config().train.epochs == 3
    assert Run(path).metrics() is None  # they were of other weights
    list(fit(path.with_name("at-once"), tiny_run(epochs=3), data=few_digits))
    assert weights_equal(Run(path), Run(path.with_name("at-once")))


def test_a_finished_run_resumed_stays_finished(path: Path, finish: Callable[..., list[Record]]):
    finish(tiny_run())
    Run(path).write_metrics({"nll": 100.0})
    before = {file: file.read_bytes() for file in path.rglob("*.safetensors")}
    assert finish(resume=True) == []
    assert {file: file.read_bytes() for file in path.rglob("*.safetensors")} == before
    assert Run(path).status().state == "finished"
    assert Run(path).metrics() == {"nll": 100.0}


def test_fewer_epochs_than_there_were_are_refused(path: Path, finish: Callable[..., list[Record]]):
    finish(tiny_run(epochs=3))
    assert "3 epochs already" in complaint(lambda: finish(tiny_run(epochs=2), resume=True))
    assert Run(path).config().train.epochs == 3
    assert Run(path).status().state == "finished"


def test_a_finished_run_without_its_checkpoint_is_not_begun_anew(path: Path, finish: Callable[..., list[Record]]):
    finish(tiny_run())
    (path / "checkpoint.safetensors").unlink()
    assert "cannot be resumed" in complaint(lambda: finish(resume=True))
    assert Run(path).status().state == "finished"
    assert len(Run(path).history()) > 0


@pytest.mark.parametrize("content", [b"", b"half", b"\x80\x04 a pickle"])
def test_a_damaged_checkpoint_is_refused(path: Path, finish: Callable[..., list[Record]], content: bytes):
    finish(tiny_run())
    before = Run(path).history()
    (path / "checkpoint.safetensors").write_bytes(content)
    assert "checkpoint.safetensors" in complaint(lambda: finish(tiny_run(epochs=3), resume=True))
    assert Run(path).history() == before
    assert Run(path).config().train.epochs == 2


def test_a_checkpoint_of_another_model_is_refused(path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]):
    finish(tiny_run())
    other = path.with_name("other")
    list(fit(other, tiny_run(hidden=(17,)), data=few_digits))
    (path / "checkpoint.safetensors").write_bytes((other / "checkpoint.safetensors").read_bytes())
    complaint(lambda: finish(resume=True))


def test_data_that_changed_its_shape_does_not_damage_the_run(
    path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]
):
    finish(tiny_run(epochs=1))
    wider = dataclasses.replace(
        few_digits,
        **{
            name: Split(np.repeat(split.images, 2, axis=3), split.labels)
            for name, split in (("train", few_digits.train), ("validation", few_digits.validation), ("test", few_digits.test))
        },
    )
    complaint(lambda: finish(tiny_run(epochs=3), resume=True, data=wider))
    assert Run(path).config().model.image_shape == (1, 8, 8)
    finish(tiny_run(epochs=3), resume=True)
    assert Run(path).status().state == "finished"


# --- what it refuses and how it fails


def unlabelled(data: ImageData) -> ImageData:
    splits = {name: Split(getattr(data, name).images, None) for name in ("train", "validation", "test")}
    return dataclasses.replace(data, class_names=(), **splits)


@pytest.mark.parametrize("family", ["ae", "vae", "cvae-predictive"])
def test_unlabelled_images_train_what_needs_no_labels(family: str, path: Path, few_digits: ImageData):
    records = list(fit(path, tiny_run(family), data=unlabelled(few_digits)))
    assert records[-1]["epoch"] == 2
    assert "labels" not in Run(path).snapshot(8)
    assert Run(path).config().model.class_names == ()


@pytest.mark.parametrize(("family", "task"), [(f, t) for f, t in KINDS if f not in ("ae", "vae")], ids=str)
def test_unlabelled_images_are_refused_before_anything_is_written(
    family: str, task: str, path: Path, few_digits: ImageData
):
    if (family, task) == ("cvae-predictive", "quadrants"):
        return
    assert "labels" in complaint(lambda: next(fit(path, tiny_run(family, task=task), data=unlabelled(few_digits))))
    assert not path.exists()


def test_what_cannot_be_trained_leaves_no_folder(path: Path, few_digits: ImageData, tmp_path: Path):
    complaint(lambda: next(fit(path, data=few_digits)))  # no config
    complaint(lambda: next(fit(path, tiny_run(name="nowhere.npz"))))
    complaint(lambda: next(fit(path, data=few_digits, resume=True)))  # nothing to resume
    if not torch.cuda.is_available():
        assert "CUDA" in complaint(lambda: next(fit(path, tiny_run(device="cuda"), data=few_digits)))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(path: Path, few_digits: ImageData):
    path.mkdir()
    (path / "precious.txt").write_text("mine")
    complaint(lambda: next(fit(path, tiny_run(), data=few_digits)))
    assert [p.name for p in path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("term", "options"),
    [
        ("reconstruction", {"likelihood": "bernoulli"}),
        ("KL of dimension 1", {"likelihood": "gaussian"}),  # whose mean is bounded
    ],
)
def test_a_loss_that_diverges_ends_the_run_by_name(
    term: str, options: dict[str, Any], path: Path, few_digits: ImageData
):
    config = tiny_run(epochs=50, lr=10.0, **options)
    with pytest.raises(Failed, match=rf"step \d+: the {term} became .*learning rate"):
        list(fit(path, config, data=few_digits))
    status = Run(path).status()
    assert status.state == "failed"
    assert term in status.message
    for record in Run(path).history():
        assert all(math.isfinite(v) for v in record.values() if isinstance(v, float))


@pytest.fixture
def break_weights(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    """break_weights(n, value): the n-th step of the optimiser leaves `value` in the weights."""

    def arrange(n: int, value: float) -> None:
        step, taken = torch.optim.Adam.step, itertools.count(1)

        def breaking(self: torch.optim.Adam) -> None:
            step(self)
            if next(taken) == n:
                with torch.no_grad():
                    self.param_groups[0]["params"][0].fill_(value)

        monkeypatch.setattr(torch.optim.Adam, "step", breaking)

    return arrange


def test_a_nan_is_found_at_its_step(path: Path, few_digits: ImageData, break_weights: Callable[[int, float], None]):
    break_weights(5, math.nan)
    with pytest.raises(Failed, match="step 6: the reconstruction became nan"):
        list(fit(path, tiny_run(epochs=50), data=few_digits))
    assert Run(path).status().state == "failed"
    assert Run(path).history()[-1]["step"] == 5


def test_weights_that_break_in_the_last_step_are_not_called_finished(
    path: Path, few_digits: ImageData, break_weights: Callable[[int, float], None]
):
    """The loss of a step is that of the weights before it; what it made of them shows in the validation."""
    break_weights(PER_EPOCH, math.inf)
    with pytest.raises(Failed, match=f"step {PER_EPOCH}: the validation"):
        list(fit(path, tiny_run(epochs=1), data=few_digits))
    assert Run(path).status().state == "failed"
    assert all(np.isfinite(weight).all() for weight in Run(path).weights().values())


def test_a_run_folder_that_vanishes_ends_the_training_in_one_sentence(path: Path, few_digits: ImageData):
    training = fit(path, tiny_run(epochs=50), data=few_digits)
    next(training)
    path.rename(path.with_name("elsewhere"))
    assert "cannot write the run" in complaint(lambda: list(training))


def test_an_unexpected_error_is_kept_in_the_status(path: Path, few_digits: ImageData, monkeypatch: pytest.MonkeyPatch):
    def broken(*args: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Run, "append", broken)
    with pytest.raises(ZeroDivisionError):
        list(fit(path, tiny_run(), data=few_digits))
    assert Run(path).status().state == "failed"
    assert "a bug" in Run(path).status().message


def test_ctrl_c_leaves_a_run_that_resumes(
    path: Path, few_digits: ImageData, monkeypatch: pytest.MonkeyPatch, finish: Callable[..., list[Record]]
):
    append = Run.append

    def interrupted(self: Run, record: Record) -> int:
        if record["step"] == 3:
            raise KeyboardInterrupt
        return append(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(fit(path, tiny_run(), data=few_digits))
    assert Run(path).status().state == "stopped"
    finish(resume=True)
    assert Run(path).status().state == "finished"
