"""The benchmark of the trainer: what it counts, and that it runs to its end."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from cvae.data import ImageData, Split
from cvae.measuring import bench


def few(images: int) -> Split:
    return Split(np.random.default_rng(0).integers(0, 256, (images, 1, 28, 28), dtype=np.uint8), None)


def test_the_multiplications_are_those_of_the_three_products_a_layer_needs():
    model = bench.with_data(bench.JOB, ImageData("few", (), few(2), few(2), few(2))).model
    products = 2 * 784 * 400 + 3 * 400 * 40 + 3 * 20 * 400 + 3 * 400 * 784  # none for the gradient of the images
    assert bench.training_flops(model) == 2 * products
    assert len(bench._products(model, 2)) == 2 + 3 + 3 + 3


@pytest.mark.filterwarnings("error")  # a training that is given up must not complain of its folder later
def test_every_row_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    job = dataclasses.replace(bench.JOB, train=dataclasses.replace(bench.JOB.train, epochs=4, threads=1))
    monkeypatch.setattr(bench, "JOB", job)
    monkeypatch.setattr(bench, "square_rate", lambda: 1e11)  # which takes seconds to find
    monkeypatch.setattr(bench, "_data", lambda data_dir: ImageData("few", (), few(256), few(64), few(64)))
    bench.report()
    printed = capsys.readouterr().out
    assert len(re.findall(r"^ +[1-4]( +\d+\.\d\d s){2} +\d+ GFLOP/s( +\d+\.\d\d s){2}$", printed, re.M)) == 4
    assert len(re.findall(r"\d \(.* … .*\)$", printed, re.M)) == 4
    assert len(re.findall(r"^  (?:latent size|batch size|images)( +\d+: +\d+\.\d){3,4}$", printed, re.M)) == 3
