"""This package runs trained models on NumPy arrays, without torch.

    decoding     manifold, traversal, interpolation, label swap, draws, completions
    inference    encoder, prior and decoder of a trained model
    numpy_nets   op lists in NumPy
    codes        the number of dimensions that a model uses
    projection   codes of many dimensions on a plane
    pictures     images as one picture file

You can import the functions of `decoding` from here: `explore.sample(model, 16)`.
"""

from __future__ import annotations

from cvae.explore.decoding import (
    carry_code,
    complete,
    draw,
    interpolate,
    label_swap,
    label_vector,
    manifold,
    neighbours,
    path,
    sample,
    traversal,
)

__all__ = [
    "carry_code",
    "complete",
    "draw",
    "interpolate",
    "label_swap",
    "label_vector",
    "manifold",
    "neighbours",
    "path",
    "sample",
    "traversal",
]
