"""Builds night files of devices that a driver decodes, without Bluetooth."""

from __future__ import annotations

import numpy as np

from tests.nightfile.builders import T0
from twitchsense.devices.npg_lite import CONTROL_UUID, DATA_UUID
from twitchsense.nightfile.records import ConnectionStart, Device, DeviceSetting, LinkEvent, Value
from twitchsense.nightfile.writer import NightFileWriter

FS = 500
BATCH = 10
#: Counts per mV of the builder.
GAIN = 500.0
KEY = "npg:AA:BB"


def npg_values(emg_uv, *, first=0, start_s=0.0, keep=lambda number: True, drift=0.0):
    """Return (time in s, direction, UUID, bytes) of a connection of an NPG Lite with 3 channels.

    `emg_uv` is on the first channel; the others rest. Notifications that `keep` rejects are lost.
    """
    counts = np.clip(np.rint(2048 + np.asarray(emg_uv) * GAIN / 1000), 0, 4095).astype(int)
    values = [(start_s, "write", CONTROL_UUID, b"START")]
    for number in range(len(counts) // BATCH):
        rows = range(number * BATCH, (number + 1) * BATCH)
        data = b"".join(
            bytes([(first + i) % 256])
            + int(counts[i]).to_bytes(2, "big")
            + (2048).to_bytes(2, "big") * 2
            for i in rows
        )
        at = start_s + (rows[-1] + 1) / FS / (1 + drift) + 0.02
        if keep(number):
            values.append((at, "notify", DATA_UUID, data))
    return values


def write_values(path, *connections, settings=None, key=KEY, name="NPG-Lite-3CH:0A:1B"):
    """Write a night file with these connections of a device."""
    night = NightFileWriter(path)
    night.write([Device(key, key.partition(":")[2], name, "", "", b"")])
    night.write(DeviceSetting(key, T0, k, v) for k, v in (settings or {"gain": str(GAIN)}).items())
    for values in connections:
        start = ConnectionStart(key, T0 + round(values[0][0] * 1e9), "npg", 1)
        night.write([start, LinkEvent(key, start.time_ns, "connected")])
        night.write(
            Value(start, number, uuid, direction, T0 + round(at * 1e9), data)
            for number, (at, direction, uuid, data) in enumerate(values)
        )
    night.close()
    return path
