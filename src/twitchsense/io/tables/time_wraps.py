"""Clocks that begin again with zero: at midnight, or when their counter is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.tables.time_reading import DAY_NS
from twitchsense.model.notes import Note

Floats = NDArray[np.float64]

#: Numbers of values of counters.
_COUNTER_SIZES: Final = (2.0**16, 2.0**24, 2.0**31, 2.0**32)
#: Part of its range in which a clock must stand before and after it begins again.
_EDGE: Final = 0.1
#: Maximum time (ns) between the rows around the new beginning.
_MAX_STEP_NS: Final = 600e9
#: Maximum number of wraps in the notes.
_NOTED_WRAPS: Final = 3


class WrapCounter:
    """Continues a clock that begins again with zero.

    Parameters
    ----------
    source : str
        Name of the file in notes.
    name : str
        Name of the time column.
    locate_row : callable
        Returns the place of a row.
    """

    def __init__(self, source: str, name: str, locate_row: Callable[[int], str]) -> None:
        self._source = source
        self._name = name
        self._locate_row = locate_row
        self._last: float | None = None
        self._offset = 0.0
        self._wraps: list[tuple[int, str]] = []

    @property
    def notes(self) -> list[str]:
        """One note on the wraps so far, or none."""
        if not self._wraps:
            return []
        places = ", ".join(self._locate_row(row) for row, _ in self._wraps[:_NOTED_WRAPS])
        more = f" and {len(self._wraps) - _NOTED_WRAPS} more" if len(self._wraps) > 3 else ""
        return [
            Note(
                "times",
                f"{self._source}: {self._name} begins again {self._wraps[0][1]} ({places}{more}); "
                "the times go on from there",
            )
        ]

    def unwrap(
        self, numbers: Floats, valid: NDArray[np.bool_], first_row: int, unit_ns: float
    ) -> Floats:
        """Return the numbers of a block without steps back to zero.

        Parameters
        ----------
        numbers : ndarray of float64, shape (n,)
        valid : ndarray of bool, shape (n,)
            Numbers that count.
        first_row : int
            Number of the first row of the block.
        unit_ns : float
            Length of a unit in ns.
        """
        rows = np.flatnonzero(valid)
        if not len(rows):
            return numbers
        known = numbers[rows]
        previous = np.concatenate([[known[0] if self._last is None else self._last], known[:-1]])
        self._last = float(known[-1])
        back = np.flatnonzero(known < previous)
        if not len(back) and not self._offset:
            return numbers
        out = numbers + self._offset
        for i in back.tolist():
            size, word = self._size(float(previous[i]), float(known[i]), unit_ns)
            if size:
                self._offset += size
                out[rows[i] :] = numbers[rows[i] :] + self._offset
                self._wraps.append((first_row + int(rows[i]), word))
        return out

    @staticmethod
    def _size(before: float, after: float, unit_ns: float) -> tuple[float, str]:
        """Return the range of a clock that steps from `before` to `after`; 0 if it is none."""
        sizes = [(DAY_NS / unit_ns, "at midnight")]
        sizes += [(size, f"after {size:.0f}") for size in _COUNTER_SIZES]
        for size, word in sizes:
            step_ns = (after + size - before) * unit_ns
            near = (1 - _EDGE) * size < before <= size and 0 <= after < _EDGE * size
            if near and 0 < step_ns <= min(_MAX_STEP_NS, _EDGE * size * unit_ns):
                return size, word
        return 0.0, ""
