"""The processes that train one model together. Today there is one; the loop asks this one place about the others."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class World:
    """A world of one process.

    writes: whether this process writes the run folder, which one process of a world does.
    """

    writes: bool = True

    def share(self, index: Tensor) -> Tensor:
        """Return the part of a batch, image indices (B,), that this process works on."""
        return index

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a tensor over all processes: of gradients, and of what is recorded."""
        return value

    def agree(self, flag: bool) -> bool:
        """Return the flag as the process that writes has it, so that all processes go on, wait or stop together."""
        return flag
