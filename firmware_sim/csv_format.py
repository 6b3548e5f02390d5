"""Writing numbers as text quickly.

A night has about thirty million rows.  Formatting them one by one would take many minutes.
Therefore the digits of whole columns are computed at once, and unused places are removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64] | NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FixedPointColumn:
    """A column of fixed-point numbers.

    Attributes
    ----------
    values : ndarray of int, shape (n,)
        Multiples of ``10**-decimals``.
    decimals : int
        Digits after the point.
    present : ndarray of bool, shape (n,), or None
        False where the cell is empty; None if no cell is.
    """

    values: Integers
    decimals: int
    present: NDArray[np.bool_] | None = None


def scaled(counts: Integers, step: float, decimals: int) -> Integers:
    """Convert converter counts to fixed-point numbers.

    Parameters
    ----------
    counts : ndarray of int
    step : float
        Physical value of one count.
    decimals : int
        Digits after the point.

    Returns
    -------
    ndarray of int64
        ``counts * step``, rounded to multiples of ``10**-decimals``.
    """
    whole: NDArray[np.int64] = np.rint(counts * (step * 10.0**decimals)).astype(np.int64)
    return whole


def _digits(number: NDArray[np.uint32], places: int) -> NDArray[np.uint8]:
    """Return the decimal digits as characters, most significant first, one row per place."""
    out = np.empty((places, len(number)), np.uint8)
    rest = number
    for place in range(places - 1, -1, -1):
        shorter = rest // np.uint32(10)
        out[place] = (rest - shorter * np.uint32(10)).astype(np.uint8) + np.uint8(48)
        rest = shorter
    return out


def _cells(column: FixedPointColumn) -> list[NDArray[np.uint8]]:
    """Return the characters of a column, one row per place; 0 means no character."""
    size = np.abs(column.values.astype(np.int64))
    base = 10**column.decimals
    whole = (size // base).astype(np.uint32)
    part = (size - whole.astype(np.int64) * base).astype(np.uint32)
    places = len(str(int(whole.max(initial=0))))
    sign = np.where(column.values < 0, 45, 0).astype(np.uint8)
    head = _digits(whole, places)
    for place in range(places - 1):  # no leading zeros
        head[place][whole < 10 ** (places - 1 - place)] = 0
    rows = [sign[None, :], head]
    if column.decimals:
        rows.append(np.full((1, len(size)), 46, np.uint8))
        rows.append(_digits(part, column.decimals))
    if column.present is not None:
        for row in rows:
            row[:, ~column.present] = 0
    return rows


def format_rows(columns: list[FixedPointColumn]) -> bytes:
    """Return the rows as CSV text without a header.

    Parameters
    ----------
    columns : list of FixedPointColumn
        All of the same length.

    Returns
    -------
    bytes
    """
    count = len(columns[0].values)
    if count == 0:
        return b""
    comma = np.full((1, count), 44, np.uint8)
    stack: list[NDArray[np.uint8]] = []
    for index, column in enumerate(columns):
        if index:
            stack.append(comma)
        stack += _cells(column)
    stack.append(np.full((1, count), 10, np.uint8))
    text = np.ascontiguousarray(np.concatenate(stack).T).ravel()
    written: bytes = text[text != 0].tobytes()
    return written
