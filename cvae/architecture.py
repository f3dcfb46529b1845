"""Networks as short lists of operations: what torch builds, and what the browser runs.

An operation is a JSON object: linear, conv2d, conv_transpose2d, relu, tanh or reshape (a shape an example). A
network is a trunk, run on the image, and a head, run on the trunk's features joined with whatever vectors the network
sees (the label, or z in front). The decoder ends in logits of the image's shape, whatever the likelihood.

Convolutions have kernel 4, stride 2 and padding 1: they halve any side h to ⌊h/2⌋, and the transposed ones, whose
kernel is a multiple of the stride and so leaves no checkerboard (Odena et al. 2016), double it again; an output
padding of 1 gives an odd side back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvae.config import ModelConfig
from cvae.families import FAMILIES

Op = dict[str, Any]

# A network that gives a Gaussian ends in its mean and a raw log-variance r; log σ² = B·tanh(r / B), bounded softly.
POSTERIOR_LOG_VAR = 10.0  # B of encoders: σ between e⁻⁵ and e⁵
PRIOR_LOG_VAR = 4.0  # B of prior nets, tighter: two learned Gaussians could otherwise drift in scale together


@dataclass(frozen=True)
class Network:
    """head(concat(vectors in front, trunk(image), vectors behind)); no trunk: the network sees no image."""

    trunk: tuple[Op, ...]
    head: tuple[Op, ...]

    def to_json(self) -> dict[str, list[Op]]:
        return {"trunk": list(self.trunk), "head": list(self.head)}


def architecture(config: ModelConfig) -> dict[str, Network]:
    """The networks of a model, by their role: `encoder`, `decoder`, and where it has them `prior_net` and `baseline`.

    encoder: image (and label) → mean and raw log-variance of q, 2·d numbers (AE: d numbers, the code)
    decoder: z (and label or condition) → logits, of the image's shape, or of the label for the task `label`
    prior_net: label or condition → mean and raw log-variance of p, 2·d numbers
    baseline: condition → logits, the plain network that cvae-predictive is compared with
    """
    family = FAMILIES[config.family]
    d, y = config.latent_dim, config.classes
    predicts_label = family.given == "condition" and config.task == "label"

    sees_label = "label" in family.encoder_sees or predicts_label
    codes = d if family.prior == "none" else 2 * d
    networks = {"encoder": Network(_trunk(config), _dense(config, _features(config) + y * sees_label, codes))}

    condition = _features(config) if "condition" in family.decoder_sees else 0
    inputs = d + condition + y * ("label" in family.decoder_sees)
    trunk = _trunk(config) if condition else ()
    out = _dense(config, inputs, y) if predicts_label else _image(config, inputs)
    networks["decoder"] = Network(trunk, out)

    if family.prior == "label":
        networks["prior_net"] = Network((), _dense(config, y, 2 * d))
    elif family.prior == "condition":
        networks["prior_net"] = Network(_trunk(config), _dense(config, condition, 2 * d))
        networks["baseline"] = Network(
            _trunk(config), _dense(config, condition, y) if predicts_label else _image(config, condition)
        )
    return networks


def visible_mask(height: int, width: int, quadrants: int) -> NDArray[np.bool_]:
    """Which pixels cvae-predictive is given, (H, W): the lower left quadrant, the upper left, then the lower right."""
    mask = np.zeros((height, width), dtype=bool)
    h, w = height // 2, width // 2
    corners = ((slice(h, None), slice(w)), (slice(h), slice(w)), (slice(h, None), slice(w, None)))
    for rows, columns in corners[:quadrants]:
        mask[rows, columns] = True
    return mask


def _trunk(config: ModelConfig) -> tuple[Op, ...]:
    """Image → features, flattened."""
    c, h, w = config.image_shape
    ops: list[Op] = []
    if config.net == "conv":
        for out in _channels(config):
            ops += [{"op": "conv2d", "in": c, "out": out, "kernel": 4, "stride": 2, "padding": 1}]
            ops += [{"op": config.activation}]
            c, h, w = out, h // 2, w // 2
    return (*ops, {"op": "reshape", "shape": [c * h * w]})


def _channels(config: ModelConfig) -> tuple[int, ...]:
    """As many of the convolutions as the smaller side bears: it stays at 2 pixels or more."""
    return config.channels[: min(config.image_shape[1:]).bit_length() - 2]


def _features(config: ModelConfig) -> int:
    """How many features the trunk gives."""
    return int(_trunk(config)[-1]["shape"][0])


def _dense(config: ModelConfig, inputs: int, outputs: int) -> tuple[Op, ...]:
    """Dense layers of the widths `hidden`, then a linear map."""
    return (*_hidden(config, inputs, config.hidden), {"op": "linear", "in": config.hidden[-1], "out": outputs})


def _hidden(config: ModelConfig, inputs: int, widths: tuple[int, ...]) -> list[Op]:
    ops: list[Op] = []
    for width in widths:
        ops += [{"op": "linear", "in": inputs, "out": width}, {"op": config.activation}]
        inputs = width
    return ops


def _image(config: ModelConfig, inputs: int) -> tuple[Op, ...]:
    """Vector → logits of the image's shape: the mirror of the encoder."""
    c, h, w = config.image_shape
    ops = _hidden(config, inputs, config.hidden[::-1])
    if config.net == "mlp":
        return (*ops, {"op": "linear", "in": config.hidden[0], "out": c * h * w}, {"op": "reshape", "shape": [c, h, w]})
    widths = _channels(config)
    sizes = [(h >> i, w >> i) for i in range(len(widths) + 1)]  # halved, rounded down, at every stage
    top = [widths[-1], *sizes[-1]]
    ops += [{"op": "linear", "in": config.hidden[0], "out": top[0] * top[1] * top[2]}, {"op": config.activation}]
    ops += [{"op": "reshape", "shape": top}]
    for i, out in reversed(list(enumerate((c, *widths[:-1])))):
        padding = [big - 2 * small for big, small in zip(sizes[i], sizes[i + 1], strict=True)]
        stage = {"in": widths[i], "out": out, "kernel": 4, "stride": 2, "padding": 1, "output_padding": padding}
        ops += [{"op": "conv_transpose2d", **stage}]
        ops += [{"op": config.activation}] if i else []
    return tuple(ops)
