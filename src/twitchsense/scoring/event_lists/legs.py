"""The leg of a mark, as people and programs write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError

Ints = NDArray[np.int64]

#: Values of the leg of a mark.
LEFT, RIGHT = 0, 1

#: Spellings of the legs, in lower case without blanks, dots, dashes and underscores.
_LEGS: Final[dict[str, int]] = {
    **dict.fromkeys(("left", "l", "leftleg", "legleft", "legl", "lleg", "lat"), LEFT),
    **dict.fromkeys(("right", "r", "rightleg", "legright", "legr", "rleg", "rat"), RIGHT),
}


def name_legs(
    words: Sequence[str], source: str, place: Callable[[int], str] | None = None
) -> NDArray[np.object_]:
    """Return the legs of marks that need not name one.

    Parameters
    ----------
    words : sequence of str, shape (n,)
        The leg of each mark, in any spelling that `parse_legs` accepts; empty if not known.
    source : str
        Name of the table in error messages.
    place : callable, optional
        Returns the place of a row in error messages; by default its number from 1.

    Returns
    -------
    ndarray of str objects, shape (n,)
        ``left``, ``right``, or empty.

    Raises
    ------
    InputError
        If a word is no leg.
    """
    locate = place or row_place
    rows = [row for row, word in enumerate(words) if word.strip()]
    legs = parse_legs([words[row] for row in rows], source, lambda k: locate(rows[k]))
    out = np.full(len(words), "", dtype=object)
    out[rows] = np.array(["left", "right"], dtype=object)[legs]
    return out


def parse_legs(words: Sequence[str], source: str, place: Callable[[int], str]) -> Ints:
    """Return the leg of each mark.

    Parameters
    ----------
    words : sequence of str, shape (n,)
        ``left`` or ``right``, ``L``, ``R``, ``lat`` and other spellings.
    source : str
        Name of the table in error messages.
    place : callable
        Returns the place of a row in error messages.

    Returns
    -------
    ndarray of int64, shape (n,)
        `LEFT` or `RIGHT`.

    Raises
    ------
    InputError
        If a word is no leg, or empty.
    """
    legs = np.empty(len(words), np.int64)
    for row, word in enumerate(words):
        key = "".join(c for c in word.lower() if c not in " ._-")
        if key not in _LEGS:
            problem = f"leg is {word!r}" if word.strip() else "leg is empty"
            cure = "write left or right, one row for each leg"
            raise InputError(source, problem, cure, place(row))
        legs[row] = _LEGS[key]
    return legs


def row_place(row: int) -> str:
    """Return the place of a row of a table, numbered from 1, for messages."""
    return f"row {row + 1}"
