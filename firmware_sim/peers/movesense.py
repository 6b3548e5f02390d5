"""Movesense: acceleration, IMU and ECG over the GATT SensorData protocol.

Written from the maker's description: commands with a reference, answers with a status, data with
the time of its first sample in ms, long payloads in two parts.
"""

from __future__ import annotations

import random
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar

from firmware_sim.peers.movesense_logbook import Logbook
from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel
from firmware_sim.peers.resting_leg import RestingLeg

SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
WRITE = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFY = "34800002-7185-4d5d-b431-630e7050e8f0"
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"

ACC_RATES = (13, 26, 52, 104, 208, 416, 833, 1666)
ECG_RATES = (125, 128, 200, 250, 256, 500, 512)
#: Vectors of a sample.
MEASUREMENTS = {"acc": 1, "gyro": 1, "magn": 1, "imu6": 2, "imu6m": 2, "imu9": 3}
GRAVITY = 9.80665
#: Pieces of a log that are sent in a second: about 30 kB.
PIECES_PER_S = 200
STATUS_OK, STATUS_NOT_FOUND, STATUS_CONFLICT = 200, 404, 409


@dataclass(eq=False)
class ActiveSubscription:
    """A subscription: `kind` is a key of MEASUREMENTS, ``ecg`` or ``ecg/mv``."""

    kind: str
    rate: int
    per_packet: int
    next_s: float
    first_s: float = 0.0
    samples: list[tuple[float, ...]] = field(default_factory=list)
    is_logged: bool = False


