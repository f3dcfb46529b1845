"""Describe the processes that train one model together. Today there is one; only this module knows about others."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class World:
    """This World has one process. `writes` is true in the one process that writes the run folder."""

    writes: bool = True

    def share(self, index: Tensor) -> Tensor:
        """Return this process's part of the image indices (B,) of a batch."""
        return index

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a tensor (a gradient, or rows of a record) over all processes, in the same shape."""
        return value

    def agree(self, flag: bool) -> bool:
        """Return the flag of the process that writes, so that all processes continue, wait or stop together."""
        return flag
