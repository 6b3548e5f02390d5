"""The length of an epoch, read off the onsets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.hypnogram import to_us


def epoch_of_steps(onset_s: NDArray[np.float64], source: str, place: Callable[[int], str]) -> float:
    """Return the one distance of which all steps between onsets are multiples.

    Raises
    ------
    InputError
        If there are fewer than two onsets, they don't grow, or are uneven.
    """
    cure = "give the column duration (s)"
    if len(onset_s) < 2:
        raise InputError(source, "has no column 'duration', nor two onsets to measure it by", cure)
    step = np.diff(to_us(onset_s))
    if (step <= 0).any():
        where = place(int(np.argmax(step <= 0)) + 1)
        raise InputError(source, "begins no later than the row above", "sort by onset", where)
    shortest = int(step.min())
    uneven = step % shortest != 0
    if uneven.any():
        where = place(int(np.argmax(uneven)) + 1)
        raise InputError(source, "has no column 'duration', and uneven onsets", cure, where)
    return shortest / 1e6
