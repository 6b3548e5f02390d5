"""A tail of a signal that grows at one end and is forgotten at the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class History:
    """Keeps what may still be asked for, by absolute index.

    Parameters
    ----------
    dtype : dtype of the values
    width : int
        Columns; 0 for a plain sequence.
    """

    def __init__(self, dtype: Any, width: int = 0) -> None:
        self._values: NDArray[Any] = np.empty((0, width) if width else 0, dtype)
        self.first = 0

    @property
    def stop(self) -> int:
        """Index just after the newest value."""
        return self.first + len(self._values)

    def push(self, values: NDArray[Any]) -> None:
        """Add values at the new end."""
        self._values = np.concatenate([self._values, values.astype(self._values.dtype, copy=False)])

    def get(self, start: int, stop: int) -> NDArray[Any]:
        """Return values ``[start, stop)``, cut at the ends of what exists."""
        return self._values[max(0, start - self.first) : max(0, stop - self.first)]

    def forget(self, before: int) -> None:
        """Drop everything before an index."""
        drop = min(before, self.stop) - self.first
        if drop > 0:
            # a copy, so that the old block can be freed
            self._values = self._values[drop:].copy()
            self.first += drop
