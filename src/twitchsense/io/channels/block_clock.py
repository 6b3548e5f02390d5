"""Times of the samples of files that store one timestamp for each block of samples.

Within a run of blocks without a gap the samples are evenly spaced: one period is fitted to
all runs, and a start to each. So a timestamp that is rounded or late moves no sample, and a
sensor that runs at 98.9 Hz instead of its nominal 100 Hz leaves no jumps between the blocks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

#: Minimum lateness of a block, in typical deviations of the timestamps, that is a gap.
_GAP_DEVIATIONS: Final = 8.0
#: Minimum lateness in sampling periods.
_GAP_PERIODS: Final = 1.5
#: Minimum lateness in units of the resolution of timestamps.
_GAP_RESOLUTIONS: Final = 2.0
#: Length of these spans in units of the resolution.
_SPAN_RESOLUTIONS: Final = 100
#: Blocks between which deviations are compared, and the least for which they are.
_LONGEST_LAG: Final = 64
_SHORTEST_LAG: Final = 8
#: Growth of the deviations that delays do not show, and drift of a crystal.
_GROWTH: Final = 1.45
_MAX_DRIFT: Final = 5e-5
#: Maximum relative distance of the fitted rate from the nominal one.
_MAX_RATE_ERROR: Final = 0.2


class BlockClock:
    """Fitted times of the samples of blocks.

    Parameters
    ----------
    starts_ns : ndarray of int64, shape (blocks,)
        Stored time of the first sample of each block.
    counts : ndarray of int64, shape (blocks,)
        Samples of each block, at least one.
    nominal_fs : float
        Sampling rate of the header in Hz.
    resolution_ns : int
        Resolution of `starts_ns`.
    lost : ndarray of int64, shape (blocks,), optional
        Samples that are known to be missing before each block.

    Attributes
    ----------
    fs : float
        Fitted rate in Hz, or the nominal rate where the timestamps cannot correct it.
    gaps : ndarray of int64, shape (gaps,)
        Blocks that follow a gap.
    overlap : int or None
        First block that begins before the end of the one before, by more than the error of
        the timestamps.
    wanders : bool
        Whether the deviations from the fit grow with time, as they do if the rate changes or
        samples are lost without a gap that can be seen.
    """

    def __init__(
        self,
        starts_ns: NDArray[np.int64],
        counts: NDArray[np.int64],
        nominal_fs: float,
        resolution_ns: int,
        lost: NDArray[np.int64] | None = None,
    ) -> None:
        self._index = np.cumsum(counts) - counts
        place = self._index if lost is None else self._index + np.cumsum(lost)
        self._zero_ns = int(starts_ns[0])
        since = (starts_ns - self._zero_ns).astype(np.float64)
        steps, sizes = np.diff(since), np.diff(place).astype(np.float64)
        period = _typical_period(since, place, resolution_ns, NS / nominal_fs)
        # the second pass knows the rate, and so finds shorter gaps
        for _ in range(2):
            late = steps - sizes * period
            limit = _gap_limit(late, period, resolution_ns)
            breaks = np.flatnonzero(np.abs(late) > limit)
            period = _fit_period(since, place, breaks + 1, period, NS / nominal_fs)
        late = steps - sizes * period
        limit = _gap_limit(late, period, resolution_ns)
        breaks = np.flatnonzero(np.abs(late) > limit)
        early = breaks[late[breaks] < 0]
        self.overlap = int(early[0]) + 1 if len(early) else None
        self.gaps = breaks + 1
        self.fs = NS / period
        runs = np.concatenate([[0], self.gaps])
        run_of_block = np.searchsorted(self.gaps, np.arange(len(counts)), side="right")
        offsets = place - place[runs][run_of_block]
        residuals = since - offsets * period
        blocks_in_run = np.bincount(run_of_block)
        run_starts = np.bincount(run_of_block, residuals) / blocks_in_run
        self._block_starts = run_starts[run_of_block] + offsets * period
        residuals = since - self._block_starts
        self.rms_error_ns = float(np.sqrt(np.mean(residuals**2)))
        self.wanders = _wander(residuals, since, run_of_block)

    def times(self, first: int, stop: int) -> NDArray[np.int64]:
        """Return the times of samples, numbered through all blocks.

        Parameters
        ----------
        first, stop : int
            Samples ``[first, stop)``.

        Returns
        -------
        ndarray of int64, shape (stop - first,)
            In ns.
        """
        low = int(np.searchsorted(self._index, first, side="right")) - 1
        high = int(np.searchsorted(self._index, stop, side="left"))
        inside = np.append(np.maximum(self._index[low:high], first), stop)
        counts = np.diff(inside)
        # time of the sample with number 0, if the spacing of the block began there
        zeros = self._block_starts[low:high] - self._index[low:high] * (NS / self.fs)
        since = np.repeat(zeros, counts) + np.arange(first, stop) * (NS / self.fs)
        times: NDArray[np.int64] = self._zero_ns + np.rint(since).astype(np.int64)
        return times


def _wander(residuals: Floats, since: Floats, run: NDArray[np.int64]) -> bool:
    """Return whether deviations from the fit (ns) grow with the time between two blocks."""
    lag = min(_LONGEST_LAG, len(residuals) // 4)
    if lag < _SHORTEST_LAG:
        return False
    # a delay of the network wanders too, over seconds; a night is long enough to tell
    spreads = []
    for k in (_LONGEST_LAG // 4 if lag == _LONGEST_LAG else 1, lag):
        same = run[k:] == run[:-k]
        if not same.any():
            return False
        spreads.append(np.sqrt(np.mean((residuals[k:] - residuals[:-k])[same] ** 2)))
    drift = _MAX_DRIFT * float(np.median(since[lag:] - since[:-lag]))
    return bool(spreads[1] > _GROWTH * spreads[0] + drift)


def _gap_limit(late: Floats, period: float, resolution_ns: int) -> float:
    """Return the lateness (ns) from which a block follows a gap."""
    if not len(late):
        return period
    deviation = 1.4826 * float(np.median(np.abs(late - np.median(late))))
    return max(_GAP_DEVIATIONS * deviation, _GAP_PERIODS * period, _GAP_RESOLUTIONS * resolution_ns)


def _typical_period(
    since: Floats, place: NDArray[np.int64], resolution_ns: int, nominal: float
) -> float:
    """Return the median period (ns) over spans that are long compared to the resolution."""
    if len(place) < 2:
        return nominal
    block_ns = float(np.median(np.diff(place))) * nominal
    span = min(max(1, round(_SPAN_RESOLUTIONS * resolution_ns / block_ns)), len(place) - 1)
    period = float(np.median((since[span:] - since[:-span]) / (place[span:] - place[:-span])))
    return period if abs(period / nominal - 1) < _MAX_RATE_ERROR else nominal


def _fit_period(
    since: Floats, place: NDArray[np.int64], gaps: NDArray[np.int64], period: float, nominal: float
) -> float:
    """Return the period (ns) that fits all runs best, or `period` if none has two blocks."""
    edges = np.concatenate([[0], gaps, [len(place)]])
    lengths = np.diff(edges)
    run = np.repeat(np.arange(len(lengths)), lengths)
    x = place - (np.bincount(run, place) / lengths)[run]
    y = since - (np.bincount(run, since) / lengths)[run]
    weight = float(x @ x)
    if not weight:
        return period
    fitted = float(x @ y) / weight
    return fitted if abs(fitted / nominal - 1) < _MAX_RATE_ERROR else nominal
