"""A run → what the browser needs to decode it. No torch: safetensors and numpy suffice.

`export` gives one JSON object, the explorer's payload, and this is the one place that describes it:

    version   1
    hash      of all that follows: the browser reads the models again only when it changes
    models    for each model:
      id, title, family, latentDim d, imageShape [C, H, W], classes [K names]
      decoderSees  "z" | "z,label" | "z,condition": what is concatenated in front of the decoder's head
      output       "image": the sigmoid of the logits is the picture | "label": their softmax is the answer
      decoder      {trunk: [ops], head: [ops], weights: {"head.0.weight": tensor, …}}, ops as in cvae.architecture
      prior        {kind, overall: Gaussian, parts: [Gaussian]}, Gaussian {mean: [d], logVar: [d], covariance?: [d][d]}
                   "standard" N(0, I) · "fitted" to the codes, of a model that has no prior (AE), full covariance ·
                   "per-class" one part a class · "condition" one part a condition; `overall` has the parts' moments
      codes        {split, points: tensor (N, d), labels: tensor (N,) | null} posterior means of held-out images | null
      thumbnails   tensor (N, C, h, w) of these images, perhaps at half their size | null | the index of an earlier
                   model that has the same
      conditions   {pictures: tensor (M, C, H, W), visible: tensor (H, W) of 0 and 1 | null} | null: what
                   cvae-predictive is given
    map       {kind: "dims", dims: [i, j]} | {kind: "pca", mean: [d], axes: [[d], [d]], explained: [2 shares]}

A tensor is {dtype: "f16" | "f32" | "u8", shape, data: base64 of little-endian numbers in PyTorch's order}. The mounting
function adds what concerns the page: key, text, language, panels, state.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cvae.architecture import architecture
from cvae.conditions import ImageCondition, visible_mask
from cvae.config import ModelConfig
from cvae.data.images import ImageData
from cvae.errors import InputError
from cvae.explore.inference import Inference, checked_codes, checked_weights, codes_to_fit
from cvae.explore.projection import pca
from cvae.families import FAMILIES
from cvae.runs.folder import Run

VERSION = 1

Array = npt.NDArray[Any]
Json = dict[str, Any]
Plane = Literal["auto"] | tuple[int, int]  # of the map: the codes' main plane where d > 2, or two dimensions

VISIBLE = 1 / 255  # the most that half precision may change a pixel; half of what the browser is allowed to differ
CHECKS = 64  # codes at which that is checked
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
    """The explorer's payload for one run, or for several on one z.

    `step` takes the weights and codes of that snapshot of every run rather than the trained ones. `data`, of all runs
    or of each, gives thumbnails, and the images that cvae-predictive completes (without it, the run's own
    reconstructions serve). Runs without codes or weights, damaged files and models that one z cannot drive together
    raise `InputError`.
    """
    if not runs:
        raise InputError("there is no run to explore: train one, or choose one.")
    of_each = [data] * len(runs) if data is None or isinstance(data, ImageData) else data
    models = [_Model.read(run, step, images) for run, images in zip(runs, of_each, strict=True)]
    _comparable(models)
    names = titles or _titles(runs, models)
    payloads = [model.payload(title) for model, title in zip(models, names, strict=True)]
    for i, payload in enumerate(payloads):
        same = next((j for j in range(i) if payloads[j]["thumbnails"] == payload["thumbnails"] is not None), None)
        payload["thumbnails"] = payload["thumbnails"] if same is None else same
    content = {
        "version": VERSION,
        "models": payloads,
        "map": _map([model.codes for model in models], models[0].config.latent_dim, plane),
    }
    digest = hashlib.blake2b(json.dumps(content, allow_nan=False).encode(), digest_size=12).hexdigest()
    return {"hash": digest, **content}


@dataclass(frozen=True)
class _Model:
    """What is read of one run."""

    name: str
    config: ModelConfig
    weights: Mapping[str, Array]  # of the decoder, by the names of its ops
    inference: Inference
    split: str  # that codes and thumbnails are of
    codes: Array | None  # (N, d) float32
    labels: Array | None  # (N,) uint8
    thumbnails: Array | None  # (N, C, h, w) uint8
    conditions: Array | None  # (M, C, H, W) uint8, hidden pixels 0

    @classmethod
    def read(cls, run: Run, step: int | None, data: ImageData | None) -> _Model:
        config = run.config().model
        if step is not None and step not in run.snapshot_steps():
            raise InputError(f"{run.name} has no snapshot of step {step}.")
        weights = checked_weights(run, step)
        arrays, split = _codes(run, step)
        codes, labels = checked_codes(run.name, config, arrays)
        images = _held_out(data, split, config)
        return cls(
            name=run.name,
            config=config,
            weights={n.removeprefix("decoder."): w for n, w in weights.items() if n.startswith("decoder.")},
            inference=Inference(config, weights, None if codes is None else codes_to_fit(arrays)),
            split=split,
            codes=codes,
            labels=labels,
            thumbnails=None if codes is None or images is None else _thumbnails(images, len(codes)),
            conditions=_conditions(run, config, images, labels),
        )

    def payload(self, title: str) -> Json:
        config, family = self.config, FAMILIES[self.config.family]
        sees = "condition" if family.completes else "label" if "condition" in family.decoder_sees else None
        prior = self._prior()
        masked = sees == "condition" and not self.inference.predicts_label
        visible = visible_mask(*config.image_shape[1:], config.quadrants) if masked else None
        codes = None
        if self.codes is not None:
            labels = None if self.labels is None else tensor(self.labels, "u8")
            codes = {"split": self.split, "points": tensor(self.codes, "f16"), "labels": labels}
        conditions = None
        if self.conditions is not None:
            seen = None if visible is None else tensor(visible, "u8")
            conditions = {"pictures": tensor(self.conditions, "u8"), "visible": seen}
        return {
            "id": self.name,
            "title": title,
            "family": config.family,
            "latentDim": config.latent_dim,
            "imageShape": list(config.image_shape),
            "classes": list(config.class_names),
            "decoderSees": "z" if sees is None else f"z,{sees}",
            "output": "label" if self.inference.predicts_label else "image",
            "decoder": {**architecture(config)["decoder"].to_json(), "weights": self._decoder_weights(prior)},
            "prior": prior,
            "codes": codes,
            "thumbnails": None if self.thumbnails is None else tensor(self.thumbnails, "u8"),
            "conditions": conditions,
        }

    def _decoder_weights(self, prior: Json) -> Json:
        """In half precision, unless a pixel would show it."""
        with np.errstate(over="ignore"):
            half = {name: value.astype(np.float16) for name, value in self.weights.items()}
        dtype: Literal["f16", "f32"] = "f16"
        if any(
            half[name].astype(np.float32).tobytes() != w.astype(np.float32).tobytes()
            for name, w in self.weights.items()
        ):
            z, given = self._checks(prior)
            rounded = Inference(self.config, {f"decoder.{name}": value for name, value in half.items()})
            with np.errstate(invalid="ignore"):
                change = np.abs(self.inference.decode(z, given) - rounded.decode(z, given)).max()
            dtype = "f16" if change <= VISIBLE else "f32"  # an overflow makes it NaN, which is not ≤
        return {name: tensor(value, dtype) for name, value in self.weights.items()}

    def _checks(self, prior: Json) -> tuple[Array, Array | None]:
        """Draws from the prior, and codes, with what else the decoder sees: to compare weights by."""
        rng = np.random.default_rng(0)
        mean, log_var = (np.array(prior["overall"][name], np.float32) for name in ("mean", "logVar"))
        z = mean + np.exp(0.5 * log_var) * rng.standard_normal((CHECKS, len(mean))).astype(np.float32)
        if self.codes is not None and len(self.codes):
            z = np.concatenate([z, self.codes[rng.integers(len(self.codes), size=CHECKS)]])
        turns = np.arange(len(z))
        given: Array | None = None
        if FAMILIES[self.config.family].takes_class:
            given = np.eye(self.config.classes, dtype=np.float32)[turns % self.config.classes]
        elif self.conditions is not None:
            given = self.conditions[turns % len(self.conditions)] / np.float32(255)
        return z, given

    def _prior(self) -> Json:
        kind, d = FAMILIES[self.config.family].prior_of, self.config.latent_dim
        if kind == "standard":
            return {"kind": "standard", "overall": _gaussian(np.zeros(d), np.ones(d)), "parts": []}
        if kind == "none":
            if self.codes is None or len(self.codes) < 2:
                raise InputError(
                    f"{self.name} has no codes yet, to which the explorer would fit a prior: let it train a little."
                )
            centre, covariance = self.inference.fitted()
            fitted = {**_gaussian(centre, np.diag(covariance)), "covariance": covariance.astype(float).tolist()}
            return {"kind": "fitted", "overall": fitted, "parts": []}
        by_label = kind == "class"
        given = np.eye(self.config.classes) if by_label else np.asarray(self.conditions) / np.float32(255)
        means, stds = self.inference.prior(given)
        return {
            "kind": "per-class" if by_label else "condition",
            "overall": _gaussian(means.mean(0), (stds**2).mean(0) + means.var(0)),  # moments of the even mixture
            "parts": [_gaussian(mean, std**2) for mean, std in zip(means, stds, strict=True)],
        }


def _codes(run: Run, step: int | None) -> tuple[Mapping[str, Array], str]:
    """The run's codes and the split that they are of; no codes where there are none yet."""
    if step is not None:
        return run.snapshot(step), "validation"
    finished = (run.path / "codes.safetensors").is_file()
    if not finished and not run.snapshot_steps():
        return {}, "validation"
    return run.codes(), "test" if finished else "validation"


