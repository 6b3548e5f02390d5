"""Places packets by a counter that wraps, or by their arrivals alone."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.loss import LossClass, LossCount
from twitchsense.devices.sample_timing.placed import PlacedPacket, RunBoundary
from twitchsense.devices.streams import StreamDescription
from twitchsense.model.channels import NS

#: Delay of delivery (s) that is usual on a connection that works: a smaller rise of the delay
#: says nothing about lost samples.
DELIVERY_JITTER_S: Final = 0.25
#: Time (s) after which a packet that was late is taken for one that follows a gap: a fade of the
#: radio delays packets, and the next ones are on time again.
DECISION_S: Final = 15.0
#: Length (s) of a window. The smallest delay is that of this window and the one before, so that
#: it follows a clock whose rate is not exactly the stated one.
_WINDOW_S: Final = 5.0


class DelayFloor:
    """Smallest delay of the packets of the last 5 to 10 s in which packets arrived.

    Parameters
    ----------
    max_rise : float
        Largest rise of the smallest delay, s per s: the error of the stated rate. A faster rise
        is a loss that goes on.
    """

    def __init__(self, max_rise: float = math.inf) -> None:
        self._max_rise = max_rise
        self._limit_s = math.inf
        self._last_ns: int | None = None
        self._window_end_ns: int | None = None
        self._before: float | None = None
        self._current: float | None = None

    def add(self, delay_s: float, arrival_ns: int) -> None:
        """Add the delay of a packet.

        Parameters
        ----------
        delay_s : float
            Arrival minus the nominal time of the last sample, up to a constant, s.
        arrival_ns : int
            Time of the arrival, ns.
        """
        if self._last_ns is not None and self._limit_s < math.inf:
            self._limit_s += self._max_rise * (arrival_ns - self._last_ns) / NS
        self._last_ns = arrival_ns
        if self._window_end_ns is None or arrival_ns >= self._window_end_ns:
            self._before, self._current = self._current, None
            self._window_end_ns = arrival_ns + round(_WINDOW_S * NS)
        self._current = delay_s if self._current is None else min(self._current, delay_s)
        if self._max_rise < math.inf:
            self._limit_s = min(self._limit_s, self._current)

    def smallest(self, default: float) -> float:
        """Return the smallest delay (s), or `default` if there is none yet."""
        known = [d for d in (self._before, self._current) if d is not None]
        return min(*known, self._limit_s) if known else default


class ArrivalPlacement:
    """Placement by a counter that wraps, or by the arrivals alone.

    The counter gives the loss up to a multiple of its modulus. The arrivals decide on the
    multiple: samples that were not lost arrive later than the smallest delay, but the delay
    returns to it; after a loss that the counter does not show, it never does. Without a counter
    the same holds with one sample in place of the modulus, for gaps longer than
    `DELIVERY_JITTER_S`; a delay that rises faster than the error of the stated rate allows is a
    loss that goes on. This presumes that packets at the start of a run are on time.

    Parameters
    ----------
    stream : StreamDescription
    modulus : int or None
        Of the sample counter; None without one.
    """

    def __init__(self, stream: StreamDescription, modulus: int | None) -> None:
        self.loss = LossCount()
        self._fs = stream.fs
        self._modulus = modulus
        self._quantum = modulus or 1
        self._threshold_s = max(self._quantum / self._fs / 2, DELIVERY_JITTER_S)
        # arrivals exclude a further wrap of the counter only if it lasts longer than the jitter
        self._counter_is_exact = modulus is not None and modulus / self._fs >= (
            2 * DELIVERY_JITTER_S
        )
        # a counter that wraps is not restarted by an error of the rate
        self._max_rise = math.inf if modulus is not None else stream.fs_tolerance
        self._run = 0
        self._next: int | None = None
        self._wraps = 0
        self._floor = DelayFloor(self._max_rise)
        self._pending: deque[tuple[SamplePacket, int, int, float]] = deque()
        self._boundary = RunBoundary(stream.fs)

    def push(self, packet: SamplePacket) -> list[PlacedPacket]:
        """Place a packet; see `StreamPlacement`."""
        placed: list[PlacedPacket] = []
        if self._next is None or packet.restarted:
            placed = self._resolve_all()
            if self._next is not None:
                is_counted = self._modulus is not None
                loss_class = LossClass.AMBIGUOUS if is_counted else LossClass.UNKNOWN
                self.loss.add(loss_class, self._boundary.missing(packet))
                self._run += 1
            self._next = packet.position or 0
            self._wraps = 0
            self._floor = DelayFloor(self._max_rise)
        self._boundary.add(packet)
        lost = 0
        if self._modulus is not None:
            lost = ((packet.position or 0) - self._next) % self._modulus
        index = self._next + lost  # without wraps that are not yet decided
        self._next = index + len(packet.samples)
        delay_s = packet.arrival_ns / NS - self._next / self._fs
        self._pending.append((packet, index, lost, delay_s))
        return placed + self._resolve(packet.arrival_ns)

    def close(self) -> list[PlacedPacket]:
        """Place the packets that are left; see `StreamPlacement`."""
        return self._resolve_all()

    def _resolve(self, now_ns: int) -> list[PlacedPacket]:
        """Place the pending packets that are known to be late or to follow a gap."""
        if self._excess(self._pending[-1][3]) <= self._threshold_s:
            return self._release(len(self._pending), 0)  # on time, so that all before were late
        placed: list[PlacedPacket] = []
        while self._pending and now_ns - self._pending[0][0].arrival_ns >= DECISION_S * NS:
            placed += self._resolve_first()
        return placed

    def _resolve_all(self) -> list[PlacedPacket]:
        """Place all pending packets, at the end of a run.

        Packets that were late until the end count as after a gap, whose loss is then ambiguous.
        """
        placed: list[PlacedPacket] = []
        while self._pending:
            placed += self._resolve_first()
        return placed

    def _resolve_first(self) -> list[PlacedPacket]:
        """Place the first pending packet, and all that are on time after it."""
        excess = min(self._excess(delay_s) for *_, delay_s in self._pending)
        wraps = 0
        if excess > self._threshold_s:
            wraps = round(excess * self._fs / self._quantum)
        placed = self._release(1, wraps)
        on_time = [
            i for i, p in enumerate(self._pending) if self._excess(p[3]) <= self._threshold_s
        ]
        return placed + (self._release(on_time[-1] + 1, 0) if on_time else [])

    def _excess(self, delay_s: float) -> float:
        """Return the delay beyond the smallest one, after the wraps counted so far, s."""
        delay_s -= self._wraps * self._quantum / self._fs
        return delay_s - self._floor.smallest(delay_s)

    def _release(self, count: int, wraps: int) -> list[PlacedPacket]:
        """Place the first pending packets, the first of them after unseen `wraps`."""
        self._wraps += wraps
        placed = []
        for _ in range(count):
            packet, index, lost, delay_s = self._pending.popleft()
            missing = lost + wraps * self._quantum
            self.loss.add(self._class_of(wraps), missing)
            self._floor.add(delay_s - self._wraps * self._quantum / self._fs, packet.arrival_ns)
            placed.append(PlacedPacket(self._run, index + self._wraps * self._quantum, packet))
            wraps = 0
        return placed

    def _class_of(self, wraps: int) -> LossClass:
        if self._modulus is None:
            return LossClass.UNKNOWN
        return LossClass.AMBIGUOUS if wraps or not self._counter_is_exact else LossClass.EXACT
