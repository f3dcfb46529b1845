"""The model family, on torch: one file a model with its whole objective in sight.

distributions   densities, divergences and bounds on tensors
nets            op lists as torch modules
base            what every model offers
"""

from __future__ import annotations

import importlib

from cvae.config import ModelConfig
from cvae.families import FAMILIES
from cvae.models.base import Autoencoder

__all__ = ["Autoencoder", "build"]


def build(config: ModelConfig) -> Autoencoder:
    """Build the untrained model that `config` describes, its weights drawn from torch's global generator."""
    module = importlib.import_module(f"cvae.models.{FAMILIES[config.family].module}")
    model: Autoencoder = module.MODEL(config)
    return model
