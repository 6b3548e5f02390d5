"""Driver of the OpenBCI Ganglion: EMG of 4 channels in µV at 200 Hz, acceleration at 10 Hz.

Sources: OpenBCI/OpenBCI_Ganglion_Library (MIT) for the firmware, OpenBCI's page "Ganglion Data
Format" for the scale, brainflow-dev/brainflow (ganglion_native.cpp) for the dialogue, read as
descriptions of the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    Decoded,
    Direction,
    Ignored,
    Message,
    PacketError,
    SamplePacket,
    full_uuid,
)
from twitchsense.devices.dialogue import Read, Steps, Subscribe, Write
from twitchsense.devices.ganglion.ganglion_frames import (
    CHANNELS,
    LAST_NUMBER,
    PACKET_BYTES,
    FormatGuess,
    PacketFormat,
    PacketNumber,
    cycle_samples,
    parse_number,
    unpack_raw,
    unpack_values,
)
from twitchsense.devices.streams import SampleCounter, StreamDescription
from twitchsense.errors import InputError
from twitchsense.model.channels import NS

SERVICE_UUID: Final = full_uuid(0xFE84)
DATA_UUID: Final = "2d30c082-f39f-4ce6-923f-3484ea480596"
COMMAND_UUID: Final = "2d30c083-f39f-4ce6-923f-3484ea480596"
SOFTWARE_UUID: Final = full_uuid(0x2A28)

#: Counts per µV: reference 1.2 V, gains 1.5 and 51, 23 bits and the sign.
_COUNTS_PER_UV: Final = 8388607 * 1.5 * 51 / 1.2e6
#: Counts per g: 0.016 g per count in the range of ±2 g that the firmware sets.
_COUNTS_PER_G: Final = 62.5
#: Smallest step of a value (counts): the lowest bit that is sent holds the sign instead.
_STEP: Final = {PacketFormat.DELTA: 2, PacketFormat.HIGH_BITS: 128}
#: -3 dB frequency (Hz) of the converter's decimation filter, a third-order sinc of 512 samples
#: and a first-order sinc of 8 (MCP3912 at 200 samples per second).
_BAND_HZ: Final = 87.0
#: The sampling clock is not trimmed, and firmware 3 omits one sample of 201.
_FS_TOLERANCE: Final = 0.01
#: Axes of the accelerometer by the last digit of the packet number within the cycle.
_AXES: Final = {1: 0, 2: 1, 3: 2}
#: Longest time (ns) between the packets of two axes: less than a cycle of packet numbers.
_MAX_AXES_NS: Final = 3 * NS // 4
#: Packets that wait for the decision about the firmware: ten seconds.
_MAX_WAITING: Final = 1000
_VERSION_TEXT: Final = b"OpenBCI Ganglion v"
_TEXT_NUMBERS: Final = (206, 207)
_IMPEDANCE_NUMBERS: Final = range(201, 206)
#: Number of the first packet after a start of firmware 3.0.1 and later, which sets its counter
#: to -1: 255 with 18 bits, 99 with 19.
_UNNUMBERED: Final = 255
_UNNUMBERED_19_BITS: Final = 99


def _emg(packet_format: PacketFormat) -> StreamDescription:
    return StreamDescription(
        name="emg",
        kind="emg",
        width=CHANNELS,
        fs=200.0,
        unit="uV",
        counts_per_unit=_COUNTS_PER_UV,
        timing=SampleCounter(cycle_samples(packet_format)),
        resolution=_STEP[packet_format] / _COUNTS_PER_UV,
        limits=(-8388608 / _COUNTS_PER_UV, 8388607 / _COUNTS_PER_UV),
        band_hz=(0.0, _BAND_HZ),
        fs_tolerance=_FS_TOLERANCE,
    )


_ACC: Final = StreamDescription(
    name="acc",
    kind="acc",
    width=3,
    fs=10.0,
    unit="g",
    counts_per_unit=_COUNTS_PER_G,
    timing=SampleCounter(10),
    resolution=1 / _COUNTS_PER_G,
    limits=(-128 / _COUNTS_PER_G, 127 / _COUNTS_PER_G),
    fs_tolerance=_FS_TOLERANCE,
)


class GanglionDriver:
    """Driver of the Ganglion; see `Driver`."""

    kind = "ganglion"
    title = "Ganglion (OpenBCI)"
    version = 1
    abilities = Abilities(
        resend="none",
        while_disconnected="stops",
        restarts_on=frozenset({"power", "connect", "start"}),
    )
    typical_streams = (_emg(PacketFormat.HIGH_BITS), _ACC)
    options: Mapping[str, str] = MappingProxyType(
        {"acc": "yes (the default) or no: without acceleration, EMG has twice the resolution"}
    )
    poll_period_s = 600.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 0.9 for the name, 0.5 for the name of the radio module; see `Driver`.

        The service is that of every product with a Simblee module.
        """
        name = advertised.name.lower()
        if name.startswith("ganglion"):
            return 0.9
        if name.startswith("simblee"):
            return 0.5
        return 0.4 if SERVICE_UUID in advertised.service_uuids else 0.0

    def open(self, options: Mapping[str, str]) -> Steps:
        """Read the version of the firmware, subscribe and start; see `Driver`."""
        acc = options.get("acc", "yes")
        if acc not in ("yes", "no"):
            raise InputError("option acc", f"is {acc!r}", "choose yes or no")
        yield Read(SOFTWARE_UUID, optional=True)
        yield Subscribe(DATA_UUID)
        yield Write(COMMAND_UUID, b"n" if acc == "yes" else b"N", with_response=False)
        yield Write(COMMAND_UUID, b"b", with_response=False)

    def poll(self) -> Steps:
        """Do nothing: the device stays awake, and does not tell its battery. See `Driver`."""
        yield from ()

    def close(self) -> Steps:
        """Stop; see `Driver`."""
        yield Write(COMMAND_UUID, b"s", with_response=False)

    def make_decoder(self) -> GanglionDecoder:
        """Return a new decoder; see `Driver`."""
        return GanglionDecoder()


