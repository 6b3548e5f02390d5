"""The clock of the device: ticks as a function of true time, with drift and wander."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DriftingClock:
    """A crystal oscillator with a constant error and a slow wander, as with temperature.

    Parameters
    ----------
    hz : int
        Nominal frequency (Hz).
    drift_ppm : float
        Constant error (ppm); positive = fast.
    wander_ppm, wander_s : float
        Amplitude (ppm) and period (s) of a sinusoidal error in addition.
    """

    hz: int = 32768
    drift_ppm: float = 0.0
    wander_ppm: float = 0.0
    wander_s: float = 10800.0

    def ticks(self, seconds: float) -> float:
        """Return the fractional number of ticks after `seconds` of true time since boot."""
        omega = 2.0 * math.pi / self.wander_s
        extra = self.wander_ppm * 1e-6 * (1.0 - math.cos(omega * seconds)) / omega
        return self.hz * (seconds * (1.0 + self.drift_ppm * 1e-6) + extra)

    def seconds_until(self, tick: int, now: float) -> float:
        """Return the time (s) until a tick, rounded up.

        Parameters
        ----------
        tick : int
            Tick since boot.
        now : float
            True time since boot (s).

        Returns
        -------
        float
        """
        remaining_s = (tick - self.ticks(now)) / self.hz
        return max(0.0, remaining_s) * (1.0 + 1e-3) + 1e-5
