"""Merges what a device logged in its memory with what the radio brought.

Both hold the same packets, with the same times of the device. Runs of the radio whose packets
stand in a log with the same values are of the same clock; the other packets of the log fill the
gaps in them and between them, and after the last one. A device that sends nothing while it logs
has runs before and after the log. They are of one clock if it has an epoch in UTC, where it never
restarts, and agrees with that of the host before and after.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.streams import SampleClock
from twitchsense.model.channels import NS

#: Packets of a run whose values are compared with those of the log.
_COMPARED: Final = 20
#: Longest time (s) between a log and a run beside it, and largest change of the difference between
#: the clocks of device and host (s) between two runs, with which they are of one clock.
_BESIDE_S: Final = 86_400
_MAX_CHANGE_S: Final = 60

Rows = Callable[[int, int], NDArray[Any]]
Numbers = NDArray[np.int64]


class PacketTable:
    """Packets without their samples: run, time, number of samples, first row, arrival."""

    _COLUMNS: Final = 5

    def __init__(self) -> None:
        self._values = array("q")

    def add(self, run: int, ticks: int, count: int, row: int, arrival_ns: int) -> None:
        """Add a packet.

        Parameters
        ----------
        run : int
            Run of the clock, or number of the log.
        ticks : int
            Time that the packet states, ticks.
        count : int
            Number of samples.
        row : int
            First row of its samples.
        arrival_ns : int
        """
        self._values.extend((run, ticks, count, row, arrival_ns))

    def __len__(self) -> int:
        return len(self._values) // self._COLUMNS

    def columns(self) -> tuple[Numbers, ...]:
        """Return runs, times, numbers of samples, first rows and arrivals."""
        table = np.frombuffer(self._values, np.int64).reshape(-1, self._COLUMNS)
        return tuple(table.T)


@dataclass(frozen=True, slots=True)
class MergedPacket:
    """A packet in the order of time.

    Attributes
    ----------
    restarted : bool
        Whether the clock restarted before it, as far as is known.
    from_log : bool
    ticks, count, row, arrival_ns : int
        As in `PacketTable.add`. The arrival of a packet from a log is the time at which it would
        have arrived.
    """

    restarted: bool
    from_log: bool
    ticks: int
    count: int
    row: int
    arrival_ns: int


@dataclass(frozen=True, slots=True)
class _LogTimes:
    """Times (without wrap), numbers of samples and first rows of the packets of a log."""

    ticks: Numbers
    counts: Numbers
    rows: Numbers


def merge_logs(
    received: PacketTable, logged: PacketTable, clock: SampleClock, read: Rows
) -> Iterator[MergedPacket]:
    """Merge the packets of a stream that were received with those of logs.

    Parameters
    ----------
    received : PacketTable
        In the order of arrival, with times that do not wrap within a run.
    logged : PacketTable
        In the order of each log; `run` is the number of the log.
    clock : SampleClock
    read : callable
        Returns the samples of rows from a first one to another, not included.

    Yields
    ------
    MergedPacket
        Those received, and those of the logs that fill gaps, in the order of time.
    """
    runs, ticks, counts, rows, arrivals = received.columns()
    modulus, tick_hz = clock.modulus, clock.tick_hz
    logs = _split_logs(logged, modulus)
    starts = [0, *(np.flatnonzero(np.diff(runs)) + 1).tolist(), len(runs)]
    spans = [slice(a, b) for a, b in pairwise(starts) if b > a]
    # the log of each run, and what is added to the run's times
    found: list[tuple[int, int] | None] = [
        _find_log(logs, ticks[s], counts[s], rows[s], modulus, read) for s in spans
    ]
    if clock.epoch != "power-on":
        _add_runs_beside(found, logs, [(ticks[s], arrivals[s]) for s in spans], tick_hz)
    first = 0
    while first < len(spans):
        last, match = first, found[first]
        if match is not None:
            while last + 1 < len(spans) and _same_log(found[last + 1], match):
                last += 1
        group = slice(spans[first].start, spans[last].stop)
        shifts = np.concatenate(
            [np.full(s.stop - s.start, (f or (0, 0))[1]) for s, f in zip(
                spans[first : last + 1], found[first : last + 1], strict=True)]
        )  # fmt: skip
        block = (ticks[group] + shifts, counts[group], rows[group], arrivals[group])
        log = None if match is None else logs[match[0]]
        is_last = all(not _same_log(f, match) for f in found[last + 1 :])
        yield from _merge_block(block, log, tick_hz, open_end=is_last, restarted=first > 0)
        first = last + 1


def _same_log(found: tuple[int, int] | None, match: tuple[int, int] | None) -> bool:
    return found is not None and match is not None and found[0] == match[0]


def _split_logs(logged: PacketTable, modulus: int | None) -> list[_LogTimes]:
    numbers, ticks, counts, rows, _ = logged.columns()
    logs = []
    for number in np.unique(numbers):
        of_log = numbers == number
        times = ticks[of_log]
        if modulus is not None:
            steps = (np.diff(times) + modulus // 2) % modulus - modulus // 2
            times = np.concatenate([times[:1], times[0] + np.cumsum(steps)])
        rising = np.concatenate([[True], times[1:] > np.maximum.accumulate(times)[:-1]])
        logs.append(_LogTimes(times[rising], counts[of_log][rising], rows[of_log][rising]))
    return logs


def _find_log(
    logs: list[_LogTimes],
    ticks: Numbers,
    counts: Numbers,
    rows: Numbers,
    modulus: int | None,
    read: Rows,
) -> tuple[int, int] | None:
    """Return the log of a run, and what is to be added to the run's times; None without one."""
    for number, log in enumerate(logs):
        shift = 0 if modulus is None else _turns(log.ticks, ticks, modulus)
        at = np.searchsorted(log.ticks, ticks + shift)
        at[at == len(log.ticks)] = 0
        both = np.flatnonzero(log.ticks[at] == ticks + shift)
        if not len(both):
            continue
        sample = both[np.unique(np.linspace(0, len(both) - 1, _COMPARED).astype(int))]
        if all(
            counts[i] == log.counts[at[i]]
            and np.array_equal(
                read(rows[i], rows[i] + counts[i]),
                read(log.rows[at[i]], log.rows[at[i]] + counts[i]),
            )
            for i in sample
        ):
            return number, shift
    return None


