"""The noise floor of an envelope, and the threshold that noise does not exceed.

`NoiseFloor`: each second of an envelope gives its median and its robust SD. The
floor that applies *during* a second is a low quantile of these values over the
seconds *before* it, so an event cannot raise its own threshold, and activity can
fill most of the memory before it counts as noise. After long activity the floor would
stay high for as long; it falls as soon as some seconds are much quieter. Only the first
seconds of a segment use later samples, because nothing precedes them.

`NoiseThreshold`: the RMS of Gaussian noise over a short window follows a chi
distribution. Its degrees of freedom are the number of independent values in the
window: twice the bandwidth times the window length. A narrow band (a low sampling
rate, a filtered amplifier) leaves few degrees of freedom and a long tail, so no
single multiple of the SD suits all signals. The ratio of spread to centre gives
the degrees of freedom.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twitchsense.dsp.buffers import fast_median
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.floor_memory import FloorMemories
from twitchsense.dsp.native.floor import NativeFloorMemories

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NO_VALUES: Final = np.empty(0)
#: Seconds at the start of a segment that share one floor, computed from themselves.
WARM_UP_S = 10


@dataclass(frozen=True, slots=True)
class FloorEstimate:
    """Envelope values and the noise floors that apply to them.

    Attributes
    ----------
    envelope : ndarray, shape (n,)
    lengths : ndarray of int64, shape (n_seconds,)
        Number of these values in each second that they touch.
    floors : ndarray, shape (n_memories, 1 or 2, n_seconds)
        For each memory, the median of the noise in each of these seconds and, if it is estimated,
        its robust SD.
    medians : ndarray, shape (m,)
        Medians of the seconds that have ended since the last call. A segment ends with a second
        that may be shorter.
    """

    envelope: Floats
    lengths: Ints
    floors: Floats
    medians: Floats

    def per_value(self, per_second: Floats) -> Floats:
        """Repeat a value of each second for each of its envelope values.

        Parameters
        ----------
        per_second : ndarray, shape (n_seconds,)

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.repeat(per_second, self.lengths)


