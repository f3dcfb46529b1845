"""This module compares the speed of training with a plain loop and with the necessary multiplications, as ratios.

The job is the VAE 784-400-20 on MNIST-sized images, greyscale Bernoulli, Adam, batch 128, ten epochs. Machines are
noisy: epochs of this trainer and of the plain loop take turns, and each ratio compares neighbours.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvae.architecture import architecture
from cvae.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from cvae.data import ImageData, Split, load_data
from cvae.errors import InputError
from cvae.models.nets import Net
from cvae.runs.machine import cores
from cvae.runs.status import Record
from cvae.training.loop import fit, with_data
from cvae.training.settings import training_settings

JOB = RunConfig(DataConfig("mnist"), ModelConfig("vae", hidden=(400,), latent_dim=20), train=TrainConfig(epochs=10))


def report(data_dir: str | None = None) -> None:
    """Time training and print the tables; this takes about three minutes on two cores."""
    with training_settings(cores()):  # the plain loop and the products run with the same settings
        _report(_data(data_dir))


def _report(data: ImageData) -> None:
    config = with_data(JOB, data)
    images = len(data.train)
    print(f"VAE 784-400-20, batch 128, {images:,} training and {len(data.validation):,} validation images an epoch")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print("epoch   this trainer     plain loop     2048² product     own products     bare steps")

    needed = training_flops(config.model) * images
    plain = _PlainLoop(data)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        records = fit(Path(folder) / "run", config, data=data)
        for epoch in range(1, config.train.epochs + 1):
            own = _seconds(lambda: _one_epoch(records))
            if epoch == config.train.epochs:
                own += _seconds(lambda: list(records))  # the run folder is written at the end
            times = (f(config.model, 128) * images for f in (multiplication_seconds, bare_step_seconds))
            row = (own, _seconds(plain.epoch), square_rate(), *times)
            rows.append(row)
            cells = (
                f"{row[0]:8.2f} s   {row[1]:10.2f} s   {row[2] / 1e9:9.0f} GFLOP/s {row[3]:10.2f} s   {row[4]:10.2f} s"
            )
            print(f"{epoch:5}   {cells}", flush=True)

    print("\n                                                      median (worst … best epoch)")
    _row("speed: this trainer ÷ plain loop", [p / o for o, p, *_ in rows])
    _row("share of the machine's rate (2048² product)", [needed / o / r for o, _, r, *_ in rows])
    _row("share of what its own products take alone", [products / o for o, _, _, products, _ in rows])
    _row("the same of bare steps, with Adam", [products / bare for *_, products, bare in rows])

    print("\nhow the cost grows, µs an image of one epoch")
    _growth("latent size", [(d, _with(config, "model", latent_dim=d), data) for d in (2, 20, 50, 200)])
    _growth("batch size", [(b, _with(config, "train", batch_size=b), data) for b in (32, 128, 512)])
    _growth("images", [(n, config, _first(data, n)) for n in (images // 4, images // 2, images)])


def _one_epoch(records: Generator[Record]) -> None:
    while next(records)["split"] != "validation":
        pass


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _row(title: str, values: list[float]) -> None:
    print(f"{title:46} {statistics.median(values):14.2f} ({min(values):.2f} … {max(values):.2f})")


def _with(config: RunConfig, section: str, **changes: Any) -> RunConfig:
    return dataclasses.replace(config, **{section: dataclasses.replace(getattr(config, section), **changes)})


def _first(data: ImageData, count: int) -> ImageData:
    return dataclasses.replace(data, train=data.train.at(slice(count)))


def _growth(title: str, jobs: list[tuple[int, RunConfig, ImageData]]) -> None:
    cells = []
    for value, config, data in jobs:
        with tempfile.TemporaryDirectory() as folder:
            records = fit(Path(folder) / "run", config, data=data)
            _one_epoch(records)  # the first epoch holds the early snapshots
            seconds = min(_seconds(lambda: _one_epoch(records)) for _ in range(3))  # noqa: B023
            records.close()  # the training saves its state, while the folder exists
        cells.append(f"{value:>6}: {1e6 * seconds / len(data.train):5.1f}")
    print(f"  {title:14}" + "   ".join(cells), flush=True)


def training_flops(config: ModelConfig) -> int:
    """Count the floating-point operations of the matrix products in linear layers, for training with one image.

    Each layer needs three products of 2·in·out operations: the output, the gradient of the weights, and the gradient
    of the input, which is not needed if the input is the image.
    """
    flops = 0
    for role, network in architecture(config).items():
        layers = [op for op in network.head if op["op"] == "linear"]
        for i, op in enumerate(layers):
            flops += 2 * op["in"] * op["out"] * (2 if role == "encoder" and i == 0 else 3)
    return flops


def square_rate(side: int = 2048) -> float:
    """Measure this machine's best rate for products of square matrices, in FLOP/s."""
    a, b, out = torch.randn(side, side), torch.randn(side, side), torch.empty(side, side)
    return 2 * side**3 / _best(lambda: torch.mm(a, b, out=out), 5)


