"""Driver of the NPG Lite of Upside Down Labs: EMG of 3 or 6 channels, a counter per sample.

Sources: firmware upsidedownlabs/NPG-Lite-IDF-Firmware (main/main.c, main/src/gatt.c) and the
client Chords-Python (chordspy/chords_ble.py), read as descriptions of the protocol. Neither
states the gain of the amplifier, so that values are counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    BatteryLevel,
    Decoded,
    Direction,
    Ignored,
    Message,
    PacketError,
    SamplePacket,
)
from twitchsense.devices.dialogue import Expect, Steps, Subscribe, Write
from twitchsense.devices.streams import SampleCounter, StreamDescription

SERVICE_UUID: Final = "4fafc201-1fb5-459e-8fcc-c5c9c331914b"
DATA_UUID: Final = "beb5483e-36e1-4688-b7f5-ea07361b26a8"
CONTROL_UUID: Final = "0000ff01-0000-1000-8000-00805f9b34fb"
BATTERY_UUID: Final = "f633d0ec-46b4-43c1-a39f-1ca06d0602e1"

#: Samples in a notification and sampling rate (Hz) of each firmware: Chords sends batches of
#: ten, or single samples in its first versions; the IDF firmware sends 25.
_RATES: Final[Mapping[int, float]] = {1: 500.0, 10: 500.0, 25: 250.0}
_CHANNELS: Final = (3, 6)
#: Size of a notification (bytes): number of channels, number of samples.
_LAYOUTS: Final = {n * (1 + 2 * width): (width, n) for width in _CHANNELS for n in _RATES}
#: Largest value of the converter, 12 bits.
_MAX_COUNT: Final = 4095
_MODULUS: Final = 256


def _emg(width: int, fs: float) -> StreamDescription:
    return StreamDescription(
        name="emg",
        kind="emg",
        width=width,
        fs=fs,
        unit="count",
        counts_per_unit=1.0,
        timing=SampleCounter(_MODULUS),
        resolution=1.0,
        limits=(0.0, float(_MAX_COUNT)),
    )


class NpgLiteDriver:
    """Driver of the NPG Lite; see `Driver`."""

    kind = "npg"
    title = "NPG Lite (Upside Down Labs)"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="stops", restarts_on=frozenset({"power", "start"})
    )
    typical_streams = (_emg(3, 500.0),)
    options: Mapping[str, str] = MappingProxyType({})
    poll_period_s = 600.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 0.9 for the name and 0.4 for the service alone; see `Driver`.

        The service UUID is that of an example of the ESP32 library, which many sketches use.
        """
        if advertised.name.upper().startswith("NPG"):
            return 0.9
        return 0.4 if SERVICE_UUID in advertised.service_uuids else 0.0

    def open(self, options: Mapping[str, str]) -> Steps:
        """Subscribe and start; see `Driver`."""
        yield Subscribe(CONTROL_UUID, optional=True)
        yield Subscribe(BATTERY_UUID, optional=True)
        yield Subscribe(DATA_UUID)
        yield Write(CONTROL_UUID, b"START")

    def poll(self) -> Steps:
        """Request the state; the battery level comes by itself every 10 s. See `Driver`."""
        yield Write(CONTROL_UUID, b"STATUS")
        yield Expect(CONTROL_UUID, optional=True)

    def close(self) -> Steps:
        """Stop; see `Driver`."""
        yield Write(CONTROL_UUID, b"STOP")

    def make_decoder(self) -> NpgLiteDecoder:
        """Return a new decoder; see `Driver`."""
        return NpgLiteDecoder()


class NpgLiteDecoder:
    """Decoder of the NPG Lite; see `Decoder`.

    The size of the notifications tells the number of channels and the firmware, and thereby the
    rate. Reasons of refusals: ``length``, ``layout``, ``counter``, ``range``, ``battery``.
    """

    def __init__(self) -> None:
        self._stream: StreamDescription | None = None
        self._size = 0
        self._restarted = False

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """The EMG stream; empty until the first notification."""
        return () if self._stream is None else (self._stream,)

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        uuid = message.characteristic
        if message.direction is Direction.WRITE:
            if uuid == CONTROL_UUID and message.data.upper().startswith(b"START"):
                self._restarted = self._stream is not None
        elif uuid == DATA_UUID:
            return [self._decode_samples(message)]
        elif uuid == BATTERY_UUID:
            if len(message.data) != 1 or message.data[0] > 100:
                raise PacketError("battery", f"{message.data[:8].hex()} is not a percentage")
            return [BatteryLevel(message.data[0], message.arrival_ns)]
        elif uuid != CONTROL_UUID:  # which answers in text
            return [Ignored("characteristic")]
        return []

    def _decode_samples(self, message: Message) -> SamplePacket:
        data = message.data
        if len(data) not in _LAYOUTS:
            raise PacketError(
                "length", f"{len(data)} bytes are not a whole batch of samples of 3 or 6 channels"
            )
        if self._size not in (0, len(data)):
            raise PacketError("layout", f"{len(data)} bytes after notifications of {self._size}")
        width, n = _LAYOUTS[len(data)]
        rows = np.frombuffer(data, [("counter", "u1"), ("values", ">u2", (width,))])
        counters = rows["counter"].astype(np.int64)
        if ((counters - counters[0] - np.arange(n)) % _MODULUS).any():
            raise PacketError("counter", "the counters of the samples are not consecutive")
        if int(rows["values"].max()) > _MAX_COUNT:
            raise PacketError("range", f"a value above {_MAX_COUNT}")
        if self._stream is None:
            self._stream, self._size = _emg(width, _RATES[n]), len(data)
        packet = SamplePacket(
            "emg",
            rows["values"].astype(np.int16),
            int(counters[0]),
            message.arrival_ns,
            self._restarted,
        )
        self._restarted = False
        return packet