def _held_out(data: ImageData | None, split: str, config: ModelConfig) -> Array | None:
    """The images of the split, if they are of the model's shape."""
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


def _conditions(run: Run, config: ModelConfig, images: Array | None, labels: Array | None) -> Array | None:
    """What cvae-predictive may be given: images of different classes, or else reconstructions; hidden pixels 0."""
    if not FAMILIES[config.family].completes:
        return None
    if images is None:
        steps = run.snapshot_steps()
        images = run.snapshot(steps[-1]).get("strip") if steps else None
        labels = None
    if images is None or images.shape[1:] != config.image_shape or not len(images):
        raise InputError(f"{run.name} completes images, and none are at hand: give its data, or let it train a little.")
    pictures = images[ImageCondition.examples(len(images), labels)]
    return pictures if config.predicts_label else pictures * visible_mask(*config.image_shape[1:], config.quadrants)


def _comparable(models: Sequence[_Model]) -> None:
    first = models[0]
    for model in models[1:]:
        if model.config.latent_dim != first.config.latent_dim:
            raise InputError(
                f"{first.name} has {first.config.latent_dim} latent dimensions and {model.name} has "
                f"{model.config.latent_dim}: one z cannot drive both; choose runs with as many."
            )
    labelled = [model for model in models if model.config.classes]
    for model in labelled[1:]:
        if model.config.class_names != labelled[0].config.class_names:
            raise InputError(
                f"{labelled[0].name} and {model.name} were trained on different classes; choose runs on the same data."
            )


def _titles(runs: Sequence[Run], models: Sequence[_Model]) -> list[str]:
    """The families, where they tell the runs apart; else with the runs' names."""
    families = [FAMILIES[model.config.family].title for model in models]
    if len(set(families)) == len(families):
        return families
    return [f"{family} · {run.name}" for family, run in zip(families, runs, strict=True)]


def _map(codes: Sequence[Array | None], d: int, plane: Plane) -> Json:
    """The plane of the map. For the main plane, every model's codes count the same."""
    if plane != "auto":
        if len(set(plane)) != 2 or not all(0 <= i < d for i in plane):
            raise InputError(f"the map needs two different dimensions from 1 to {d}.")
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


def tensor(values: Array, dtype: Literal["f16", "f32", "u8"]) -> Json:
    """Numbers as they travel to the browser."""
    kind = {"f16": "<f2", "f32": "<f4", "u8": "u1"}[dtype]
    data = base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")
    return {"dtype": dtype, "shape": list(values.shape), "data": data}
