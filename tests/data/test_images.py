"""Images from Python: bytes, or floats from 0 to 1, and nothing else; what does not fit is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.data import complaint
from helpers.engine import tiny_run

import cvae
from cvae.conditions import ClassCondition
from cvae.config import ModelConfig, TrainConfig
from cvae.data import ImageData, Split
from cvae.errors import InputError
from cvae.runs.folder import Run
from cvae.training.loop import fit

GREY = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
NAMES = ("a", "b")
LABELS = np.arange(40) % 2


def data(images: Any = GREY, labels: Any = LABELS, names: Any = NAMES, **more: Any) -> ImageData:
    split = Split(images, labels, more.pop("columns", {}))
    return ImageData("mine", names, split, split, split, **more)


def test_bytes_are_kept_and_floats_become_the_nearest_grey_value() -> None:
    assert Split(GREY, None).images is GREY
    for kind in (np.float16, np.float32, np.float64):
        np.testing.assert_array_equal(Split((GREY / 255).astype(kind), None).images, GREY)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (GREY.astype(np.float32), "divide them by 255, or give them as uint8"),
        (GREY / 255 - 0.5, "these lie from -0.5"),
        (np.where(GREY > 7, GREY / 255, np.nan), "these lie from nan"),
        (GREY.astype(np.int64), r"bytes \(uint8\) or floats from 0 to 1, not int64"),
        (GREY > 100, "not bool"),
        (GREY.astype(object), "not object"),
        (GREY[:, 0], r"shape \(N, C, H, W\)"),
        (GREY.transpose(0, 2, 3, 1), r"not \(40, 8, 8, 1\)"),
        (np.repeat(GREY, 2, axis=1), "C = 1 or 3"),
    ],
)
def test_other_images_are_refused_by_name(images: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        data(images)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"labels": LABELS[:-1]}, r"labels must have shape \(40,\)"),
        ({"labels": LABELS.astype(np.float32)}, "whole numbers from 0, not float32"),
        ({"labels": LABELS - 1}, "one is -1"),
        ({"labels": LABELS + 1}, "a label is 2, and class_names names 0 to 1"),
        ({"labels": np.eye(2)[LABELS]}, r"not \(40, 2\)"),
        ({"names": ()}, "no names of the classes"),
        ({"names": ("a", "a")}, "a name of its own"),
        ({"images": GREY[..., :4]}, "8×4"),
        ({"columns": {"size": np.arange(39)}}, "'size' are of shape"),
        ({"further": (ClassCondition("size", NAMES),)}, "no values of the condition 'size'"),
    ],
)
def test_labels_and_conditions_that_do_not_fit_are_refused(how: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        data(**how)


def test_training_needs_images_in_every_split(tmp_path: Path) -> None:
    full = Split(GREY, LABELS)
    records = fit(tmp_path / "run", tiny_run("vae"), data=ImageData("mine", NAMES, full, full.at(slice(0)), full))
    assert "each need images" in complaint(next, records)
    assert not (tmp_path / "run").exists()


def test_splits_of_unlike_images_are_refused() -> None:
    small, large = Split(GREY, LABELS), Split(np.repeat(GREY, 2, axis=3), LABELS)
    assert "(1, 8, 8) and those of another of shape (1, 8, 16)" in complaint(
        ImageData, "mine", NAMES, small, small, large
    )


def test_numbers_of_numpy_and_lists_are_taken(tmp_path: Path) -> None:
    model = ModelConfig(hidden=[np.int64(16)], latent_dim=np.int64(3), class_names=list(NAMES))
    train = TrainConfig(epochs=np.int32(1), lr=np.float64(1e-3), batch_size=np.uint8(20))
    assert (model, train) == (
        ModelConfig(hidden=(16,), latent_dim=3, class_names=NAMES),
        TrainConfig(epochs=1, lr=1e-3, batch_size=20),
    )
    config = tiny_run("vae", hidden=[np.int64(8)], epochs=np.int64(1))
    records = list(fit(Run(tmp_path / "run"), config, data=data()))
    assert records[-1]["epoch"] == 1
    assert Run(Run(tmp_path / "run")).config().model.hidden == (8,)
    for run in (tmp_path / "run", str(tmp_path / "run"), Run(tmp_path / "run")):
        assert cvae.load(run).config.latent_dim == 2


def test_a_bool_of_numpy_is_no_number() -> None:
    with pytest.raises(InputError, match="epochs"):
        TrainConfig(epochs=np.bool_(True))


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    list(fit(tmp_path / "run", tiny_run("vae", epochs=1), data=data()))
    run = Run(tmp_path / "run")
    weights = run.weights()
    next(iter(weights.values())).flat[0] = np.nan
    run.write_arrays("model", weights)
    with pytest.raises(InputError, match="values that are not numbers"):
        cvae.load(run)


def test_training_begins_with_the_first_record_and_leaves_torch_as_it_was(tmp_path: Path) -> None:
    def settings() -> tuple[Any, ...]:
        return (
            torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_rng_state().tolist(),
            torch.is_inference_mode_enabled(), torch.are_deterministic_algorithms_enabled(),
        )  # fmt: skip

    before = settings()
    records = fit(tmp_path / "run", tiny_run("vae", epochs=2), data=data())
    assert not (tmp_path / "run").exists()
    assert [settings() == before for _ in records] == [True] * len(Run(tmp_path / "run").history())
    assert settings() == before
