"""Exponential back-off with jitter between attempts to reconnect, and the sleep for it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Delay before the next attempt to connect.

    Attributes
    ----------
    first_s : float
        Maximum delay (s) after the first failure.
    max_s : float
        Upper limit of the delay (s).
    """

    first_s: float = 0.5
    max_s: float = 30.0

    def delay(self, n_failures: int, rng: random.Random) -> float:
        """Return the delay before the next attempt.

        Parameters
        ----------
        n_failures : int
            Consecutive failed attempts since the last connection.
        rng : random.Random
            Source of the jitter, which keeps several wearables from retrying in step.

        Returns
        -------
        float
            Seconds: 50-100 % of a delay that doubles with every failure, up to `max_s`.
        """
        longest: float = min(self.max_s, self.first_s * 2.0 ** min(n_failures, 16))
        return longest * rng.uniform(0.5, 1.0)


async def sleep_unless_set(seconds: float, *events: asyncio.Event) -> None:
    """Sleep, but not longer than until an event is set.

    Parameters
    ----------
    seconds : float
        Maximum time to sleep.
    *events : asyncio.Event
        Each ends the sleep.
    """
    waiting = {asyncio.ensure_future(event.wait()) for event in events}
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for future in waiting:
        future.cancel()
