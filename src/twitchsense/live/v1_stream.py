"""Detection on one twitchsense v1 connection while it is recorded; see `SampleStream`.

Retransmitted frames are ignored: they arrive out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1.v1_frames import MARKER_TYPE, DeviceInfo, Frame, unwrap_ticks
from twitchsense.live.event_updates import EventUpdate
from twitchsense.live.sample_stream import LocatedSamples, SampleStream, StreamFormat
from twitchsense.model.channels import Chunk
from twitchsense.nightfile.column_layout import v1_columns


class V1Stream(SampleStream):
    """One connection to a v1 wearable.

    Parameters
    ----------
    device : str
        Key of the device.
    info : DeviceInfo
        Streams of the device.
    on_chunk : callable, optional
        Called with each chunk before the detector processes it.
    """

    def __init__(
        self, device: str, info: DeviceInfo, on_chunk: Callable[[Chunk], None] | None = None
    ) -> None:
        self.info = info
        columns = v1_columns({device: info})[device]
        formats: dict[Hashable, StreamFormat] = {
            s.id: StreamFormat(s.fs, columns[s.id], s.to_physical)
            for s in info.streams
            if s.id in columns
        }
        super().__init__(formats, on_chunk)
        self._analysed = frozenset(formats)
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
        return self.push_samples(self._locate(frames))

    def _locate(self, frames: Iterable[tuple[Frame, int]]) -> Iterator[LocatedSamples]:
        """Yield the samples with their index since boot."""
        for frame, arrival_ns in frames:
            if frame.replayed or frame.type == MARKER_TYPE or frame.type not in self._analysed:
                continue
            near = frame.ticks if self._last_ticks is None else self._last_ticks
            try:
                ticks = unwrap_ticks(frame.ticks, near)
                first = self.info.sample_index(self.info.stream_by_id[frame.type], ticks)
            except PacketError:
                continue
            self._last_ticks = ticks
            yield LocatedSamples(frame.type, first, frame.samples, arrival_ns)
