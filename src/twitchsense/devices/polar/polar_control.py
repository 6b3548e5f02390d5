"""The control point of Polar's measurement service: commands, answers and settings.

Source: polarofficial/polar-ble-sdk, technical_documentation/online_measurement.pdf (version 1.0)
and documentation/, read as descriptions of the protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from twitchsense.devices.contract import PacketError

#: First byte of an answer, and of the value read from the control point.
ANSWER: Final = 0xF0
FEATURES: Final = 0x0F
#: Bits of the second and third byte of the features.
ECG_FEATURE: Final = 0x0001
ACC_FEATURE: Final = 0x0004
SDK_MODE_FEATURE: Final = 0x0200
MEMORY_FEATURE: Final = 0x2000

#: Commands.
GET_SETTINGS: Final = 1
START: Final = 2
STOP: Final = 3
GET_SDK_MODE_SETTINGS: Final = 4
GET_STATUS: Final = 5

#: Measurements.
ECG: Final = 0
ACC: Final = 2
SDK_MODE: Final = 9
#: Added to a measurement: it is recorded in the memory, not sent.
IN_MEMORY: Final = 0x80
#: In the answer to `GET_STATUS`: the measurement, and the bit of a recording in the memory.
STATUS_MEASUREMENT: Final = 0x3F
STATUS_IN_MEMORY: Final = 0x80

ALREADY_IN_STATE: Final = 6


class Setting(IntEnum):
    """Types of settings."""

    RATE = 0
    RESOLUTION = 1
    RANGE = 2
    RANGE_MILLIUNIT = 3
    CHANNELS = 4
    FACTOR = 5
    SECURITY = 6


_SIZES: Final[Mapping[int, int]] = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16}

#: Errors of an answer in words, with the cure.
ERRORS: Final[Mapping[int, str]] = {
    1: "it does not know the command; update its firmware",
    2: "it does not have this sensor; choose another device",
    3: "it does not support this; update its firmware",
    4: "the command has the wrong length; report this with a raw log",
    5: "a setting is not available; choose another rate or range",
    ALREADY_IN_STATE: "it streams to another program; close that program",
    7: "the resolution is not available; report this with a raw log",
    8: "the sampling rate is not available; choose another rate",
    9: "the range is not available; choose another range",
    10: "the packets are too small; use another Bluetooth adapter",
    11: "the number of channels is not available; report this with a raw log",
    12: "it is busy, perhaps with a recording in its memory; end that recording",
    13: "it is in its charger; take it out",
    14: "its memory is full; delete recordings",
}

Settings = Mapping[int, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """An answer to a command.

    Attributes
    ----------
    command, measurement : int
    error : int
        Zero if the command was carried out.
    more : bool
        Whether another answer continues `parameters`.
    parameters : bytes
    """

    command: int
    measurement: int
    error: int
    more: bool
    parameters: bytes


def parse_answer(data: bytes) -> ControlAnswer:
    """Parse an answer; raise PacketError ``answer`` if it is too short."""
    if len(data) < 4:
        raise PacketError("answer", f"{len(data)} bytes")
    more = len(data) > 4 and data[4] != 0
    return ControlAnswer(data[1], data[2], data[3], more, data[5:])


def parse_settings(data: bytes) -> dict[int, tuple[float, ...]]:
    """Parse a list of settings.

    Parameters
    ----------
    data : bytes
        For each setting its type, the number of values, and the values.

    Returns
    -------
    dict of int to tuple of float
        Values by type, in the order of `data`.

    Raises
    ------
    PacketError
        ``settings`` if a type is not known, the bytes are too few, or a factor is not a
        positive number.
    """
    settings: dict[int, tuple[float, ...]] = {}
    if len(data) == 1:
        return settings  # a status
    at = 0
    while at < len(data):
        kind, size = data[at], _SIZES.get(data[at])
        if size is None or at + 2 > len(data) or at + 2 + size * data[at + 1] > len(data):
            raise PacketError("settings", f"{data[at : at + 8].hex()} is not a setting")
        count = data[at + 1]
        fields = [data[at + 2 + size * i : at + 2 + size * (i + 1)] for i in range(count)]
        if kind == Setting.FACTOR:
            values = tuple(float(struct.unpack("<f", field)[0]) for field in fields)
            if not all(np.isfinite(v) and v > 0 for v in values):
                raise PacketError("settings", f"the factor is {values}")
        else:
            values = tuple(float(int.from_bytes(field, "little")) for field in fields)
        if kind == Setting.RATE and not all(values):
            raise PacketError("settings", "the sampling rate is 0 Hz")
        settings[kind] = values
        at += 2 + size * count
    return settings


def encode_start(measurement: int, selected: Mapping[int, int]) -> bytes:
    """Return the command that starts a measurement.

    Parameters
    ----------
    measurement : int
    selected : mapping of int to int
        Value by type of setting.

    Returns
    -------
    bytes
    """
    command = bytearray([START, measurement])
    for kind, value in selected.items():
        command += bytes([kind, 1]) + value.to_bytes(_SIZES[kind], "little")
    return bytes(command)
