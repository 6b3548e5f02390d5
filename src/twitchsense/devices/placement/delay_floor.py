"""The smallest delay of delivery of the last seconds."""

from __future__ import annotations

import math
from typing import Final

from twitchsense.model.channels import NS

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
