"""Provide helpers for the tests of the data layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cvae.config import DataConfig
from cvae.data import ImageData, load_data
from cvae.errors import InputError


def load(name: object, directory: object = None) -> ImageData:
    return load_data(DataConfig(name=str(name), dir=None if directory is None else str(directory)))


def complaint(call: Callable[..., object], *args: object) -> str:
    """Return the message of the `InputError` that the call raises; check that it is one line with a full stop."""
    with pytest.raises(InputError) as caught:
        call(*args)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def unshuffled(data: ImageData) -> tuple[np.ndarray, np.ndarray | None]:
    """Return all images (N, C, H, W), and labels (N,) or None, of an 80/10/10 data set in the order of its file."""
    splits = (data.train, data.validation, data.test)
    images = np.concatenate([split.images for split in splits])
    order = np.random.RandomState(0).permutation(len(images))
    assert [len(split) for split in splits[1:]] == [len(images) // 10] * 2
    back = np.argsort(order)
    if data.train.labels is None:
        return images[back], None
    labels = np.concatenate([split.labels for split in splits])
    assert labels.dtype == np.int64
    return images[back], labels[back]
