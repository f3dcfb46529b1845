"""NumPy inference computes what the torch models compute."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.engine import model_config, tiny_run

from cvae.config import NETS
from cvae.data import ImageData
from cvae.errors import InputError
from cvae.explore.inference import Inference, fit_gaussian
from cvae.families import FAMILIES
from cvae.models import Autoencoder, build
from cvae.models.base import Gaussian
from cvae.training.load import load
from cvae.training.loop import fit

N = 7


def model_of(**changes: object) -> Autoencoder:
    """A small model with weights far enough from 0 that no nonlinearity is at rest."""
    values: dict[str, object] = {"hidden": (12, 9), "channels": (3, 4), "latent_dim": 3, "class_names": ("a", "b", "c")}
    torch.manual_seed(0)
    model = build(model_config(**(values | changes)))
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model.eval()


def inputs(model: Autoencoder, n: int = N) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images (N, C, H, W), label mixtures (N, K), codes (N, d)."""
    generator = torch.Generator().manual_seed(1)
    config = model.config
    x = torch.rand(n, *config.image_shape, generator=generator)
    y = torch.softmax(torch.randn(n, config.classes, generator=generator), -1)
    return x, y, 2 * torch.randn(n, config.latent_dim, generator=generator)


def given_to(model: Autoencoder, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor | None:
    return y if model.config.takes_label else x if model.family.completes else None


def agrees(model: Autoencoder, numpy_model: Inference, tolerance: float = 1e-5) -> None:
    """encode, prior, decode (and the baseline's answer) are torch's."""
    x, y, z = inputs(model)
    given = given_to(model, x, y)
    with torch.inference_mode():
        posterior = model.encode(x, y)
        mean, std = numpy_model.encode(x, y)
        close(mean, posterior.mean, tolerance)
        gaussian = isinstance(posterior, Gaussian)
        close(std, torch.exp(0.5 * posterior.log_var) if gaussian else torch.zeros_like(posterior.mean), tolerance)
        if model.family.prior != "none":
            prior = model.prior(given, n=N)
            close(numpy_model.prior(given, n=N)[0], prior.mean, tolerance)
            close(numpy_model.prior(given, n=N)[1], torch.exp(0.5 * prior.log_var), tolerance)
        close(numpy_model.decode(z, given), model.decode(z, given), tolerance)
        if model.family.completes:
            close(numpy_model.predict(x), model.predict(x), tolerance)


def close(found: np.ndarray, expected: torch.Tensor, tolerance: float) -> None:
    assert found.dtype == np.float32
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found, expected.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("family", "net"), list(itertools.product(FAMILIES, NETS)))
@pytest.mark.parametrize(("likelihood", "image_shape"), [("bernoulli", (1, 8, 8)), ("gaussian-learned", (3, 13, 9))])
def test_computes_what_torch_computes(
    family: str, net: str, likelihood: str, image_shape: tuple[int, int, int]
) -> None:
    model = model_of(family=family, net=net, likelihood=likelihood, image_shape=image_shape)
    agrees(model, Inference.of(model))


@pytest.mark.parametrize("changes", [{"task": "label"}, {"quadrants": 2}, {"quadrants": 3}])
@pytest.mark.parametrize("net", NETS)
def test_both_tasks_of_the_predictive_model(changes: dict[str, object], net: str) -> None:
    model = model_of(family="cvae-predictive", net=net, image_shape=(1, 9, 11), activation="tanh", **changes)
    agrees(model, Inference.of(model))


@pytest.mark.parametrize("side", range(8, 20))
def test_convolutions_of_every_depth_and_parity(side: int) -> None:
    model = model_of(family="vae", net="conv", channels=(2, 3, 4), image_shape=(1, side, 27 - side))
    agrees(model, Inference.of(model))


def test_half_precision_weights_are_those_rounded() -> None:
    model = model_of(family="cvae-learned-prior", net="conv", image_shape=(1, 12, 12))
    half = {name: value.half().numpy() for name, value in model.state_dict().items()}
    model.load_state_dict({name: torch.from_numpy(value).float() for name, value in half.items()})
    agrees(model, Inference(model.config, half))


