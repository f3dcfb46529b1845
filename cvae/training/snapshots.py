"""What a run folder shows of a model at one moment of its training, as arrays to be stored."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cvae.conditions import ConditionBatch
from cvae.models import Autoencoder
from cvae.runs.folder import Arrays
from cvae.training.batches import DeviceSplit

SNAPSHOT_CODES = 2000  # validation images whose codes a snapshot holds
STRIP = 16  # validation images whose reconstructions it holds
BATCH = 500


@torch.inference_mode()
def codes(model: Autoencoder, images: DeviceSplit, count: int) -> Arrays:
    """Return `codes` (N, d), the posterior means of the first `count` images, in half precision; `labels` (N,) where
    known."""
    count = min(count, len(images))
    parts = torch.arange(count, device=images.device).split(BATCH)
    arrays = {"codes": torch.cat([model.encode(*images.eval_batch(part)).mean for part in parts]).half().cpu().numpy()}
    if images.labels is not None:
        arrays["labels"] = images.labels[:count].astype(np.uint8)
    return arrays


def originals(images: DeviceSplit) -> Arrays:
    """Return `images` (16, C, H, W): the first images, which `strip` reconstructs."""
    return {"images": _bytes(images.eval_batch(_first(images))[0])}


@torch.inference_mode()
def strip(model: Autoencoder, images: DeviceSplit) -> Arrays:
    """Return `strip` (16, C, H, W): the first images reconstructed; nothing where the model predicts labels."""
    if model.config.predicts_label:
        return {}
    x, y = images.eval_batch(_first(images))
    return {"strip": _bytes(model.decode(model.encode(x, y).mean, ConditionBatch(vector=y, image=x)))}


def live(model: Autoencoder, images: DeviceSplit, step: int) -> Arrays:
    """Return what moves on the screen while a model trains: `codes`, `labels`, `strip`, and the `step` that they are
    of."""
    return {**codes(model, images, SNAPSHOT_CODES), **strip(model, images), "step": np.array([step])}


def snapshot(model: Autoencoder, images: DeviceSplit) -> Arrays:
    """Return what replaying needs: `codes`, `labels`, `strip`, and in half precision the weights that decoding
    takes."""
    decoding = {
        name: weight.detach().half().cpu().numpy()
        for name, weight in model.state_dict().items()
        if name.startswith(("decoder.", "prior_net."))
    }
    return {**codes(model, images, SNAPSHOT_CODES), **strip(model, images), **decoding}


def weights(model: Autoencoder) -> Arrays:
    """Return every weight, by name."""
    return {name: weight.detach().cpu().numpy() for name, weight in model.state_dict().items()}


def _first(images: DeviceSplit) -> Tensor:
    return torch.arange(min(STRIP, len(images)), device=images.device)


def _bytes(pictures: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Pictures in [0, 1] as uint8."""
    return (pictures * 255).round().to(torch.uint8).cpu().numpy()
