"""This package holds the models, on torch: each file shows the whole objective of one model.

distributions   densities, divergences and bounds on tensors
nets            op lists as torch modules
base            the methods that every model offers
"""

from __future__ import annotations

import importlib

from cvae.config import ModelConfig
from cvae.families import FAMILIES
from cvae.models.base import Autoencoder

__all__ = ["Autoencoder", "build"]


def build(config: ModelConfig) -> Autoencoder:
    """Return the untrained model of `config`; torch's global generator draws its weights."""
    module = importlib.import_module(f"cvae.models.{FAMILIES[config.family].module}")
    model: Autoencoder = module.MODEL(config)
    return model
