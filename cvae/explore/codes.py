"""This module counts the dimensions of the codes that a model uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ACTIVE = 0.01  # a dimension is used if its posterior mean has a variance above this over the data


def active_units(means: NDArray[np.floating[Any]]) -> int:
    """Count the dimensions with information, 0 … d: Var_x(E_q[z_d]) > 0.01 (Burda et al. 2016, section 5.2).

    `means` (N, d) are the posterior means of held-out images.
    """
    return int((np.asarray(means, np.float64).var(0) > ACTIVE).sum())
