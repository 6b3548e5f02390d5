"""Potentials drawn from physics: fibre groups of any depth, in any synchrony, under any electrodes.

A group of fibres is a source that travels from its innervation zone past two electrodes to the
fibres' end (Rosenfalck 1969; Farina and Merletti 2001, doi:10.1109/10.918594, give the full
model).  Near the skin its potential is short, deep in the muscle long; what does not travel, the
end effect, reaches both electrodes at once.  One group is a motor unit; many within some
milliseconds are the compound potential of a nerve's volley.
"""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.canvas import Canvas
from benchmarks.accuracy.muscle import Seen
from benchmarks.accuracy.targets import log_uniform
from benchmarks.accuracy.units import NO_INTERVALS
from benchmarks.accuracy.waves import TEMPLATE_HZ

#: Half the length of a template, s.
HALF_S = 0.05
#: Length of a fibre over which its action potential extends, mm.  With the depth it bounds how
#: short a potential can be at the skin: its largest phase lasts a millisecond or more.
SOURCE_MM = 5.0
#: Shares of the ways in which a potential is drawn.
KINDS = {"unit": 0.35, "volley": 0.35, "pulse": 0.3}


def draw_potential(canvas: Canvas) -> Seen:
    """Draw a potential, and how the electrodes of this recording see it."""
    rng = canvas.rng
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    channels = max(canvas.device.n_emg, 1)
    if kind == "pulse":
        wave = _pulse(rng)
        late = rng.uniform(-0.003, 0.003)
        waves = [wave] + [np.roll(wave, round(late * TEMPLATE_HZ)) * rng.uniform(-0.9, 0.9)] * (
            channels - 1
        )
    else:
        waves = _travelling(rng, 1 if kind == "unit" else int(log_uniform(rng, 3, 40)), channels)
    if channels > 1 and rng.random() < 0.35:  # the second pair lies on another muscle
        waves[1] = waves[1] * rng.uniform(0.0, 0.15)
    order = rng.permutation(channels)
    most = max(float(np.ptp(w)) for w in waves)
    sign = rng.choice((-1.0, 1.0))
    templates = tuple(sign * _tapered(waves[k]) / most for k in order)
    return Seen(templates, templates, 1.0, f"drawn {kind}", NO_INTERVALS)


def _tapered(x: np.ndarray) -> np.ndarray:
    flank = round(0.01 * TEMPLATE_HZ)
    ramp = np.minimum(1, np.minimum(np.arange(len(x)), np.arange(len(x))[::-1]) / flank)
    return x * ramp


def _times() -> np.ndarray:
    half = round(HALF_S * TEMPLATE_HZ)
    return np.arange(-half, half) / TEMPLATE_HZ


def _travelling(rng: np.random.Generator, groups: int, channels: int) -> list[np.ndarray]:
    """Return the potential of some fibre groups under each pair of electrodes."""
    t = _times()
    spread = log_uniform(rng, 0.0003, 0.006) if groups > 1 else 0.0
    apart = rng.uniform(10, 40)  # electrodes of a pair, mm
    first = rng.uniform(-30, 50)  # first electrode from the innervation zones, mm
    pairs = [(first + shift, first + shift + apart)
             for shift in (0.0, *rng.uniform(-30, 30, channels - 1))]  # fmt: skip
    waves = [np.zeros(len(t)) for _ in pairs]
    deep = log_uniform(rng, 2, 20)
    end_share = rng.uniform(0, 0.7)
    for _ in range(groups):
        depth = deep * rng.uniform(0.6, 1.6)
        speed = rng.normal(4.2, 0.5)  # m/s, so mm per ms
        start = rng.normal(0, spread)
        weight = rng.uniform(0.3, 1.0)
        zone = rng.normal(0, 4)
        ends = rng.uniform(45, 110)
        width_s = np.hypot(depth, SOURCE_MM) / 1.3 / speed / 1000
        for wave, pair in zip(waves, pairs, strict=True):
            for place, sign in zip(pair, (1.0, -1.0), strict=True):
                way = abs(place - zone)
                u = (t + 0.012 - start - way / speed / 1000) / width_s
                inside = 1.0 if way < ends else 0.0
                wave += sign * weight * inside * (1 - u**2) * np.exp(-(u**2) / 2)
                far = np.hypot(ends - way, depth)
                u = (t + 0.012 - start - ends / speed / 1000) / width_s
                wave += sign * weight * end_share * depth / far * np.exp(-(u**2) / 2)
    return waves


def _pulse(rng: np.random.Generator) -> np.ndarray:
    """Return one to three lobes of any width and skew: what no model of fibres forbids."""
    t = _times()
    out = np.zeros(len(t))
    at = -0.01
    lobes = int(rng.choice((1, 2, 3), p=(0.3, 0.4, 0.3)))
    width = log_uniform(rng, 0.0018, 0.012)
    sign = 1.0
    for _ in range(lobes):
        rise = width * rng.uniform(0.5, 1.0)
        fall = width * log_uniform(rng, 0.4, 3.0)
        side = np.where(t < at, (t - at) / rise, (t - at) / fall)
        out += sign * rng.uniform(0.3, 1.0) * np.exp(-(side**2) * rng.uniform(0.7, 1.3))
        at += rise + fall * rng.uniform(0.5, 1.2)
        width *= rng.uniform(0.7, 1.6)
        sign = -sign
    return out
