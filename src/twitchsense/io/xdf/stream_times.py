"""Times of the samples of an XDF stream, from the timestamps that it stores.

There are three kinds of timestamps. Even ones go to the channel as they are, so that lost
samples are found as in a table. Samples of one timestamp came in a packet and are spread.
Otherwise timestamps are late by delays that change, and one rate is fitted to all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.channels.block_clock import BlockClock
from twitchsense.io.channels.gap_detection import IrregularSamplingError, TimestampSegmenter
from twitchsense.io.channels.rate_fit import fit_rate
from twitchsense.io.tables.packet_rate import PacketRate, come_in_packets, find_packet_rate
from twitchsense.io.tables.packet_times import PacketSpreader
from twitchsense.io.xdf.timestamp_blocks import Floats, group_timestamps
from twitchsense.model.channels import NS

Times = NDArray[np.int64]
#: Returns the timestamps of a stream in s, part by part.
Timestamps = Callable[[], Iterable[Floats]]

#: Resolution of the timestamps, ns.
RESOLUTION_NS: Final = 1000
#: Timestamps from which it is decided whether samples come in packets.
_HEAD: Final = 1 << 17
#: Largest RMS deviation of even timestamps from even spacing, in periods.
_EVEN: Final = 0.1


class StreamTimes:
    """Times of the samples of one stream, in order.

    Parameters
    ----------
    source, stream : str
        Names of the file and of the stream in messages.
    timestamps : callable
        Returns the corrected timestamps of all samples in s, in parts of any size.
    nominal_fs : float
        Sampling rate in Hz by the user or the stream's description; 0 if neither states one.
    own : bool
        Whether each sample has a timestamp of its own, not only each chunk.

    Attributes
    ----------
    first_ns : int or None
        Time of the first sample; None if the stream has no samples.
    fs : float
        Sampling rate in Hz by the timestamps.

    Raises
    ------
    InputError
        If time runs backwards, or the timestamps do not belong to one rate.
    """

    def __init__(
        self, source: str, stream: str, timestamps: Timestamps, nominal_fs: float, own: bool
    ) -> None:
        self._place = f"stream '{stream}'"
        self._source = source
        self._clock: BlockClock | None = None
        self._rate: PacketRate | None = None
        self.first_ns: int | None = None
        self.fs = 0.0
        head = _head(timestamps())
        if len(head) < 2:
            return
        if come_in_packets(head):
            self._rate = find_packet_rate(
                source, self._place, head, RESOLUTION_NS, nominal_fs or None
            )
            self.fs = NS / self._rate.period_ns
            spreader = PacketSpreader(self._rate)
            placed = [spreader.push(head, [])[0], spreader.close()[0]]
            self.first_ns = int(np.concatenate(placed)[0])
        elif own and (even := _even_rate(timestamps())):
            self.fs, self.first_ns = even, int(head[0])
        else:
            self._clock = self._fit(timestamps())
            self.fs, self.first_ns = self._clock.fs, int(self._clock.times(0, 1)[0])

    @property
    def in_packets(self) -> bool:
        """Whether several samples have one timestamp, so that a stated rate is used."""
        return self._rate is not None

    @property
    def least_gap_ns(self) -> float:
        """Time that is missing where a packet is lost; 0 if samples are lost one by one."""
        return 0.0 if self._rate is None else self._rate.least_gap_ns

    def place(
        self, samples: Iterable[tuple[Floats, Sequence[Floats]]]
    ) -> Iterator[tuple[Times, Sequence[Floats]]]:
        """Yield the samples of the stream with their times.

        Parameters
        ----------
        samples : iterable of tuple
            Timestamps in s, shape (n,), and the columns of their values, each of shape (n,).

        Yields
        ------
        times_ns : ndarray of int64, shape (m,)
        columns : sequence of ndarray, shape (m,)
        """
        spreader = None if self._rate is None else PacketSpreader(self._rate)
        done, last = 0, -(1 << 62)
        for timestamps, columns in samples:
            done += len(timestamps)
            if self._clock is not None:
                yield self._clock.times(done - len(timestamps), done), columns
                continue
            times_ns = to_ns(timestamps)
            if spreader is None:
                yield times_ns, columns
                continue
            back = np.flatnonzero(np.diff(times_ns, prepend=last) < 0)
            if len(back):
                self._refuse_backwards((times_ns[back[0]] - (self.first_ns or 0)) / NS)
            last = int(times_ns[-1])
            yield spreader.push(times_ns, columns)
        if spreader is not None:
            yield spreader.close()

    def _fit(self, timestamps: Iterable[Floats]) -> BlockClock:
        blocks = group_timestamps(timestamps)
        clock = BlockClock(blocks.starts_ns, blocks.counts, blocks.fs, RESOLUTION_NS)
        if clock.overlap is not None:
            self._refuse_backwards((blocks.starts_ns[clock.overlap - 1] - blocks.starts_ns[0]) / NS)
        if clock.wanders:
            raise InputError(
                self._source,
                f"its samples have no constant rate ({clock.fs:.4g} Hz on average): some were "
                "lost, or they are no samples of one rate",
                "leave its channels out with --map LABEL=ignore, or resample it to one rate and "
                "give it as CSV",
                self._place,
            )
        return clock

    def _refuse_backwards(self, at_s: float) -> None:
        raise InputError(
            self._source,
            "time runs backwards: the clock was set anew, and the file has no clock offsets",
            "save the stream before and after as two files",
            f"{self._place}, after {at_s:.1f} s",
        )


def to_ns(timestamps: Floats) -> Times:
    """Return times in ns of times in s."""
    times: Times = np.rint(timestamps * NS).astype(np.int64)
    return times


def _head(timestamps: Iterable[Floats]) -> Times:
    parts, size = [np.empty(0, np.int64)], 0
    for part in timestamps:
        parts.append(to_ns(part))
        size += len(part)
        if size >= _HEAD:
            break
    return np.concatenate(parts)


def _even_rate(timestamps: Iterable[Floats]) -> float | None:
    """Return the rate (Hz) of timestamps that increase evenly, with gaps; None of others."""
    segmenter = TimestampSegmenter()
    segmenter.written_resolution = RESOLUTION_NS
    last = np.iinfo(np.int64).min
    try:
        for times_ns in map(to_ns, timestamps):
            if times_ns[0] <= last or (np.diff(times_ns) <= 0).any():
                return None
            last = int(times_ns[-1])
            segmenter.push(times_ns)
        runs = segmenter.close()
    except IrregularSamplingError:
        return None
    fit = fit_rate(runs, segmenter.period, segmenter.round_fs, segmenter.resolution)
    return fit.fs if fit and fit.rms_residual_ns * fit.fs < _EVEN * NS else None
