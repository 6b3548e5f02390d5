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

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import stats

from twitchsense.dsp.buffers import row_medians

Floats = NDArray[np.float64]

#: Seconds after which a floor follows a signal that has become much quieter.
FALL_S = 5
#: Ratio of the median of these seconds to the floor below which the signal is much quieter [E].
MUCH_QUIETER = 0.7
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
        self._memory = max(WARM_UP_S, round(memory_s))
        self._quantile = quantile
        self._min_spread = min_spread
        self._waiting = np.empty(0)
        self._n_returned = 0  # values of the unfinished second already returned
        self._centres = np.empty(0)
        self._spreads = np.empty(0)
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
        self._remember(head.reshape(n_seconds, n))
        self._warm = True
        centre = np.full(len(head), self._low(self._centres))
        spread = np.full(len(head), self._low(self._spreads))
        ends = np.array([len(self._centres)])
        self._current = self._rolling(self._centres, ends), self._rolling(self._spreads, ends)
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
        before = len(self._centres)
        alive = self._remember(self._waiting[: n_seconds * n].reshape(n_seconds, n))
        # length of the memory before each second after the first, the unfinished one included
        ends = before + np.cumsum(alive)
        centres = np.append(centres, self._rolling(self._centres, ends))
        spreads = np.append(spreads, self._rolling(self._spreads, ends))
        self._current = centres[-1:], spreads[-1:]
        self._centres = self._centres[-self._memory :]
        self._spreads = self._spreads[-self._memory :]
        new = slice(self._n_returned, len(self._waiting))
        estimate = FloorEstimate(
            self._waiting[new],
            np.repeat(centres, n)[new],
            np.maximum(np.repeat(spreads, n)[new], self._min_spread),
        )
        self._waiting = self._waiting[n_seconds * n :].copy()
        self._n_returned = len(self._waiting)
        return estimate

    def _remember(self, seconds: Floats) -> NDArray[np.bool_]:
        """Add seconds, shape ``(n, rate)``, to the memory; return which were not flat.

        A flat line is not a quiet signal: if it entered the memory, the first noise
        after it would exceed the threshold.
        """
        centres = row_medians(seconds)
        spreads = MAD_TO_SD * row_medians(np.abs(seconds - centres[:, None]))
        alive = centres > MAX_FLAT_LINE
        self._centres = np.concatenate([self._centres, centres[alive]])
        self._spreads = np.concatenate([self._spreads, spreads[alive]])
        return alive

    def _low(self, memory: Floats) -> float:
        """Return the quantile of a memory; 0 if it is empty."""
        if len(memory) == 0:
            return 0.0
        return float(np.sort(memory)[self._rank(len(memory))])

    def _rolling(self, memory: Floats, ends: NDArray[np.int64]) -> Floats:
        """Return the floor from the values just before each end, shape ``(len(ends),)``."""
        out = np.empty(len(ends))
        short = ends < self._memory
        for i in np.flatnonzero(short):
            out[i] = self._low(memory[: ends[i]])
        if not short.all():
            windows = sliding_window_view(memory, self._memory)[ends[~short] - self._memory]
            out[~short] = np.sort(windows, axis=1)[:, self._rank(self._memory)]
        if len(memory) >= FALL_S:
            enough = ends >= FALL_S
            windows = sliding_window_view(memory, FALL_S)[ends[enough] - FALL_S]
            recent = row_medians(windows)
            out[enough] = np.where(recent < MUCH_QUIETER * out[enough], recent, out[enough])
        return out

    def _rank(self, count: int) -> int:
        """Return the rank of the quantile among `count` sorted values, rounded down."""
        return int(self._quantile * (count - 1))

    @staticmethod
    def _nothing() -> FloorEstimate:
        empty = np.empty(0)
        return FloorEstimate(empty, empty, empty)


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
        ratio = spread / np.maximum(centre, 1e-12)
        return np.asarray(np.interp(ratio, self._ratios, self._multiples))


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
