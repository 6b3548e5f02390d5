"""Polar H10, Verity Sense and 360: acceleration, and the ECG of the H10.

Written from Polar's description of its measurement service: commands and answers on the control
point, frames with the time of their last sample on the data characteristic, raw (H10) or as a
sample with blocks of differences.
"""

from __future__ import annotations

import random
import struct
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from firmware_sim.peers import polar_files
from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel
from firmware_sim.peers.resting_leg import RestingLeg

SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
HEART_RATE_SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"
HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"

#: ns from 2000 to 2019, where the clock begins at power-on.
POWER_ON_NS = 599_616_000_000_000_000
LONGEST_VALUE = 244
#: Acceleration that is recorded in the memory.
IN_MEMORY = 0x82
#: Frames of a file that are sent in a second.
FRAMES_PER_S = 100
OK, NOT_SUPPORTED, ALREADY, BAD_RATE, BAD_RANGE, BAD_STATE = 0, 3, 6, 8, 9, 12


@dataclass(frozen=True)
class PolarProduct:
    """What one product can do: rates (Hz) and ranges (g), also in its SDK mode."""

    name: str
    rates: tuple[int, ...]
    ranges: tuple[int, ...]
    compressed: bool
    ecg: bool = False
    sdk_rates: tuple[int, ...] = ()
    sdk_ranges: tuple[int, ...] = ()
    memory_rates: tuple[int, ...] = ()


PRODUCTS = {
    "h10": PolarProduct("Polar H10 0A1B2C3D", (25, 50, 100, 200), (2, 4, 8), False, True),
    "oh1": PolarProduct("Polar OH1 0A1B2C3D", (50,), (8,), False),
    "sense": PolarProduct(
        "Polar Sense 0A1B2C3D",
        (52,),
        (8,),
        True,
        False,
        (26, 52, 104, 208, 416),
        (2, 4, 8, 16),
        (13, 26, 52),
    ),
    "360": PolarProduct(
        "Polar 360 0A1B2C3D",
        (50,),
        (8,),
        True,
        False,
        (12, 25, 50, 100, 200, 400),
        (2, 4, 8, 16),
        (50,),
    ),
}


@dataclass
class Measurement:
    """A stream that runs: `values` since the last frame, `factor` of a value."""

    rate: int
    range_g: int
    factor: float
    next_s: float
    per_frame: int
    values: list[tuple[int, ...]]


