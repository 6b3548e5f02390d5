"""The device's crystal: ticks as a function of true time, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DriftingClock:
    """A crystal with a constant error and a slow wander with temperature.

    Parameters
    ----------
    hz : int
        Nominal.
    drift_ppm : float
        Positive = fast.
    wander_ppm, wander_s : float
        Height and period of a sine on top.
    """

    hz: int = 32768
    drift_ppm: float = 0.0
    wander_ppm: float = 0.0
    wander_s: float = 10800.0

    def ticks(self, seconds: float) -> float:
        """Return ticks, with fraction, after so many true seconds since boot."""
        turn = 2.0 * math.pi / self.wander_s
        extra = self.wander_ppm * 1e-6 * (1.0 - math.cos(turn * seconds)) / turn
        return self.hz * (seconds * (1.0 + self.drift_ppm * 1e-6) + extra)

    def seconds_until(self, tick: int, now: float) -> float:
        """Return how long to wait for a tick, a little too long rather than too short."""
        left = (tick - self.ticks(now)) / self.hz
        return max(0.0, left) * (1.0 + 1e-3) + 1e-5
