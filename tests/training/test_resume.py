"""A run that was stopped, or has ended, goes on as if nothing had been; or says why it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from helpers.data import complaint
from helpers.engine import changed, of, tiny_run, weights_equal, without_times

from cvae.config import RunConfig
from cvae.data import ImageData, Split
from cvae.runs.folder import Run
from cvae.runs.status import Record
from cvae.training.batches import tensor
from cvae.training.load import load
from cvae.training.loop import fit


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


@pytest.mark.parametrize("config", [tiny_run(epochs=3), tiny_run("cvae-predictive", epochs=3, binarize="dynamic", k=3)])
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
    for file in (
        "model.safetensors",
        "codes.safetensors",
        *(f"snapshots/{s}.safetensors" for s in run.snapshot_steps()),
    ):
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


def test_a_finished_run_that_cannot_go_on_is_left_as_it_is(
    path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]
):
    finish(tiny_run(epochs=2))
    before = Run(path).status()
    fewer = changed(few_digits, lambda split: Split(split.images[:40], split.labels[:40]))
    assert "the data has changed" in complaint(lambda: finish(tiny_run(epochs=3), resume=True, data=fewer))
    assert Run(path).status() == before
    assert "2 epochs already" in complaint(lambda: finish(tiny_run(epochs=1), resume=True))


def test_a_run_that_halts_in_mid_epoch_shows_the_codes_of_its_weights(path: Path, few_digits: ImageData):
    training = fit(path, tiny_run(epochs=30), data=few_digits)
    for record in training:
        if record["split"] == "validation" and record["epoch"] == 10:
            break
    next(training)
    training.close()
    run = Run(path)
    assert run.weights_step() not in run.snapshot_steps()
    codes = load(path).encode(tensor(few_digits.validation.images)).mean
    np.testing.assert_allclose(run.codes()["codes"], codes, atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"half", b"\x80\x04 a pickle"])
def test_a_damaged_checkpoint_is_refused(path: Path, finish: Callable[..., list[Record]], content: bytes):
    finish(tiny_run())
    before = Run(path).history()
    (path / "checkpoint.safetensors").write_bytes(content)
    assert "checkpoint.safetensors" in complaint(lambda: finish(tiny_run(epochs=3), resume=True))
    assert Run(path).history() == before
    assert Run(path).config().train.epochs == 2


def test_a_checkpoint_whose_state_makes_no_sense_is_refused(path: Path, finish: Callable[..., list[Record]]):
    finish(tiny_run(epochs=1))
    file = path / "checkpoint.safetensors"
    arrays = safetensors.numpy.load_file(file)
    with safetensors.safe_open(file, framework="numpy") as opened:
        state = json.loads(opened.metadata()["state"])
    wrong = [("step", -50), ("step", "many"), ("step", None), ("images", 2.5), ("seconds", "long"), ("last_record", 7)]
    for name, value in wrong:
        safetensors.numpy.save_file(arrays, file, {"state": json.dumps({**state, name: value})})
        assert "checkpoint.safetensors" in complaint(lambda: finish(tiny_run(epochs=3), resume=True)), (name, value)


def test_a_folder_in_place_of_a_checkpoint_is_refused(path: Path, finish: Callable[..., list[Record]]):
    finish(tiny_run(epochs=1))
    (path / "checkpoint.safetensors").unlink()
    (path / "checkpoint.safetensors").mkdir()
    assert "checkpoint.safetensors" in complaint(lambda: finish(tiny_run(epochs=3), resume=True))


def test_a_checkpoint_of_another_model_is_refused(
    path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]
):
    finish(tiny_run())
    other = path.with_name("other")
    list(fit(other, tiny_run(hidden=(17,)), data=few_digits))
    (path / "checkpoint.safetensors").write_bytes((other / "checkpoint.safetensors").read_bytes())
    complaint(lambda: finish(resume=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda split: Split(np.repeat(split.images, 2, axis=3), split.labels),  # wider
        lambda split: Split(np.repeat(split.images, 3, axis=1), split.labels),  # in colour
        lambda split: Split(split.images[:40], split.labels[:40]),  # fewer
        lambda split: Split(np.tile(split.images, (2, 1, 1, 1)), np.tile(split.labels, 2)),  # more
    ],
)
def test_data_that_has_changed_does_not_damage_the_run(
    change: Callable[[Split], Split], path: Path, few_digits: ImageData, finish: Callable[..., list[Record]]
):
    training = fit(path, tiny_run(epochs=3, batch_size=16), data=few_digits)
    while next(training)["step"] < 15:
        pass
    training.close()
    complaint(lambda: finish(resume=True, data=changed(few_digits, change)))
    assert Run(path).config().model.image_shape == (1, 8, 8)
    finish(tiny_run(epochs=3), resume=True)
    assert Run(path).status().state == "finished"