class NoiseFloor:
    """Estimates the noise floor of an envelope that arrives in chunks.

    Parameters
    ----------
    rate : int
        Envelope values per second.
    *memories : (float, float)
        The length of the past that a floor is estimated from, in s, and the quantile over its
        seconds (0.25: the quieter quarter).
    min_spread : float, optional
        Lower bound of the spread, for coarsely quantised or constant signals. Without it, the
        spread is not estimated.
    """

    def __init__(
        self, rate: int, *memories: tuple[float, float], min_spread: float | None = None
    ) -> None:
        self._rate = rate
        self._least = [-np.inf] if min_spread is None else [-np.inf, min_spread]
        self._memories = _new_memories(memories, self._least)
        self._waiting = np.empty(0)  # the unfinished second, and before the warm-up all
        self._n_returned = 0  # values of the unfinished second already returned
        # floors of the unfinished second, shape (n_memories, n_series, 1); None before the warm-up
        self._current: Floats | None = None

    def __copy__(self) -> NoiseFloor:
        """Return a noise floor that goes on from here by itself."""
        other = object.__new__(NoiseFloor)
        vars(other).update(vars(self))
        other._memories = copy(self._memories)
        return other

    def push(self, envelope: Floats) -> FloorEstimate:
        """Append envelope values and return the values whose floor is known.

        Parameters
        ----------
        envelope : ndarray, shape (n,)

        Returns
        -------
        FloorEstimate
            Follows the values returned before without a gap.
        """
        self._waiting = np.concatenate([self._waiting, envelope])
        if self._current is None:
            return self._warm_up(WARM_UP_S)
        return self._steady(self._current)

    def close(self) -> FloorEstimate:
        """End the signal and return the remaining values.

        Returns
        -------
        FloorEstimate
            A segment shorter than the warm-up gets one floor from all its whole
            seconds; a segment shorter than one second gets none.
        """
        if self._current is None:
            rest = self._warm_up(max(1, len(self._waiting) // self._rate))
        else:
            rest = self._steady(self._current)
        if self._current is None or not len(self._waiting):
            return rest
        return replace(rest, medians=np.append(rest.medians, fast_median(self._waiting)))

    def _warm_up(self, n_seconds: int) -> FloorEstimate:
        """Give the first seconds one floor, from themselves, once they are complete."""
        n = self._rate
        head = self._waiting[: n_seconds * n]
        if len(head) < n_seconds * n:
            return self._nothing()
        self._waiting = self._waiting[len(head) :]
        medians, floors = self._memories.learn(head.reshape(n_seconds, n))
        first = np.maximum(self._memories.low(), self._least)[:, :, None]
        rest = self._steady(floors[:, :, -1:])
        return FloorEstimate(
            np.concatenate([head, rest.envelope]),
            np.concatenate([np.full(n_seconds, n), rest.lengths]),
            np.concatenate([np.repeat(first, n_seconds, axis=2), rest.floors], axis=2),
            np.concatenate([medians, rest.medians]),
        )

    def _steady(self, current: Floats) -> FloorEstimate:
        """Return all values not yet returned; `_waiting` keeps the unfinished second."""
        n, waiting, first = self._rate, self._waiting, self._n_returned
        n_seconds = len(waiting) // n
        if not n_seconds:  # most packets complete no second
            self._current, self._n_returned = current, len(waiting)
            lengths = np.array([len(waiting) - first])
            return FloorEstimate(waiting[first:], lengths, current, _NO_VALUES)
        medians, after = self._memories.learn(waiting[: n_seconds * n].reshape(n_seconds, n))
        lengths = np.full(n_seconds + 1, n)
        lengths[0] -= first
        lengths[-1] = len(waiting) - n_seconds * n
        self._current = after[:, :, -1:]
        self._waiting = waiting[n_seconds * n :].copy()
        self._n_returned = len(self._waiting)
        floors = np.concatenate([current, after], axis=2)
        return FloorEstimate(waiting[first:], lengths, floors, medians)

    def _nothing(self) -> FloorEstimate:
        none = self._memories.low()[:, :, None][:, :, :0]
        return FloorEstimate(_NO_VALUES, np.empty(0, np.int64), none, _NO_VALUES)


def _new_memories(
    memories: tuple[tuple[float, float], ...], least: list[float]
) -> FloorMemories | NativeFloorMemories:
    windows = [(max(WARM_UP_S, round(memory_s)), quantile) for memory_s, quantile in memories]
    library = kernels()
    if library is None:
        return FloorMemories(windows, least)
    return NativeFloorMemories(library, windows, least)


class NoiseThreshold:
    """Multiple of the robust SD that noise exceeds with a given probability.

    Parameters
    ----------
    min_multiple : float
        Lower bound of the multiple.
    p : float
        Probability per window that noise exceeds the threshold.
    """

    def __init__(self, min_multiple: float, p: float) -> None:
        self._ratios, multiples = _chi_table(p)
        self._multiples = np.maximum(multiples, min_multiple)

    def multiple(self, centre: Floats, spread: Floats) -> Floats:
        """Return the multiple for each value of the floor.

        Parameters
        ----------
        centre, spread : ndarray, shape (n,)
            As in `FloorEstimate.floors`.

        Returns
        -------
        ndarray, shape (n,)
        """
        ratio = spread / np.maximum(centre, 1e-12)
        return np.interp(ratio, self._ratios, self._multiples)


@lru_cache
def _chi_table(p: float) -> tuple[Floats, Floats]:
    """Return ratios of spread to centre, ascending, and the multiple for each."""
    freedom = np.geomspace(1.5, 400, 200)[::-1]
    median = np.sqrt(stats.chi2.median(freedom))
    # the interquartile range in place of the MAD: within a percent, and in closed form
    lower, upper = (np.sqrt(stats.chi2.ppf(q, freedom)) for q in (0.25, 0.75))
    spread = (upper - lower) / 1.349
    tail = np.sqrt(stats.chi2.isf(p, freedom))
    return spread / median, (tail - median) / spread
