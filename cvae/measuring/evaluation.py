"""`python -m cvae evaluate` measures a run and writes the protocol's parameters beside the figures.

Figures are in nats an image, and lower is better, unless the name says accuracy, units, diversity or distance.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvae.data import ImageData
from cvae.errors import Notice
from cvae.explore.inference import Inference, codes_to_fit
from cvae.families import FAMILIES
from cvae.measuring import exact, metrics
from cvae.measuring.classifier import Classifier
from cvae.measuring.generation import generation_figures
from cvae.models import Autoencoder
from cvae.models.distributions import Gaussian, log_mean_exp
from cvae.runs.files import reason
from cvae.runs.find import is_shipped
from cvae.runs.folder import Run
from cvae.training.batches import DeviceSplit
from cvae.training.load import load, load_data_of

QUANTILES = 21  # of the −ELBO of the images: the least, each 5 %, the largest
BATCH = 100  # images measured at a time
DECODES = 10_000  # codes decoded at a time, which bounds the memory
MIXTURE_IMAGES = 1000  # test images for which p(x) sums over the labels: as dear as log p(x|y) of ten times as many
POOR = 0.7  # k̂ above which an importance-sampled figure cannot be trusted
MOST_CONDITIONS = 100  # different conditions of the test images, each of which is decoded on the whole grid
PROBE_IMAGES = 10_000  # training images from which the class is learnt by neighbours and by the linear probe

Progress = Callable[[float], None]


@torch.inference_mode()
def evaluate(
    path: str | os.PathLike[str],
    *,
    data_dir: str | None = None,
    data: ImageData | None = None,
    samples: int = 1000,
    seed: int = 0,
    out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure the run `path` on its test images, write its metrics.json, and return the figures as a JSON object.

    `reconstruction`, `kl` and `neg_elbo` come from one sample a posterior; `nll` from `samples` importance samples
    under the model's own prior: −log p(x), for a label-conditional model −log p(x|y) with `nll_mixture`, which is
    −log Σ_y p(y) p(x|y) with p(y) uniform, beside it, for cvae-predictive −log p(t|c). How far it can be trusted is
    beside it: `nll_effective_samples`, the median over the images, and `nll_poor`, the share of images with k̂ > 0.7
    (`cvae.measuring.metrics.pareto_shape`). Models of one or two latent dimensions have exact figures by quadrature
    (`cvae.measuring.exact`): `nll_exact`, and for a label-conditional model `nll_mixture_exact` and `accuracy_bayes`,
    the share of images whose label is the likeliest by p(y|x) ∝ p(x|y). A figure that does not apply is null. On grey
    pixels with the Bernoulli likelihood all of these are losses rather than likelihoods. What the model's samples are
    worth to a frozen classifier is described in `cvae.measuring.generation`.

    data_dir: where the data lies now, if not where it lay in training. out: the file to write in place of metrics.json;
    without it, a shipped run keeps its own and a warning says so. progress: called with the share done, 0 … 1.
    Raises `InputError` for what is not a run, for damaged weights, and for data that is missing or of another shape.
    """
    run = Run.open(path)
    step = run.weights_step()
    config, model = run.config(), load(path)
    data = load_data_of(run, data_dir, data)
    cpu = torch.device("cpu")
    train, test = (
        DeviceSplit(split, config.model.batch_conditions, config.data.binarize, cpu)
        for split in (data.train, data.test)
    )
    measuring = _Measuring(model, test, samples, seed, progress or (lambda share: None))
    codes = _codes(model, test)
    arrays = Inference.of(model, codes_to_fit(run.codes()) if FAMILIES[config.model.family].prior == "none" else None)
    generation = generation_figures(arrays, Classifier.load(config.data.name), data, seed=seed)
    figures = {
        "run": run.name,
        "model": config.model.family,
        "data": config.data.name,
        "split": "test",
        "images": len(test),
        "pixels": "binarized" if config.data.binarize else "grey",
        "likelihood": config.model.likelihood,
        "seed": seed,
        "step": step,
        **measuring.terms(),
        **measuring.importance(),
        **measuring.exact(),
        **_code_figures(model, train, test, codes),
        **generation,
    }
    if model.family.completes:
        figures |= measuring.prediction()
    keep(run, step, "metrics.json", lambda: run.write_metrics(figures), figures, out)
    return figures


def keep(
    run: Run, step: int | None, name: str, write: Callable[[], None], figures: dict[str, Any], out: Path | None
) -> None:
    """Write what was measured of the weights of `step`, to the file `out` where one is given, else to the run.

    Where the run has other weights by now, is read-only, or is one that the project ships, nothing is written and a
    warning says so: the figures are returned all the same.
    """
    if out is not None:
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    if is_shipped(run):
        warnings.warn(Notice("measure.shipped", name=run.name, file=name), stacklevel=3)
        return
    if run.weights_step() != step:
        warnings.warn(Notice("measure.trained_meanwhile", name=run.name, file=name), stacklevel=3)
        return
    try:
        write()
    except OSError as error:
        warnings.warn(Notice("measure.not_written", name=run.name, file=name, reason=reason(error)), stacklevel=3)