def test_more_rows_than_a_batch() -> None:
    model = model_of(family="cvae", net="conv", image_shape=(1, 8, 8))
    x, y, z = inputs(model, 1203)
    with torch.inference_mode():
        close(Inference.of(model).decode(z, y), model.decode(z, y), 1e-5)
        close(Inference.of(model).encode(x, y)[0], model.encode(x, y).mean, 1e-5)


@pytest.mark.parametrize("family", ["cvae", "cvae-predictive"])
def test_one_row_stands_for_many(family: str) -> None:
    model = model_of(family=family)
    numpy_model = Inference.of(model)
    x, y, z = inputs(model)
    given = given_to(model, x, y)
    assert given is not None
    repeated = numpy_model.decode(z, np.repeat(given[:1].numpy(), N, axis=0))
    np.testing.assert_array_equal(numpy_model.decode(z, given[:1]), repeated)
    one_code = numpy_model.decode(np.repeat(z[:1].numpy(), N, axis=0), given)
    np.testing.assert_array_equal(numpy_model.decode(z[:1], given), one_code)


def test_no_rows_give_none() -> None:
    model = model_of(family="vae")
    assert Inference.of(model).decode(np.zeros((0, 3))).shape == (0, 1, 8, 8)


def test_shares_the_torch_model_s_memory() -> None:
    model = model_of(family="vae")
    numpy_model = Inference.of(model)
    before = numpy_model.decode(np.zeros((1, 3)))
    with torch.no_grad():
        list(model.decoder.parameters())[-1].add_(1.0)
    assert not np.allclose(before, numpy_model.decode(np.zeros((1, 3))))


def test_an_autoencoder_is_drawn_from_the_gaussian_fitted_to_its_codes() -> None:
    model = model_of(family="ae", latent_dim=2)
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    rng = np.random.default_rng(0)
    codes = rng.multivariate_normal([3.0, -1.0], covariance, 20_000)
    mean, fitted = fit_gaussian(codes)
    np.testing.assert_allclose(mean, [3, -1], atol=0.05)
    np.testing.assert_allclose(fitted, covariance, atol=0.1)
    np.testing.assert_allclose(fitted, np.cov(codes.T, bias=True), rtol=1e-5)

    with pytest.raises(ValueError, match="codes"):
        Inference.of(model).prior(n=1)
    numpy_model = Inference.of(model, codes)
    mean, std = numpy_model.prior(n=4)
    np.testing.assert_allclose(mean, np.tile(codes.mean(0), (4, 1)), rtol=1e-5)
    np.testing.assert_allclose(std, np.tile(codes.std(0), (4, 1)), rtol=1e-5)
    drawn = numpy_model.from_noise(rng.standard_normal((20_000, 2)))
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.15)


def test_codes_on_a_line_are_drawn_on_that_line() -> None:
    model = model_of(family="ae", latent_dim=3)
    t = np.linspace(-1, 1, 50)[:, None]
    drawn = Inference.of(model, t * [1.0, 2.0, 0.0]).from_noise(np.random.default_rng(0).standard_normal((100, 3)))
    np.testing.assert_allclose(drawn[:, 1], 2 * drawn[:, 0], atol=1e-5)
    np.testing.assert_allclose(drawn[:, 2], 0, atol=1e-5)


def test_place_scales_noise_by_the_prior() -> None:
    model = model_of(family="cmma")
    numpy_model = Inference.of(model)
    y = np.eye(3, dtype=np.float32)
    mean, std = numpy_model.prior(y)
    np.testing.assert_allclose(numpy_model.from_noise(np.full((3, 3), -1.5), y), mean - 1.5 * std, rtol=1e-5)


def test_weights_that_do_not_fit_are_named() -> None:
    model = model_of(family="vae")
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    with pytest.raises(InputError, match="decoder"):
        Inference(model.config, {name: w for name, w in weights.items() if name.startswith("encoder")})
    del weights["decoder.head.2.bias"]
    with pytest.raises(InputError, match=r"head\.2\.bias is missing"):
        Inference(model.config, weights)
    weights["decoder.head.2.bias"] = np.zeros(5, np.float32)
    with pytest.raises(InputError, match=r"of shape \(5,\)"):
        Inference(model.config, weights)


