"""The firmware without its radio: sampling into the ring buffer, control point, send order.

It has no clock of its own: `advance` receives the tick count.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_sim.wearable.encoder import FLAG_GAP, MARKER, Encoder, StreamSpec
from firmware_sim.wearable.ring_buffer import RingBuffer

log = logging.getLogger(__name__)

#: Opcodes of the control point.
START, STOP, RESEND, ACK, STATUS, CLOCK = range(1, 7)
#: Status codes of the control point.
OK, UNKNOWN_OP, BAD_LENGTH, BAD_ARGUMENT, OTHER_SESSION, NOT_STORED, BUSY = range(7)
#: Length (bytes) of the arguments of each opcode.
_LENGTHS = {START: 5, STOP: 4, RESEND: 8, ACK: 4, STATUS: 0, CLOCK: 0}
#: Maximum number of requested ranges that wait.
_MAX_RANGES = 8


class SampleSource(Protocol):
    """Source of the samples of electrodes and accelerometer."""

    def read(self, stream: int, first: int, count: int) -> NDArray[np.int32]:
        """Return `count` samples of a stream, from index `first` since boot (counts)."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """Fixed properties of a wearable.

    Attributes
    ----------
    device : int
        Unique number.
    streams : tuple of StreamSpec
        Streams it samples.
    leg : str
        `left`, `right` or empty.
    tick_hz : int
        Nominal frequency of its clock (Hz).
    ring_frames : int
        Capacity of the ring buffer (frames).
    """

    device: int
    streams: tuple[StreamSpec, ...]
    leg: str = ""
    tick_hz: int = 32768
    ring_frames: int = 20000

    @property
    def serial(self) -> str:
        """Serial number in the device information service."""
        return f"{self.device:016X}"

    @property
    def name(self) -> str:
        """Advertised name."""
        return f"ts-{self.serial[-4:]}"


class Firmware:
    """The firmware of one wearable, over any number of reboots.

    Parameters
    ----------
    model : DeviceModel
        Fixed properties.
    source : SampleSource
        Delivers the samples.
    encoder : Encoder
        Encodes what is sent.
    boot_count : int
        Boot count at the start.
    """

    def __init__(
        self, model: DeviceModel, source: SampleSource, encoder: Encoder, boot_count: int = 1
    ) -> None:
        self.model = model
        self.source = source
        self.encoder = encoder
        self.boot_count = boot_count
        self._boot()

    def _boot(self) -> None:
        self.ring = RingBuffer(self.model.ring_frames)
        self.ticks = 0
        self.session = 0
        self._n_framed = {s.number: 0 for s in self.model.streams}  # samples framed or lost
        self._gap = {s.number: 0 for s in self.model.streams}
        self.unsubscribe()

    def reboot(self) -> None:
        """Reboot: ring buffer, session and counters are reset, the boot count rises."""
        self.boot_count += 1
        self._boot()

    # -- sampling ------------------------------------------------------------------

    def advance(self, ticks: int) -> None:
        """Sample up to a tick since boot."""
        self.ticks = ticks
        if not self.session:
            return
        due: list[tuple[int, StreamSpec, int]] = []
        for spec in self.model.streams:
            size, at = spec.frame_samples, self._n_framed[spec.number]
            # a frame is complete at the tick of its last sample
            while (done := spec.due_tick(at + size - 1, self.model.tick_hz)) <= ticks:
                due.append((done, spec, at))
                at += size
            self._n_framed[spec.number] = at
        for _, spec, at in sorted(due, key=lambda d: (d[0], d[1].number)):
            counts = self.source.read(spec.number, at, spec.frame_samples)
            tick = spec.due_tick(at, self.model.tick_hz)
            self.store_frame(spec.number, self._gap[spec.number], tick, counts)
            self._gap[spec.number] = 0

    def next_tick(self) -> int | None:
        """Return the tick at which the next frame will be complete, or None if not sampling."""
        if not self.session:
            return None
        return min(
            s.due_tick(self._n_framed[s.number] + s.frame_samples - 1, self.model.tick_hz)
            for s in self.model.streams
        )

    def press_button(self) -> None:
        """Store a marker frame."""
        self.store_frame(MARKER, 0, self.ticks, np.empty((0, 0), np.int32))

    def skip_samples(self, seconds: float) -> None:
        """Lose samples before they are framed, as a late interrupt does."""
        for spec in self.model.streams:
            self._n_framed[spec.number] += int(seconds * spec.rate_mhz / 1000)
            self._gap[spec.number] = FLAG_GAP

    def store_frame(self, type_: int, flags: int, tick: int, counts: NDArray[np.int32]) -> None:
        """Encode a frame and store it in the ring buffer."""
        boot, seq = self.boot_count & 0xFF, self.ring.next
        self.ring.push(self.encoder.frame(type_, flags, boot, seq, tick, counts))

    def _align_to_grid(self) -> None:
        """Resume sampling at the next sample of each stream's grid."""
        for spec in self.model.streams:
            rate, hz = spec.rate_mhz, self.model.tick_hz * 1000
            self._n_framed[spec.number] = max(
                self._n_framed[spec.number], -(-self.ticks * rate // hz)
            )

    # -- sending -------------------------------------------------------------------

    def subscribe(self) -> None:
        """Start sending, from the next frame that is completed."""
        self._next_new: int | None = self.ring.next

    def unsubscribe(self) -> None:
        """Stop sending and discard the requested ranges."""
        self._next_new = None
        self._resend_ranges: deque[tuple[int, int]] = deque()

    def has_frame(self) -> bool:
        """Return whether there is a frame to send."""
        return self._next_new is not None and (
            self._next_new < self.ring.next or bool(self._resend_ranges)
        )

    def next_frame(self) -> bytes | None:
        """Return the next frame to send: new frames first, then requested ranges."""
        if self._next_new is None:
            return None
        while self._next_new < self.ring.next:
            frame = self.ring.get(self._next_new)
            self._next_new += 1
            if frame is not None:
                return frame
        while self._resend_ranges:
            first, last = self._resend_ranges.popleft()
            first = max(first, self.ring.oldest)
            if first > last:
                continue
            if first < last:
                self._resend_ranges.appendleft((first + 1, last))
            frame = self.ring.get(first)
            if frame is not None:
                return self.encoder.replayed(frame)
        return None

    # -- control point ---------------------------------------------------------------

    def control(self, request: bytes) -> bytes:
        """Process a request of the control point and return the response."""
        request = self.encoder.intercept("request", request)
        if len(request) < 2:
            return self.encoder.answer(request[0] if request else 0, 0, BAD_LENGTH)
        op, token, args = request[0], request[1], request[2:]
        if op not in _LENGTHS:
            return self.encoder.answer(op, token, UNKNOWN_OP)
        if len(args) != _LENGTHS[op]:
            return self.encoder.answer(op, token, BAD_LENGTH)
        status, body = self._answer(op, args)
        return self.encoder.answer(op, token, status, body)

    def _answer(self, op: int, args: bytes) -> tuple[int, bytes]:
        word = int.from_bytes(args[:4], "little")
        if op == START:
            return self._start(word, bool(args[4] & 1))
        if op == STOP:
            if word != self.session:
                return (OTHER_SESSION, self._state()) if self.session else (OK, self._state())
            self.session = 0
        elif op == RESEND:
            return self._resend(word, int.from_bytes(args[4:], "little"))
        elif op == ACK:
            if word >= self.ring.next:
                return BAD_ARGUMENT, b""
            self.ring.free(word)
        elif op == CLOCK:
            return OK, self.encoder.clock(self.ticks, self.boot_count)
        return OK, self._state()

    def _start(self, session: int, take_over: bool) -> tuple[int, bytes]:
        if session == 0:
            return BAD_ARGUMENT, b""
        if self.session not in (0, session) and not take_over:
            return OTHER_SESSION, self._state()
        if self.session == 0:
            self._align_to_grid()
        self.session = session
        return OK, self._state()

    def _resend(self, first: int, last: int) -> tuple[int, bytes]:
        if first > last or last >= self.ring.next:
            return BAD_ARGUMENT, b""
        if last < self.ring.oldest:
            return NOT_STORED, b""
        if len(self._resend_ranges) >= _MAX_RANGES:
            return BUSY, b""
        first = max(first, self.ring.oldest)
        self._resend_ranges.append((first, last))
        return OK, self.encoder.range(first, last)

    def _state(self) -> bytes:
        ring = self.ring
        return self.encoder.state(
            self.boot_count, self.session, ring.oldest, ring.next, ring.dropped
        )
