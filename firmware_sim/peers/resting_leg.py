"""Acceleration of a leg that lies still and moves now and then."""

from __future__ import annotations

import random
from typing import Final

#: Gravity on the three axes, and standard deviation of the noise of a sensor, g.
_REST_G: Final = (0.12, -0.24, 0.95)
_NOISE_G: Final = 0.003
#: Standard deviation (g) of a movement, its length (s), and the mean time (s) between two.
_MOVED_G: Final = 0.2
_MOVE_S: Final = 0.4
_PAUSE_S: Final = 60.0


class RestingLeg:
    """Acceleration of a leg that lies still and moves once a minute on average.

    Parameters
    ----------
    rng : random.Random
    """

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self._left_s = 0.0

    def sample(self, period_s: float) -> tuple[float, ...]:
        """Return the acceleration on three axes, g, one sampling period after the last one."""
        self._left_s -= period_s
        if self._left_s <= 0 and self._random.random() < period_s / _PAUSE_S:
            self._left_s = _MOVE_S
        sd = _MOVED_G if self._left_s > 0 else _NOISE_G
        return tuple(rest + self._random.gauss(0, sd) for rest in _REST_G)
