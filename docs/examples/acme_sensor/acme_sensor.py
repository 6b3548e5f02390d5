"""Driver of the (imaginary) Acme ankle sensor: acceleration, a counter of packets."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from twitchsense.devices.contract import (
    Abilities,
    BatteryLevel,
    Direction,
    PacketError,
    SamplePacket,
    full_uuid,
)
from twitchsense.devices.dialogue import Read, Subscribe, Write
from twitchsense.devices.streams import SampleCounter, StreamDescription
from twitchsense.errors import InputError

SERVICE_UUID = "ac3e0001-0000-4000-8000-00c0ffee0001"
CONTROL_UUID = "ac3e0002-0000-4000-8000-00c0ffee0001"
DATA_UUID = "ac3e0003-0000-4000-8000-00c0ffee0001"
BATTERY_UUID = full_uuid(0x2A19)

# A notification: number of the packet (u16), then 8 samples of x, y, z (i16, mg); little-endian.
SAMPLES = 8
PACKET = np.dtype([("number", "<u2"), ("samples", "<i2", (SAMPLES, 3))])


def acceleration(fs):
    return StreamDescription(
        name="acc",
        kind="acc",
        width=3,
        fs=fs,
        unit="g",
        counts_per_unit=1000.0,  # mg
        timing=SampleCounter(SAMPLES * 2**16),
        resolution=0.001,
        limits=(-16.0, 16.0),
    )


class AcmeDriver:
    kind = "acme"
    title = "Acme ankle sensor"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="stops", restarts_on=frozenset({"power", "start"})
    )
    typical_streams = (acceleration(100.0),)
    options = MappingProxyType({"rate": "50 or 100 Hz; 100 if not stated"})
    poll_period_s = 600.0

    def recognize(self, advertised):
        return float(SERVICE_UUID in advertised.service_uuids)

    def open(self, options):
        rate = options.get("rate", "100")
        if rate not in ("50", "100"):
            raise InputError("--option", f"rate={rate} is not available", "choose 50 or 100")
        yield Read(BATTERY_UUID, optional=True)
        yield Subscribe(DATA_UUID)
        yield Write(CONTROL_UUID, bytes([1, int(rate)]))  # start

    def poll(self):
        yield Read(BATTERY_UUID, optional=True)

    def close(self):
        yield Write(CONTROL_UUID, bytes([0]))  # stop

    def make_decoder(self):
        return AcmeDecoder()


class AcmeDecoder:
    def __init__(self):
        self._stream = None
        self._restarted = False
        self._started = False

    @property
    def streams(self):
        return () if self._stream is None else (self._stream,)

    def push(self, message):
        if message.characteristic == BATTERY_UUID:
            if len(message.data) != 1 or message.data[0] > 100:
                raise PacketError("battery", f"{message.data[:4].hex()} is no percentage")
            return [BatteryLevel(message.data[0], message.arrival_ns)]
        if message.characteristic == CONTROL_UUID and message.direction is Direction.WRITE:
            # the command states the rate, so it is taken from here and not from the driver
            if len(message.data) == 2 and message.data[0] == 1 and message.data[1] in (50, 100):
                self._stream = acceleration(float(message.data[1]))
                self._restarted, self._started = self._started, True
        elif message.characteristic == DATA_UUID:
            return [self._decode(message)]
        return []

    def _decode(self, message):
        if self._stream is None:
            raise PacketError("settings", "samples before the command that states their rate")
        if len(message.data) != PACKET.itemsize:
            raise PacketError("length", f"{len(message.data)} bytes, not {PACKET.itemsize}")
        packet = np.frombuffer(message.data, PACKET)[0]
        restarted, self._restarted = self._restarted, False
        return SamplePacket(
            "acc",
            packet["samples"],
            int(packet["number"]) * SAMPLES,
            message.arrival_ns,
            restarted,
        )
