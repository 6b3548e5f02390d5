"""A tail of a signal that grows at one end and is forgotten at the other."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Values that may be kept in vain, so that not every small packet copies what is kept.
_SPARE: Final = 256


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
        self._begin = self._end = 0  # what is in use of them
        self.first = 0

    @property
    def stop(self) -> int:
        """Index just after the newest value."""
        return self.first + self._end - self._begin

    def push(self, values: NDArray[Any]) -> None:
        """Add values at the new end."""
        end = self._end + len(values)
        if end > len(self._values):
            # never moved in place: somebody may still look at the old block
            kept = self._values[self._begin : self._end]
            room = len(kept) + max(len(values), len(kept))
            self._values = np.empty((room, *kept.shape[1:]), kept.dtype)
            self._values[: len(kept)] = kept
            self._begin, self._end = 0, len(kept)
            end = self._end + len(values)
        self._values[self._end : end] = values
        self._end = end

    def get(self, start: int, stop: int) -> NDArray[Any]:
        """Return values ``[start, stop)``, cut at the ends of what exists."""
        shift = self._begin - self.first
        low, high = max(start, self.first) + shift, min(stop + shift, self._end)
        return self._values[low : max(low, high)]

    def forget(self, before: int) -> None:
        """Drop everything before an index."""
        drop = min(before, self.stop) - self.first
        if drop > 0:
            self._begin += drop
            self.first += drop
            if self._begin > 2 * (self._end - self._begin) + _SPARE:
                # a copy, so that the old block can be freed
                self._values = self._values[self._begin : self._end].copy()
                self._begin, self._end = 0, len(self._values)
