"""Rows in which a slower accelerometer has no new sample, but its last one, or zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class HeldRows:
    """Leaves out repeated samples, in blocks from start to end."""

    def __init__(self) -> None:
        self._last: Floats | None = None

    def leave_out(
        self, signals: Mapping[str, Floats], names: Sequence[str], first_row: int
    ) -> dict[str, Floats]:
        """Return columns with NaN in rows that repeat the row before or hold zeros.

        Parameters
        ----------
        signals : mapping of str to ndarray, shape (rows,)
        names : sequence of str
            The axes of the accelerometer.
        first_row : int
            Number of the first row of the block.

        Returns
        -------
        dict of str to ndarray, shape (rows,)
        """
        block = np.column_stack([signals[name] for name in names])
        if not len(block):
            return {}
        last = self._last if first_row and self._last is not None else np.full(len(names), np.nan)
        before = np.vstack([last, block[:-1]])
        repeated = (block == before).all(axis=1) | (block == 0).all(axis=1)
        self._last = block[-1]
        return {name: np.where(repeated, np.nan, block[:, i]) for i, name in enumerate(names)}
