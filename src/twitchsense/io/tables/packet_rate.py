"""The sampling rate of rows that come in packets of one time.

The time of a packet is that of its arrival: later than its samples by a delay that changes,
and packets get lost. Two things tell the rate none the less. Without losses, rows and time
grow together, and the delay stays within limits. With losses, packets of one size arrive at
multiples of one period, as long as their delays differ by less than it. Where neither is so,
the rate cannot be known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.tables.rounded_rate import rounded_rate
from twitchsense.model.channels import NS

Times = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Minimum share of rows that repeat the time before, from which rows come in packets.
_MIN_REPEATS: Final = 0.25
#: Step (ns) below which rows are of one packet: 10 kHz.
_WITHIN_PACKET_NS: Final = 100_000
#: Maximum size of a packet.
_MAX_PACKET: Final = 4096
#: Step, in median steps, from which the recording may have been interrupted.
_INTERRUPTION: Final = 20.0
#: Windows in which the delays are compared, and the packets each needs.
_WINDOWS: Final = 32
_SHORT_WINDOWS: Final = 128
_MIN_WINDOW: Final = 2
#: Highest share of lost packets that is taken for none: the rate is off by no more.
_MAX_UNSEEN_LOSS: Final = 0.003
#: Ratio of the share of losses that may be to the one that the delays show.
_UNCERTAINTY: Final = 4.0
#: Packets over which a period must keep its phase, at first and in refinements.
_COHERENT: Final = (256, 1024, 4096)
#: Pieces of the recording in which the period is searched.
_PIECES: Final = 6
#: Range of the mean step of packets, in periods: up to half of them may be lost.
_LOSS_RANGE: Final = (0.93, 2.2)
#: Coherence of arrivals with a period (1 is exact), and how many times that of chance it must be.
_MIN_COHERENCE: Final = 0.25
_MIN_ABOVE_CHANCE: Final = 12.0
#: Distance from a period, in cycles of the window, from which another period is told from it.
_LINE_WIDTH: Final = 8.0
#: Share of the highest coherence from which the longest of several periods counts.
_NEARLY_BEST: Final = 0.8
#: Minimum share of packets of one size.
_ONE_SIZE: Final = 0.95
#: Minimum ratio of the variance of losses to that of losses at random.
_MIN_IRREGULAR: Final = 0.6
#: Maximum relative distance of the rate that is found from the one that the user states.
_STATED_TOLERANCE: Final = 0.01
#: Most rows for their time, as a share of those that the stated rate gives.
_MAX_SURPLUS: Final = 1.003
#: Least missing time where times are rounded, in sampling periods, beyond the error of rounding.
_ROUNDED_MARGIN: Final = 0.6
#: Tick (ns) of the clock of Windows, on which all arrivals may lie, and its relative tolerance.
_TICK_NS: Final = 1e9 / 64
_TICK_TOLERANCE: Final = 0.002
#: Share of lost packets from which a period is that of packets with losses.
_SOME_LOSS: Final = 0.03
#: Coherence from which times lie on a grid, which may be that of the receiver.
_GRID: Final = 0.9


class UnknownRateError(Exception):
    """Packets arrive so irregularly that lost packets and another rate look the same."""


@dataclass(frozen=True, slots=True)
class PacketRate:
    """Rate of rows that come in packets of one time.

    Attributes
    ----------
    period_ns : float
        Sampling period.
    spacing_ns : float or None
        Time between packets of which none is lost; None if packets do not have one size, or
        if their delays differ by more than this time.
    least_gap_ns : float
        Least time that is missing where rows are lost: half a packet, if whole packets are.
    rounded_by : int or None
        If rows have one time because it is rounded, so that single rows may be lost: the sampling
        periods by which rounding changes their times.
    stated : bool
        Whether the user states the rate, which the times do not show.
    """

    period_ns: float
    spacing_ns: float | None
    least_gap_ns: float = 0.0
    rounded_by: int | None = None
    stated: bool = False


class PacketTimes:
    """Gives all rows of a packet the time of its first row, block by block.

    Some programs stamp the rows of a packet one by one as they arrive, microseconds apart: no
    sensor samples as fast.
    """

    def __init__(self) -> None:
        self._first = self._last = -(1 << 62)

    def join(self, times_ns: Times) -> Times:
        """Return the times of packets, shape (n,).

        Parameters
        ----------
        times_ns : ndarray of int64, shape (n,)
            That do not decrease.
        """
        if not len(times_ns):
            return times_ns
        starts = np.diff(times_ns, prepend=self._last) >= _WITHIN_PACKET_NS
        first = np.maximum.accumulate(np.where(starts, np.arange(len(times_ns)), -1))
        joined: Times = np.where(first < 0, self._first, times_ns[np.maximum(first, 0)])
        self._first, self._last = int(joined[-1]), int(times_ns[-1])
        return joined


def come_in_packets(times_ns: Times) -> bool:
    """Return whether several rows have one time, again and again.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        First times of a table.
    """
    if len(times_ns) < 8:
        return False
    steps = np.diff(times_ns)
    if (steps < 0).any() or (steps == 0).mean() < _MIN_REPEATS:
        return False
    starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
    return len(starts) >= 4 and int(np.diff(starts).max()) <= _MAX_PACKET


def find_packet_rate(
    source: str, place: str, times_ns: Times, resolution_ns: int, fs: float | None
) -> PacketRate:
    """Return the rate of rows that come in packets of one time, as found or stated.

    Parameters
    ----------
    source, place : str
        Name of the file in messages, and place of the times in it.
    times_ns : ndarray of int64, shape (n,)
        First times of a table, for which `come_in_packets` is true.
    resolution_ns : int
        Resolution of the times; 0 if it is unknown.
    fs : float or None
        Sampling rate in Hz that the user states.

    Returns
    -------
    PacketRate

    Raises
    ------
    InputError
        If no rate is stated, and losses and another rate cannot be told apart.
    """
    back = np.flatnonzero(np.diff(times_ns) < 0)
    head = times_ns[: back[0] + 1] if len(back) else times_ns
    mean = NS * (len(head) - 1) / float(head[-1] - head[0])
    resolution_ns = resolution_ns or _coarsest_resolution_ns(head)
    try:
        found = _rate_of_rounded_times(head, resolution_ns)
        if found is None:
            packets = 1 + int(np.count_nonzero(np.diff(head)))
            half_packet_ns = 0.5 * float(head[-1] - head[0]) / packets
            found = replace(packet_rate(head, resolution_ns), least_gap_ns=half_packet_ns)
    except UnknownRateError as error:
        if fs is None:
            raise InputError(
                source,
                "several rows have one time, and these times are so irregular that lost rows "
                f"and a lower rate look the same (rows come at {mean:.4g} Hz on average)",
                "state the sampling rate that the device was set to with --fs",
                place,
            ) from error
        if mean > _MAX_SURPLUS * fs:
            raise InputError(
                source,
                f"rows come at {mean:.5g} Hz on average, so that {fs:g} Hz would place them later "
                "than their times",
                "state the true rate with --fs; delete rows that were written twice",
                place,
            ) from error
        return PacketRate(NS / fs, None, stated=True)
    if fs is None or abs(NS / found.period_ns / fs - 1) < _STATED_TOLERANCE:
        return found
    return PacketRate(NS / fs, None, stated=True)


def _rate_of_rounded_times(times_ns: Times, resolution_ns: int) -> PacketRate | None:
    """Return the rate of rows that have one time because it is rounded, or None."""
    steps = np.diff(times_ns)
    if np.median(steps[steps > 0]) >= 1.5 * resolution_ns:
        return None
    found = rounded_rate(times_ns, resolution_ns)
    if found is None:
        return None
    period_ns, spread = found
    least_gap_ns = (spread + _ROUNDED_MARGIN) * period_ns
    return PacketRate(period_ns, None, least_gap_ns, rounded_by=spread)


def _coarsest_resolution_ns(times_ns: Times) -> int:
    """Return the largest power of ten of at most a second that divides all times."""
    resolution_ns = NS
    while (times_ns % resolution_ns).any():
        resolution_ns //= 10
    return resolution_ns


def packet_rate(times_ns: Times, resolution_ns: int = 0) -> PacketRate:
    """Find the rate of rows that come in packets of one time.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        First times of a table, for which `come_in_packets` is true.
    resolution_ns : int
        Resolution of the times; 0 if it is unknown.

    Returns
    -------
    PacketRate

    Raises
    ------
    UnknownRateError
        If losses and another rate cannot be told apart.
    """
    arrivals, counts = _packets(times_ns)
    sizes = np.diff(counts)
    size = float(np.median(sizes))
    one_size = float((sizes == size).mean()) >= _ONE_SIZE
    mean_ns = float(arrivals[-1] - arrivals[0]) / float(sizes.sum())
    if len(sizes) < 4:
        return PacketRate(mean_ns, None)
    step_ns = float(np.diff(arrivals).mean())
    coarse = resolution_ns * _LOSS_RANGE[1] > step_ns
    walk = _variance_of_losses(arrivals, counts, mean_ns, _WINDOWS) / step_ns**2
    spacing, coherence, others = _grid(arrivals, step_ns)
    lost = 1 - spacing / step_ns if coherence else 0.0
    # of a rounded time single rows may be lost, not only all
    lost_at_once = 1.0 if not coarse else size
    if walk * lost_at_once * _UNCERTAINTY < _MAX_UNSEEN_LOSS:
        if lost > _SOME_LOSS and coherence > _GRID and not coarse:
            # losses at regular places, or arrivals on the grid of a receiver
            raise UnknownRateError
        period = _slope(counts, arrivals)
        regular = one_size and coherence > 0 and abs(lost) < _SOME_LOSS
        return PacketRate(period, size * period if regular else None)
    walk = _variance_of_losses(arrivals, counts, mean_ns, _SHORT_WINDOWS) / step_ns**2
    coarse |= abs(spacing / _TICK_NS - 1) < _TICK_TOLERANCE
    if not coherence or others or coarse or not one_size or walk < _MIN_IRREGULAR * lost:
        raise UnknownRateError
    return PacketRate(spacing / size, spacing)


def _packets(times_ns: Times) -> tuple[Floats, Floats]:
    """Return when packets arrived (ns), and the rows before them; the first may be cut off."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(times_ns) > 0) + 1])
    counts = starts[1:].astype(np.float64)
    arrivals = (times_ns[starts[1:]] - times_ns[0]).astype(np.float64)
    return _without_interruptions(arrivals, counts), counts


