"""The true posterior in the browser: the evidence that `evaluate` measures, for shipped models."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.explorer import torch_model
from helpers.node import node

from cvae.assets import SHIPPED
from cvae.browser.explorer import export
from cvae.config import DataConfig
from cvae.data import load_data
from cvae.measuring import exact
from cvae.runs.folder import Run

EXPLAIN = """({ createModel, createExact, valuesOfLabel, givenOf }, { payload, pictures, labels }) => {
  const models = payload.models.map(createModel);
  const [model] = models;
  const extent = { conditions: model.conditions };
  const exact = createExact(models, {});
  let steps = 0;
  while (exact.fill(performance.now() + 5)) steps++;
  return pictures.map((picture, i) => {
    const pixels = new Float32Array(picture);
    const label = model.conditions.length ? labels[i] : 0;
    const q = model.encode(pixels, givenOf(model, valuesOfLabel(extent, {}, label)).vector);
    const explanation = exact.explain(0, pixels, label, q);
    while (explanation.more) explanation.work(performance.now() + 5);
    const { bound, contours, ...rest } = explanation.result;
    return { ...rest, bounds: [1, 5, 50, 500].map(bound), lines: contours.map((line) => line.length) };
  });
}"""
IMAGES = 10


@pytest.mark.parametrize("name", ["digits-vae", "digits-cvae"])
def test_the_browser_and_evaluate_find_the_same_evidence(name: str) -> None:
    run = Run(SHIPPED / name)
    test = load_data(DataConfig("digits")).test
    x, labels = test.images[:IMAGES] / np.float32(255), np.asarray(test.labels[:IMAGES]).astype(int)
    given = {
        "payload": export([run]),
        "pictures": np.moveaxis(x, 1, -1).reshape(IMAGES, -1).tolist(),
        "labels": labels.tolist(),
    }
    found = node(EXPLAIN, given, "model.js", "posterior/exact.js", "input.js", "state.js")

    model = torch_model(run)
    classes = torch.eye(10) if model.config.takes_label else None
    with torch.inference_mode():
        q = model.encode(torch.from_numpy(x), None if classes is None else classes[torch.from_numpy(labels)])
        grid = exact.grid_of(model, torch.from_numpy(x), q, classes).halved()  # type: ignore[arg-type]
        log_p = torch.stack(
            [exact.log_p(model, torch.from_numpy(x), y, grid) for y in (classes if classes is not None else [None])], 1
        )
    of_label = log_p[torch.arange(IMAGES), torch.from_numpy(labels) if classes is not None else 0]
    np.testing.assert_allclose([one["logPx"] for one in found], of_label, atol=0.1, rtol=0)
    if classes is not None:
        np.testing.assert_allclose([one["shares"] for one in found], log_p.softmax(1), atol=0.005)
    for one in found:
        nats = one["nats"]
        assert nats["gap"] > 0
        assert nats["logPx"] == pytest.approx(nats["gap"] - nats["reconstruction"] - nats["kl"])
        assert one["approximation"] + one["amortisation"] == pytest.approx(nats["gap"])
        assert one["approximation"] >= 0
        assert one["amortisation"] >= 0
        assert len(one["lines"]) == 3
        assert min(one["lines"]) > 0
    means = np.mean([one["bounds"] for one in found], 0)
    assert (np.diff(means) > 0).all()
    assert means[-1] < float(of_label.mean()) + 0.2
