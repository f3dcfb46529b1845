"""The encoder in the browser: what torch encodes, for every family, network and number of channels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.browser import Browser
from helpers.engine import KINDS
from helpers.explorer import make_run, mount, torch_model

from cvae.browser import explorer
from cvae.browser.explorer import export
from cvae.config import NETS, ModelConfig
from cvae.runs.folder import Run

SHAPES = [(1, 8, 8), (3, 9, 14)]
CLASSES = 10
COUNT = 6


def pictures(config: ModelConfig) -> np.ndarray:
    """Pictures (N, C, H, W) that look like handwriting, noise, a blank one and a full one."""
    x = np.random.default_rng(3).random((COUNT, *config.image_shape), np.float32) ** 4
    x[0], x[1] = 0, 1
    return x


def vectors(config: ModelConfig) -> np.ndarray:
    """Vectors (N, width) of conditions, or of the labels that are predicted: one-hot, and blends."""
    if not (config.takes_condition or config.predicts_label):
        return np.zeros((COUNT, 0), np.float32)
    y = np.random.default_rng(4).dirichlet(np.ones(CLASSES), COUNT).astype(np.float32)
    y[: COUNT // 2] = np.eye(CLASSES, dtype=np.float32)[: COUNT // 2]
    return y


def by_torch(run: Run, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean and log σ² (N, d) of the posteriors; None where the code is a point."""
    with torch.inference_mode():
        q: Any = torch_model(run).encode(torch.from_numpy(x), torch.from_numpy(y) if y.shape[1] else None)
    return q.mean.numpy(), q.log_var.numpy() if hasattr(q, "log_var") else None


@pytest.fixture
def page(browser: Browser) -> Any:
    page = browser.new_page({"width": 900, "height": 600})
    yield page
    page.close()


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("halved", "tolerance"), [(True, 1e-2), (False, 1e-3)], ids=["as it is sent", "in full"])
def test_the_posterior_is_pytorchs(
    net: str, halved: bool, tolerance: float, page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not halved:
        monkeypatch.setattr(explorer, "POSTERIOR_CHANGE", 0.0)
    for (family, task), shape in [(kind, shape) for kind in KINDS for shape in SHAPES]:
        run = make_run(tmp_path / f"{family}-{task}-{shape[0]}", family=family, task=task, net=net, image_shape=shape)
        payload = export([run])
        (sent,) = payload["models"]
        dtypes = {weight["dtype"] for weight in sent["networks"]["encoder"]["weights"].values()}
        assert halved or dtypes == {"f32"}
        mount(page, payload)
        config = run.config().model
        x, y = pictures(config), vectors(config)
        mean, log_var = by_torch(run, x, y)
        given = [[np.moveaxis(x[i], 0, -1).ravel().tolist(), y[i].tolist()] for i in range(COUNT)]
        found = json.loads(
            page.get_by_test_id("latent-explorer").evaluate(
                "(root, given) => JSON.stringify(given.map(([x, y]) => root.explorer.encode(0, x, y)))", given
            )
        )
        np.testing.assert_allclose([q["mean"] for q in found], mean, atol=tolerance, rtol=0)
        if log_var is None:
            assert {q["logVar"] for q in found} == {None}
        else:
            np.testing.assert_allclose([q["logVar"] for q in found], log_var, atol=tolerance, rtol=0)


def test_a_snapshot_has_no_encoder(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", family="vae")
    weights = {name: value for name, value in run.weights().items() if name.startswith("decoder.")}
    run.write_arrays("snapshots/1", {**run.codes(), **weights})
    (model,) = export([run], step=1)["models"]
    assert model["posterior"] is None
    assert "encoder" not in model["networks"]