class PolarSensor(PeripheralModel):
    """A simulated Polar sensor.

    Parameters
    ----------
    product : str
        Key of `PRODUCTS`.
    seed : int
        Of values and sizes of frames.
    ppm : float
        Error of the sampling clock against the clock of the time stamps, ppm.
    frame_type : int or None
        Type of the frames of acceleration without compression (0: 8 bit, 1: 16, 2: 24), or of
        compressed ones (0: factor to g, 1: to mg).
    cut_every : int
        Every so many frames one is cut, as by a stack with a smaller MTU.
    stalls : sequence of (float, float)
        Begin and end of times (s) in which nothing is sent; frames wait.
    start_error : int
        Error that answers START, if not zero.
    memory : Memory, optional
        For recordings.

    Attributes
    ----------
    frames : dict of bytes to (str, int, int)
        Stream, first sample in `sent` and number of samples of every whole frame, as the truth
        for tests.
    """

    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(CONTROL, frozenset({"read", "write", "indicate"})),
            CharacteristicModel(DATA, frozenset({"notify"})),
        ),
        HEART_RATE_SERVICE: (CharacteristicModel(HEART_RATE, frozenset({"notify"})),),
        BATTERY_SERVICE: (CharacteristicModel(BATTERY, frozenset({"read", "notify"})),),
        polar_files.SERVICE: (
            CharacteristicModel(polar_files.FILE, frozenset({"write", "notify"})),
            CharacteristicModel(polar_files.FROM_DEVICE, frozenset({"notify"})),
            CharacteristicModel(polar_files.TO_DEVICE, frozenset({"write"})),
        ),
    }
    advertised_uuids = (HEART_RATE_SERVICE,)

    def __init__(
        self,
        product: str = "h10",
        seed: int = 0,
        ppm: float = 0.0,
        frame_type: int = 1,
        cut_every: int = 0,
        stalls: tuple[tuple[float, float], ...] = (),
        start_error: int = 0,
        memory: polar_files.Memory | None = None,
    ) -> None:
        super().__init__()
        self.memory = memory or polar_files.Memory()
        self._file_frames: deque[bytes] = deque()
        self._file_frame_s = 0.0
        if str(product) not in PRODUCTS:
            raise ValueError(f"no simulated Polar {product}; choose from: {', '.join(PRODUCTS)}")
        self.product = PRODUCTS[str(product)]
        self.name = self.product.name
        self.percent = 64
        self.sdk_mode = False
        self.frame_type = frame_type
        self.running: dict[int, Measurement] = {}
        self.frames: dict[bytes, tuple[str, int, int]] = {}
        self._ppm = ppm
        self._cut_every = cut_every
        self._stalls = stalls
        self._start_error = start_error
        self._frames = 0
        self._power_on_s = 0.0
        self._random = random.Random(seed)
        self._held: list[bytes] = []
        self._leg = RestingLeg(self._random)

    # -- connection ----------------------------------------------------------------------

    def disconnect(self, now_s: float) -> None:
        """Stop streaming: the host must start again. A recording goes on."""
        self.advance(now_s)
        super().disconnect(now_s)
        self.running = {kind: one for kind, one in self.running.items() if kind == IN_MEMORY}
        self._held.clear()
        self._file_frames.clear()

    def reboot(self, now_s: float) -> None:
        """Restart: the clock begins in 2019 again, and SDK mode ends."""
        super().reboot(now_s)
        self._power_on_s = now_s
        self.sdk_mode = False
        self.running.clear()

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return the features or the battery level."""
        if uuid == BATTERY:
            return bytes([self.percent])
        if uuid == CONTROL:
            mask = 0x04 | (0x01 if self.product.ecg else 0x0A)
            more = 0x02 * bool(self.product.sdk_rates) | 0x20 * bool(self.product.memory_rates)
            return bytes([0x0F, mask, more]) + bytes(14)
        return b""

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a command."""
        if uuid == polar_files.FILE:
            self._file_frames += self.memory.respond(data)
            self._file_frame_s = now_s
            return
        if uuid == CONTROL and data == b"\x05":
            states = {kind & 0x3F: 0x80 if kind == IN_MEMORY else 0x40 for kind in self.running}
            values = bytes(kind | states.get(kind, 0) for kind in (1, 2, 3))
            self.notify(CONTROL, bytes([0xF0, 5, 0, OK, 0]) + values)
        if uuid != CONTROL or len(data) < 2:
            return
        command, kind = data[0], data[1]
        error, parameters = NOT_SUPPORTED, b""
        if command in (1, 4) and self._has(kind):
            error, parameters = OK, self._settings(kind, command == 4 or self.sdk_mode)
        elif command == 2 and kind == 9 and self.product.sdk_rates:
            error = BAD_STATE if self.running else ALREADY if self.sdk_mode else OK
            self.sdk_mode |= error == OK
        elif command == 2 and self._has(kind):
            error, parameters = self._start(kind, data[2:], now_s)
        elif command == 3 and kind == 9 and self.product.sdk_rates:
            error = BAD_STATE if self.running else OK if self.sdk_mode else ALREADY
            self.sdk_mode &= error != OK
        elif command == 3 and self._has(kind):
            in_memory = self.running.pop(IN_MEMORY, None) if kind == 2 else None
            error = OK if self.running.pop(kind, None) or in_memory else ALREADY
        answer = bytes([0xF0, command, kind, error])
        self.notify(CONTROL, answer + (b"\x00" + parameters if error == OK else b""))

    def _has(self, kind: int) -> bool:
        if kind == IN_MEMORY:
            return bool(self.product.memory_rates)
        return kind == 2 or (kind == 0 and self.product.ecg)

    def _settings(self, kind: int, sdk_mode: bool) -> bytes:
        if kind == 0:
            return bytes.fromhex("0001 8200 0101 0e00")
        rates, ranges = self.product.rates, self.product.ranges
        if sdk_mode and self.product.sdk_rates:
            rates, ranges = self.product.sdk_rates, self.product.sdk_ranges
        if kind == IN_MEMORY:
            rates = self.product.memory_rates
        text = bytes([0, len(rates)]) + b"".join(r.to_bytes(2, "little") for r in rates)
        text += bytes.fromhex("0101 1000")
        text += bytes([2, len(ranges)]) + b"".join(r.to_bytes(2, "little") for r in ranges)
        return text + (bytes.fromhex("0401 03") if self.product.compressed else b"")

    def _start(self, kind: int, settings: bytes, now_s: float) -> tuple[int, bytes]:
        if self._start_error:
            return self._start_error, b""
        if kind & 0x3F in {other & 0x3F for other in self.running}:
            return ALREADY, b""
        given: dict[int, int] = {}
        at = 0
        while at < len(settings):
            size = {0: 2, 1: 2, 2: 2, 4: 1}[settings[at]]
            given[settings[at]] = int.from_bytes(settings[at + 2 : at + 2 + size], "little")
            at += 2 + size
        rate, range_g = given[0], given.get(2, 0)
        sdk = self.sdk_mode
        if rate not in (
            self.product.memory_rates
            if kind == IN_MEMORY
            else (130,)
            if kind == 0
            else self.product.sdk_rates
            if sdk
            else self.product.rates
        ):
            return BAD_RATE, b""
        if kind & 0x3F == 2 and range_g not in (
            self.product.sdk_ranges if sdk else self.product.ranges
        ):
            return BAD_RANGE, b""
        factor, answer = 1.0, b""
        if kind & 0x3F == 2 and self.product.compressed:
            in_mg = kind == IN_MEMORY and self.memory.in_mg and self.frame_type == 1
            step_g = 1.0 if in_mg else range_g / 32768 * (1000 if self.frame_type == 1 else 1)
            (factor,) = struct.unpack("<f", struct.pack("<f", step_g))
            answer = b"" if in_mg else bytes([5, 1]) + struct.pack("<f", factor)
        first_s = now_s + self._period_s(rate)
        self.running[kind] = Measurement(rate, range_g, factor, first_s, self._size(kind), [])
        if kind == IN_MEMORY:
            self.memory.begin(self._time_ns(now_s), settings + answer)
        return OK, answer

    # -- samples -------------------------------------------------------------------------

    def _period_s(self, rate: int) -> float:
        return (1 - self._ppm * 1e-6) / rate

    def _size(self, kind: int) -> int:
        """Return the samples of the next frame."""
        if kind == 0:
            return 73
        if self.product.compressed:
            return self._random.randrange(20, 50)
        return {0: 72, 1: 36, 2: 24}[self.frame_type]

    def advance(self, now_s: float) -> None:
        """Sample, and queue each frame that is complete."""
        for kind, one in self.running.items():
            while one.next_s <= now_s:
                one.values.append(self._sample(kind, one))
                if len(one.values) == one.per_frame:
                    frame = self._frame(kind, one, one.next_s)
                    stream, n = {0: "ecg", 2: "acc"}[kind & 0x3F], len(one.values)
                    self.frames[frame] = (stream, len(self.sent[stream].times_s) - n, n)
                    if kind == IN_MEMORY:
                        self.memory.add(frame)
                    else:
                        self._send(frame)
                    one.values, one.per_frame = [], self._size(kind)
                one.next_s += self._period_s(one.rate)
        if not any(begin <= now_s < end for begin, end in self._stalls):
            for frame in self._held:
                self.notify(DATA, frame)
            self._held.clear()
        while self._file_frames and self._file_frame_s <= now_s:
            self.notify(polar_files.FILE, self._file_frames.popleft())
            self._file_frame_s += 1 / FRAMES_PER_S

    def _sample(self, kind: int, one: Measurement) -> tuple[int, ...]:
        """Take a sample and note it in the unit of its stream."""
        if kind == 0:
            microvolts = round(self._random.gauss(0, 300))
            self.record("ecg", one.next_s, (microvolts / 1000,))
            return (microvolts,)
        acc_mg = [1000 * g for g in self._leg.sample(1 / one.rate)]
        if self.product.compressed:
            mg = one.factor * (1 if self.frame_type == 1 else 1000)
            limit = 32767
        else:
            mg, limit = 1.0, {0: 127, 1: 32767, 2: 8_388_607}[self.frame_type]
        values = tuple(min(limit, max(-limit, round(v / mg))) for v in acc_mg)
        self.record("acc", one.next_s, tuple(v * mg / 1000 for v in values))
        return values

    def _time_ns(self, now_s: float) -> int:
        return POWER_ON_NS + round((now_s - self._power_on_s) * 1e9)

    def _frame(self, kind: int, one: Measurement, last_s: float) -> bytes:
        time_ns, kind = self._time_ns(last_s), kind & 0x3F
        compressed = kind == 2 and self.product.compressed
        frame_type = 0 if kind == 0 else self.frame_type | (0x80 if compressed else 0)
        header = bytes([kind]) + time_ns.to_bytes(8, "little") + bytes([frame_type])
        if compressed:
            return header + compress(one.values, self._random)
        size = 3 if kind == 0 else self.frame_type + 1
        numbers = (v for sample in one.values for v in sample)
        return header + b"".join(v.to_bytes(size, "little", signed=True) for v in numbers)

    def _send(self, frame: bytes) -> None:
        self._frames += 1
        if len(frame) > LONGEST_VALUE or (self._cut_every and self._frames % self._cut_every == 0):
            frame = frame[: min(LONGEST_VALUE, len(frame)) - 1]
            if frame[9] & 0x80 and _ends_with_block(frame):
                frame = frame[:-1]  # it would look like a whole frame
        self._held.append(frame)


def _ends_with_block(frame: bytes) -> bool:
    """Return whether a compressed frame that was cut ends where a block does."""
    at = 16
    while at < len(frame) - 1:
        at += 2 + (3 * frame[at] * frame[at + 1] + 7) // 8
    return at == len(frame)


def compress(samples: list[tuple[int, ...]], rng: random.Random) -> bytes:
    """Return samples as the first one and blocks of differences, each with its own width."""
    data = b"".join(v.to_bytes(2, "little", signed=True) for v in samples[0])
    at = 1
    while at < len(samples):
        end = min(len(samples), at + rng.randrange(4, 30))
        pairs = zip(samples[at - 1 : end - 1], samples[at:end], strict=True)
        steps = [b - a for before, after in pairs for a, b in zip(before, after, strict=True)]
        bits = 1 + max((s if s >= 0 else ~s).bit_length() for s in steps)
        packed = 0
        for i, step in enumerate(steps):
            packed |= (step & ((1 << bits) - 1)) << (i * bits)
        data += bytes([bits, end - at])
        data += packed.to_bytes((bits * len(steps) + 7) // 8, "little")
        at = end
    return data
