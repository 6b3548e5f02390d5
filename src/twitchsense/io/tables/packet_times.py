"""Spreads the samples of a packet that all have the time at which the packet arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.tables.packet_rate import PacketRate

#: Largest change of the delay, in packets, that is jitter.
_MAX_STEP: Final = 0.15
#: Packets on each side of which the median delay is taken.
_REACH: Final = 32
#: Error of rounded times, in sampling periods.
_TOLERANCE: Final = 0.02
#: Packets after which the delay of packets of a stated rate may grow.
_HOLD: Final = 32

Times = NDArray[np.int64]
Floats = NDArray[np.float64]
Columns = Sequence[Floats]


class PacketSpreader:
    """Gives each sample of a packet its own time, block by block.

    Arrival times jitter. The delay of a packet is its time less the number of samples before
    it, in periods. Where packets have one spacing, lost ones leave steps of whole spacings, and
    the packets around a packet show the delay between them. Otherwise the median of the delays
    around it keeps the steps, and not the jitter. The result does not depend on the blocks.

    Parameters
    ----------
    rate : PacketRate
    """

    def __init__(self, rate: PacketRate) -> None:
        self._period_ns = rate.period_ns
        self._spacing_ns = rate.spacing_ns
        self._stated = rate.stated
        self._rounded_ns: float | None = None
        self._least_step_ns: float | None = None
        if rate.rounded_by is not None:
            self._rounded_ns = rate.rounded_by * rate.period_ns
            self._least_step_ns = rate.least_gap_ns
        #: Number of packets before those held, and the delay (ns) that they have.
        self._packets = 0
        self._held = -np.inf
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
        if self._rounded_ns is not None:
            error_ns = self._rounded_ns + _TOLERANCE * self._period_ns
            smooth = _of_rounded_times(around, shown, error_ns)
        elif self._spacing_ns is not None:
            smooth = _on_grid(around, shown, self._spacing_ns)
        elif np.isnan(windows[[0, -1]]).any():
            # as many packets before as after, so that a loss stays where it was
            even = np.where(np.isnan(windows[:, ::-1]), np.nan, windows)
            smooth = np.nanmedian(even, axis=1)
        else:
            smooth = np.median(windows, axis=1)
        if self._stated:
            smooth = self._hold(smooth, count)
        end = int(starts[count]) if count < len(starts) else len(times)
        sizes = np.diff(np.append(starts[:count], end))
        # what jitter is left is spread over the packet; a step as long as a packet is a loss
        step = np.zeros(count)
        step[: shown - 1] = np.diff(smooth)[:count]
        step[np.abs(step) > (self._least_step_ns or _MAX_STEP * sizes * self._period_ns)] = 0
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
        self._packets += count
        taken = [c[:end] for c in self._columns]
        self._times, self._columns = times[end:], [c[end:] for c in self._columns]
        return spread, taken

    def _hold(self, smooth: Floats, count: int) -> Floats:
        """Return delays that grow in steps only, because losses alone change them."""
        held = np.empty(len(smooth))
        first = 0
        while first < len(smooth):
            # by the number of the packet, so that blocks do not matter
            past = (self._packets + first) % _HOLD
            if first < count and (past == 0 or self._held == -np.inf):
                self._held = max(self._held, float(smooth[first]))
            last = min(len(smooth), first + _HOLD - past)
            held[first:last] = self._held
            first = last
        return held


def _of_rounded_times(around: Floats, shown: int, error_ns: float) -> Floats:
    """Return delays of rounded times: they grow where rows are lost only.

    Rounding makes a delay later than the lowest of its stretch by no more than its error. So
    this one is at most the lowest of the delays after it, and not further before the highest of
    those before it. Of what the packets before allowed, the lowest within these limits is taken.

    Parameters
    ----------
    around : ndarray, shape (n + 2 * _REACH,)
        Delays of packets and of those before and after, NaN where there is none.
    shown : int
        Number of packets.
    error_ns : float
    """
    size = _REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(around, size)
    latest = np.fmin.reduce(windows, axis=1)
    earliest = np.fmax.reduce(windows[:shown], axis=1) - error_ns
    allowed = np.lib.stride_tricks.sliding_window_view(latest, size)[:shown]
    kept = np.where(allowed >= earliest[:, None], allowed, np.nan)
    delays: Floats = np.fmin(np.fmin.reduce(kept, axis=1), latest[_REACH : _REACH + shown])
    return delays


def _on_grid(around: Floats, shown: int, spacing_ns: float) -> Floats:
    """Return delays without jitter: those around them, and whole spacings of lost packets.

    The number of lost packets never falls: a packet that is later than those after it was
    delayed.

    Parameters
    ----------
    around : ndarray, shape (n + 2 * _REACH,)
        Delays of packets and of those before and after, NaN where there is none.
    shown : int
        Number of packets.
    spacing_ns : float
    """
    known = ~np.isnan(around)
    turns = np.zeros(len(around), complex)
    turns[known] = np.exp(2j * np.pi / spacing_ns * around[known])
    size = 2 * _REACH + 1
    phases = np.lib.stride_tricks.sliding_window_view(turns, size)[:shown].sum(axis=1)
    middle = np.angle(phases) * (spacing_ns / (2 * np.pi))
    after = np.lib.stride_tricks.sliding_window_view(around[_REACH:], _REACH + 1)[:shown]
    later = np.fmin.reduce(after, axis=1)
    on_grid: Floats = middle + np.rint((later - middle) / spacing_ns) * spacing_ns
    return on_grid
