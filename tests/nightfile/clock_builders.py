"""Arrivals of frames whose device has a known crystal."""

from __future__ import annotations

import numpy as np

from tests.nightfile.builders import T0

HZ = 32768


def crystal(t, drift, wander_ppm, period_s):
    """Ticks at true seconds: a constant drift and a slow sine of temperature."""
    turn = 2 * np.pi / period_s
    extra = wander_ppm * 1e-6 * (1 - np.cos(turn * t)) / turn
    return HZ * ((1 + drift) * t + extra)


def arrivals(t, rng, interval=0.030, loss=0.1):
    """Arrival at connection events, which have a crystal of their own, and some fail."""
    interval *= 1 + 13e-6
    wait = interval - (t + rng.uniform(0, interval)) % interval
    return t + 0.002 + wait + interval * rng.geometric(1 - loss, len(t)) - interval


def night(hours, drift, wander_ppm, seed, outages=()):
    rng = np.random.default_rng(seed)
    t = np.arange(0.06, hours * 3600, 0.057)
    keep = np.ones(len(t), bool)
    for start, stop in outages:
        keep &= (t < start) | (t > stop)
    live = t[keep]
    ticks = np.floor(crystal(live, drift, wander_ppm, 3 * 3600)).astype(np.int64)
    return live, ticks, T0 + np.rint(arrivals(live, rng) * 1e9).astype(np.int64)
