"""A run → what the browser needs to decode it. No torch: safetensors and numpy suffice.

`export` gives one JSON object, the explorer's payload, and this is the one place that describes it:

    version   2
    hash      of all that follows: the browser reads the models again only when it changes
    models    for each model:
      id, title, family, latentDim d, imageShape [C, H, W], classes [K names, of the codes' labels]
      fit          the rule that brings any picture to the images' size: "mnist" | "digits" | "plain", see
                   assets/explorer/pad/fit.js
      likelihood   {kind: "bernoulli"} on the logits | {kind: "gaussian", logSigma} about their sigmoid | null: its σ
                   was learned and is not among the weights
      output       "image": the sigmoid of the logits is the picture | "label": their softmax is the answer
      networks     {decoder: network, prior_net?: network, where the prior is learned, encoder?: network, where its
                   weights are kept}, network {sees: ["z" | "image" | "condition"], trunk: [ops], head: [ops], weights:
                   {"head.0.weight": tensor, …}}, as cvae.architecture describes them
      posterior    {kind: "gaussian", logVarBound: B}: the encoder ends in mean and raw log-variance r of q(z|x, …),
                   log σ² = B·tanh(r / B) · {kind: "point"}: in the code alone · null: there is no encoder
      conditions   what the model is given beside z, in the order of the vector that networks see, each {name, kind, …}:
                   {kind: "class", values: [names]} |
                   {kind: "image", pictures: tensor (M, C, H, W), visible: tensor (H, W) of 0 and 1 | null: all};
                   the hidden pixels of a picture are 0; another kind has the fields of its `cvae.conditions.Condition`
      prior        {kind, overall: Gaussian, logVarBound?: B}, Gaussian {mean: [d], logVar: [d],
                   covariance?: [d][d]}
                   "standard" N(0, I) · "fitted" to the codes, of a model that has no prior (AE), full covariance ·
                   "learned" the prior net's mean and raw log-variance r, log σ² = B·tanh(r / B); `overall` has the
                   moments of the even mixture over all values that show what the conditions do
    codes        {split, points: tensor (N, d), labels: tensor (N,) | null} posterior means of held-out images | null
      losses       the −ELBO of the least, each 5 % and the largest of the test images, in nats, 21 numbers | null: the
                   run was not evaluated
      judge        the number in `judges` of the classifier that knows its images and classes | null
      thumbnails   tensor (N, C, h, w) of these images, perhaps at half their size | null | the index of an earlier
                   model that has the same
    judges    frozen classifiers, each {data, imageShape, classes, accuracy: on the test images, network}; the softmax
              of the network's answer to an image is p(y|x)
    map       {kind: "dims", dims: [i, j]} | {kind: "pca", mean: [d], axes: [[d], [d]], explained: [2 shares]}

A tensor is {dtype: "f16" | "f32" | "u8", shape, data: base64 of little-endian numbers in PyTorch's order}. The mounting
function adds what concerns the page: key, text, language, panels, state.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cvae.architecture import architecture
from cvae.browser.judges import judge_of
from cvae.browser.names import told_apart
from cvae.browser.tensors import tensor
from cvae.conditions import Condition, ConditionBatch, ImageCondition, joined
from cvae.config import ModelConfig
from cvae.data.images import ImageData
from cvae.data.registry import DATASETS, Fit
from cvae.errors import InputError
from cvae.explore.inference import Inference, checked_codes, checked_weights, codes_to_fit
from cvae.explore.projection import pca
from cvae.families import FAMILIES
from cvae.families.family import (
    PIXEL_LOG_SIGMA,
    PIXEL_LOG_SIGMA_GAIN,
    POSTERIOR_LOG_VAR,
    PRIOR_LOG_VAR,
    gaussian_code,
    point_code,
)
from cvae.runs.folder import Run

VERSION = 2

Array = npt.NDArray[Any]
Json = dict[str, Any]
Plane = Literal["auto"] | tuple[int, int]  # of the map: the codes' main plane where d > 2, or two dimensions

POSTERIORS: Mapping[object, Json] = {  # how codes are made that the browser can make too
    gaussian_code: {"kind": "gaussian", "logVarBound": POSTERIOR_LOG_VAR},
    point_code: {"kind": "point"},
}

VISIBLE = 1 / 255  # the most that half precision may change a pixel; half of what the browser is allowed to differ
PRIOR_CHANGE = 1e-3  # the most that it may change the prior's mean and σ
POSTERIOR_CHANGE = 5e-3  # the most that it may change the posterior's mean and log σ²
CHECKS = 64  # codes, and blends of conditions, at which that is checked
THUMBNAIL_BYTES = 2_500_000  # beyond, thumbnails are halved; beyond that, left out
THUMBNAIL_SIDE = 10  # never smaller than this


def export(
    runs: Sequence[Run],
    *,
    step: int | None = None,
    data: ImageData | Sequence[ImageData | None] | None = None,
    plane: Plane = "auto",
    titles: Sequence[str] | None = None,
) -> Json:
    """Return the explorer's payload for one run, or for several that share one z.

    `step` selects the weights and codes of a snapshot of every run in place of the trained ones. `data`, for all runs
    or for each, gives thumbnails, and the images that cvae-predictive completes (without `data`, the run's own
    reconstructions). Runs without codes or weights, damaged files and models that cannot share one z raise
    `InputError`.
    """
    if not runs:
        raise InputError("explorer.no_runs")
    of_each = [data] * len(runs) if data is None or isinstance(data, ImageData) else data
    models = [_Model.read(run, step, images) for run, images in zip(runs, of_each, strict=True)]
    _comparable(models)
    names = titles or _titles(runs, models)
    payloads = [model.payload(title) for model, title in zip(models, names, strict=True)]
    for i, payload in enumerate(payloads):
        same = next((j for j in range(i) if payloads[j]["thumbnails"] == payload["thumbnails"] is not None), None)
        payload["thumbnails"] = payload["thumbnails"] if same is None else same
    known = [judge_of(model.data, model.config.image_shape, model.config.class_names) for model in models]
    judges = [judge for i, judge in enumerate(known) if judge is not None and judge not in known[:i]]
    for payload, judge in zip(payloads, known, strict=True):
        payload["judge"] = None if judge is None else judges.index(judge)
    content = {
        "version": VERSION,
        "models": payloads,
        "judges": judges,
        "map": _map([model.codes for model in models], models[0].config.latent_dim, plane),
    }
    digest = hashlib.blake2b(json.dumps(content, allow_nan=False).encode(), digest_size=12).hexdigest()
    return {"hash": digest, **content}


@dataclass(frozen=True)
class _Model:
    """Everything that the explorer reads of one run."""

    name: str
    data: str  # the name of its data set
    losses: list[float] | None  # quantiles of the −ELBO of its test images
    binarized: bool  # whether its images are black and white
    config: ModelConfig
    fit: Fit
    weights: Mapping[str, Array]  # as the run names them
    inference: Inference
    split: str  # that codes and thumbnails are of
    codes: Array | None  # (N, d) float32
    labels: Array | None  # (N,) uint8
    thumbnails: Array | None  # (N, C, h, w) uint8
    pictures: Array | None  # (M, C, H, W) uint8, that it may be given; hidden pixels 0

    @classmethod
    def read(cls, run: Run, step: int | None, data: ImageData | None) -> _Model:
        whole = run.config()
        config = whole.model
        if step is not None and step not in run.snapshot_steps():
            raise InputError("snapshot.none", name=run.name, step=step)
        weights = checked_weights(run, step)
        arrays, split = _codes(run, step)
        codes, labels = checked_codes(run.name, config, arrays)
        images = _held_out(data, split, config)
        return cls(
            name=run.name,
            data=whole.data.name,
            losses=_losses(run, step),
            binarized=whole.data.binarize is not None,
            config=config,
            fit=_fit(whole.data.name, config),
            weights=weights,
            inference=Inference(config, weights, None if codes is None else codes_to_fit(arrays)),
            split=split,
            codes=codes,
            labels=labels,
            thumbnails=None if codes is None or images is None else _thumbnails(images, len(codes)),
            pictures=_pictures(run, config, images, labels),
        )

    def payload(self, title: str) -> Json:
        config, prior = self.config, self._prior()
        networks = {"decoder": self._network("decoder", self._decoded(prior), VISIBLE)}
        if prior["kind"] == "learned":
            networks["prior_net"] = self._network("prior_net", self._priors(), PRIOR_CHANGE)
        posterior = POSTERIORS.get(FAMILIES[config.family].encode) if self.inference.encodes else None
        if posterior is not None:
            networks["encoder"] = self._network("encoder", self._posteriors(prior), POSTERIOR_CHANGE)
        codes = None
        if self.codes is not None:
            labels = None if self.labels is None else tensor(self.labels, "u8")
            codes = {"split": self.split, "points": tensor(self.codes, "f16"), "labels": labels}
        return {
            "id": self.name,
            "title": title,
            "family": config.family,
            "latentDim": config.latent_dim,
            "imageShape": list(config.image_shape),
            "classes": list(config.class_names),
            "fit": self.fit,
            "likelihood": self._likelihood(),
            "output": "label" if config.predicts_label else "image",
            "networks": networks,
            "conditions": [self._condition(condition) for condition in config.conditions],
            "prior": prior,
            "posterior": posterior,
            "losses": self.losses,
            "binarized": self.binarized,
            "codes": codes,
            "thumbnails": None if self.thumbnails is None else tensor(self.thumbnails, "u8"),
        }

    def _likelihood(self) -> Json | None:
        kind = self.config.likelihood
        if kind == "bernoulli":
            return {"kind": "bernoulli"}
        if kind == "gaussian":
            return {"kind": "gaussian", "logSigma": math.log(self.config.sigma)}
        raw = self.weights.get("raw_log_sigma")
        if raw is None:
            return None
        learned = PIXEL_LOG_SIGMA * math.tanh(PIXEL_LOG_SIGMA_GAIN * float(raw) / PIXEL_LOG_SIGMA)
        return {"kind": "gaussian", "logSigma": learned}

    def _condition(self, condition: Condition) -> Json:
        head = {"name": condition.name, "kind": condition.kind}
        if isinstance(condition, ImageCondition):
            visible = None if condition.quadrants is None else tensor(condition.visible, "u8")
            return {**head, "pictures": tensor(np.asarray(self.pictures), "u8"), "visible": visible}
        return {**head, **dataclasses.asdict(condition)}

    def _network(self, role: str, answer: Callable[[Inference], Array], limit: float) -> Json:
        """Export a network in half precision, unless an answer would change by more than the limit."""
        own = {name: w for name, w in self.weights.items() if name.startswith(f"{role}.")}
        with np.errstate(over="ignore"):
            half = {name: value.astype(np.float16) for name, value in own.items()}
        dtype: Literal["f16", "f32"] = "f16"
        if any(half[name].astype(np.float32).tobytes() != w.astype(np.float32).tobytes() for name, w in own.items()):
            with np.errstate(invalid="ignore"):
                rounded = Inference(self.config, {**self.weights, **half})
                change = np.abs(answer(self.inference) - answer(rounded)).max()
            dtype = "f16" if change <= limit else "f32"  # an overflow makes it NaN, which is not ≤
        weights = {name.removeprefix(f"{role}."): tensor(value, dtype) for name, value in own.items()}
        return {**architecture(self.config)[role].to_json(), "weights": weights}

    def _posteriors(self, prior: Json) -> Callable[[Inference], Array]:
        """Return a function that encodes what the model draws, and noise: mean and log σ²."""
        rng = np.random.default_rng(1)
        shape, classes = self.config.image_shape, self.config.classes
        x = rng.random((CHECKS, *shape), np.float32) ** 4  # mostly dark, as pictures are
        if not self.config.predicts_label:
            x = np.concatenate([x, self._decoded(prior)(self.inference)])
        given = self._showcase(len(x))
        if self.config.predicts_label:
            given = ConditionBatch(np.eye(classes, dtype=np.float32)[np.arange(len(x)) % classes])

        def answer(inference: Inference) -> Array:
            mean, std = inference.encode(x, given)
            return np.stack([mean, 2 * np.log(np.maximum(std, 1e-6))])

        return answer

    def _decoded(self, prior: Json) -> Callable[[Inference], Array]:
        """Return a function that decodes draws from the prior, and codes."""
        rng = np.random.default_rng(0)
        mean, log_var = (np.array(prior["overall"][name], np.float32) for name in ("mean", "logVar"))
        z = mean + np.exp(0.5 * log_var) * rng.standard_normal((CHECKS, len(mean))).astype(np.float32)
        if self.codes is not None and len(self.codes):
            z = np.concatenate([z, self.codes[rng.integers(len(self.codes), size=CHECKS)]])
        given = self._showcase(len(z))
        return lambda inference: inference.decode(z, given)

    def _priors(self) -> Callable[[Inference], Array]:
        """Return a function that gives mean and σ of the prior at the showcase of the conditions and at its blends."""
        given = self._showcase()
        if given.vector is not None:
            shares = np.random.default_rng(0).dirichlet(np.ones(len(given.vector)), CHECKS)
            blends = (shares @ given.vector).astype(np.float32)
            given = ConditionBatch(np.concatenate([given.vector, blends]), given.image)
        return lambda inference: np.stack(inference.prior(given))

    def _showcase(self, rows: int | None = None) -> ConditionBatch[Array]:
        """Return the conditions' showcase vectors, one condition at a time and the others at their default, or every
        picture; `rows` rows repeat them."""
        conditions = [condition for condition in self.config.conditions if condition.width]
        shown = [joined(conditions, {one.name: value}) for one in conditions for value in one.showcase()]
        vector = np.stack([one for one in shown if one is not None]) if shown else None
        image = None if self.pictures is None else self.pictures / np.float32(255)
        turns = [None if one is None else one[np.arange(rows or len(one)) % len(one)] for one in (vector, image)]
        return ConditionBatch(*turns)

    def _prior(self) -> Json:
        kind, d = FAMILIES[self.config.family].prior, self.config.latent_dim
        if kind == "standard":
            return {"kind": "standard", "overall": _gaussian(np.zeros(d), np.ones(d))}
        if kind == "none":
            if self.codes is None or len(self.codes) < 2:
                raise InputError("explorer.no_codes", name=self.name)
            centre, covariance = self.inference.fitted()
            fitted = {**_gaussian(centre, np.diag(covariance)), "covariance": covariance.astype(float).tolist()}
            return {"kind": "fitted", "overall": fitted}
        means, stds = self.inference.prior(self._showcase())
        return {
            "kind": "learned",
            "overall": _gaussian(means.mean(0), (stds**2).mean(0) + means.var(0)),  # moments of the even mixture
            "logVarBound": PRIOR_LOG_VAR,
        }


def _codes(run: Run, step: int | None) -> tuple[Mapping[str, Array], str]:
    """Return the run's codes, if there are any yet, and their split."""
    if step is not None:
        return run.snapshot(step), "validation"
    finished = (run.path / "codes.safetensors").is_file()
    if not finished and not run.snapshot_steps():
        return {}, "validation"
    return run.codes(), "test" if finished else "validation"