def _slope(x: Floats, y: Floats) -> float:
    """Return the slope of a line."""
    centred = x - x.mean()
    return float(centred @ y) / float(centred @ centred)


def _without_interruptions(arrivals: Floats, counts: Floats) -> Floats:
    """Return arrivals without the time in which the recording was interrupted.

    After an interruption packets stay late; after a delay they catch up.
    """
    steps = np.diff(arrivals)
    median = float(np.median(steps))
    usual = steps <= 5 * median
    period = float(steps[usual].sum()) / float(np.diff(counts)[usual].sum())
    for i in np.flatnonzero(steps > _INTERRUPTION * median).tolist():
        ahead = slice(i + 1, i + 2 + int(2 * steps[i] / median))
        expected = arrivals[i] + (counts[ahead] - counts[i]) * period
        late = float((arrivals[ahead] - expected).min())
        if late > 0.5 * steps[i]:
            arrivals[i + 1 :] -= late
    return arrivals


def _variance_of_losses(arrivals: Floats, counts: Floats, period_ns: float, windows: int) -> float:
    """Return the variance (ns²) per packet of the random walk that losses make of the delays.

    Delays of packets that arrive differ, but do not add up. The second differences of their
    means over long windows show what adds up.
    """
    size = max(_MIN_WINDOW, len(arrivals) // windows)
    delays = arrivals - counts * period_ns
    means = delays[: len(delays) // size * size].reshape(-1, size).mean(axis=1)
    if len(means) < 3:
        return float("inf")
    return float((np.diff(means, 2) ** 2).mean()) / size


def _grid(arrivals: Floats, step_ns: float) -> tuple[float, float, bool]:
    """Return the longest period whose multiples the arrivals are, and their coherence with it.

    Both are zero if there is none that cannot be chance. The third value tells whether there
    is another period, as of packets that a receiver fetches at fixed times.
    """
    low, high = 1 / step_ns * np.array(_LOSS_RANGE)
    size = min(_COHERENT[0], len(arrivals))
    span = size * step_ns
    rates = np.arange(low, high, 1 / (4 * span))
    power = _power(arrivals, rates, size)
    peaks = np.flatnonzero(
        (power >= np.concatenate([[0], power[:-1]])) & (power >= np.append(power[1:], 0))
    )
    best = float(power.max(initial=0.0))
    if best < _least_power(len(arrivals)):
        return 0.0, 0.0, False
    i = int(peaks[power[peaks] >= _NEARLY_BEST**2 * best][0])
    rate, coherence = float(rates[i]), float(power[i]) ** 0.5
    apart = np.abs(rates - rate) > _LINE_WIDTH / span
    apart &= np.abs(rates - 2 * rate) > _LINE_WIDTH / span
    others = float(power[apart].max(initial=0.0)) > _least_power(len(arrivals))
    width = 1 / (4 * span)
    for count in _COHERENT[1:] if len(arrivals) > size else _COHERENT[:1]:
        size = min(count, len(arrivals))
        near = rate + np.linspace(-width, width, 33)
        fine = _power(arrivals, near, size)
        rate = float(near[int(fine.argmax())])
        width = 1 / (4 * size * step_ns)
    return 1 / rate, coherence, others


def _least_power(count: int) -> float:
    """Return the least squared coherence of so many arrivals that is not chance."""
    return max(_MIN_COHERENCE**2, _MIN_ABOVE_CHANCE / min(_COHERENT[0], count))


def _power(arrivals: Floats, rates: Floats, size: int) -> Floats:
    """Return the squared coherence of arrivals with rates, the mean of some pieces."""
    last = len(arrivals) - size
    firsts = np.unique(np.linspace(0, last, min(_PIECES, 1 + last // size)).astype(int))
    total = np.zeros(len(rates))
    for first in firsts.tolist():
        piece = arrivals[first : first + size] - arrivals[first]
        total += np.abs(np.exp(2j * np.pi * np.outer(rates, piece)).mean(axis=1)) ** 2
    power: Floats = total / len(firsts)
    return power