def _add_runs_beside(
    found: list[tuple[int, int] | None],
    logs: list[_LogTimes],
    runs: list[tuple[Numbers, Numbers]],
    tick_hz: int,
) -> None:
    """State the log of runs that are before or after one, if the clock was not set between."""
    offsets_s = [float(np.min(arrivals / NS - ticks / tick_hz)) for ticks, arrivals in runs]
    for number, log in enumerate(logs):
        begin, end = log.ticks[0], log.ticks[-1]
        beside = [
            i
            for i, (ticks, _) in enumerate(runs)
            if found[i] is None
            and (
                0 < begin - ticks[-1] < _BESIDE_S * tick_hz
                or 0 < ticks[0] - end < _BESIDE_S * tick_hz
            )
        ]
        for i in beside:
            if abs(offsets_s[i] - offsets_s[beside[0]]) < _MAX_CHANGE_S:
                found[i] = (number, 0)


def _turns(log_ticks: Numbers, ticks: Numbers, modulus: int) -> int:
    """Return the multiple of the modulus that brings a run nearest to a log."""
    between = int(log_ticks[0] + log_ticks[-1]) // 2 - int(ticks[0] + ticks[-1]) // 2
    return round(between / modulus) * modulus


def _merge_block(
    block: tuple[Numbers, ...],
    log: _LogTimes | None,
    tick_hz: int,
    *,
    open_end: bool,
    restarted: bool,
) -> Iterator[MergedPacket]:
    """Yield the packets of runs of one clock, and those of its log that are not among them."""
    ticks, counts, rows, arrivals = block
    from_log = np.zeros(len(ticks), bool)
    if log is not None:
        fills = ~np.isin(log.ticks, ticks) & (log.ticks > ticks[0])
        if not open_end:
            fills &= log.ticks < ticks[-1]
        added = log.ticks[fills]
        after_s = np.maximum(0, added - ticks[-1]) / tick_hz
        expected = np.interp(added, ticks, arrivals - arrivals[0]) + after_s * NS
        arrivals = np.concatenate([arrivals, arrivals[0] + np.rint(expected).astype(np.int64)])
        ticks, counts = np.concatenate([ticks, added]), np.concatenate([counts, log.counts[fills]])
        rows = np.concatenate([rows, log.rows[fills]])
        from_log = np.concatenate([from_log, np.ones(len(added), bool)])
        order = np.argsort(ticks, kind="stable")
        ticks, counts, rows = ticks[order], counts[order], rows[order]
        arrivals, from_log = arrivals[order], from_log[order]
    table = zip(from_log.tolist(), ticks.tolist(), counts.tolist(), rows.tolist(),
                arrivals.tolist(), strict=True)  # fmt: skip
    for i, values in enumerate(table):
        yield MergedPacket(restarted and i == 0, *values)
