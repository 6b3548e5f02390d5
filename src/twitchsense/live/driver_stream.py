"""Detection on one device that its driver decodes, while it is recorded.

`LiveDecoder` reads and decodes what the night file gained; `DriverStream` detects in the samples.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Final

from twitchsense.devices.contract import PacketError, SamplePacket
from twitchsense.devices.registry import installed_drivers
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
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.stored_values import StoredDevice, ValueReader, valid_leg

#: Time (s) after the first samples at which the streams of a device are known.
_START_S: Final = 3.0
log = logging.getLogger(__name__)
#: Called with the channel of a chunk, the chunk, and the correction of its times (ns).
OnChunk = Callable[[Channel, Chunk, int], None]
_NO_UPDATES: Final[list[EventUpdate]] = []


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


class LiveDecoder:
    """The decoder of one device, and the detection on its samples.

    Parameters
    ----------
    device : StoredDevice
    on_chunk : callable
        Called with each chunk of samples.

    Attributes
    ----------
    stream : DriverStream
    newest_ns : int
        Arrival of the newest samples (UTC, ns).
    """

    def __init__(self, device: StoredDevice, on_chunk: OnChunk) -> None:
        self.newest_ns = 0
        self._device = device
        self._on_chunk = on_chunk
        self.stream = DriverStream(device.settings, self._pass_on)
        driver = installed_drivers().get(device.kind)
        if driver is None:
            log.warning("%s: no driver of the kind %s here", device.label, device.kind)
        self._decoder = None if driver is None else driver.make_decoder()
        self._last_row = 0

    def poll(self, reader: NightFileReader, limit: int) -> tuple[int, list[EventUpdate]]:
        """Read new values.

        Parameters
        ----------
        reader : NightFileReader
        limit : int
            Maximum number of values.

        Returns
        -------
        n_packets : int
            Packets of samples in them.
        updates : list of EventUpdate
            Events that are new or have changed.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        packets: list[tuple[StreamDescription, SamplePacket]] = []
        values = ValueReader(reader, self._device)
        for _, message in values.messages(self._last_row, limit):
            if self._decoder is None:
                continue
            try:
                decoded = self._decoder.push(message)
                streams = {s.name: s for s in self._decoder.streams}
                packets += [
                    (streams[p.stream], p)
                    for p in decoded
                    if isinstance(p, SamplePacket) and not p.resent
                ]
            except PacketError:
                continue
            except Exception:  # of a driver that this package does not know
                log.warning("%s: the driver failed", self._device.label, exc_info=True)
                self._decoder = None
        self._last_row = max(self._last_row, values.last_row)
        if not packets:
            return 0, _NO_UPDATES
        self.newest_ns = max(self.newest_ns, packets[-1][1].arrival_ns)
        return len(packets), self.stream.push(packets)

    def _pass_on(self, chunk: Chunk) -> None:
        channel = next(c for c in self.stream.channels if c.name == chunk.channel)
        offset_ns = round(chunk.first_index / channel.fs * 1e9)
        self._on_chunk(channel, chunk, self.stream.drift_ns(chunk.segment_start_ns + offset_ns))
