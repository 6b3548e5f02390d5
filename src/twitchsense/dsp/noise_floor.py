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

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twitchsense.dsp.buffers import row_medians
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.floor_memory import FloorMemory, low_quantile
from twitchsense.dsp.native.floor import NativeFloorMemory

Floats = NDArray[np.float64]

#: Seconds at the start of a segment that share one floor, computed from themselves.
WARM_UP_S = 10
#: Factor from the MAD to the SD of a normal distribution.
MAD_TO_SD = 1.4826
#: Largest median of one second of an envelope that counts as a flat line.
MAX_FLAT_LINE = 1e-9


@dataclass(frozen=True, slots=True)
class FloorEstimate:
    """Envelope values and the noise floor that applies to each of them.

    Attributes
    ----------
    envelope : ndarray, shape (n,)
    centre : ndarray, shape (n,)
        Median of the noise.
    spread : ndarray, shape (n,)
        Robust SD of the noise.
    """

    envelope: Floats
    centre: Floats
    spread: Floats


class NoiseFloor:
    """Estimates the noise floor of an envelope that arrives in chunks.

    Parameters
    ----------
    rate : int
        Envelope values per second.
    memory_s : float
        Length of the past that the floor is estimated from, in s.
    quantile : float
        Quantile over the seconds of the memory (0.25: the quieter quarter).
    min_spread : float
        Lower bound of the spread, for coarsely quantised or constant signals.
    """

    def __init__(self, rate: int, memory_s: float, quantile: float, min_spread: float) -> None:
        self._rate = rate
        self._quantile = quantile
        self._min_spread = min_spread
        self._waiting = np.empty(0)
        self._n_returned = 0  # values of the unfinished second already returned
        memory = max(WARM_UP_S, round(memory_s)), quantile
        library = kernels()
        if library is None:
            self._centres: FloorMemory = FloorMemory(*memory)
            self._spreads: FloorMemory = FloorMemory(*memory)
        else:
            self._centres = NativeFloorMemory(library, *memory)
            self._spreads = NativeFloorMemory(library, *memory)
        self._current = np.empty(0), np.empty(0)  # centre and spread of the unfinished second
        self._warm = False

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
        n_seconds = len(self._waiting) // self._rate
        if not self._warm:
            if n_seconds < WARM_UP_S:
                return self._nothing()
            return self._warm_up(WARM_UP_S)
        return self._steady()

    def close(self) -> FloorEstimate:
        """End the signal and return the remaining values.

        Returns
        -------
        FloorEstimate
            A segment shorter than the warm-up gets one floor from all its whole
            seconds; a segment shorter than one second gets none.
        """
        if self._warm:
            return self._nothing()
        n_seconds = len(self._waiting) // self._rate
        return self._warm_up(n_seconds) if n_seconds else self._nothing()

    def _warm_up(self, n_seconds: int) -> FloorEstimate:
        n = self._rate
        head, self._waiting = self._waiting[: n_seconds * n], self._waiting[n_seconds * n :]
        centres, spreads, _ = _statistics(head.reshape(n_seconds, n))
        self._warm = True
        centre = np.full(len(head), low_quantile(centres, self._quantile))
        spread = np.full(len(head), low_quantile(spreads, self._quantile))
        end = np.array([len(centres)])
        self._current = self._centres.add(centres, end), self._spreads.add(spreads, end)
        rest = self._steady()
        return FloorEstimate(
            np.concatenate([head, rest.envelope]),
            np.concatenate([centre, rest.centre]),
            np.concatenate([np.maximum(spread, self._min_spread), rest.spread]),
        )

    def _steady(self) -> FloorEstimate:
        """Return all values not yet returned; `_waiting` keeps the unfinished second."""
        n = self._rate
        n_seconds = len(self._waiting) // n
        centres, spreads = self._current
        if not n_seconds:  # most packets complete no second
            fresh = self._waiting[self._n_returned :]
            self._n_returned = len(self._waiting)
            centre, spread = float(centres[0]), max(float(spreads[0]), self._min_spread)
            return FloorEstimate(fresh, np.full(len(fresh), centre), np.full(len(fresh), spread))
        found = _statistics(self._waiting[: n_seconds * n].reshape(n_seconds, n))
        # values known before each second after the first, the unfinished one included
        known = np.cumsum(found[2], dtype=np.int64)
        centres = np.append(centres, self._centres.add(found[0], known))
        spreads = np.append(spreads, self._spreads.add(found[1], known))
        self._current = centres[-1:], spreads[-1:]
        new = slice(self._n_returned, len(self._waiting))
        estimate = FloorEstimate(
            self._waiting[new],
            np.repeat(centres, n)[new],
            np.maximum(np.repeat(spreads, n)[new], self._min_spread),
        )
        self._waiting = self._waiting[n_seconds * n :].copy()
        self._n_returned = len(self._waiting)
        return estimate

    @staticmethod
    def _nothing() -> FloorEstimate:
        empty = np.empty(0)
        return FloorEstimate(empty, empty, empty)


def _statistics(seconds: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return medians and robust SDs of seconds that are not flat, and which these are.

    A flat line is not a quiet signal: if it entered the memory, the first noise after it would
    exceed the threshold.
    """
    centres = row_medians(seconds)
    spreads = MAD_TO_SD * row_medians(np.abs(seconds - centres[:, None]))
    alive = centres > MAX_FLAT_LINE
    return centres[alive], spreads[alive], alive


#: Number of values of the floor from which it is faster to look for its changes first.
_SHORT: Final = 2000


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
            As in `FloorEstimate`.

        Returns
        -------
        ndarray, shape (n,)
        """
        if not len(centre):
            return np.empty(0)
        if len(centre) < _SHORT:  # such as a packet
            ratio = spread / np.maximum(centre, 1e-12)
            return np.interp(ratio, self._ratios, self._multiples)
        # the floor changes once a second
        new = (np.diff(centre) != 0) | (np.diff(spread) != 0)
        first = np.concatenate([[0], np.flatnonzero(new) + 1])
        ratio = spread[first] / np.maximum(centre[first], 1e-12)
        multiples = np.interp(ratio, self._ratios, self._multiples)
        return np.repeat(multiples, np.diff(np.append(first, len(centre))))


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