class MovesenseSensor(PeripheralModel):
    """A simulated Movesense sensor.

    Parameters
    ----------
    seed : int
        Of the values.
    ppm : float
        Error of the sampling rate against the clock of the time stamps, ppm.
    clock_ms : int
        Clock at power-on, to let it wrap.
    longest : int
        Bytes of the longest notification; longer payloads come in parts.
    has_mv : bool
        Whether the firmware knows ``/Meas/ECG/{rate}/mV``.
    cut_every : int
        Every so many packets one is cut.
    overflow_every : int
        After every so many packets the sensor's memory overflows, and drops 7 samples.
    stalls : sequence of (float, float)
        Begin and end of times (s) in which nothing is sent; notifications wait.
    status : int
        Answers SUBSCRIBE, if not 200.
    logbook : Logbook, optional
        The memory for logs.

    Attributes
    ----------
    packets : dict of bytes to (str, int, int, tuple of bytes)
        Stream, first sample in `sent`, number of samples and notifications of every packet, by
        its first notification, as the truth for tests.
    """

    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(WRITE, frozenset({"write", "write_without_response"})),
            CharacteristicModel(NOTIFY, frozenset({"notify"})),
        ),
        BATTERY_SERVICE: (CharacteristicModel(BATTERY, frozenset({"read", "notify"})),),
    }
    name = "Movesense 223430000019"

    def __init__(
        self,
        seed: int = 0,
        ppm: float = 0.0,
        clock_ms: int = 0,
        longest: int = 155,
        has_mv: bool = True,
        cut_every: int = 0,
        overflow_every: int = 0,
        stalls: tuple[tuple[float, float], ...] = (),
        status: int = STATUS_OK,
        logbook: Logbook | None = None,
    ) -> None:
        super().__init__()
        self.percent = 71
        self.logbook = logbook or Logbook()
        self._logged: dict[str, ActiveSubscription] = {}
        self._pieces: deque[bytes] = deque()
        self._piece_s = 0.0
        self.active: dict[int, ActiveSubscription] = {}
        self.packets: dict[bytes, tuple[str, int, int, tuple[bytes, ...]]] = {}
        self._ppm = ppm
        self._clock_ms = clock_ms
        self._longest = longest
        self._has_mv = has_mv
        self._cut_every = cut_every
        self._overflow_every = overflow_every
        self._stalls = stalls
        self._status = status
        self._count = 0
        self._power_on_s = 0.0
        self._random = random.Random(seed)
        self._held: list[bytes] = []
        self._leg = RestingLeg(self._random)

    def disconnect(self, now_s: float) -> None:
        """End all subscriptions."""
        self.advance(now_s)
        super().disconnect(now_s)
        self.active.clear()
        self._held.clear()
        self._pieces.clear()

    def reboot(self, now_s: float) -> None:
        """Restart: the clock begins at zero."""
        self.advance(now_s)
        super().reboot(now_s)
        self._power_on_s, self._clock_ms = now_s, 0
        self.logbook.is_logging = False

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return the battery level."""
        return bytes([self.percent]) if uuid == BATTERY else b""

    # -- commands ------------------------------------------------------------------------

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a command."""
        if uuid != WRITE or len(data) < 2:
            return
        command, reference = data[0], data[1]
        if command == 0:
            self._answer(reference, b"\x01223430000019\x00GD\x002.3.1\x00")
        elif command == 1:
            status = self._subscribe(reference, data[2:].rstrip(b"\0").decode(), now_s)
            self._answer(reference, status.to_bytes(2, "little"))
        elif command == 2:
            ended = self.active.pop(reference, None)
            status = STATUS_NOT_FOUND if ended is None else STATUS_OK
            self._answer(reference, status.to_bytes(2, "little"))
        elif command == 4 and data[2:].rstrip(b"\0").lower() == b"/system/energy/level":
            self._answer(reference, STATUS_OK.to_bytes(2, "little") + bytes([self.percent]))
        elif command in (3, 4, 6, 9):
            self._log_command(command, reference, data[2:], now_s)
        else:
            self._answer(reference, STATUS_OK.to_bytes(2, "little"))

    def _log_command(self, command: int, reference: int, data: bytes, now_s: float) -> None:
        """Take a command to the logger."""
        logbook, status, answer = self.logbook, STATUS_OK, b""
        pieces: list[bytes] = []
        path = data.rstrip(b"\0").lower()
        if command == 4 and path == b"/mem/datalogger/state":
            answer = bytes([3 if logbook.is_logging else 2])
        elif command == 9 and data[:1] == b"\x03":
            if not logbook.is_logging:
                logbook.start()
                for one in self._logged.values():
                    one.next_s = now_s + self._period_s(one.rate)
        elif command == 9:
            logbook.is_logging = False
        elif logbook.is_logging:
            status = STATUS_CONFLICT
        elif command == 4 and path == b"/mem/logbook/entries":
            answer = logbook.entries()
        elif command == 6:
            paths = data.decode().rstrip("\0").split("\0")
            made = [self._sampler(p, now_s) for p in paths]
            status = next((m for m in made if isinstance(m, int)), STATUS_OK)
            self._logged = {m.kind: m for m in made if not isinstance(m, int)}
            for one in self._logged.values():
                one.is_logged = True
        elif command == 3 and (number := int.from_bytes(data[:4], "little")) in logbook.files:
            pieces = logbook.pieces(number, self._longest - 6)
        else:
            status = STATUS_NOT_FOUND
        self._answer(reference, status.to_bytes(2, "little") + answer)
        self._pieces += [bytes([2, reference]) + piece for piece in pieces]
        self._piece_s = now_s

    def _answer(self, reference: int, data: bytes) -> None:
        self.notify(NOTIFY, bytes([1, reference]) + data)

    def _subscribe(self, reference: int, path: str, now_s: float) -> int:
        if self._status != STATUS_OK:
            return self._status
        if reference in self.active:
            return STATUS_CONFLICT
        made = self._sampler(path, now_s)
        if isinstance(made, int):
            return made
        logged = self._logged.get(made.kind) if self.logbook.is_logging else None
        self.active[reference] = logged if logged and logged.rate == made.rate else made
        return STATUS_OK

    def _sampler(self, path: str, now_s: float) -> ActiveSubscription | int:
        """Return what samples a path, or the status of an error."""
        parts = path.strip("/").lower().split("/")
        if parts[0] != "meas" or len(parts) < 3 or not parts[2].isdecimal():
            return STATUS_NOT_FOUND
        kind, rate = "/".join([parts[1], *parts[3:]]), int(parts[2])
        rates = ACC_RATES if kind in MEASUREMENTS else ECG_RATES if parts[1] == "ecg" else ()
        if rate not in rates or (kind == "ecg/mv" and not self._has_mv):
            return STATUS_NOT_FOUND
        count = 16 if parts[1] == "ecg" else min(16, max(1, rate // 13))
        return ActiveSubscription(kind, rate, count, now_s + self._period_s(rate))

    # -- samples -------------------------------------------------------------------------

    def _period_s(self, rate: int) -> float:
        return (1 - self._ppm * 1e-6) / rate

    def advance(self, now_s: float) -> None:
        """Sample, and queue each packet that is complete."""
        logged = self._logged.values() if self.logbook.is_logging else ()
        active = {id(one): (reference, one) for reference, one in self.active.items()}
        unheard = {id(one): (None, one) for one in logged if id(one) not in active}
        for reference, one in (*active.values(), *unheard.values()):
            while one.next_s <= now_s:
                if not one.samples:
                    one.first_s = one.next_s
                one.samples.append(self._sample(one))
                one.next_s += self._period_s(one.rate)
                if len(one.samples) == one.per_packet:
                    self._send(reference, one)
                    one.samples = []
        if not any(begin <= now_s < end for begin, end in self._stalls):
            for data in self._held:
                self.notify(NOTIFY, data)
            self._held.clear()
        while self._pieces and self._piece_s <= now_s:
            self.notify(NOTIFY, self._pieces.popleft())
            self._piece_s += 1 / PIECES_PER_S

    def _sample(self, one: ActiveSubscription) -> tuple[float, ...]:
        """Take a sample, and note it in the unit of its stream."""
        if one.kind.startswith("ecg"):
            count = round(self._random.gauss(0, 800))
            scale = 0.001 if one.kind == "ecg/mv" else 50 / 2**17
            self.record("ecg", one.next_s, (count * scale,))
            return (count,)
        vectors: list[float] = []
        for _ in range(MEASUREMENTS[one.kind]):
            acc = [GRAVITY * g for g in self._leg.sample(1 / one.rate)]
            vectors += struct.unpack("<3f", struct.pack("<3f", *acc))
        if one.kind not in ("gyro", "magn"):
            x, y, z = vectors[:3]
            self.record("acc", one.next_s, (x / GRAVITY, y / GRAVITY, z / GRAVITY))
        return tuple(vectors)

    def _send(self, reference: int | None, one: ActiveSubscription) -> None:
        time_ms = self._clock_ms + int((one.first_s - self._power_on_s) * 1000)
        payload = (time_ms % 2**32).to_bytes(4, "little")
        if one.kind.startswith("ecg"):
            form = "<h" if one.kind == "ecg/mv" else "<i"
            payload += b"".join(struct.pack(form, s[0]) for s in one.samples)
        else:
            for vector in range(MEASUREMENTS[one.kind]):
                for sample in one.samples:
                    payload += struct.pack("<3f", *sample[3 * vector : 3 * vector + 3])
        if one.is_logged and self.logbook.is_logging:
            self.logbook.add(one.kind, payload, len(one.samples))
        if reference is None:
            return
        size = self._longest - 2
        parts = [payload[i : i + size] for i in range(0, len(payload), size)]
        values = [bytes([2 if i == 0 else 3, reference]) + part for i, part in enumerate(parts)]
        self._count += 1
        if self._cut_every and self._count % self._cut_every == 0:
            values = [value[:-5] for value in values]
        elif one.kind not in ("gyro", "magn"):
            stream, n = "ecg" if one.kind.startswith("ecg") else "acc", len(one.samples)
            first = len(self.sent[stream].times_s) - n
            self.packets[values[0]] = (stream, first, n, tuple(values))
        self._held += values
        if self._overflow_every and self._count % self._overflow_every == 0:
            one.next_s += 7 * self._period_s(one.rate)
