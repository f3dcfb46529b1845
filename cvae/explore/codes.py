"""Measures of codes by themselves: which of their dimensions a model uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ACTIVE = 0.01  # variance of a posterior mean over the data above which a dimension counts as used


def active_units(means: NDArray[np.floating[Any]]) -> int:
    """Return how many dimensions carry information: Var_x(E_q[z_d]) > 0.01 (Burda et al. 2016, section 5.2). 0 … d.

    means (N, d): posterior means of held-out images.
    """
    return int((np.asarray(means, np.float64).var(0) > ACTIVE).sum())
