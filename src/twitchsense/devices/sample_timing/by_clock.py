"""Places packets by the times that the device states."""

from __future__ import annotations

from typing import Final

from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.loss import LossClass, LossCount
from twitchsense.devices.sample_timing.placed import PlacedPacket, RunBoundary
from twitchsense.devices.streams import SampleClock, StreamDescription
from twitchsense.model.channels import NS

#: Difference (s) between the times of device and host since the packet before, beyond which the
#: device's clock was set or restarted. Devices deliver up to 15 s late.
_MAX_DISAGREEMENT_S: Final = 60.0
#: Samples after which the rate is fitted well enough to be used with `_FITTED_TOLERANCE`.
_MIN_FIT_SAMPLES: Final = 500
#: Relative error of a fitted rate, including its changes during the fit.
_FITTED_TOLERANCE: Final = 1e-3
#: Longest wait (s) for the fit: packets that arrive before it are placed with the stated rate.
_MAX_WAIT_S: Final = 60.0
#: Samples beyond which the fit forgets the earlier half.
_MAX_FIT_SAMPLES: Final = 50_000


class ClockPlacement:
    """Placement by a device clock.

    The rate is fitted to the times of packets between which nothing is missing; the difference
    between time and samples is the loss. The first packets wait for the fit, since a stated rate
    that is 2 % wrong would give a wrong loss.

    Parameters
    ----------
    stream : StreamDescription
    clock : SampleClock
        Its timing.
    """

    def __init__(self, stream: StreamDescription, clock: SampleClock) -> None:
        self._placer = _ClockPlacer(stream, clock)
        self._trial: _ClockPlacer | None = _ClockPlacer(stream, clock)
        self._waiting: list[SamplePacket] = []
        self.loss = self._placer.loss

    @property
    def fs(self) -> float:
        """Sampling rate by the device's clock, Hz."""
        return self._placer.fs

    def push(self, packet: SamplePacket) -> list[PlacedPacket]:
        """Place a packet; see `StreamPlacement`."""
        if self._trial is None:
            return [self._placer.place(packet)]
        self._waiting.append(packet)
        self._trial.place(packet)
        waited_ns = packet.arrival_ns - self._waiting[0].arrival_ns
        if self._trial.is_fitted or waited_ns > _MAX_WAIT_S * NS:
            return self.close()
        return []

    def close(self) -> list[PlacedPacket]:
        """Return the packets that wait for the fit."""
        if self._trial is not None:
            self._placer.take_fit(self._trial)
            self._trial = None
        waiting, self._waiting = self._waiting, []
        return [self._placer.place(packet) for packet in waiting]


class _ClockPlacer:
    """Places packets one by one; see `ClockPlacement`."""

    def __init__(self, stream: StreamDescription, clock: SampleClock) -> None:
        self.loss = LossCount()
        self._clock = clock
        self._nominal_fs = stream.fs
        self._nominal_tolerance = stream.fs_tolerance
        self._run = 0
        self._ticks: int | None = None
        self._arrival_ns = 0
        self._count = 0
        self._index = 0
        self._fit_samples, self._fit_ticks = 0.0, 0.0
        self._boundary = RunBoundary(stream.fs)

    @property
    def fs(self) -> float:
        """Sampling rate by the device's clock, Hz."""
        if not self.is_fitted:
            return self._nominal_fs
        return self._fit_samples / self._fit_ticks * self._clock.tick_hz

    @property
    def is_fitted(self) -> bool:
        """Whether enough samples arrived to know the rate."""
        return self._fit_samples >= _MIN_FIT_SAMPLES

    def take_fit(self, other: _ClockPlacer) -> None:
        """Start with the rate that another one fitted."""
        self._fit_samples, self._fit_ticks = other._fit_samples, other._fit_ticks

    def place(self, packet: SamplePacket) -> PlacedPacket:
        """Place a packet."""
        n = len(packet.samples)
        ticks = self._unwrap(packet)
        if self._ticks is None:
            self._index = 0
        elif packet.restarted or self._has_restarted(ticks, packet.arrival_ns):
            self.loss.add(LossClass.AMBIGUOUS, self._boundary.missing(packet))
            self._run += 1
            self._index = 0
            ticks = packet.position or 0
        else:
            # samples between the stated times: those of the earlier or of the later packet
            received = self._count if self._clock.sample == "first" else n
            lost = self._lost(ticks - self._ticks, received)
            self.loss.add(LossClass.EXACT, lost)
            self._index += self._count + lost
        self._ticks, self._arrival_ns, self._count = ticks, packet.arrival_ns, n
        self._boundary.add(packet)
        return PlacedPacket(self._run, self._index, packet, ticks)

    def _unwrap(self, packet: SamplePacket) -> int:
        """Return the ticks of a packet without wrap."""
        ticks = packet.position or 0
        modulus = self._clock.modulus
        if modulus is None or self._ticks is None:
            return ticks
        # nearest to where the host's clock expects it
        since_ns = packet.arrival_ns - self._arrival_ns
        expected = self._ticks + since_ns * self._clock.tick_hz // NS
        return expected + (ticks - expected + modulus // 2) % modulus - modulus // 2

    def _has_restarted(self, ticks: int, arrival_ns: int) -> bool:
        assert self._ticks is not None
        device_s = (ticks - self._ticks) / self._clock.tick_hz
        host_s = (arrival_ns - self._arrival_ns) / NS
        backwards = device_s < -self._clock.jitter_s
        return backwards or abs(device_s - host_s) > _MAX_DISAGREEMENT_S

    def _lost(self, ticks: int, received: int) -> int:
        """Return the samples lost in a time in which `received` arrived."""
        tolerance = _FITTED_TOLERANCE if self.is_fitted else self._nominal_tolerance
        due = ticks / self._clock.tick_hz * self.fs
        error = max(0.5, tolerance * due) + 2 * self._clock.jitter_s * self.fs
        packet = self._clock.samples_per_packet
        lost = due - received
        if packet is not None:
            whole = max(0, round(lost / packet))
            # a device whose sensor dropped samples misses other numbers than whole packets
            is_whole = abs(lost - whole * packet) <= max(error, tolerance * lost)
            lost = whole * packet if is_whole else lost
        if abs(due - received) <= error or lost <= 0:
            self._fit(ticks, received)
            return 0
        return max(1, round(lost))

    def _fit(self, ticks: int, received: int) -> None:
        """Add an interval without loss to the fit of the rate."""
        if (
            abs(ticks / self._clock.tick_hz * self._nominal_fs - received)
            > max(1.0, 2 * self._nominal_tolerance * received)
            + 2 * self._clock.jitter_s * self._nominal_fs
        ):
            return
        self._fit_samples += received
        self._fit_ticks += ticks
        if self._fit_samples > _MAX_FIT_SAMPLES:
            self._fit_samples /= 2
            self._fit_ticks /= 2
