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
    kept = periods[periods < 1.5 * float(np.median(periods))]
    weights = sizes[1:][periods < 1.5 * float(np.median(periods))]
    return float(np.average(kept, weights=weights))


class PacketSpreader:
    """Gives each sample of a packet its own time, block by block.

    The first sample keeps the time of the packet. The last packet of a block is held back
    until its end is known.

    Parameters
    ----------
    period_ns : float
    """

    def __init__(self, period_ns: float) -> None:
        self._period_ns = period_ns
        self._times: Times = np.empty(0, np.int64)
        self._columns: list[NDArray[np.float64]] = []

    def push(self, times_ns: Times, columns: Columns) -> tuple[Times, list[NDArray[np.float64]]]:
        """Return the samples of whole packets.

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
        times_ns = np.concatenate([self._times, times_ns])
        held = self._columns or [np.empty(0) for _ in columns]
        joined = [np.concatenate([a, b]) for a, b in zip(held, columns, strict=True)]
        if not len(times_ns):
            return times_ns, joined
        last = int(np.searchsorted(times_ns, times_ns[-1]))
        self._times = times_ns[last:]
        self._columns = [c[last:] for c in joined]
        return self._spread(times_ns[: last + 1])[:last], [c[:last] for c in joined]

    def close(self) -> tuple[Times, list[NDArray[np.float64]]]:
        """Return the samples of the last packet."""
        return self._spread(self._times), self._columns

    def _spread(self, times_ns: Times) -> Times:
        """Return the times of samples; the last packet of `times_ns` may be incomplete."""
        if not len(times_ns):
            return times_ns
        starts = np.concatenate([[0], np.flatnonzero(np.diff(times_ns)) + 1])
        sizes = np.diff(np.append(starts, len(times_ns)))
        within = np.arange(len(times_ns)) - np.repeat(starts, sizes)
        room = np.full(len(starts), np.inf)
        room[:-1] = np.diff(times_ns[starts]) / sizes[:-1]
        period = np.repeat(np.minimum(self._period_ns, room), sizes)
        spread: Times = times_ns + np.rint(within * period).astype(np.int64)
        return spread
