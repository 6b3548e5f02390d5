"""The delay between attempts to reconnect."""

from __future__ import annotations

import random

from twitchsense.acquire.backoff import Backoff


def test_backoff_doubles_up_to_a_limit():
    backoff, rng = Backoff(0.5, 30.0), random.Random(1)
    delays = [backoff.delay(n, rng) for n in (0, 1, 2, 3, 20, 10_000)]
    for delay, longest in zip(delays, (0.5, 1, 2, 4, 30, 30), strict=True):
        assert longest / 2 <= delay <= longest
