"""Mains hum in a burst: a signal that repeats with the period of the mains."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import band_noise, unit_potential
from twitchsense.detect.features.artifact_measures import mains_share


@pytest.mark.parametrize("fs", [250.0, 1000.0, 4000.0])
@pytest.mark.parametrize("line", [49.9, 50.0, 60.0, 60.1])
@pytest.mark.parametrize("seconds", [0.1, 0.25, 1.3])
def test_burst_of_hum_is_hum(fs, line, seconds):
    t = np.arange(round(seconds * fs)) / fs
    x = np.sin(2 * np.pi * line * t) + 0.3 * np.sin(2 * np.pi * 2 * line * t + 1)
    x += 0.2 * np.random.default_rng(1).standard_normal(len(t))
    assert mains_share(100 * x, fs) > 0.7


@pytest.mark.parametrize("seconds", [0.1, 0.25, 1.3])
def test_contraction_is_not_hum(seconds):
    rng = np.random.default_rng(2)
    shares = [
        mains_share(band_noise(round(seconds * 1000), 1000.0, 100.0, rng, low=25, high=120), 1000.0)
        for _ in range(100)
    ]
    assert np.mean(np.array(shares) > 0.5) <= 0.02


@pytest.mark.parametrize("gap_ms", [17, 20])
def test_doublet_one_period_apart_is_not_hum(gap_ms):
    x = np.random.default_rng(3).normal(0, 2, 120)
    for at in (20, 20 + gap_ms):
        potential = 200 * unit_potential(1000.0)
        n = min(len(potential), len(x) - at)
        x[at : at + n] += potential[:n]
    assert mains_share(x, 1000.0) < 0.5


def test_short_burst_is_not_examined():
    assert mains_share(np.sin(2 * np.pi * 50 * np.arange(90) / 1000), 1000.0) == 0.0
