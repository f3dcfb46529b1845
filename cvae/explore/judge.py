"""The frozen classifier of a data set, the judge of what models draw, as arrays: torch and the browser run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvae.architecture import architecture
from cvae.assets import CLASSIFIERS
from cvae.config import ModelConfig
from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.explore.numpy_nets import Array, NumpyNet
from cvae.runs.files import read_arrays


@dataclass(frozen=True, eq=False)
class Judge:
    """A Judge holds the weights of a shipped classifier by name; its network is the `baseline` of `config`.

    `card` says how it was made, and its accuracy on the test images.
    """

    config: ModelConfig
    card: Mapping[str, Any]
    weights: Mapping[str, Array]

    @classmethod
    def load(cls, data: str, folder: Path = CLASSIFIERS) -> Judge | None:
        """Load the shipped classifier of a data set, or return None; a damaged one raises `InputError`."""
        if data not in DATASETS or not (folder / f"{data}.json").is_file():
            return None
        try:
            card = json.loads((folder / f"{data}.json").read_text(encoding="utf-8"))
            config = ModelConfig.from_json(card.pop("network"))
            weights = read_arrays(folder / f"{data}.safetensors")
            NumpyNet(architecture(config)["baseline"], weights)  # checks names and shapes
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise InputError("classifier.damaged", data=data, folder=folder) from error
        return cls(config, card, weights)

    def fits(self, image_shape: tuple[int, ...], class_names: tuple[str, ...]) -> bool:
        """Return whether the judge knows these classes and this shape of images."""
        return self.config.image_shape == image_shape and self.config.class_names == class_names