class GanglionDecoder:
    """Decoder of the Ganglion; see `Decoder`.

    The version of the firmware is taken from its characteristic or from the text that the
    device sends; without either, packets wait until their numbers tell it.

    Reasons of refusals: ``length``, ``number``, ``repeated``, ``unnumbered`` (the first packet
    after a start), ``reference`` (firmware 2: differences to a sample that was lost, until the
    next uncompressed sample), ``version``, ``firmware`` (the numbers do not tell it).
    """

    def __init__(self) -> None:
        self._format: PacketFormat | None = None
        self._guess = FormatGuess()
        self._waiting: list[tuple[bytes, int]] = []
        self._has_data = False
        self._first = True
        self._after_unnumbered: int | None = None
        self._restarted: set[str] = set()
        self._last_data = b""
        self._shift = 0
        self._level = -1
        self._sample: NDArray[np.int32] | None = None
        self._axes: list[int] = []
        self._axes_ns = 0

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """EMG and acceleration, as soon as the firmware is known."""
        return () if self._format is None else (_emg(self._format), _ACC)

    @property
    def waiting(self) -> int:
        """Packets that wait until the firmware is known."""
        return len(self._waiting)

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        uuid, data = message.characteristic, message.data
        if uuid == COMMAND_UUID:
            if b"b" in data:
                self._start()
            return []
        if uuid == SOFTWARE_UUID and message.direction is not Direction.WRITE:
            return self._set_firmware(data[:1])
        if uuid == DATA_UUID and message.direction is not Direction.WRITE:
            return self._push_data(data, message.arrival_ns)
        return [] if message.direction is Direction.WRITE else [Ignored("characteristic")]

    def _push_data(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        number = data[0] if data else -1
        if number in _TEXT_NUMBERS:
            if data[1:].startswith(_VERSION_TEXT) and len(data) > 1 + len(_VERSION_TEXT):
                return self._set_firmware(data[1 + len(_VERSION_TEXT) :][:1])
            return []
        if number in _IMPEDANCE_NUMBERS:
            return []
        if len(data) != PACKET_BYTES:
            raise PacketError("length", f"{len(data)} bytes instead of {PACKET_BYTES}")
        if data == self._last_data:
            raise PacketError("repeated", f"packet {number} again")
        self._last_data = data
        self._check_number(number)
        self._has_data = True
        if self._format is None:
            return self._wait(data, arrival_ns)
        return self._decode(data, arrival_ns)

    def _check_number(self, number: int) -> None:
        """Refuse numbers that place no samples, such as that of the first packet after a start.

        The packets that follow that one in its cycle have numbers that are one too low.
        """
        first, self._first = self._first, False
        if number == _UNNUMBERED or (first and number == _UNNUMBERED_19_BITS):
            self._after_unnumbered = number
            raise PacketError("unnumbered", "the first packet after a start has no number")
        if number > LAST_NUMBER:
            raise PacketError("number", f"{number} is not a number of a packet")
        if self._after_unnumbered == _UNNUMBERED or (
            self._after_unnumbered is not None and number == _UNNUMBERED_19_BITS + 1
        ):
            self._shift = 2
        self._after_unnumbered = None

    def _start(self) -> None:
        self._first = True
        self._shift, self._level, self._sample, self._axes = 0, -1, None, []
        if self._has_data:
            self._restarted = {"emg", "acc"}

    def _set_firmware(self, digit: bytes) -> list[Decoded]:
        if digit not in (b"1", b"2", b"3"):
            raise PacketError("version", f"{digit!r} is not a version of the firmware")
        packet_format = PacketFormat.HIGH_BITS if digit == b"3" else PacketFormat.DELTA
        if self._format not in (None, packet_format):
            raise PacketError("version", "another version of the firmware than before")
        return self._release(packet_format)

    def _wait(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        """Keep a packet until the firmware is known."""
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.clear()
            raise PacketError("firmware", "the packets could be of firmware 2 and of firmware 3")
        self._waiting.append((data, arrival_ns))
        packet_format = self._guess.add(data)
        return [] if packet_format is None else self._release(packet_format)

    def _release(self, packet_format: PacketFormat) -> list[Decoded]:
        self._format = packet_format
        waiting, self._waiting = self._waiting, []
        decoded: list[Decoded] = []
        for data, arrival_ns in waiting:
            try:
                decoded += self._decode(data, arrival_ns)
            except PacketError:
                # differences before the first uncompressed sample
                decoded.append(Ignored("reference"))
        return decoded

    def _decode(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        assert self._format is not None
        number = parse_number(data[0], self._format)
        if number.level <= self._level:
            self._shift = 0
        follows = number.level == self._level + 1
        self._level = number.level
        decoded: list[Decoded] = []
        if number.bits == 18:
            decoded += self._decode_axis(number.level, data[19], arrival_ns)
        samples = self._decode_samples(data, number, follows)
        if samples is not None:
            position = (number.position + self._shift) % cycle_samples(self._format)
            decoded.append(self._packet("emg", samples, position, arrival_ns))
        elif not decoded:
            raise PacketError("reference", "the sample before was lost")
        return decoded

    def _decode_samples(
        self, data: bytes, number: PacketNumber, follows: bool
    ) -> NDArray[np.int32] | None:
        """Return the samples of a packet; None for differences without their reference."""
        if self._format is PacketFormat.HIGH_BITS:
            return unpack_values(data, number.bits) << np.int32(24 - number.bits)
        if number.bits == 24:
            samples = unpack_raw(data)
        elif self._sample is None or not follows:
            self._sample = None
            return None
        else:
            samples = self._sample - np.cumsum(unpack_values(data, number.bits), 0, np.int32)
        self._sample = samples[-1]
        return samples

    def _decode_axis(self, level: int, value: int, arrival_ns: int) -> list[Decoded]:
        """Collect the axes of the accelerometer, which come in three consecutive packets."""
        axis = _AXES.get(level % 10)
        if axis is None:
            return []
        is_late = arrival_ns - self._axes_ns > _MAX_AXES_NS
        if axis == 0:
            self._axes = [level]
        elif len(self._axes) != axis + 1 or self._axes[0] + axis != level or is_late:
            self._axes = []
            return []
        self._axes_ns = arrival_ns
        self._axes.append(value - ((value & 0x80) << 1))
        if axis != 2:
            return []
        samples = np.array([self._axes[1:]], np.int16)
        return [self._packet("acc", samples, level // 10, arrival_ns)]

    def _packet(
        self, stream: str, samples: NDArray[np.int32] | NDArray[np.int16], position: int, ns: int
    ) -> SamplePacket:
        restarted = stream in self._restarted
        self._restarted.discard(stream)
        return SamplePacket(stream, samples, position, ns, restarted)
