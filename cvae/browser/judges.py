"""The frozen classifier of a data set → what the browser needs to run it."""

from __future__ import annotations

import functools
from typing import Any

from cvae.architecture import architecture
from cvae.browser.tensors import tensor
from cvae.explore.judge import Judge


@functools.lru_cache(maxsize=8)
def judge_of(data: str, image_shape: tuple[int, ...], class_names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the payload of the classifier that knows these images and classes of a data set; None if none does.

    `cvae.browser.explorer` describes it. All callers share it, so do not change it.
    """
    judge = Judge.load(data)
    if judge is None or not judge.fits(image_shape, class_names):
        return None
    network = architecture(judge.config)["baseline"].to_json()
    return {
        "data": data,
        "imageShape": list(judge.config.image_shape),
        "classes": list(judge.config.class_names),
        "accuracy": judge.card["test_accuracy"],
        "network": {**network, "weights": {name: tensor(value, "f16") for name, value in judge.weights.items()}},
    }
