"""Compute the arrays that show a model at one step of its training, for the run folder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cvae.conditions import ConditionBatch
from cvae.models import Autoencoder
from cvae.runs.files import Arrays
from cvae.runs.folder import decodes
from cvae.training.batches import DeviceSplit

SNAPSHOT_CODES = 2000  # validation images with codes in a snapshot
STRIP = 16  # validation images with reconstructions in a snapshot
BATCH = 500


@torch.inference_mode()
def codes(model: Autoencoder, images: DeviceSplit, count: int) -> Arrays:
    """Return `codes` (N, d), posterior means of the first `count` images in half precision; `labels` (N,) if known."""
    count = min(count, len(images))
    parts = torch.arange(count, device=images.device).split(BATCH)
    arrays = {"codes": torch.cat([model.encode(*images.eval_batch(part)).mean for part in parts]).half().cpu().numpy()}
    if images.labels is not None:
        arrays["labels"] = images.labels[:count].astype(np.uint8)
    return arrays


def originals(images: DeviceSplit) -> Arrays:
    """Return `images` (16, C, H, W) uint8, the first images, which `strip` reconstructs."""
    return {"images": _bytes(images.eval_batch(_first(images))[0])}


@torch.inference_mode()
def strip(model: Autoencoder, images: DeviceSplit) -> Arrays:
    """Return `strip` (16, C, H, W) uint8, the first images' reconstructions; nothing if the model predicts labels."""
    if model.config.predicts_label:
        return {}
    x, y = images.eval_batch(_first(images))
    return {"strip": _bytes(model.decode(model.encode(x, y).mean, ConditionBatch(vector=y, image=x)))}


def live(model: Autoencoder, images: DeviceSplit, step: int) -> Arrays:
    """Return the arrays of the live picture: `codes`, `labels`, `strip`, and their `step` (1,)."""
    return {**codes(model, images, SNAPSHOT_CODES), **strip(model, images), "step": np.array([step])}


def snapshot(model: Autoencoder, images: DeviceSplit) -> Arrays:
    """Return the arrays of a snapshot: `codes`, `labels`, `strip`, and the decoding weights in half precision."""
    decoding = {
        name: weight.detach().half().cpu().numpy() for name, weight in model.state_dict().items() if decodes(name)
    }
    return {**codes(model, images, SNAPSHOT_CODES), **strip(model, images), **decoding}


def weights(model: Autoencoder) -> Arrays:
    """Return every weight, by name."""
    return {name: weight.detach().cpu().numpy() for name, weight in model.state_dict().items()}


def _first(images: DeviceSplit) -> Tensor:
    return torch.arange(min(STRIP, len(images)), device=images.device)


def _bytes(pictures: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return images in [0, 1] as uint8."""
    return (pictures * 255).round().to(torch.uint8).cpu().numpy()