class _Measuring:
    """This class measures the figures that need decoding."""

    def __init__(self, model: Autoencoder, test: DeviceSplit, samples: int, seed: int, progress: Progress) -> None:
        self.model, self.test, self.samples, self.seed, self.progress = model, test, samples, seed, progress

    def generator(self) -> torch.Generator:
        """Return a generator at the seed; each method uses its own, so no result depends on other calls."""
        return torch.Generator().manual_seed(self.seed)

    def batches(self, count: int | None = None) -> list[tuple[Tensor, Tensor | None]]:
        """Return the test images, or `count` of them at even distances: MNIST's first images are the easier ones."""
        n = len(self.test)
        index = torch.arange(n) if count is None or count >= n else torch.arange(count) * n // count
        return [self.test.eval_batch(part) for part in index.split(BATCH)]

    def terms(self) -> dict[str, Any]:
        """Return reconstruction and KL of the bound, from one sample per posterior, and quantiles over the images."""
        generator = self.generator()
        terms = [self.model(x, y, generator=generator) for x, y in self.batches()]
        of_each = torch.cat([t.reconstruction.mean(0) for t in terms]).double()
        reconstruction = float(of_each.mean())
        further = {
            name: float(torch.cat([t.further[name] for t in terms]).double().mean()) for name in self.model.family.terms
        }
        if terms[0].kl is None:
            missing = dict.fromkeys(("kl", "neg_elbo", "neg_elbo_quantiles", "kl_per_dim"))
            return {"reconstruction": reconstruction, **missing, **further}
        kl_of_each = torch.cat([t.kl for t in terms]).double()
        per_dim = kl_of_each.mean(0)
        kl = float(per_dim.sum())
        quantiles = torch.quantile(of_each + kl_of_each.sum(1), torch.linspace(0, 1, QUANTILES, dtype=torch.double))
        return {
            "reconstruction": reconstruction,
            "kl": kl,
            "neg_elbo": reconstruction + kl,
            "neg_elbo_quantiles": [round(value, 2) for value in quantiles.tolist()],
            "kl_per_dim": per_dim.tolist(),
            **further,
        }

    def importance(self) -> dict[str, Any]:
        """Return −log p(x), or −log p(x|·), and the bounds that approach it."""
        names = (
            "nll", "nll_samples", "nll_effective_samples", "nll_poor", "neg_iwae_5", "neg_iwae_50",
            "nll_mixture", "nll_mixture_images",
        )  # fmt: skip
        if self.model.family.prior == "none":
            return dict.fromkeys(names)
        generator = self.generator()
        batches = self.batches()
        found = []
        for i, (x, y) in enumerate(batches):
            found.append(self._bounds(x, y, generator))
            self.progress((i + 1) / len(batches))
        total = sum(found[1:], found[0])
        nll = -float(total.log_p.double().mean())
        mixture = nll + self._label_nats() if self.model.config.takes_only_label else None
        iwae = [
            -float(bound.double().mean()) if self.samples >= k else None
            for k, bound in ((5, total.iwae_5), (50, total.iwae_50))
        ]
        images = min(MIXTURE_IMAGES, len(self.test)) if mixture is not None else None
        poor = float((total.pareto_k > POOR).double().mean()) if total.pareto_k.isfinite().any() else None
        values = (nll, self.samples, float(total.samples.median()), poor, *iwae, mixture, images)
        return dict(zip(names, values, strict=True))

    def exact(self) -> dict[str, Any]:
        """Compute −log p(x), or −log p(x|·), by quadrature, where that is possible: up to two latent dimensions."""
        names = ("nll_exact", "nll_mixture_exact", "accuracy_bayes")
        config = self.model.config
        if self.model.family.prior == "none" or self.model.family.completes or config.latent_dim > exact.DIMENSIONS:
            return dict.fromkeys(names)
        x = torch.cat([x for x, _ in self.batches()])
        q = [q for x, y in self.batches() if isinstance(q := self.model.encode(x, y), Gaussian)]
        posterior = Gaussian(torch.cat([one.mean for one in q]), torch.cat([one.log_var for one in q]))
        if not config.takes_condition:
            grid = exact.grid_of(self.model, x, posterior, None)
            return dict.fromkeys(names) | {"nll_exact": -float(exact.log_p(self.model, x, None, grid).double().mean())}
        y = torch.cat([y for _, y in self.batches() if y is not None])
        vectors, which = y.unique(dim=0, return_inverse=True)
        if len(vectors) > MOST_CONDITIONS:
            return dict.fromkeys(names)
        asked = torch.eye(config.classes) if config.takes_only_label else vectors
        grid = exact.grid_of(self.model, x, posterior, asked)
        if not config.takes_only_label:
            found = torch.empty(len(x))
            for i, vector in enumerate(vectors):
                found[which == i] = exact.log_p(self.model, x[which == i], vector, grid)
            return dict.fromkeys(names) | {"nll_exact": -float(found.double().mean())}
        log_p = torch.stack([exact.log_p(self.model, x, vector, grid) for vector in asked])  # (K, N)
        labels = y.argmax(1)
        values = (-log_p.gather(0, labels[None]), -log_mean_exp(log_p), log_p.argmax(0) == labels)
        return {name: float(value.double().mean()) for name, value in zip(names, values, strict=True)}

    def _bounds(self, x: Tensor, y: Tensor | None, generator: torch.Generator) -> metrics.Bounds:
        def log_weight(k: int) -> Tensor:
            weight: Tensor = self.model(x, y, k=k, generator=generator).log_weight()
            return weight

        return metrics.bounds(log_weight, self.samples, DECODES // len(x))

    def _label_nats(self) -> float:
        """Return the mean of log p(x|y) − log p(x), where p(x) = Σ_y p(y) p(x|y) and p(y) is uniform.

        The difference is at most log K and varies little between images, so some test images are enough.
        """
        generator = self.generator()
        found = []
        for x, y in self.batches(MIXTURE_IMAGES):
            assert y is not None
            log_p = torch.stack(
                [
                    self._bounds(x, label, generator).log_p
                    for label in torch.eye(self.model.config.classes)[:, None].expand(-1, len(x), -1)
                ]
            )
            found.append(log_p.gather(0, y.argmax(-1)[None])[0] - log_mean_exp(log_p))
        return float(torch.cat(found).double().mean())

    def prediction(self) -> dict[str, Any]:
        """Measure p(t|c) of a model that completes images by Monte Carlo over z ~ p(z|c), and its baseline."""
        model, config, generator = self.model, self.model.config, self.generator()
        monte_carlo, baseline, hits = [], [], []
        for x, y in self.batches():
            prior = model.prior(x)
            log_p = [
                -model.target_nll(x, y, model.logits(prior.sample(k, generator), x))
                for k in metrics.chunks(self.samples, DECODES // len(x))
            ]
            monte_carlo.append(log_mean_exp(torch.cat(log_p)))
            baseline.append(model.baseline_nll(x, y))
            if config.predicts_label and y is not None:
                truth = y.argmax(-1)
                draws = torch.stack([model.decode(prior.sample(1, generator)[0], x) for _ in range(20)]).mean(0)
                answers = (model.decode(prior.mean, x), draws, model.predict(x))
                hits.append(torch.stack([answer.argmax(-1) == truth for answer in answers]))
        figures: dict[str, Any] = {
            "task": "label" if config.predicts_label else "quadrants",
            "quadrants": model.family.visible_quadrants(config.options),
            "nll_monte_carlo": -float(torch.cat(monte_carlo).double().mean()),
            "nll_baseline": float(torch.cat(baseline).double().mean()),
        }
        if hits:
            names = ("accuracy", "accuracy_monte_carlo", "accuracy_baseline")
            figures |= dict(zip(names, torch.cat(hits, 1).double().mean(1).tolist(), strict=True))
        return figures


def _codes(model: Autoencoder, batches: DeviceSplit, count: int | None = None) -> np.ndarray[Any, Any]:
    index = torch.arange(len(batches) if count is None else min(count, len(batches)))
    return torch.cat([model.encode(*batches.eval_batch(part)).mean for part in index.split(BATCH)]).numpy()


def _code_figures(
    model: Autoencoder, train: DeviceSplit, test: DeviceSplit, codes: np.ndarray[Any, Any]
) -> dict[str, Any]:
    """Measure how well the posterior means (N, d) of the test images show the classes."""
    figures: dict[str, Any] = {"active_units": metrics.active_units(codes)}
    names = ("active_units_within_class", "knn_accuracy", "linear_probe_accuracy")
    if test.labels is None or train.labels is None:
        return figures | dict.fromkeys(names)
    known, labels = _codes(model, train, PROBE_IMAGES), train.labels[:PROBE_IMAGES]
    found = (
        metrics.active_units_within_class(codes, test.labels),
        metrics.knn_accuracy(known, labels, codes, test.labels),
        metrics.linear_probe_accuracy(known, labels, codes, test.labels),
    )
    return figures | dict(zip(names, found, strict=True))
