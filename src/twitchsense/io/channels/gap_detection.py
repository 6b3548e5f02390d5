"""Splits the timestamps of a channel into runs without gaps.

A step longer than the period may be a gap or one late timestamp. It is a gap if the
timestamps stay late, that is, if none of the next few returns to where the timestamps before
predict it. Timestamps are processed in blocks of fixed size, so that the result does not
depend on how the file was divided.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.channels.sampling_rate import (
    LEARNING_SIZE,
    Floats,
    Timestamps,
    estimate_period,
    find_rate_change,
    pooled_slope,
    round_rate,
)
from twitchsense.model.channels import NS

#: A run of timestamps without a gap: index of its first timestamp, number of timestamps, time
#: of the first (ns), and sums over its residuals ``r = t - start - i * period`` (ns).
RUN: Final = np.dtype(
    [
        ("first", np.int64),
        ("count", np.int64),
        ("start", np.int64),
        ("sum_r", np.float64),
        ("sum_ir", np.float64),
        ("sum_rr", np.float64),
        ("low", np.float64),
        ("high", np.float64),
    ]
)
Runs = NDArray[np.void]

#: Timestamps processed at once.
BLOCK: Final = 1 << 16
#: Timestamps after a long step that must all be late.
_AFTER: Final = 8
#: Timestamps before a long step from which the expected time is computed.
_BEFORE: Final = 32
#: Minimum step, in periods, that may be a gap. A lost row between timestamps with a jitter of
#: 0.3 periods leaves a step of 1.4.
_MIN_STEP: Final = 1.35
#: Minimum lateness, in periods, of the timestamps after a gap.
_MIN_LATENESS: Final = 0.5
#: The same where rounding looks like a lost row: the resolution is nearly one period.
_MIN_COARSE_LATENESS: Final = 1.2
#: Range of the distance, in resolutions, of the period from the resolution where this is so.
_COARSE_RANGE: Final = (0.002, 0.1)
#: Maximum gap, in periods, after which the samples are expected on the same grid.
_MAX_GAP_ON_GRID: Final = 1000.0
#: Least period of the timestamps, in periods of the stated rate; a longer one has missing rows.
_MIN_STATED_PERIOD: Final = 0.9
#: Maximum number of gaps per timestamp.
_MAX_GAP_RATE: Final = 1 / 3
#: Steps over which the rate after a change is estimated.
_CHANGED_STEPS: Final = 256


class IrregularSamplingError(Exception):
    """Timestamps do not belong to one sampling rate.

    Parameters
    ----------
    time_ns : int
        Timestamp at which this shows.
    problem : str
    cure : str
    column : str
        Name in the file.
    """

    def __init__(
        self,
        time_ns: int,
        problem: str,
        cure: str = "give each signal one rate: resample it, or split the channel into two names",
        column: str = "",
    ) -> None:
        super().__init__(problem)
        self.time_ns = time_ns
        self.problem = problem
        self.cure = cure
        self.column = column


class TimestampSegmenter:
    """Splits the timestamps of one channel into runs, in blocks of any size.

    Attributes
    ----------
    period : float
        Reference period in ns; zero until it has been estimated.
    round_fs : float or None
        Round rate in Hz that the reference period corresponds to, if any.
    resolution : int
        Largest power of ten (ns) that divides all timestamps, at most a second.
    written_resolution : int
        Resolution (ns) of the decimals with which the timestamps are written; 0 if unknown.
    binary_resolution : int
        Resolution (ns) of timestamps that were stored in single precision; 0 if they were not.
    stated_fs : float or None
        Sampling rate in Hz that the user states; the timestamps refine it.
    least_gap_ns : float
        Least time (ns) that is missing where samples are lost, if it is known.
    """

    def __init__(self) -> None:
        self.stated_fs: float | None = None
        self.period = 0.0
        self.round_fs: float | None = None
        self.resolution = NS
        self.written_resolution = 0
        self.binary_resolution = 0
        self.least_gap_ns = 0.0
        self._pending: list[Timestamps] = []
        self._pending_count = 0
        self._done = 0
        self._last = 0
        #: Lateness of the last timestamps in ns, relative to the very last.
        self._lateness: Floats = np.empty(0)
        self._runs: list[Runs] = []

    def push(self, times_ns: Timestamps) -> None:
        """Add timestamps.

        Parameters
        ----------
        times_ns : ndarray of int64, shape (n,)
            Increasing, and later than those before.

        Raises
        ------
        IrregularSamplingError
            If the timestamps do not belong to one sampling rate.
        """
        self._pending.append(times_ns)
        self._pending_count += len(times_ns)
        if self._pending_count < BLOCK + _AFTER:
            return
        pending = np.concatenate(self._pending)
        start = 0
        while len(pending) - start >= BLOCK + _AFTER:
            self._process(pending[start : start + BLOCK + _AFTER], BLOCK)
            start += BLOCK
        self._pending = [pending[start:].copy()]
        self._pending_count = len(pending) - start

    def close(self) -> Runs:
        """Process the remaining timestamps and return all runs.

        Returns
        -------
        structured ndarray of `RUN`, shape (runs,)
            In order of time.

        Raises
        ------
        IrregularSamplingError
            If the timestamps do not belong to one sampling rate.
        """
        pending = np.concatenate([np.empty(0, np.int64), *self._pending])
        self._pending = []
        if len(pending):
            self._process(pending, len(pending))
        runs = np.concatenate(self._runs) if self._runs else np.empty(0, RUN)
        # every third row may be missing, which leaves runs of two
        every_third = len(runs) > 2 and (runs["count"][1:-1] == 2).all()
        if len(runs) - 1 > max(1, self._done * _MAX_GAP_RATE) and not every_third:
            raise IrregularSamplingError(int(runs["start"][1]), "timestamps are not regular")
        return runs

    def _process(self, times_ns: Timestamps, n: int) -> None:
        """Process the first `n` timestamps; those after are look-ahead."""
        if not self.period:
            self._estimate_period(times_ns)
        steps = self._steps(times_ns)
        gaps = self._find_gaps(times_ns, steps, n)
        self._check_rate(times_ns, steps[:n], gaps)
        while self.resolution > 1 and (times_ns[:n] % self.resolution).any():
            self.resolution //= 10
        self._append_runs(times_ns[:n], gaps)
        self._last = int(times_ns[n - 1])
        self._done += n

    def _estimate_period(self, times_ns: Timestamps) -> None:
        """Set the reference period from the first timestamps."""
        head = times_ns[:LEARNING_SIZE]
        period: float | None
        period = estimate_period(head, self.written_resolution, self.binary_resolution)
        if self.stated_fs is not None:
            stated = NS / self.stated_fs
            if period is not None and period < _MIN_STATED_PERIOD * stated:
                raise IrregularSamplingError(
                    int(head[0]),
                    f"the times are those of {NS / period:.6g} Hz, not of the stated "
                    f"{self.stated_fs:g} Hz",
                    "leave out --fs, or state the true rate",
                )
            period = stated
        if period is None:
            raise IrregularSamplingError(int(head[0]), "timestamps are not regular")
        self.period = period
        steps = self._steps(head)
        gaps = self._find_gaps(head, steps, len(head))
        self._lateness = np.empty(0)
        self._check_rate(head, steps, gaps)
        # now that the gaps are known, all runs together give a better estimate
        self.period = pooled_slope(head, gaps) or self.period
        self.round_fs = round_rate(self.period)
        if self.round_fs:
            self.period = NS / self.round_fs

    def _steps(self, times_ns: Timestamps) -> Floats:
        """Return the step to each timestamp from the one before; a period for the very first."""
        steps = np.empty(len(times_ns))
        np.subtract(times_ns[1:], times_ns[:-1], out=steps[1:])
        steps[0] = float(times_ns[0] - self._last) if self._done else self.period
        return steps

    def _find_gaps(self, times_ns: Timestamps, steps: Floats, n: int) -> NDArray[np.int64]:
        """Return the indices below `n` of timestamps that follow a gap."""
        period = self.period
        least = max(_MIN_LATENESS * period, self.least_gap_ns)
        if self.binary_resolution:
            low, high = _COARSE_RANGE
            if low < abs(period / self.binary_resolution - 1) < high:
                least = _MIN_COARSE_LATENESS * period
        origin = self._last if self._done else int(times_ns[0])
        candidates = np.flatnonzero(steps[:n] > _MIN_STEP * period)
        # without a candidate, only the end is of interest
        first = 0 if len(candidates) else max(0, n - _BEFORE)
        index = np.arange(first, len(times_ns)) + (1 if self._done else 0)
        lateness = (times_ns[first:] - origin).astype(np.float64) - index * period
        # `lateness` after subtraction of the gaps found so far
        aligned = np.concatenate([self._lateness, lateness])
        lead = len(self._lateness)
        end = lead + n - first
        candidates += lead
        lows = np.empty(0)
        if len(candidates):
            padded = np.append(aligned, np.full(_AFTER, np.inf))
            lows = padded[candidates[:, None] + np.arange(_AFTER)].min(axis=1)
            before = np.maximum(candidates[:, None] - 1 - np.arange(_AFTER), 0)
            # a cheap test that excludes most late timestamps
            likely = lows - aligned[before].min(axis=1) > 0.6 * least
            candidates, lows = candidates[likely], lows[likely]
        gaps: list[int] = []
        total_gap, done, run_start = 0.0, lead, 0
        stops = np.append(candidates, len(aligned))[1:]
        for i, low, stop in zip(candidates.tolist(), lows.tolist(), stops.tolist(), strict=True):
            aligned[done:i] -= total_gap
            done = i
            expected = float(np.median(aligned[max(run_start, i - _BEFORE) : i]))
            if low - total_gap - expected <= least:
                continue
            after = float(np.median(aligned[i : min(i + _AFTER, stop)])) - total_gap
            gap = after - expected
            if gap < _MAX_GAP_ON_GRID * period:
                # rows were lost: the samples after the gap stay on the grid
                total_gap += max(1, round(gap / period)) * period
            else:
                # the phase after the gap is unknown: expectations start again
                total_gap += gap
                run_start = i
            gaps.append(i - lead)
        aligned[done:] -= total_gap
        tail = aligned[max(run_start, end - _BEFORE) : end]
        self._lateness = tail - tail[-1]
        return np.array(gaps, np.int64)

    def _check_rate(self, times_ns: Timestamps, steps: Floats, gaps: NDArray[np.int64]) -> None:
        """Raise `IrregularSamplingError` where another sampling rate begins."""
        i = find_rate_change(steps, self.period, gaps)
        if i is not None:
            other = float(np.median(steps[i : i + _CHANGED_STEPS]))
            raise IrregularSamplingError(
                int(times_ns[i]),
                f"the sampling rate changes from {NS / self.period:.6g} to {NS / other:.6g} Hz",
            )

    def _append_runs(self, times_ns: Timestamps, gaps: NDArray[np.int64]) -> None:
        """Add timestamps to the open run and to the runs that start at `gaps`."""
        joins = bool(self._done) and not (len(gaps) and gaps[0] == 0)
        starts = gaps if len(gaps) and gaps[0] == 0 else np.concatenate([[0], gaps])
        runs = np.zeros(len(starts), RUN)
        runs["count"] = np.diff(np.append(starts, len(times_ns)))
        runs["first"] = starts + self._done
        runs["start"] = times_ns[starts]
        offsets = np.zeros(len(starts), np.int64)
        if joins:
            open_run = self._runs[-1][-1]
            offsets[0] = open_run["count"]
            runs["start"][0], runs["first"][0] = open_run["start"], open_run["first"]
        if len(starts) == 1:
            i = np.arange(len(times_ns)) + offsets[0]
            r = (times_ns - runs["start"][0]).astype(np.float64)
        else:
            i = np.arange(len(times_ns)) - np.repeat(starts - offsets, runs["count"])
            r = (times_ns - np.repeat(runs["start"], runs["count"])).astype(np.float64)
        r -= i * self.period
        runs["sum_r"] = np.add.reduceat(r, starts)
        runs["sum_ir"] = np.add.reduceat(i * r, starts)
        runs["sum_rr"] = np.add.reduceat(r * r, starts)
        runs["low"] = np.minimum.reduceat(r, starts)
        runs["high"] = np.maximum.reduceat(r, starts)
        if joins:
            for name in ("count", "sum_r", "sum_ir", "sum_rr"):
                self._runs[-1][name][-1] += runs[name][0]
            self._runs[-1]["low"][-1] = min(open_run["low"], runs["low"][0])
            self._runs[-1]["high"][-1] = max(open_run["high"], runs["high"][0])
            runs = runs[1:]
        if len(runs):
            self._runs.append(runs)
