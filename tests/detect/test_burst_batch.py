"""Bursts are measured alike together and one at a time, compiled and with numpy."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from twitchsense.detect.candidates.burst_batch import measure_bursts
from twitchsense.detect.candidates.burst_window import BurstWindow, LocalFloor
from twitchsense.dsp.engine import engine, why_not_native
from twitchsense.model.candidates import Burst
from twitchsense.model.channels import Channel
from twitchsense.settings import Settings


def as_bytes(burst):
    values = (getattr(burst, field.name) for field in fields(Burst))
    return [v.tobytes() if isinstance(v, np.ndarray) else repr(v) for v in values]


def some_window(rng, number, fs):
    """Return noise, hum, steps, clipping or nothing, cut anywhere, in a window of any length."""
    n = int(rng.integers(2, round(1.2 * fs)))
    x = rng.standard_normal(n) * rng.uniform(0.1, 50)
    kind = number % 6
    if kind == 1:
        x = np.round(x)
    elif kind == 2:
        x[:] = rng.choice([0.0, 5.0])
    elif kind == 3:
        x += 100 * np.sin(2 * np.pi * 50 * np.arange(n) / fs)
    elif kind == 4:
        x[n // 3 : n // 2 + 1] = 900
    first = int(rng.integers(0, n))
    inside = first, int(rng.integers(first + 1, n + 2))
    floor = LocalFloor(float(rng.uniform(0.1, 5)), float(rng.uniform(0.01, 2)))
    clean = x.astype(np.float32).astype(np.float64)
    return BurstWindow(clean + rng.standard_normal(n), clean, number, inside, 10**9, floor)


@pytest.mark.filterwarnings("ignore:divide by zero")  # a burst of zeros
@pytest.mark.parametrize("fs", [250.0, 899.0, 1000.0, 4000.0])
def test_engines_and_batches_give_the_same_bursts(fs):
    rng = np.random.default_rng(round(fs))
    channel = Channel("emg1", "emg", "uV", fs, ("emg1_uv",))
    windows = [some_window(rng, number, fs) for number in range(60)]
    engines = ["scipy"] if why_not_native() else ["scipy", "native"]
    found = []
    for name in engines:
        with engine(name):
            for size in (1, 7, 60):
                batches = (windows[k : k + size] for k in range(0, len(windows), size))
                batches = [measure_bursts(channel, batch, Settings()) for batch in batches]
                found.append([as_bytes(burst) for batch in batches for burst in batch])
    assert all(one == found[0] for one in found[1:])