def multiplication_seconds(config: ModelConfig, batch: int) -> float:
    """Measure the seconds an image for the products that `training_flops` counts, each repeated alone."""
    return sum(_best(product, 20) for product in _products(config, batch)) / batch


def bare_step_seconds(config: ModelConfig, batch: int) -> float:
    """Measure the seconds an image for the same products in a row and Adam, which every training needs.

    Unlike in `multiplication_seconds`, no input is still in a cache of the processor.
    """
    products = _products(config, batch)
    parameters = [p for net in architecture(config).values() for p in Net(net).parameters()]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    optimiser = torch.optim.Adam(parameters, fused=True)

    def step() -> None:
        for product in products:
            product()
        optimiser.step()

    return _best(step, 100) / batch


def _products(config: ModelConfig, batch: int) -> list[Callable[[], Any]]:
    """Return the matrix products of linear layers in a training step: forwards, then the gradients backwards."""
    forwards: list[Callable[[], Any]] = []
    backwards: list[Callable[[], Any]] = []
    for role, network in architecture(config).items():
        for i, op in enumerate([op for op in network.head if op["op"] == "linear"]):
            x, g = torch.randn(batch, op["in"]), torch.randn(batch, op["out"])
            w, b, dw = torch.randn(op["out"], op["in"]), torch.randn(op["out"]), torch.empty(op["out"], op["in"])
            forwards.append(lambda x=x, w=w, b=b: nn.functional.linear(x, w, b))  # type: ignore[misc]
            if role != "encoder" or i:
                backwards.append(lambda g=g, w=w: g @ w)  # type: ignore[misc]
            backwards.append(lambda x=x, g=g, dw=dw: torch.mm(g.t(), x, out=dw))  # type: ignore[misc]
    return [*forwards, *reversed(backwards)]


def _best(call: Callable[[], Any], times: int) -> float:
    call()
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


class _PlainLoop:
    """This is the usual first loop: a DataLoader over PIL images with ToTensor, the stock loss and Adam, `.item()` at
    each step, and a pass over the validation images."""

    def __init__(self, data: ImageData) -> None:
        from torch.utils.data import DataLoader

        d = JOB.model.latent_dim
        self.train = DataLoader(_Pictures(data.train), batch_size=128, shuffle=True)
        self.validation = DataLoader(_Pictures(data.validation), batch_size=128)
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 2 * d))
        self.decoder = nn.Sequential(nn.Linear(d, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimiser = torch.optim.Adam(parameters, lr=1e-3)

    def loss(self, x: Tensor) -> Tensor:
        x = x.view(-1, 784)
        mean, log_var = self.encoder(x).chunk(2, -1)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        reconstruction = nn.functional.binary_cross_entropy(self.decoder(z), x, reduction="sum")
        kl: Tensor = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return reconstruction + kl

    def epoch(self) -> None:
        total = 0.0
        for x in self.train:
            self.optimiser.zero_grad()
            loss = self.loss(x)
            loss.backward()
            total += loss.item()
            self.optimiser.step()
        with torch.no_grad():
            for x in self.validation:
                total += self.loss(x).item()


class _Pictures(torch.utils.data.Dataset[Tensor]):
    def __init__(self, split: Split) -> None:
        self.images = split.images[:, 0]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Tensor:
        from PIL import Image
        from torchvision.transforms.functional import to_tensor

        picture: Tensor = to_tensor(Image.fromarray(self.images[i]))
        return picture


def _data(data_dir: str | None) -> ImageData:
    """Load MNIST; if it is not on disk, make as many random images, which take the same time."""
    try:
        return load_data(DataConfig("mnist", data_dir))
    except InputError:
        if data_dir is not None:
            raise
    print("MNIST is not in ./data: timing on random images (use --data-dir for the real ones)")
    random = np.random.default_rng(0)
    train, validation, test = (
        Split(random.integers(0, 256, (n, 1, 28, 28), dtype=np.uint8), None) for n in (50_000, 10_000, 10_000)
    )
    return ImageData("random", (), train, validation, test)
