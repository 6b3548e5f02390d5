"""OpenBCI Ganglion: four channels at 200 Hz in packets of two samples, acceleration at 10 Hz.

Written from the sources of the board's firmware (releases 2.0.1 and 3.0.2), which describe the
packets bit by bit. Values are counts of the converter (EMG) and of the accelerometer.
"""

from __future__ import annotations

import random
from typing import ClassVar

from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel

SERVICE = "0000fe84-0000-1000-8000-00805f9b34fb"
RECEIVE = "2d30c082-f39f-4ce6-923f-3484ea480596"
SEND = "2d30c083-f39f-4ce6-923f-3484ea480596"
DISCONNECT = "2d30c084-f39f-4ce6-923f-3484ea480596"
SOFTWARE_REVISION = "00002a28-0000-1000-8000-00805f9b34fb"

FS = 200.0
#: Samples that a cycle of the sample counter takes, in both firmwares.
CYCLE = 201


def pack(values: list[int], bits: int) -> bytes:
    """Pack eight values into a payload: two's complement, the highest bit first."""
    whole = 0
    for value in values:
        whole = whole << bits | value & ((1 << bits) - 1)
    return whole.to_bytes(bits, "big")


def with_sign_bit(value: int) -> int:
    """Replace the lowest bit by the sign."""
    return value & ~1 | (value < 0)


