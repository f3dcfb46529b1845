"""Each network is a short list of operations; torch builds it, and the browser runs it.

An operation is a JSON object: linear, conv2d, conv_transpose2d, relu, tanh or reshape (to a shape per example). A
network has a trunk, which runs on an image, and a head, which runs on the inputs that the network `sees`, joined in
this order: z, the trunk's features of the image, the vector of the conditions. The decoder ends in logits of the
image's shape for every likelihood.

Convolutions have kernel 4, stride 2 and padding 1: they halve any side h to ⌊h/2⌋, and the transposed ones double it.
Their kernel is a multiple of the stride and so leaves no checkerboard (Odena et al. 2016); an output padding of 1
restores an odd side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cvae.config import ModelConfig
from cvae.families import FAMILIES
from cvae.families.family import Seen

Op = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """A Network computes head(concat(inputs in `sees`)); of an image the head sees trunk(image)."""

    sees: tuple[Seen, ...]
    trunk: tuple[Op, ...]
    head: tuple[Op, ...]

    def to_json(self) -> dict[str, list[Any]]:
        return {"sees": list(self.sees), "trunk": list(self.trunk), "head": list(self.head)}


def architecture(config: ModelConfig) -> dict[str, Network]:
    """Return a model's networks by role: `encoder`, `decoder`, and if the model has them `prior_net`, `baseline`.

    encoder: image (and condition) → mean and raw log-variance of q, 2·d numbers (AE: d numbers, the code)
    decoder: z (and condition or given image) → logits of the image's shape, or of the classes for the task `label`
    prior_net: condition or given image → mean and raw log-variance of p, 2·d numbers
    baseline: given image → logits, the plain network to compare with cvae-predictive
    """
    family, d = FAMILIES[config.family], config.latent_dim
    codes = d if family.prior == "none" else 2 * d
    encoder_sees = (*family.encoder_sees, *(("condition",) if config.predicts_label else ()))  # t is the label
    networks = {
        "encoder": _network(config, encoder_sees, codes),
        "decoder": _network(config, family.decoder_sees),
    }
    if family.prior == "learned":
        networks["prior_net"] = _network(config, family.prior_sees, 2 * d)
    if family.completes:
        networks["baseline"] = _network(config, ("image",))
    return networks


def _network(config: ModelConfig, sees: tuple[Seen, ...], outputs: int | None = None) -> Network:
    """Return a network with `outputs` outputs; None stands for the shape of the model's prediction."""
    widths = {"z": config.latent_dim, "image": _features(config), "condition": config.condition_width}
    inputs = sum(widths[name] for name in sees)
    if outputs is None and config.predicts_label:
        outputs = config.classes
    head = _image(config, inputs) if outputs is None else _dense(config, inputs, outputs)
    return Network(sees, _trunk(config) if "image" in sees else (), head)


def _trunk(config: ModelConfig) -> tuple[Op, ...]:
    """Map the image to flat features."""
    c, h, w = config.image_shape
    ops: list[Op] = []
    if config.net == "conv":
        for out in _channels(config):
            ops += [{"op": "conv2d", "in": c, "out": out, "kernel": 4, "stride": 2, "padding": 1}]
            ops += [{"op": config.activation}]
            c, h, w = out, h // 2, w // 2
    return (*ops, {"op": "reshape", "shape": [c * h * w]})


def _channels(config: ModelConfig) -> tuple[int, ...]:
    """Return the channels of as many convolutions as leave the smaller side at least 2 pixels."""
    return config.channels[: min(config.image_shape[1:]).bit_length() - 2]


def _features(config: ModelConfig) -> int:
    """Return the trunk's number of features."""
    return int(_trunk(config)[-1]["shape"][0])


def _dense(config: ModelConfig, inputs: int, outputs: int) -> tuple[Op, ...]:
    """Return dense layers of the widths `hidden`, then a linear map."""
    return (*_hidden(config, inputs, config.hidden), {"op": "linear", "in": config.hidden[-1], "out": outputs})


def _hidden(config: ModelConfig, inputs: int, widths: tuple[int, ...]) -> list[Op]:
    ops: list[Op] = []
    for width in widths:
        ops += [{"op": "linear", "in": inputs, "out": width}, {"op": config.activation}]
        inputs = width
    return ops


def _image(config: ModelConfig, inputs: int) -> tuple[Op, ...]:
    """Map a vector to logits of the image's shape by the encoder's layers in reverse."""
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
