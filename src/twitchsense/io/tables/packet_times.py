"""Spreads the samples of a packet that all have the time at which the packet arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Minimum share of rows that repeat the time before, from which rows come in packets.
_MIN_REPEATS: Final = 0.25
#: Maximum size of a packet.
_MAX_PACKET: Final = 4096
#: Packets on each side of a loss whose medians show it, and how often the period is refined.
_NEAR: Final = 8
_REFINEMENTS: Final = 3
#: Largest change of the delay, in packets, that is jitter.
_MAX_STEP: Final = 0.15
#: Packets on each side of which the median delay is taken.
_REACH: Final = 32

Times = NDArray[np.int64]
Columns = Sequence[NDArray[np.float64]]


def packet_period(times_ns: Times) -> float | None:
    """Return the sampling period of rows that come in packets of one time.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        First times of a table.

    Returns
    -------
    float or None
        In ns; None if the rows do not come in packets.
    """
    if len(times_ns) < 8:
        return None
    steps = np.diff(times_ns)
    if (steps < 0).any() or (steps == 0).mean() < _MIN_REPEATS:
        return None
    starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
    if len(starts) < 4:
        return None
    sizes = np.diff(starts)
    if int(sizes.max()) > _MAX_PACKET:
        return None
    # the last packet may be cut off, and so may the first
    periods = np.diff(times_ns[starts])[1:] / sizes[1:]
    # arrival times jitter: the mean of all packets but those after a loss
    usual = periods < 1.5 * float(np.median(periods))
    period = float(np.average(periods[usual], weights=sizes[1:][usual]))
    # that leaves out late packets too: the delays between losses have no slope at the true period
    for _ in range(_REFINEMENTS):
        period += _slope(times_ns[starts] - times_ns[0], starts, period)
    return period


def _slope(times_ns: Times, counts: NDArray[np.int64], period_ns: float) -> float:
    """Return by how much the delays of packets grow per sample, where no packet was lost."""
    delays = times_ns - counts * period_ns
    size = _NEAR if len(delays) >= 4 * _NEAR else 1
    medians = np.median(np.lib.stride_tricks.sliding_window_view(delays, size), axis=1)
    steps = np.zeros(len(delays))
    steps[size : len(delays) - size + 1] = medians[size:] - medians[:-size]
    packet_ns = 0.6 * period_ns * float(np.median(np.diff(counts)))
    # around a loss the delays stay larger, and the packet after it comes late
    run = np.cumsum((steps > packet_ns) & (np.diff(delays, prepend=delays[:1]) > packet_ns))
    centred_t = delays - (np.bincount(run, delays) / np.bincount(run))[run]
    centred_n = counts - (np.bincount(run, counts) / np.bincount(run))[run]
    spread = float(centred_n @ centred_n)
    return float(centred_t @ centred_n) / spread if spread else 0.0


class PacketSpreader:
    """Gives each sample of a packet its own time, block by block.

    Arrival times jitter. The delay of a packet is its time less the number of samples before
    it, in periods; the median of the delays around it keeps the steps that lost packets leave,
    and not the jitter. The result does not depend on the blocks.

    Parameters
    ----------
    period_ns : float
    """

    def __init__(self, period_ns: float) -> None:
        self._period_ns = period_ns
        self._times: Times = np.empty(0, np.int64)
        self._columns: list[NDArray[np.float64]] = []
        #: Delays (ns) of the packets before, NaN before the first.
        self._before = np.full(_REACH, np.nan)
        #: Time of the first packet, number of samples before those held, and last time given.
        self._origin: int | None = None
        self._count = 0
        self._last = np.iinfo(np.int64).min

    def push(self, times_ns: Times, columns: Columns) -> tuple[Times, list[NDArray[np.float64]]]:
        """Return the samples of packets after which enough others are known.

        Parameters
        ----------
        times_ns : ndarray of int64, shape (n,)
            Times that do not decrease.
        columns : sequence of ndarray, shape (n,)

        Returns
        -------
        times_ns : ndarray of int64, shape (m,)
            Increasing.
        columns : list of ndarray, shape (m,)
        """
        held = self._columns or [np.empty(0) for _ in columns]
        self._columns = [np.concatenate([a, b]) for a, b in zip(held, columns, strict=True)]
        self._times = np.concatenate([self._times, times_ns])
        return self._take(_REACH + 1)

    def close(self) -> tuple[Times, list[NDArray[np.float64]]]:
        """Return the samples of the last packets."""
        return self._take(0)

    def _take(self, held: int) -> tuple[Times, list[NDArray[np.float64]]]:
        """Return the samples of all packets but the last ones, which stay held."""
        times = self._times
        starts = np.flatnonzero(np.diff(times, prepend=times[:1] - 1))
        count = max(0, len(starts) - held)
        if not count:
            return np.empty(0, np.int64), [c[:0] for c in self._columns]
        if self._origin is None:
            self._origin = int(times[0])
        index = self._count + starts
        delays = (times[starts] - self._origin) - index * self._period_ns
        if not self._count and len(starts) > 2 and starts[1] < starts[2] - starts[1]:
            delays[0] = delays[1]  # the first packet may have begun before the file
        # one packet more than is given out, to which the last of these leads
        shown = min(count + 1, len(starts))
        after = max(0, _REACH - (len(starts) - shown))
        around = np.concatenate([self._before, delays, np.full(after, np.nan)])
        windows = np.lib.stride_tricks.sliding_window_view(around, 2 * _REACH + 1)[:shown]
        if np.isnan(windows[[0, -1]]).any():
            # as many packets before as after, so that a loss stays where it was
            even = np.where(np.isnan(windows[:, ::-1]), np.nan, windows)
            smooth = np.nanmedian(even, axis=1)
        else:
            smooth = np.median(windows, axis=1)
        end = int(starts[count]) if count < len(starts) else len(times)
        sizes = np.diff(np.append(starts[:count], end))
        # what jitter is left is spread over the packet; a step as long as a packet is a loss
        step = np.zeros(count)
        step[: shown - 1] = np.diff(smooth)[:count]
        step[np.abs(step) > _MAX_STEP * sizes * self._period_ns] = 0
        within = np.arange(end) - np.repeat(starts[:count], sizes)
        placed = (
            np.repeat(smooth[:count], sizes)
            + within * np.repeat(step / sizes, sizes)
            + (self._count + np.arange(end)) * self._period_ns
        )
        spread: Times = self._origin + np.rint(placed).astype(np.int64)
        # jitter that the median leaves never reverses the order
        order = np.arange(end)
        spread = np.maximum.accumulate(np.maximum(spread, self._last + 1) - order) + order
        self._last = int(spread[-1])
        self._before = around[count : count + _REACH]
        self._count += end
        taken = [c[:end] for c in self._columns]
        self._times, self._columns = times[end:], [c[end:] for c in self._columns]
        return spread, taken
