"""Leaves out rows that repeat the row before, and rows without a sample out of order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Columns = Sequence[NDArray[np.float64]]

#: Equal neighbours of one time: their least number, and how many times the share by chance.
_MIN_REPEATED: Final = 3
_ABOVE_CHANCE: Final = 4.0
#: Largest share of the rows of a block that may repeat the row before.
_MAX_REPEATED: Final = 0.5


class RowFilter:
    """Selects rows block by block.

    A row that repeats the time and all samples of the row before was written twice. A row
    without a sample is left out if its time is out of order: programs write marks into such
    rows, and a recording that was cut off ends in one.

    Parameters
    ----------
    may_repeat : bool
        Whether several rows may have one time, so that no time is out of order.
    repeats : bool
        Whether rows are left out that repeat the row before.

    Attributes
    ----------
    repeated : int
        Rows so far that repeated the row before.
    """

    def __init__(self, *, may_repeat: bool = False, repeats: bool = True) -> None:
        self._may_repeat, self._repeats = may_repeat, repeats
        self._before: tuple[int, list[float]] | None = None
        self.repeated = 0

    def select(self, times_ns: Times, columns: Columns) -> NDArray[np.int64] | None:
        """Return the rows to keep, or None if no row is left out.

        Parameters
        ----------
        times_ns : ndarray of int64, shape (n,)
            At least one.
        columns : sequence of ndarray of float64, shape (n,)

        Returns
        -------
        ndarray of int64 or None
        """
        before_ns, values = self._before or (int(times_ns[0]) - 1, [np.nan] * len(columns))
        early = np.diff(times_ns, prepend=before_ns) < 1
        out = np.zeros(len(times_ns), bool)
        if early.any():
            if self._repeats:
                longer = [np.append(v, c) for v, c in zip(values, columns, strict=True)]
                out = early & (times_ns == np.append(before_ns, times_ns[:-1]))
                out &= _equal_to_earlier(longer, 1)
                if not self._may_repeat and out.mean() > _MAX_REPEATED:
                    out[:] = False  # a clock that stands still
                self.repeated += int(out.sum())
            if not self._may_repeat:
                early &= ~out
                early |= np.append(early[1:], False)
                out |= early & np.all([np.isnan(c) for c in columns], axis=0)
        kept = np.flatnonzero(~out) if out.any() else None
        last = -1 if kept is None else int(kept[-1]) if len(kept) else None
        if last is not None:
            self._before = int(times_ns[last]), [float(c[last]) for c in columns]
        return kept


def are_rows_repeated(times_ns: Times, columns: Columns) -> bool:
    """Return whether rows of one time are equal more often than chance makes neighbours equal.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
    columns : sequence of ndarray of float64, shape (n,)
    """
    if len(times_ns) < 3:
        return False
    same, apart = np.diff(times_ns) == 0, times_ns[2:] != times_ns[:-2]
    equal, second = (_equal_to_earlier(columns, rows) for rows in (1, 2))
    others = np.concatenate([equal[~same], second[apart]])
    by_chance = float(others.mean()) if len(others) else 1.0
    count = int((equal & same).sum())
    return count >= _MIN_REPEATED and count / int(same.sum()) > _ABOVE_CHANCE * by_chance


def _equal_to_earlier(columns: Columns, rows: int) -> NDArray[np.bool_]:
    """Return which rows have the samples, at least one, of the row so many rows before."""
    equal = np.ones(len(columns[0]) - rows, bool)
    finite = ~equal
    for column in columns:
        late, early = column[rows:], column[:-rows]
        equal &= (late == early) | (np.isnan(late) & np.isnan(early))
        finite |= np.isfinite(late)
    out: NDArray[np.bool_] = equal & finite
    return out
