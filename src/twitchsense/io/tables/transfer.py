"""Columns whose numbers are not in the unit of their name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What the numbers of a column are in the unit of its name: ``offset + factor * number``.

    Attributes
    ----------
    factor, offset : float
    """

    factor: float = 1.0
    offset: float = 0.0

    def apply(self, numbers: Floats) -> Floats:
        """Return the values of numbers."""
        with np.errstate(over="ignore"):  # infinite is no sample
            return numbers * self.factor + self.offset