@pytest.mark.parametrize(
    ("family", "given", "complaint"),
    [
        ("cvae", None, r"needs vectors of its conditions \(label\) of shape \(N, 3\), and none are given"),
        ("cvae", np.zeros((2, 4)), r"of shape \(N, 3\), not \(2, 4\)"),
        ("cvae", np.full((2, 3), np.nan), "not finite"),
        ("cvae", np.ones((2, 3)) > 0, "numbers, not bool"),
        ("cvae-predictive", None, r"needs images of shape \(N, 1, 8, 8\)\."),
        ("cvae-predictive", np.zeros((2, 1, 8, 9)), r"of shape \(N, 1, 8, 8\), not \(2, 1, 8, 9\)"),
        ("cvae-predictive", np.full((2, 1, 8, 8), 255.0), "divide them by 255"),
    ],
)
def test_what_is_given_must_fit(family: str, given: np.ndarray | None, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Inference.of(model_of(family=family)).decode(np.zeros((2, 3)), given)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (np.zeros((2, 8, 8)), r"cvae needs images of shape \(N, 1, 8, 8\), not \(2, 8, 8\)"),
        (np.zeros((2, 3, 8, 8)), r"not \(2, 3, 8, 8\)"),
        (np.full((2, 1, 8, 8), 255.0), "divide them by 255"),
        (np.full((2, 1, 8, 8), np.nan), "floats lie from 0 to 1"),
        (np.zeros((2, 1, 8, 8), np.int64), r"bytes \(uint8\) or floats from 0 to 1, not int64"),
    ],
)
def test_images_to_encode_must_fit(images: np.ndarray, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Inference.of(model_of(family="cvae")).encode(images, np.eye(3)[:2])


def test_conditions_are_as_many_as_the_images_or_one_for_all() -> None:
    numpy_model, images = Inference.of(model_of(family="cvae")), np.zeros((3, 1, 8, 8))
    assert numpy_model.encode(images, np.eye(3)[:1])[0].shape == (3, 3)
    with pytest.raises(InputError, match=r"of shape \(3, 3\), not \(2, 3\)"):
        numpy_model.encode(images, np.eye(3)[:2])


@pytest.mark.parametrize("family", ["vae", "cvae-predictive"])
def test_bytes_are_the_same_images_as_their_floats(family: str) -> None:
    numpy_model = Inference.of(model_of(family=family))
    grey = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), dtype=np.uint8)
    z = np.zeros((4, 3))
    np.testing.assert_array_equal(numpy_model.encode(grey)[0], numpy_model.encode(grey / np.float32(255))[0])
    np.testing.assert_array_equal(numpy_model.decode(z, grey), numpy_model.decode(z, grey / np.float32(255)))


def test_a_snapshot_has_no_encoder() -> None:
    model = model_of(family="vae")
    weights = {name: value.numpy() for name, value in model.state_dict().items() if name.startswith("decoder")}
    with pytest.raises(ValueError, match="no encoder"):
        Inference(model.config, weights).encode(np.zeros((1, 1, 8, 8)))


def test_needs_no_torch() -> None:
    code = "import sys, cvae.explore, cvae.explore.pictures, cvae.plots; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_autoencoder_is_sampled_from_the_codes_of_training_images(few_digits: ImageData, tmp_path: Path) -> None:
    for _ in fit(tmp_path / "run", tiny_run("ae"), data=few_digits):
        pass
    model = load(tmp_path / "run")
    codes = model.encode(torch.from_numpy(few_digits.train.images).float() / 255).mean.numpy()
    mean, covariance = Inference.load(tmp_path / "run").fitted()
    np.testing.assert_allclose(mean, codes.mean(0), atol=1e-2)
    np.testing.assert_allclose(covariance, np.cov(codes.T, bias=True), atol=1e-2)
