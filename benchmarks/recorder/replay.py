"""A radio that replays frames of the simulated wearable in real time, for many devices at once.

Used by `benchmarks.recorder.scaling`: a simulated controller per device would cost more than the
recorder that is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from firmware_sim.capture import SimulatedCapture
from firmware_sim.wearable.capture_source import CaptureSource
from firmware_sim.wearable.encoder import Encoder
from firmware_sim.wearable.firmware import DeviceModel, Firmware
from firmware_sim.wearable.plug import make_options
from twitchsense.acquire.adapter import Advertisement, DeviceSelector
from twitchsense.devices.v1 import v1_frames
from twitchsense.devices.v1.v1_driver import V1Driver

START, STOP, RESEND, ACK, STATUS, CLOCK = range(1, 7)
BOOT = 7


@dataclass
class FrameSequence:
    """The frames that every device sends, and when each is complete (s after START)."""

    model: DeviceModel
    due: list[float]
    frames: list[bytes]

    @classmethod
    def make(cls, seconds: float, scenario: str) -> FrameSequence:
        """Simulate one wearable for `seconds`."""
        plan = make_options(minutes=seconds / 60 + 0.1, scenario=scenario)
        model = plan.model(0)
        firmware = Firmware(
            model, CaptureSource(SimulatedCapture(plan.settings), model.streams), Encoder(), BOOT
        )
        firmware.control(bytes.fromhex("01 01 01000000 00"))
        due: list[float] = []
        frames: list[bytes] = []
        while (tick := firmware.next_tick()) is not None and tick < seconds * model.tick_hz:
            before = firmware.ring.next
            firmware.advance(tick)
            for seq in range(before, firmware.ring.next):
                due.append(tick / model.tick_hz)
                frames.append(bytes(firmware.ring.get(seq) or b""))
        return cls(model, due, frames)


@dataclass
class ReplayDevice:
    """One device: a client with bleak's methods that replays frames."""

    number: int
    sequence: FrameSequence
    adapter: ReplayAdapter
    sent: int = 0
    n_resend: int = 0
    session: int = 0
    began: float = 0.0
    listeners: dict[str, Callable[[Any, bytearray], None]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Bluetooth address."""
        return f"C4:C3:C2:C1:{self.number >> 8:02X}:{self.number & 255:02X}"

    @property
    def services(self) -> Any:
        """GATT services: every characteristic exists."""
        return SimpleNamespace(get_characteristic=lambda uuid: uuid)

    async def connect(self) -> None:
        """Connect; no effect."""

    async def disconnect(self) -> None:
        """Disconnect; no effect."""

    async def start_notify(self, uuid: str, listener: Callable[[Any, bytearray], None]) -> None:
        """Register a listener."""
        self.listeners[uuid] = listener

    async def read_gatt_char(self, uuid: str) -> bytes:
        """Return the value of a characteristic."""
        model = self.sequence.model
        if uuid == v1_frames.INFO_UUID:
            device = model.device + self.number
            return bytes(Encoder().info(model.streams, model.tick_hz, device, model.leg))
        return b"\x50" if uuid == v1_frames.BATTERY_UUID else b"1"

    async def write_gatt_char(self, uuid: str, data: bytes, response: bool = True) -> None:
        """Answer a control-point request in the next iteration of the event loop."""
        op, token, now = data[0], data[1], self.adapter.now()
        if op == START:
            self.session = int.from_bytes(data[2:6], "little")
            self.began = now
            self.adapter.play(self)
        elif op == STOP:
            self.session = 0
        body = struct.pack("<BIIII", BOOT, self.session, 0, self.sent, 0)
        if op == CLOCK:
            ticks = round((now - self.began) * self.sequence.model.tick_hz) if self.session else 0
            body = struct.pack("<QI", ticks, BOOT)
        elif op == RESEND:
            self.n_resend += 1
            body = data[2:10]
        answer = bytearray(bytes((op | 0x80, token, 0)) + body)
        asyncio.get_running_loop().call_soon(self.listeners[v1_frames.CONTROL_UUID], None, answer)


@dataclass
class ReplayAdapter:
    """Adapter for `Recorder` that sends frames when they are due and records its lateness."""

    sequence: FrameSequence
    devices: list[ReplayDevice] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    _due: list[tuple[float, int]] = field(default_factory=list)

    def now(self) -> float:
        """Return the time of the event loop, s."""
        return asyncio.get_running_loop().time()

    async def scan(
        self, seconds: float, wanted: DeviceSelector | None = None, *, unknown: bool = False
    ) -> list[Advertisement]:
        """Return the requested device."""
        found = [
            Advertisement(d.address, d.address, None, d, V1Driver())  # type: ignore[arg-type]
            for d in self.devices
        ]
        return [a for a in found if wanted is not None and wanted.matches(a)]

    async def find(self, timeout_s: float, wanted: DeviceSelector) -> Advertisement | None:
        """Return the device, if it is one of those that are replayed."""
        return next((a for a in await self.scan(timeout_s, wanted) if wanted.matches(a)), None)

    def lock(self, address: str) -> contextlib.AbstractContextManager[None]:
        """Return a lock without effect: no other recorder exists."""
        return contextlib.nullcontext()

    def make_client(self, device: Any, on_lost: Callable[[], None]) -> Any:
        """Return the device, which is its own client."""
        return device

    def play(self, device: ReplayDevice) -> None:
        """Start sending the frames of a device."""
        heapq.heappush(self._due, (device.began + self.sequence.due[0], device.number))

    async def run(self) -> None:
        """Send frames when they are due, as the callback of a radio does."""
        sequence = self.sequence
        while True:
            now = self.now()
            while self._due and self._due[0][0] <= now:
                due, number = heapq.heappop(self._due)
                device = self.devices[number]
                if not device.session:
                    continue
                self.late_s.append(now - due)
                device.listeners[v1_frames.DATA_UUID](None, bytearray(sequence.frames[device.sent]))
                device.sent += 1
                if device.sent < len(sequence.due):
                    heapq.heappush(self._due, (device.began + sequence.due[device.sent], number))
            wait = self._due[0][0] - self.now() if self._due else 0.01
            await asyncio.sleep(min(max(wait, 0.002), 0.01))
