"""What training refuses before it writes anything, and how it ends when it cannot go on."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.data import complaint
from helpers.engine import PER_EPOCH, changed, tiny_run

from cvae.data import ImageData, Split
from cvae.runs.folder import Run
from cvae.runs.status import Record
from cvae.training.loop import Failed, fit


def unlabelled(data: ImageData) -> ImageData:
    return dataclasses.replace(changed(data, lambda split: Split(split.images, None)), class_names=())


@pytest.mark.parametrize("family", ["ae", "vae", "cvae-predictive"])
def test_unlabelled_images_train_what_needs_no_labels(family: str, path: Path, few_digits: ImageData):
    records = list(fit(path, tiny_run(family), data=unlabelled(few_digits)))
    assert records[-1]["epoch"] == 2
    assert "labels" not in Run(path).snapshot(8)
    assert Run(path).config().model.class_names == ()


@pytest.mark.parametrize("family", ["cvae", "cvae-learned-prior", "cmma", "cvae-predictive"])
def test_unlabelled_images_are_refused_before_anything_is_written(family: str, path: Path, few_digits: ImageData):
    config = tiny_run(family, task="label")
    assert "labels" in complaint(lambda: next(fit(path, config, data=unlabelled(few_digits))))
    assert not path.exists()


def test_what_cannot_be_trained_leaves_no_folder(path: Path, few_digits: ImageData, tmp_path: Path):
    complaint(lambda: next(fit(path, data=few_digits)))  # no config
    complaint(lambda: next(fit(path, tiny_run(name="nowhere.npz"))))
    complaint(lambda: next(fit(path, data=few_digits, resume=True)))  # nothing to resume
    absent = "mps" if torch.cuda.is_available() else "cuda"
    assert "device" in complaint(lambda: next(fit(path, tiny_run(device=absent), data=few_digits)))
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
    assert str(status.failure) == status.message
    assert "请减小学习率" in status.failure.sentence("zh")
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
