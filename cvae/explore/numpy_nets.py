"""NumPy runs op lists (`cvae.architecture`) here, as `nets.py` does with torch, which takes longer to import."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from cvae.architecture import Network, Op
from cvae.errors import InputError

Array = NDArray[np.float32]
Layer = Callable[[Array], Array]

BATCH = 500  # examples at once; this limits the memory of a convolution's intermediate arrays


class NumpyNet:
    """Compute head(concat(z, trunk(image), condition)) as torch does, with those of the three that the network sees.

    `weights` have names such as `trunk.0.weight`, torch's shapes and any float type; float32 ones are not copied.
    Missing weights or wrong shapes raise `InputError`.
    """

    def __init__(self, network: Network, weights: Mapping[str, NDArray[Any]]) -> None:
        self._sees = network.sees
        self._trunk = [_layer(op, f"trunk.{i}", weights) for i, op in enumerate(network.trunk)]
        self._head = [_layer(op, f"head.{i}", weights) for i, op in enumerate(network.head)]

    def __call__(self, *, z: Array | None = None, image: Array | None = None, condition: Array | None = None) -> Array:
        """Map the seen ones of z (N, d), image (N, C, H, W), condition (N, width) → (N, ...).

        A single row stands for N equal ones.
        """
        with _blas().limit(limits=1, user_api="blas"):
            inputs = {"z": z, "image": None if image is None else _run(self._trunk, image), "condition": condition}
            seen = [value for name in self._sees if (value := inputs[name]) is not None]
            rows = max(len(v) for v in seen)
            return _run(self._head, np.concatenate([np.broadcast_to(v, (rows, v.shape[1])) for v in seen], axis=1))


@functools.cache
def _blas() -> ThreadpoolController:
    """Return the control of BLAS threads: one needs a few milliseconds for these products, and several beside a
    training wait for the slowest one, ten times as long.
    """
    return ThreadpoolController()


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + e⁻ˣ), by a function that cannot overflow."""
    result: Array = 0.5 + 0.5 * np.tanh(0.5 * x)
    return result


def softmax(x: Array) -> Array:
    """Return e^x / Σ e^x over the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    result: Array = e / e.sum(-1, keepdims=True)
    return result


def _run(layers: Sequence[Layer], x: Array) -> Array:
    parts = []
    for start in range(0, max(len(x), 1), BATCH):
        part = x[start : start + BATCH]
        for layer in layers:
            part = layer(part)
        parts.append(part)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _layer(op: Op, name: str, weights: Mapping[str, NDArray[Any]]) -> Layer:
    """Return one operation as a function of a batch (N, ...); wrong weights raise `InputError`."""

    def parameter(kind: str, *shape: int) -> Array:
        value = weights.get(f"{name}.{kind}")
        if value is None:
            raise InputError("weights.missing", weight=f"{name}.{kind}", shape=shape)
        if value.shape != shape:
            raise InputError("weights.shape", weight=f"{name}.{kind}", found=value.shape, shape=shape)
        return np.asarray(value, dtype=np.float32)

    match op["op"]:
        case "linear":
            matrix, bias = parameter("weight", op["out"], op["in"]).T, parameter("bias", op["out"])
            return lambda x: x @ matrix + bias
        case "conv2d":
            kernel, bias = (
                parameter("weight", op["out"], op["in"], op["kernel"], op["kernel"]),
                parameter("bias", op["out"]),
            )
            return lambda x: _conv2d(x, kernel, bias, op["stride"], op["padding"])
        case "conv_transpose2d":
            kernel, bias = (
                parameter("weight", op["in"], op["out"], op["kernel"], op["kernel"]),
                parameter("bias", op["out"]),
            )
            return lambda x: _conv_transpose2d(x, kernel, bias, op["stride"], op["padding"], op["output_padding"])
        case "relu":
            return lambda x: np.maximum(x, 0)
        case "tanh":
            return np.tanh
        case "reshape":
            return lambda x: x.reshape(-1, *op["shape"])
    raise ValueError(f"unknown operation {op['op']!r}")


def _conv2d(x: Array, kernel: Array, bias: Array, stride: int, padding: int) -> Array:
    """Convolve x (N, in, H, W) with kernel (out, in, k, k) and bias (out,) → (N, out, H', W')."""
    k = kernel.shape[-1]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]  # (N, in, H', W', k, k)
    out: Array = np.tensordot(windows, kernel, ((1, 4, 5), (1, 2, 3))) + bias  # (N, H', W', out)
    return out.transpose(0, 3, 1, 2)


def _conv_transpose2d(
    x: Array, kernel: Array, bias: Array, stride: int, padding: int, output_padding: Sequence[int]
) -> Array:
    """Transpose the convolution: x (N, in, H, W), kernel (in, out, k, k), bias (out,) → (N, out, H', W').

    Every input pixel adds its kernel to the output. One matrix product computes all k² taps of all pixels (many small
    products would each wait for the BLAS threads); a loop then adds the taps at their places.
    """
    n, channels, h, w = x.shape
    _, out_channels, k, _ = kernel.shape
    pixels = x.transpose(1, 0, 2, 3).reshape(channels, -1)  # (in, N·H·W)
    taps = (kernel.reshape(channels, -1).T @ pixels).reshape(out_channels, k, k, n, h, w)
    full = [(side - 1) * stride + k + extra for side, extra in zip((h, w), output_padding, strict=True)]
    out = np.zeros((out_channels, n, *full), dtype=np.float32)
    for i in range(k):
        for j in range(k):
            out[:, :, i : i + stride * h : stride, j : j + stride * w : stride] += taps[:, i, j]
    kept = out[:, :, padding : full[0] - padding, padding : full[1] - padding]
    return (kept + bias[:, None, None, None]).transpose(1, 0, 2, 3)
