"""Decodes the values of one device of a night file that is being written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from twitchsense.devices.contract import PacketError, SamplePacket
from twitchsense.devices.registry import installed_drivers
from twitchsense.devices.streams import StreamDescription
from twitchsense.live.driver_stream import DriverStream
from twitchsense.live.event_updates import EventUpdate
from twitchsense.model.channels import Channel, Chunk
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.stored_values import StoredDevice, ValueReader

log = logging.getLogger(__name__)

#: Called with the channel of a chunk, the chunk, and the correction of its times (ns).
OnChunk = Callable[[Channel, Chunk, int], None]
_NO_UPDATES: Final[list[EventUpdate]] = []


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
