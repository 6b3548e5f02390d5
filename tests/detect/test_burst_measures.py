"""Measurements of one burst."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import band_noise, interference_pattern
from twitchsense.detect.candidates.burst_measures import zero_phase
from twitchsense.detect.features.waveform import mean_frequency_hz


@pytest.mark.parametrize("fs", [500.0, 1000.0, 2000.0])
def test_mean_frequency_of_a_sine_is_its_frequency_at_any_amplitude(fs):
    t = np.arange(round(0.5 * fs)) / fs
    for size in (1.0, 300.0):
        assert mean_frequency_hz(size * np.sin(2 * np.pi * 60 * t), fs) == pytest.approx(
            60, rel=0.03
        )


def test_mean_frequency_of_muscle_is_below_that_of_white_noise():
    rng = np.random.default_rng(0)
    muscle, noise = (
        interference_pattern(2000, 1000.0, 50.0, rng),
        band_noise(2000, 1000.0, 50.0, rng),
    )
    low, high = (mean_frequency_hz(zero_phase(x, 1000.0), 1000.0) for x in (muscle, noise))
    assert low < 150 < 180 < high


def test_one_sample_has_a_mean_frequency():
    assert np.isfinite(
        [mean_frequency_hz(np.array([3.0]), 1000.0), mean_frequency_hz(np.zeros(5), 1000.0)]
    ).all()
