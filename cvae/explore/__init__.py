"""A trained model as arrays in, arrays out, without torch.

    decoding     manifold, traversal, interpolation, label swap, draws, completions
    inference    encoder, prior and decoder of a trained model
    numpy_nets   op lists run by NumPy
    codes        which dimensions of codes a model uses
    projection   codes of many dimensions on a plane
    pictures     images as one picture file

The functions of `decoding` can be imported from here: `explore.sample(model, 16)`.
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
