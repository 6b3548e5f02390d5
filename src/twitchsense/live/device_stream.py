"""One connection seen live: samples as they come, and the movements found in them.

What is found here is provisional. Times of chunks and findings are by the device's nominal
rate, `LiveLane.astray_ns` says how far that is off; rules that need the neighbours of a
candidate wait for the end, and frames that come late are left out. `analyze` of the night has
the last word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.detector import Detector
from twitchsense.devices.framing import PacketError
from twitchsense.devices.v1_frames import MARKER_TYPE, DeviceInfo, Frame, StreamInfo, unwrap_ticks
from twitchsense.live.event_updates import EventTracker, EventUpdate
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.model.column_names import plan_channels
from twitchsense.nightfile.reader import stream_columns
from twitchsense.settings import Settings


@dataclass
class _StreamPosition:
    """Where a stream stands."""

    start_ns: int = -1
    base: int = 0
    next: int = -1


#: Frames that follow each other are given to the detector together, up to so much: whoever
#: opens a long night must catch up.
_MAX_CHUNK_S = 10.0
#: How fast a crystal may run astray, as share of the time: ten times what poor ones do.
_MAX_DRIFT = 1e-3
#: Seconds for which it is kept how far.
_DRIFT_HISTORY_S = 1000


@dataclass
class _SampleRun:
    """Samples of a stream without a gap, in counts."""

    stream: StreamInfo
    start_ns: int
    first: int
    count: int = 0
    counts: list[NDArray[np.int16]] = field(default_factory=list)


class DeviceStream:
    """One connection: its detector, and where each stream stands.

    Parameters
    ----------
    device : str
    info : Info
    on_chunk : callable, optional
        Called with each chunk before the detector sees it.
    """

    def __init__(
        self, device: str, info: DeviceInfo, on_chunk: Callable[[Chunk], None] | None = None
    ) -> None:
        self.info = info
        self._on_chunk = on_chunk
        columns = stream_columns({device: info})[device]
        self._names: dict[int, list[tuple[str, list[int]]]] = {}
        channels: list[Channel] = []
        for stream in info.streams:
            if stream.id not in columns:
                continue
            names = columns[stream.id]
            for plan in plan_channels(names, "live"):
                channels.append(plan.channel(stream.fs))
                order = [names.index(n) for n in plan.names]
                self._names.setdefault(stream.id, []).append((plan.name, order))
        self.channels = tuple(channels)
        self._rows = EventTracker()
        self._detector = Detector(Settings(), self.channels, keep=False)
        self._places = {s.id: _StreamPosition() for s in info.streams}
        self._astray: deque[tuple[int, int]] = deque(
            maxlen=_DRIFT_HISTORY_S
        )  # from when on, how far
        self._late_ns = self._last_ns = 0
        self._zero_ns: int | None = None
        self._near: int | None = None

    def push(self, frames: Iterable[tuple[Frame, int]]) -> list[EventUpdate]:
        """Take frames that are on disk, each with its arrival in ns of UTC.

        Returns the movements that they add or change.
        """
        pieces: list[_SampleRun] = []
        newest: dict[int, _SampleRun] = {}
        for frame, arrival_ns in frames:
            first = self._place(frame, arrival_ns)
            if first is None:
                continue
            place, stream = self._places[frame.type], self.info.stream_by_id[frame.type]
            piece = newest.get(frame.type)
            joins = piece is not None and piece.start_ns == place.start_ns
            if piece is None or not joins or piece.count >= _MAX_CHUNK_S * stream.fs:
                piece = newest[frame.type] = _SampleRun(stream, place.start_ns, first - place.base)
                pieces.append(piece)
            piece.counts.append(frame.samples)
            piece.count += len(frame.samples)
        settled = [finding for piece in pieces for finding in self._hear(piece)]
        return self._rows.update(settled, self._detector.peek())

    def _place(self, frame: Frame, arrival_ns: int) -> int | None:
        """Return the number of a frame's first sample, or None if it comes too late."""
        if frame.replayed or frame.type == MARKER_TYPE or frame.type not in self._names:
            return None
        stream, place = self.info.stream_by_id[frame.type], self._places[frame.type]
        try:
            ticks = unwrap_ticks(frame.ticks, frame.ticks if self._near is None else self._near)
            first = self.info.sample_index(stream, ticks)
        except PacketError:
            return None
        self._near = ticks
        if first < place.next:
            return None
        done_ns = round((first + len(frame.samples)) / stream.fs * NS)
        if self._zero_ns is None:
            self._zero_ns, self._last_ns = arrival_ns - done_ns, arrival_ns
        self._follow(self._zero_ns + done_ns, arrival_ns)
        if first != place.next:
            place.start_ns = self._zero_ns + round(first / stream.fs * NS)
            place.base = first
        place.next = first + len(frame.samples)
        return first

    def astray_ns(self, at_ns: int) -> int:
        """Return what is to be added to a time by the nominal rate, as was known then.

        Of the frames of late, the one that was least under way tells how far the crystal of
        the device is off.
        """
        place = bisect_right(self._astray, at_ns, key=lambda known: known[0])
        return self._astray[max(0, place - 1)][1] if self._astray else 0

    def _follow(self, done_ns: int, arrival_ns: int) -> None:
        passed_ns = max(0, arrival_ns - self._last_ns)
        self._last_ns += passed_ns
        self._late_ns = min(self._late_ns + round(_MAX_DRIFT * passed_ns), arrival_ns - done_ns)
        if not self._astray or done_ns >= self._astray[-1][0] + NS:
            self._astray.append((done_ns, self._late_ns))

    def _hear(self, piece: _SampleRun) -> list[ScoredCandidate]:
        """Give samples to the detector; return what is settled by them."""
        counts = np.concatenate(piece.counts)
        samples = piece.stream.to_physical(counts).astype(np.float32)
        settled: list[ScoredCandidate] = []
        for name, order in self._names[piece.stream.id]:
            chunk = Chunk(name, piece.start_ns, piece.first, samples[:, order])
            if self._on_chunk is not None:
                self._on_chunk(chunk)
            settled += self._detector.push(chunk)
        return settled
