"""Detection on one device that its driver decodes, while it is recorded; see `SampleStream`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Final

from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.placed import StreamPlacement
from twitchsense.devices.sample_timing.selection import make_placement
from twitchsense.devices.streams import StreamDescription
from twitchsense.live.event_updates import EventUpdate
from twitchsense.live.sample_stream import LocatedSamples, SampleStream, StreamFormat
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.nightfile.analysed_streams import (
    reason_to_leave_out,
    to_base_values,
    to_column_unit,
)
from twitchsense.nightfile.column_layout import DeviceColumns, StreamColumns, name_columns
from twitchsense.nightfile.stored_values import valid_leg

#: Time (s) after the first samples at which the streams of a device are known.
_START_S: Final = 3.0


class DriverStream:
    """The streams of one device. Detection begins when all of them are known.

    Parameters
    ----------
    settings : mapping of str to str
        What the user said of the device: ``leg``, ``gain``.
    on_chunk : callable, optional
        Called with each chunk before the detector processes it.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        on_chunk: Callable[[Chunk], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_chunk = on_chunk
        self._streams: dict[str, StreamDescription] = {}
        self._placements: dict[str, StreamPlacement] = {}
        self._first_ns: int | None = None
        self._detection: SampleStream | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels that are analysed; empty until the streams are known."""
        return () if self._detection is None else self._detection.channels

    def drift_ns(self, at_ns: int) -> int:
        """Return the correction of a time; see `SampleStream.drift_ns`."""
        return 0 if self._detection is None else self._detection.drift_ns(at_ns)

    def push(self, packets: Iterable[tuple[StreamDescription, SamplePacket]]) -> list[EventUpdate]:
        """Process packets that are on disk.

        Parameters
        ----------
        packets : iterable of (StreamDescription, SamplePacket)

        Returns
        -------
        list of EventUpdate
            Events that are new or have changed.
        """
        located: list[LocatedSamples] = []
        for stream, packet in packets:
            if self._first_ns is None:
                self._first_ns = packet.arrival_ns
            if self._detection is None:
                self._streams.setdefault(stream.name, stream)
                if packet.arrival_ns - self._first_ns >= _START_S * NS:
                    self._start()
            if self._streams.get(stream.name) != stream:
                continue  # other settings than those at the start
            if stream.name not in self._placements:
                self._placements[stream.name] = make_placement(stream)
            for placed in self._placements[stream.name].push(packet):
                located.append(
                    LocatedSamples(
                        stream.name,
                        placed.index,
                        placed.packet.samples,
                        placed.packet.arrival_ns,
                        (stream.name, placed.run),
                    )
                )
        if self._detection is None:
            return []
        return self._detection.push_samples(located)

    def _start(self) -> None:
        analysed = {
            name: stream
            for name, stream in self._streams.items()
            if not reason_to_leave_out(stream, self._settings)
        }
        layout: dict[Hashable, StreamColumns] = {
            name: StreamColumns(s.kind, s.width, to_column_unit(s)) for name, s in analysed.items()
        }
        leg = valid_leg(self._settings.get("leg"))
        columns = name_columns({"": DeviceColumns(leg, layout)})[""]
        formats: dict[Hashable, StreamFormat] = {}
        for name, stream in analysed.items():
            convert = partial(to_base_values, stream, self._settings)
            formats[name] = StreamFormat(stream.fs, columns[name], convert)
        self._detection = SampleStream(formats, self._on_chunk)
