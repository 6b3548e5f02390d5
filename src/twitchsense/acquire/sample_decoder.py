"""Decodes the values of a device while it is recorded: samples, loss, battery."""

from __future__ import annotations

import logging

from twitchsense.devices.contract import BatteryLevel, Driver, Message, PacketError, SamplePacket
from twitchsense.devices.sample_timing.loss import describe_loss
from twitchsense.devices.sample_timing.placed import StreamPlacement
from twitchsense.devices.sample_timing.selection import make_placement
from twitchsense.devices.streams import StreamDescription

log = logging.getLogger(__name__)


class SampleDecoder:
    """The decoder of a device during a night, with the loss that `record` prints.

    A value that cannot be decoded is stored nevertheless, so no error of a driver may end the
    recording.

    Parameters
    ----------
    driver : Driver

    Attributes
    ----------
    battery : int or None
        Battery level (percent) as last decoded.
    sample_characteristics : set of str
        Characteristics of which values have held samples.
    logged_s : dict of str to float
        Duration of the samples in logs that were fetched, s, by stream.
    """

    def __init__(self, driver: Driver) -> None:
        self.battery: int | None = None
        self.sample_characteristics: set[str] = set()
        self.logged_s: dict[str, float] = {}
        self._kind = driver.kind
        self._decoder = driver.make_decoder()
        self._streams: dict[str, StreamDescription] = {}
        self._placements: dict[str, StreamPlacement] = {}
        self._n_samples: dict[str, int] = {}

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams of which samples have arrived."""
        return tuple(self._streams.values())

    def push(self, message: Message) -> list[tuple[StreamDescription, SamplePacket]]:
        """Decode a value.

        Parameters
        ----------
        message : Message

        Returns
        -------
        list of (StreamDescription, SamplePacket)
            Samples with their stream.
        """
        try:
            decoded = self._decoder.push(message)
            # a log, fetched at the end, is placed when the night is read
            found = [p for p in decoded if isinstance(p, SamplePacket)]
            streams = {s.name: s for s in self._decoder.streams} if found else {}
            for packet in found:
                if packet.resent:
                    seconds = len(packet.samples) / streams[packet.stream].fs
                    before_s = self.logged_s.get(packet.stream, 0.0)
                    self.logged_s[packet.stream] = before_s + seconds
            packets = [p for p in found if not p.resent]
            if packets:
                self.sample_characteristics.add(message.characteristic)
            for packet in packets:
                self._count(streams[packet.stream], packet)
        except PacketError as error:
            log.info("%s: a value was refused: %s", self._kind, error)
            return []
        except Exception:  # of a driver that this package does not know
            log.warning("an error in the driver %s", self._kind, exc_info=True)
            return []
        for level in decoded:
            if isinstance(level, BatteryLevel):
                self.battery = level.percent
        return [(streams[p.stream], p) for p in packets]

    def _count(self, stream: StreamDescription, packet: SamplePacket) -> None:
        name = stream.name
        if self._streams.get(name) != stream:
            self._streams[name] = stream
            self._placements[name] = make_placement(stream)
        self._placements[name].push(packet)
        self._n_samples[name] = self._n_samples.get(name, 0) + len(packet.samples)

    def describe_loss(self) -> str:
        """Return a phrase about the loss of each stream so far."""
        phrases = {
            name: describe_loss(placement.loss, self._n_samples[name], self._streams[name].timing)
            for name, placement in self._placements.items()
        }
        if len(set(phrases.values())) == 1:
            return next(iter(phrases.values()))
        return ", ".join(f"{name} {phrase}" for name, phrase in sorted(phrases.items()))
