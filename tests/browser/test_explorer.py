"""A run's payload for the browser: complete, small, and refused with a sentence where the run is damaged."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.explorer import CODES, make_run

from cvae.browser import explorer as export_module
from cvae.browser.explorer import export
from cvae.config import DataConfig
from cvae.data import ImageData, Split, load_data
from cvae.errors import InputError
from cvae.explore.inference import Inference
from cvae.families import FAMILIES
from cvae.runs.folder import Run

ROOT = Path(__file__).parents[2]


def numbers(tensor: dict[str, Any]) -> np.ndarray:
    kind = {"f16": "<f2", "f32": "<f4", "u8": "u1"}[tensor["dtype"]]
    return np.frombuffer(base64.b64decode(tensor["data"]), kind).reshape(tensor["shape"])


def networks(run: Run) -> list[dict[str, Any]]:
    model: dict[str, Any] = export([run])["models"][0]
    return [model["networks"][role] for role in ("decoder", "prior_net")]


@pytest.mark.parametrize(("family", "net"), list(itertools.product(FAMILIES, ("mlp", "conv"))))
def test_holds_all_that_decoding_needs(family: str, net: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", family=family, net=net, latent_dim=3)
    payload = export([run])
    (model,) = json.loads(json.dumps(payload, allow_nan=False))["models"]
    roles = {"encoder", "decoder", *(["prior_net"] if FAMILIES[family].prior == "learned" else [])}
    assert set(model["networks"]) == roles
    for role, network in model["networks"].items():
        needed = {
            f"{part}.{i}.{kind}"
            for part in ("trunk", "head")
            for i, op in enumerate(network[part])
            if "in" in op
            for kind in ("weight", "bias")
        }
        assert set(network["weights"]) == needed
        for name, tensor in network["weights"].items():
            np.testing.assert_allclose(numbers(tensor), run.weights()[f"{role}.{name}"], rtol=1e-3, atol=1e-6)
    assert model["networks"]["decoder"]["sees"] == list(FAMILIES[family].decoder_sees)
    label = {"name": "label", "kind": "class", "values": list("0123456789")}
    kinds = [
        {**condition, "pictures": 0, "visible": 0} if "pictures" in condition else condition
        for condition in model["conditions"]
    ]
    image = {"name": "image", "kind": "image", "pictures": 0, "visible": 0}
    assert kinds == {"nothing": [], "condition": [label], "image": [image]}[FAMILIES[family].takes]
    assert numbers(model["codes"]["points"]).shape == (CODES, 3)
    assert model["codes"]["split"] == "test"
    assert model["classes"] == list("0123456789")


def test_priors(tmp_path: Path) -> None:
    kinds = {family: export([make_run(tmp_path / family, family=family)])["models"][0]["prior"] for family in FAMILIES}
    assert {family: prior["kind"] for family, prior in kinds.items()} == {
        "ae": "fitted",
        "vae": "standard",
        "cvae": "standard",
        "cvae-learned-prior": "learned",
        "cmma": "learned",
        "cvae-predictive": "learned",
    }
    codes = Run(tmp_path / "ae").codes()["codes"].astype(float)
    np.testing.assert_allclose(kinds["ae"]["overall"]["covariance"], np.cov(codes, rowvar=False, bias=True), rtol=1e-4)
    means, stds = Inference.load(tmp_path / "cmma").prior(np.eye(10))
    draws = np.concatenate([rng.normal(m, s, (40_000, 2)) for rng, m, s in zip(
        (np.random.default_rng(i) for i in range(10)), means, stds, strict=True)])  # fmt: skip
    np.testing.assert_allclose(kinds["cmma"]["overall"]["mean"], draws.mean(0), atol=0.01)
    np.testing.assert_allclose(np.exp(kinds["cmma"]["overall"]["logVar"]), draws.var(0), rtol=0.02)


def test_half_precision_only_where_nothing_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "r", family="vae")
    weights = export([run])["models"][0]["networks"]["decoder"]["weights"]
    assert {tensor["dtype"] for tensor in weights.values()} == {"f16"}
    large = {name: value * (1e5 if name == "decoder.head.0.weight" else 1) for name, value in run.weights().items()}
    run.write_arrays("model", large)  # beyond the largest half-precision number
    weights = export([run])["models"][0]["networks"]["decoder"]["weights"]
    assert {tensor["dtype"] for tensor in weights.values()} == {"f32"}
    run = make_run(tmp_path / "p", family="cmma")
    dtypes = [{tensor["dtype"] for tensor in network["weights"].values()} for network in networks(run)]
    assert dtypes == [{"f16"}, {"f16"}]
    large = {name: value * (30 if name.startswith("prior_net.") else 1) for name, value in run.weights().items()}
    run.write_arrays("model", large)
    weights = networks(run)[1]["weights"]
    assert {tensor["dtype"] for tensor in weights.values()} == {"f32"}
    monkeypatch.setattr(export_module, "VISIBLE", 0.0)
    weights = export([make_run(tmp_path / "s", family="cvae")])["models"][0]["networks"]["decoder"]["weights"]
    assert {tensor["dtype"] for tensor in weights.values()} == {"f32"}


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    one, same = (make_run(tmp_path / place / "r", family="vae") for place in "ab")
    other = make_run(tmp_path / "c" / "r", family="vae", seed=1)
    assert export([one])["hash"] == export([same])["hash"] != export([other])["hash"]


def test_a_snapshot_of_a_training(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", family="vae")
    decoder = {name: value.astype(np.float16) for name, value in run.weights().items() if name.startswith("decoder.")}
    codes = np.ones((7, 2), np.float16)
    run.write_arrays("snapshots/40", {"codes": codes, "labels": np.arange(7, dtype=np.uint8), **decoder})
    (model,) = export([run], step=40)["models"]
    np.testing.assert_array_equal(numbers(model["codes"]["points"]), codes)
    assert model["codes"]["split"] == "validation"
    assert model["networks"]["decoder"]["weights"]["head.0.weight"]["dtype"] == "f16"
    with pytest.raises(InputError, match="no snapshot of step 41"):
        export([run], step=41)


def test_the_newest_snapshots_codes_while_it_trains(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", family="vae")
    (run.path / "codes.safetensors").unlink()
    assert export([run])["models"][0]["codes"] is None
    run.write_arrays("snapshots/3", {"codes": np.zeros((4, 2), np.float16), "labels": np.zeros(4, np.uint8)})
    (model,) = export([run])["models"]
    assert model["codes"]["split"] == "validation"


def test_the_main_plane_is_shared(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / family, family=family, latent_dim=5, seed=i) for i, family in enumerate(("ae", "vae"))]
    plane = export(runs)["map"]
    assert plane["kind"] == "pca"
    axes = np.array(plane["axes"])
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-9)
    codes = np.concatenate([run.codes()["codes"] for run in runs]).astype(float)
    projected = (codes - plane["mean"]) @ axes.T
    shares = projected.var(0) / codes.var(0).sum()
    np.testing.assert_allclose(shares, plane["explained"], rtol=1e-6)
    for a, b in itertools.combinations(codes.var(0) / codes.var(0).sum(), 2):
        assert shares.sum() >= a + b  # no two dimensions hold more
    assert export(runs, plane=(4, 1))["map"] == {"kind": "dims", "dims": [4, 1]}
    with pytest.raises(InputError, match="two different dimensions"):
        export(runs, plane=(1, 1))


def test_thumbnails_are_the_images_of_the_codes(tmp_path: Path) -> None:
    data = load_data(DataConfig("digits"))
    run = make_run(tmp_path / "r", family="vae", codes=len(data.test))
    (model,) = export([run], data=data)["models"]
    np.testing.assert_array_equal(numbers(model["thumbnails"]), data.test.images)
    assert export([make_run(tmp_path / "s", family="vae", codes=2000)], data=data)["models"][0]["thumbnails"] is None
    other = make_run(tmp_path / "t", family="ae", codes=len(data.test))
    assert [m["thumbnails"] for m in export([run, other, run], data=data)["models"][1:]] == [0, 0]  # not sent again


def test_many_large_thumbnails_are_halved_or_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.arange(20 * 24 * 21, dtype=np.uint8).reshape(20, 1, 24, 21)
    split = Split(images, None)
    data = ImageData("mine", (), split, split, split)
    run = make_run(tmp_path / "r", family="vae", image_shape=(1, 24, 21), codes=20)
    monkeypatch.setattr(export_module, "THUMBNAIL_BYTES", images.size // 2)
    thumbnails = numbers(export([run], data=data)["models"][0]["thumbnails"])
    assert thumbnails.shape == (20, 1, 12, 10)
    np.testing.assert_allclose(thumbnails[3, 0, 2, 4], images[3, 0, 4:6, 8:10].mean(), atol=0.5)
    monkeypatch.setattr(export_module, "THUMBNAIL_BYTES", images.size // 5)
    assert export([run], data=data)["models"][0]["thumbnails"] is None


def test_given_images_show_only_what_is_visible(tmp_path: Path) -> None:
    data = load_data(DataConfig("digits"))
    run = make_run(tmp_path / "r", family="cvae-predictive", quadrants=2, codes=len(data.test))
    (model,) = export([run], data=data)["models"]
    (given,) = model["conditions"]
    pictures, visible = numbers(given["pictures"]), numbers(given["visible"])
    assert pictures[:, 0, visible == 0].max() == 0
    assert visible.sum() == 32
    means, _ = Inference.load(run).prior(pictures / np.float32(255))
    np.testing.assert_allclose(model["prior"]["overall"]["mean"], means.mean(0), rtol=1e-5)
    label = make_run(tmp_path / "s", family="cvae-predictive", task="label")
    (model,) = export([label])["models"]
    assert (model["output"], model["conditions"][0]["visible"]) == ("label", None)


def test_titles_tell_runs_apart(tmp_path: Path) -> None:
    a, b, c = (
        make_run(tmp_path / "a", family="vae"),
        make_run(tmp_path / "b", family="vae"),
        make_run(tmp_path / "c", family="ae"),
    )
    assert [m["title"] for m in export([a, c])["models"]] == ["VAE", "AE"]
    assert [m["title"] for m in export([a, b])["models"]] == ["VAE · a", "VAE · b"]
    assert [m["title"] for m in export([a], titles=["<b>"])["models"]] == ["<b>"]


def test_what_one_z_cannot_drive_is_refused(tmp_path: Path) -> None:
    two, three = make_run(tmp_path / "two", family="vae"), make_run(tmp_path / "three", family="vae", latent_dim=3)
    with pytest.raises(InputError, match="two has 2 latent dimensions and three has 3"):
        export([two, three])
    letters = make_run(tmp_path / "letters", family="cvae", class_names=("a", "b"))
    with pytest.raises(InputError, match="different classes"):
        export([two, letters])
    with pytest.raises(InputError, match="no run"):
        export([])


def damage_weights(run: Run) -> None:
    run.write_arrays("model", {n: w for n, w in run.weights().items() if n != "decoder.head.0.bias"})


def wrong_shape(run: Run) -> None:
    run.write_arrays("model", {n: w[:3] if n == "decoder.head.2.weight" else w for n, w in run.weights().items()})


def not_a_number(run: Run) -> None:
    weights = run.weights()
    weights["decoder.head.0.bias"] = np.full_like(weights["decoder.head.0.bias"], np.nan)
    run.write_arrays("model", weights)


def cut_short(run: Run) -> None:
    path = run.path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])


def codes_of_another(run: Run) -> None:
    run.write_arrays("codes", {"codes": np.zeros((5, 3), np.float16)})


def labels_beyond(run: Run) -> None:
    run.write_arrays("codes", {"codes": np.zeros((2, 2), np.float16), "labels": np.array([3, 10], np.uint8)})


def no_weights(run: Run) -> None:
    (run.path / "model.safetensors").unlink()


def no_codes(run: Run) -> None:
    (run.path / "codes.safetensors").unlink()


@pytest.mark.parametrize(
    "damage",
    [damage_weights, wrong_shape, not_a_number, cut_short, codes_of_another, labels_beyond, no_weights, no_codes],
)
def test_damaged_runs_are_refused_with_a_sentence(damage: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", family="ae")
    damage(run)
    with pytest.raises(InputError, match=r"\.$"):
        export([run])


PAGE = """
import sys
from streamlit.testing.v1 import AppTest
for family in sys.argv[1:]:
    page = AppTest.from_file("tests/pages/explore.py", default_timeout=60)
    page.query_params["runs"] = family
    page.run()
    assert not page.exception, page.exception
assert "cvae.browser.explorer" in sys.modules
assert "torch" not in sys.modules, "torch was imported"
"""


def test_a_page_that_explores_a_run_does_without_torch(tmp_path: Path) -> None:
    for family in FAMILIES:
        make_run(tmp_path / family, family=family)
    env = {"CVAE_RUNS": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PAGE, *FAMILIES]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