def _fit(data: str, config: ModelConfig) -> Fit:
    """Return the rule of the data set that a model was trained on, if the model has the shape of its images."""
    known = DATASETS.get(data)
    return known.fit if known is not None and known.image_shape == config.image_shape else "plain"


def _losses(run: Run, step: int | None) -> list[float] | None:
    """Return the quantiles of the −ELBO, if the run was evaluated with its present weights."""
    try:
        found = None if step is not None else (run.metrics() or {}).get("neg_elbo_quantiles")
        losses = None if found is None else [float(value) for value in found]
    except (InputError, TypeError, ValueError):
        return None  # the explorer does without
    return losses if losses and np.isfinite(losses).all() and losses == sorted(losses) else None


def _held_out(data: ImageData | None, split: str, config: ModelConfig) -> Array | None:
    """Return the images of the split, if they have the model's shape."""
    if data is None:
        return None
    images: Array = (data.test if split == "test" else data.validation).images
    return images if images.shape[1:] == config.image_shape else None


def _thumbnails(images: Array, count: int) -> Array | None:
    if len(images) < count:
        return None  # the data changed since
    images = images[:count]
    _, c, h, w = images.shape
    if images.size <= THUMBNAIL_BYTES:
        return images
    if images.size > 4 * THUMBNAIL_BYTES or min(h, w) < 2 * THUMBNAIL_SIDE:
        return None
    even = images[:, :, : h // 2 * 2, : w // 2 * 2].reshape(count, c, h // 2, 2, w // 2, 2)
    return np.asarray(even.mean(axis=(3, 5)).round().astype(np.uint8))


def _pictures(run: Run, config: ModelConfig, images: Array | None, labels: Array | None) -> Array | None:
    """Return pictures for cvae-predictive to complete: images of all classes, or reconstructions; hidden pixels 0."""
    given = next((condition for condition in config.conditions if isinstance(condition, ImageCondition)), None)
    if given is None:
        return None
    if images is None:
        steps = run.snapshot_steps()
        images = run.snapshot(steps[-1]).get("strip") if steps else None
        labels = None
    if images is None or images.shape[1:] != config.image_shape or not len(images):
        raise InputError("explorer.no_pictures", name=run.name)
    return images[given.examples(len(images), labels)] * given.visible


def _comparable(models: Sequence[_Model]) -> None:
    first = models[0]
    for model in models[1:]:
        dims, others = first.config.latent_dim, model.config.latent_dim
        if dims != others:
            raise InputError("explorer.latent_dims", name=first.name, dims=dims, other=model.name, others=others)
    labelled = [model for model in models if model.config.classes]
    for model in labelled[1:]:
        if model.config.class_names != labelled[0].config.class_names:
            raise InputError("explorer.other_classes", name=labelled[0].name, other=model.name)


def _titles(runs: Sequence[Run], models: Sequence[_Model]) -> list[str]:
    """Return the families' titles, or if these are not unique, the titles with the runs' names."""
    families = [FAMILIES[model.config.family].title for model in models]
    return told_apart(families, [f"{family} · {run.name}" for family, run in zip(families, runs, strict=True)])


def _map(codes: Sequence[Array | None], d: int, plane: Plane) -> Json:
    """Return the plane of the map; every model's codes count equally for the main plane."""
    if plane != "auto":
        if len(set(plane)) != 2 or not all(0 <= i < d for i in plane):
            raise InputError("explorer.dimensions", d=d)
        return {"kind": "dims", "dims": list(plane)}
    known = [c for c in codes if c is not None and len(c) > 2]
    if d <= 2 or not known:
        return {"kind": "dims", "dims": [0, min(1, d - 1)]}
    least = min(len(c) for c in known)
    plane_of, shares = pca(np.concatenate([c[:least] for c in known]), 2)
    return {
        "kind": "pca", "mean": plane_of.mean.tolist(), "axes": plane_of.axes.tolist(), "explained": shares.tolist()
    }  # fmt: skip


def _gaussian(mean: Array, variance: Array) -> Json:
    log_var = np.log(np.maximum(np.asarray(variance, np.float64), 1e-8))
    return {"mean": np.asarray(mean, np.float64).tolist(), "logVar": log_var.tolist()}