class Ganglion(PeripheralModel):
    """A simulated Ganglion.

    Parameters
    ----------
    firmware : str
        2.0.1 or 3.0.2.
    seed : int
        Of the values.
    ppm : float
        Error of the sampling clock, ppm.
    amplitude : float
        Standard deviation of the EMG, counts.

    Attributes
    ----------
    packets : dict of bytes to range
        Indices of the samples that each packet holds.
    axes_packets : list of tuple of bytes
        The three packets that each sample of the accelerometer is in.
    """

    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(RECEIVE, frozenset({"read", "notify"})),
            CharacteristicModel(SEND, frozenset({"write", "write_without_response"})),
            CharacteristicModel(DISCONNECT, frozenset({"write"})),
        ),
        "0000180a-0000-1000-8000-00805f9b34fb": (
            CharacteristicModel(SOFTWARE_REVISION, frozenset({"read"})),
        ),
    }

    def __init__(
        self,
        firmware: str = "3.0.2",
        seed: int = 0,
        ppm: float = 0.0,
        amplitude: float = 20_000.0,
    ) -> None:
        super().__init__()
        self.name = "Ganglion-54ca"
        self.advertised_uuids = (SERVICE,)
        self.firmware = firmware
        self.packets: dict[bytes, range] = {}
        self.axes_packets: list[tuple[bytes, ...]] = []
        self._amplitude = amplitude
        self._differences = firmware.startswith("2")
        self._period_s = (1 - ppm * 1e-6) / FS
        self._random = random.Random(seed)
        self._streaming = False
        self._acc = False
        self._reset(0.0)

    def _reset(self, now_s: float) -> None:
        self._next_s = now_s + self._period_s
        self._counter = -1
        self._level = 0 if self._differences else -1
        self._half: tuple[float, list[int], list[int]] | None = None
        self._before = self._known = [0] * 4
        self._axes = [0, 0, 0]
        self._axes_s = 0.0
        self._aux = 0
        self._shown: list[tuple[int, bytes]] = []

    def disconnect(self, now_s: float) -> None:
        """Stop, and switch the accelerometer off, as the firmware does."""
        super().disconnect(now_s)
        self._streaming = self._acc = False

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return the version of the firmware."""
        return self.firmware.encode() if uuid == SOFTWARE_REVISION else b""

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a command of one character."""
        if uuid != SEND:
            return
        match data[:1]:
            case b"b" if not self._streaming:
                self._streaming = True
                self._reset(now_s)
            case b"s":
                self._streaming = False
                self._print("stop running\n")
            case b"n" | b"N":
                self._acc = data[:1] == b"n"
                word = "enabled" if self._acc else "disabled"
                if not self._streaming:
                    self._print(f"accelerometer {word}\n")
            case b"v":
                self._streaming = False
                self._print(f"OpenBCI Ganglion v{self.firmware}\nLIS2DH ID: 0x33\n")

    def _print(self, text: str) -> None:
        """Send a text in pieces of 19 bytes."""
        data = text.encode()
        pieces = [data[i : i + 19] for i in range(0, len(data), 19)]
        for piece in pieces[:-1]:
            self.notify(RECEIVE, b"\xce" + piece)
        self.notify(RECEIVE, b"\xcf" + pieces[-1])

    def advance(self, now_s: float) -> None:
        """Sample, and queue the packets that are complete."""
        while self._streaming and self._next_s <= now_s:
            self._sample(self._next_s)
            self._next_s += self._period_s

    def _sample(self, now_s: float) -> None:
        self._counter += 1
        if self._counter == CYCLE:
            self._counter = self._level = 0
            self._half = None
        if self._acc and now_s >= self._axes_s:
            self._axes = [round(self._random.gauss(mean, 1)) for mean in (-62, 5, 30)]
            self._axes_s = now_s + 0.1
        counts = [round(self._random.gauss(-1000 * i, self._amplitude)) for i in range(4)]
        if self._differences:
            self._add_differences(now_s, counts)
        else:
            self._add_high_bits(now_s, counts)

    # -- firmware 2: an uncompressed sample, then 100 packets of differences ------------------

    def _add_differences(self, now_s: float, counts: list[int]) -> None:
        if self._counter == 0:
            payload = b"".join((c & 0xFFFFFF).to_bytes(3, "big") for c in counts)
            self._send(b"\0" + payload + b"ABCDEFG", [(now_s, counts)])
            self._before = self._known = counts
            self._level = 1
            return
        differences = [with_sign_bit(b - c) for b, c in zip(self._before, counts, strict=True)]
        self._before = counts
        # a receiver knows the sum of what was sent
        self._known = [k - d for k, d in zip(self._known, differences, strict=True)]
        self._add(now_s, differences, self._known)

    # -- firmware 3: the highest bits of every sample -----------------------------------------

    def _add_high_bits(self, now_s: float, counts: list[int]) -> None:
        dropped = 6 if self._acc else 5
        values = [with_sign_bit(c >> dropped) for c in counts]
        self._add(now_s, values, [v << dropped for v in values])

    def _add(self, now_s: float, values: list[int], known: list[int]) -> None:
        """Put a sample into the packet, and send the packet after the second one."""
        if self._half is None:
            self._half = (now_s, values, known)
            return
        first_s, first_values, first_known = self._half
        self._half = None
        packet = bytes([(self._level + (0 if self._acc else 100)) % 256])
        packet += pack(first_values + values, 18 if self._acc else 19)
        axis = self._level % 10 - 1 if self._acc and self._level > 0 else -1
        if self._acc:
            if axis in (0, 1, 2):
                self._aux = self._axes[axis]
            packet += bytes([self._aux & 0xFF])
        self._send(packet, [(first_s, first_known), (now_s, known)])
        if axis in (0, 1, 2):
            self._add_axis(axis, packet, now_s)
        self._level += 1

    def _add_axis(self, axis: int, packet: bytes, now_s: float) -> None:
        """Note an axis of the accelerometer as sent; the third one completes a sample."""
        if axis == 0:
            self._shown = []
        self._shown.append((self._aux, packet))
        if len(self._shown) == axis + 1 == 3:
            self.record("acc", now_s, tuple(float(value) for value, _ in self._shown))
            self.axes_packets.append(tuple(packet for _, packet in self._shown))

    def _send(self, packet: bytes, samples: list[tuple[float, list[int]]]) -> None:
        first = len(self.sent["emg"].values) if "emg" in self.sent else 0
        for time_s, counts in samples:
            self.record("emg", time_s, tuple(float(c) for c in counts))
        self.packets[packet] = range(first, first + len(samples))
        self.notify(RECEIVE, packet)
