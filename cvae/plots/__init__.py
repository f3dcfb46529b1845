"""This package draws arrays and measured figures with Plotly, without torch.

    codes     codes, their distribution, the KL of each dimension, the curves of a training
    figures   measured figures: the terms of the bound, the ladder of bounds, samples, protocols
    palette   the colours of classes and runs

You can import the functions from here: `plots.scatter(codes, labels)`.
"""

from __future__ import annotations

from cvae.plots.codes import PriorEllipse, axis_name, curves, histograms, kl_bars, scatter
from cvae.plots.figures import approach, bars, ladder, per_class, split, with_and_without

__all__ = [
    "PriorEllipse",
    "approach",
    "axis_name",
    "bars",
    "curves",
    "histograms",
    "kl_bars",
    "ladder",
    "per_class",
    "scatter",
    "split",
    "with_and_without",
]
