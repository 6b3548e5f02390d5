"""Detection on one device while it is recorded: placed samples in, provisional events out.

The results are provisional. Times of chunks and candidates assume the nominal sampling rate;
`SampleStream.drift_ns` returns the correction. Rules that need the neighbours of a candidate
wait until the end of the night. `analyze` of the finished night gives the final result.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.detector import Detector
from twitchsense.live.event_updates import EventTracker, EventUpdate
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.model.column_names import plan_channels
from twitchsense.settings import Settings

#: Maximum length (s) of a chunk. Consecutive packets are joined up to this length, which makes
#: catching up with a long night fast.
_MAX_CHUNK_S: Final = 10.0
#: Maximum relative error of a device's clock, about ten times that of a poor crystal.
_MAX_DRIFT: Final = 1e-3
#: Length (s) of the history of the drift.
_DRIFT_HISTORY_S: Final = 1000


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """A stream that is analysed.

    Attributes
    ----------
    fs : float
        Sampling rate, Hz.
    columns : tuple of str
        Names of its columns, in µV or g.
    to_physical : callable
        Converts samples as sent to µV or g.
    """

    fs: float
    columns: tuple[str, ...]
    to_physical: Callable[[NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class LocatedSamples:
    """Consecutive samples of one stream, with their place.

    Attributes
    ----------
    stream : hashable
        Key of the stream.
    first : int
        Index of the first sample, counted at the nominal rate.
    samples : ndarray, shape (n, width)
        As sent by the device.
    arrival_ns : int
        UTC of the arrival.
    clock : hashable
        Key of the clock that the index follows.
    """

    stream: Hashable
    first: int
    samples: NDArray[Any]
    arrival_ns: int
    clock: Hashable = None


@dataclass
class _StreamPosition:
    """Position of a stream: its current segment and the next sample expected."""

    clock: Hashable = -1
    segment_start_ns: int = -1
    segment_first: int = 0  # index of the first sample of the segment
    next_sample: int = -1


@dataclass
class _JoinedSamples:
    """Consecutive samples of a stream without a gap, as sent."""

    stream: Hashable
    segment_start_ns: int
    first_index: int
    n_samples: int = 0
    samples: list[NDArray[Any]] = field(default_factory=list)


class SampleStream:
    """The streams of one device: their detector and their positions.

    Parameters
    ----------
    formats : mapping of hashable to StreamFormat
        Streams that are analysed.
    on_chunk : callable, optional
        Called with each chunk before the detector processes it.

    Attributes
    ----------
    channels : tuple of Channel
        Channels of the streams.
    """

    def __init__(
        self,
        formats: Mapping[Hashable, StreamFormat],
        on_chunk: Callable[[Chunk], None] | None = None,
    ) -> None:
        self._formats = formats
        self._on_chunk = on_chunk
        self._columns: dict[Hashable, list[tuple[str, list[int]]]] = {}
        channels: list[Channel] = []
        for key, stream in formats.items():
            for plan in plan_channels(stream.columns, "live"):
                channels.append(plan.channel(stream.fs))
                order = [stream.columns.index(n) for n in plan.names]
                self._columns.setdefault(key, []).append((plan.name, order))
        self.channels = tuple(channels)
        self._tracker = EventTracker()
        self._detector = Detector(Settings(), self.channels, keep=False)
        self._positions = {key: _StreamPosition() for key in formats}
        # (time from which the drift applies, drift), ns
        self._drift: deque[tuple[int, int]] = deque(maxlen=_DRIFT_HISTORY_S)
        self._drift_clock: Hashable = -1
        self._min_delay_ns = self._last_arrival_ns = 0
        self._zero_ns: dict[Hashable, int] = {}  # host time of index 0, by clock

    def push_samples(self, located: Iterable[LocatedSamples]) -> list[EventUpdate]:
        """Process samples that are on disk.

        Parameters
        ----------
        located : iterable of LocatedSamples
            Samples that were placed before, or of streams that are not analysed, are ignored.

        Returns
        -------
        list of EventUpdate
            Events that are new or have changed.
        """
        joined: list[_JoinedSamples] = []
        newest: dict[Hashable, _JoinedSamples] = {}
        for item in located:
            if not self._advance(item):
                continue
            position, fs = self._positions[item.stream], self._formats[item.stream].fs
            part = newest.get(item.stream)
            contiguous = part is not None and part.segment_start_ns == position.segment_start_ns
            if part is None or not contiguous or part.n_samples >= _MAX_CHUNK_S * fs:
                part = newest[item.stream] = _JoinedSamples(
                    item.stream, position.segment_start_ns, item.first - position.segment_first
                )
                joined.append(part)
            part.samples.append(item.samples)
            part.n_samples += len(item.samples)
        chunks = [chunk for part in joined for chunk in self._chunks(part)]
        return self._tracker.update(self._detector.push(*chunks), self._detector.peek())

    def _advance(self, item: LocatedSamples) -> bool:
        """Move the position of a stream to the end of the samples; False to ignore them."""
        position = self._positions.get(item.stream)
        if position is None:
            return False
        if item.clock == position.clock and item.first < position.next_sample:
            return False
        fs = self._formats[item.stream].fs
        end_ns = round((item.first + len(item.samples)) / fs * NS)
        if item.clock not in self._zero_ns:
            self._start_clock(item, position.clock, end_ns)
        zero_ns = self._zero_ns[item.clock]
        if item.clock == self._drift_clock:
            self._update_drift(zero_ns + end_ns, item.arrival_ns)
        if item.clock != position.clock or item.first != position.next_sample:
            position.clock = item.clock
            position.segment_start_ns = zero_ns + round(item.first / fs * NS)
            position.segment_first = item.first
        position.next_sample = item.first + len(item.samples)
        return True

    def _start_clock(self, item: LocatedSamples, before: Hashable, end_ns: int) -> None:
        """Set a clock by the arrival of its first samples."""
        self._zero_ns[item.clock] = item.arrival_ns - end_ns
        if before == self._drift_clock:
            # the drift is that of one stream: its new clock replaces the one before
            self._zero_ns.pop(before, None)
            self._drift_clock = item.clock
            self._last_arrival_ns = item.arrival_ns
            self._min_delay_ns = 0

    def drift_ns(self, at_ns: int) -> int:
        """Return the correction of a time that assumes the nominal sampling rate.

        The drift of the device's clock is the smallest delay of recent packets: the one that
        was least delayed by the radio.

        Parameters
        ----------
        at_ns : int
            Time by the nominal rate (ns).

        Returns
        -------
        int
            To be added to the time (ns), as known at that time.
        """
        after = bisect_right(self._drift, at_ns, key=lambda entry: entry[0])
        return self._drift[max(0, after - 1)][1] if self._drift else 0

    def _update_drift(self, end_ns: int, arrival_ns: int) -> None:
        elapsed_ns = max(0, arrival_ns - self._last_arrival_ns)
        self._last_arrival_ns += elapsed_ns
        self._min_delay_ns = min(
            self._min_delay_ns + round(_MAX_DRIFT * elapsed_ns), arrival_ns - end_ns
        )
        if not self._drift or end_ns >= self._drift[-1][0] + NS:
            self._drift.append((end_ns, self._min_delay_ns))

    def _chunks(self, part: _JoinedSamples) -> Iterator[Chunk]:
        """Yield samples of a stream as chunks of its channels."""
        raw = np.concatenate(part.samples)
        samples = self._formats[part.stream].to_physical(raw).astype(np.float32)
        for name, order in self._columns[part.stream]:
            chunk = Chunk(name, part.segment_start_ns, part.first_index, samples[:, order])
            if self._on_chunk is not None:
                self._on_chunk(chunk)
            yield chunk
