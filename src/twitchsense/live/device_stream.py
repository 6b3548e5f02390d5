"""Detection on one connection while it is recorded: samples in, provisional events out.

The results are provisional. Times of chunks and candidates assume the device's nominal sampling
rate; `DeviceStream.drift_ns` returns the correction. Rules that need the neighbours of a
candidate wait until the end of the night, and retransmitted frames are ignored. `analyze` of
the finished night gives the final result.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.detector import Detector
from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1_frames import MARKER_TYPE, DeviceInfo, Frame, StreamInfo, unwrap_ticks
from twitchsense.live.event_updates import EventTracker, EventUpdate
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.model.column_names import plan_channels
from twitchsense.nightfile.reader import stream_columns
from twitchsense.settings import Settings

#: Maximum length (s) of a chunk. Consecutive frames are joined up to this length, which makes
#: catching up with a long night fast.
_MAX_CHUNK_S = 10.0
#: Maximum relative error of a device's clock, about ten times that of a poor crystal.
_MAX_DRIFT = 1e-3
#: Length (s) of the history of the drift.
_DRIFT_HISTORY_S = 1000


@dataclass
class _StreamPosition:
    """Position of a stream: its current segment and the next sample expected."""

    segment_start_ns: int = -1
    segment_first: int = 0  # sample index since boot at the start of the segment
    next_sample: int = -1


@dataclass
class _JoinedFrames:
    """Consecutive samples of a stream without a gap (counts)."""

    stream: StreamInfo
    segment_start_ns: int
    first_index: int
    n_samples: int = 0
    counts: list[NDArray[np.int16]] = field(default_factory=list)


class DeviceStream:
    """One connection: its detector and the position of each of its streams.

    Parameters
    ----------
    device : str
        Key of the device.
    info : DeviceInfo
        Streams of the device.
    on_chunk : callable, optional
        Called with each chunk before the detector processes it.

    Attributes
    ----------
    channels : tuple of Channel
        Channels of the streams that are analysed.
    """

    def __init__(
        self, device: str, info: DeviceInfo, on_chunk: Callable[[Chunk], None] | None = None
    ) -> None:
        self.info = info
        self._on_chunk = on_chunk
        columns = stream_columns({device: info})[device]
        self._columns: dict[int, list[tuple[str, list[int]]]] = {}
        channels: list[Channel] = []
        for stream in info.streams:
            if stream.id not in columns:
                continue
            names = columns[stream.id]
            for plan in plan_channels(names, "live"):
                channels.append(plan.channel(stream.fs))
                order = [names.index(n) for n in plan.names]
                self._columns.setdefault(stream.id, []).append((plan.name, order))
        self.channels = tuple(channels)
        self._tracker = EventTracker()
        self._detector = Detector(Settings(), self.channels, keep=False)
        self._positions = {s.id: _StreamPosition() for s in info.streams}
        # (time from which the drift applies, drift), ns
        self._drift: deque[tuple[int, int]] = deque(maxlen=_DRIFT_HISTORY_S)
        self._min_delay_ns = self._last_arrival_ns = 0
        self._boot_ns: int | None = None  # host time of tick 0
        self._last_ticks: int | None = None

    def push(self, frames: Iterable[tuple[Frame, int]]) -> list[EventUpdate]:
        """Process frames that are on disk.

        Parameters
        ----------
        frames : iterable of (Frame, int)
            Each frame with its arrival (UTC, ns).

        Returns
        -------
        list of EventUpdate
            Events that are new or have changed.
        """
        joined: list[_JoinedFrames] = []
        newest: dict[int, _JoinedFrames] = {}
        for frame, arrival_ns in frames:
            first = self._locate(frame, arrival_ns)
            if first is None:
                continue
            position, stream = self._positions[frame.type], self.info.stream_by_id[frame.type]
            part = newest.get(frame.type)
            contiguous = part is not None and part.segment_start_ns == position.segment_start_ns
            if part is None or not contiguous or part.n_samples >= _MAX_CHUNK_S * stream.fs:
                part = newest[frame.type] = _JoinedFrames(
                    stream, position.segment_start_ns, first - position.segment_first
                )
                joined.append(part)
            part.counts.append(frame.samples)
            part.n_samples += len(frame.samples)
        final = [candidate for part in joined for candidate in self._detect(part)]
        return self._tracker.update(final, self._detector.peek())

    def _locate(self, frame: Frame, arrival_ns: int) -> int | None:
        """Return the index since boot of a frame's first sample, or None to ignore the frame."""
        if frame.replayed or frame.type == MARKER_TYPE or frame.type not in self._columns:
            return None
        stream, position = self.info.stream_by_id[frame.type], self._positions[frame.type]
        near = frame.ticks if self._last_ticks is None else self._last_ticks
        try:
            ticks = unwrap_ticks(frame.ticks, near)
            first = self.info.sample_index(stream, ticks)
        except PacketError:
            return None
        self._last_ticks = ticks
        if first < position.next_sample:
            return None
        end_ns = round((first + len(frame.samples)) / stream.fs * NS)
        if self._boot_ns is None:
            self._boot_ns, self._last_arrival_ns = arrival_ns - end_ns, arrival_ns
        self._update_drift(self._boot_ns + end_ns, arrival_ns)
        if first != position.next_sample:
            position.segment_start_ns = self._boot_ns + round(first / stream.fs * NS)
            position.segment_first = first
        position.next_sample = first + len(frame.samples)
        return first

    def drift_ns(self, at_ns: int) -> int:
        """Return the correction of a time that assumes the nominal sampling rate.

        The drift of the device's clock is the smallest delay of recent frames: the frame that
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

    def _detect(self, part: _JoinedFrames) -> list[ScoredCandidate]:
        """Push samples to the detector; return the candidates that are final now."""
        counts = np.concatenate(part.counts)
        samples = part.stream.to_physical(counts).astype(np.float32)
        final: list[ScoredCandidate] = []
        for name, order in self._columns[part.stream.id]:
            chunk = Chunk(name, part.segment_start_ns, part.first_index, samples[:, order])
            if self._on_chunk is not None:
                self._on_chunk(chunk)
            final += self._detector.push(chunk)
        return final
