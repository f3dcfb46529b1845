"""What the texts say of the shipped runs is what a classifier finds in their pictures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from cvae.assets import GALLERY
from cvae.explore.decoding import sample
from cvae.explore.inference import Inference
from cvae.explore.numpy_nets import Array
from cvae.measuring.classifier import Classifier
from cvae.runs.folder import Run
from cvae.ui.frame.text import LANGUAGES, translate

DRAWS = 3000
UNSURE = 0.9  # below it, the classifier is unsure of a picture
MARGIN = 0.025  # of shares of so many draws


def shares(pictures: Array) -> Array:
    """Return the classifier's probabilities (N, 10) of MNIST-like pictures."""
    judge = Classifier.load("mnist")
    assert judge is not None
    pixels = torch.from_numpy(np.rint(pictures * 255) / np.float32(255))
    with torch.inference_mode():
        return judge.net(image=pixels).softmax(-1).numpy()


def model(name: str) -> Inference:
    return Inference.load(Run(GALLERY / name))


def unsure(pictures: Array) -> float:
    return float((shares(pictures).max(1) < UNSURE).mean())


def of_the_normal(name: str) -> Array:
    """Return pictures decoded from N(0, I), whatever the model's own prior."""
    known = model(name)
    return known.decode(np.random.default_rng(0).standard_normal((DRAWS, known.latent_dim)).astype(np.float32))


def between_classes(name: str) -> float:
    """Return the classifier's mean share of its first choice along the lines between the medians of all classes."""
    known, found = model(name), Run(GALLERY / name).codes()
    codes, labels = found["codes"].astype(np.float32), found["labels"]
    medians = [np.median(codes[labels == k], axis=0) for k in range(10)]
    ways = list(itertools.combinations(range(10), 2))
    z = np.concatenate([np.linspace(medians[a], medians[b], 41) for a, b in ways]).astype(np.float32)
    given = np.repeat(np.eye(10, dtype=np.float32)[[a for a, _ in ways]], 41, axis=0)
    return float(shares(known.decode(z, given if known.config.takes_label else None)).max(1).mean())


@pytest.mark.parametrize(("name", "share"), [("mnist-ae", 0.95), ("mnist-vae", 0.93), ("mnist-cvae", 1.0)])
def test_in_a_plane_hardly_a_hole_lies_between_the_classes(name: str, share: float) -> None:
    assert between_classes(name) == pytest.approx(share, abs=0.01)
    for language in LANGUAGES:
        assert f"{share:.0%}".replace("%", " %") in translate(language, "kinds.plane.also.compare")


@pytest.mark.parametrize(
    ("name", "share", "words"),
    [
        ("mnist-ae", 0.21, "kinds.plane.also.sample"),
        ("mnist-vae", 0.22, "kinds.plane.also.sample"),
        ("mnist-ae-16d", 0.44, "kinds.space.also.compare"),
        ("mnist-ae-16d", 0.44, "gallery.mnist-ae-16d.note"),
        ("mnist-vae-16d", 0.31, "gallery.mnist-ae-16d.note"),
    ],
)
def test_the_draws_of_which_it_is_unsure(name: str, share: float, words: str) -> None:
    assert unsure(sample(model(name), DRAWS, seed=0)) == pytest.approx(share, abs=MARGIN)
    for language in LANGUAGES:
        assert f"{share:.0%}".replace("%", " %") in translate(language, words)


def test_draws_from_a_normal_that_an_autoencoder_never_saw() -> None:
    assert unsure(of_the_normal("mnist-ae-16d")) == pytest.approx(0.93, abs=MARGIN)
    assert unsure(of_the_normal("mnist-ae")) < 0.25


def test_without_a_kl_the_codes_leave_the_prior_and_its_draws_show_the_middle_alone() -> None:
    codes = Run(GALLERY / "mnist-reconstruction-only").codes()["codes"].astype(np.float32)
    assert (np.linalg.norm(codes, axis=1) > 3).mean() > 0.5
    seen = np.bincount(shares(of_the_normal("mnist-reconstruction-only")).argmax(1), minlength=10) / DRAWS
    assert seen[8] == pytest.approx(0.45, abs=0.05)
    assert seen[7] < 0.01


def test_without_reconstruction_every_code_decodes_to_one_picture() -> None:
    pictures = of_the_normal("mnist-kl-only")
    assert pictures.std(0).mean() < 0.01
    assert pictures.mean(0).std() > 0.1, "a blur, and no grey"
