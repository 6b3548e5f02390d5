"""Leaves out rows without a sample whose times are out of order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def ordered_rows(
    times_ns: NDArray[np.int64],
    rows: NDArray[np.int64] | None,
    columns: Sequence[NDArray[np.float64]],
    before_ns: int | None,
) -> NDArray[np.int64] | None:
    """Return the rows to keep, or None if no row is left out.

    A row is left out if it has no sample and its time is out of order. Programs write marks into
    such rows, and a recording that was cut off ends in one.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        At least one.
    rows : ndarray of int64, shape (n,), or None
        Rows of `columns` that the times belong to; None if all rows have a time.
    columns : sequence of ndarray of float64, shape (rows,)
    before_ns : int or None
        Last time of the block before, if there is one.

    Returns
    -------
    ndarray of int64 or None
        Indices of the times.
    """
    first = times_ns[0] - 1 if before_ns is None else before_ns
    early = np.diff(times_ns, prepend=first) < 1
    if not early.any():
        return None
    early |= np.append(early[1:], False)
    empty = np.all([np.isnan(c if rows is None else c[rows]) for c in columns], axis=0)
    return np.flatnonzero(~(early & empty))
