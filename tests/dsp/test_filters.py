from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twitchsense.dsp.filters import bandpass, burst_band, dynamic_band, leg_movement_band


def gain(make, fs, hz):
    t = np.arange(round(4 * fs)) / fs
    y = make(fs).push(np.sin(2 * np.pi * hz * t))
    return float(np.sqrt(2 * np.mean(y[len(y) // 2 :] ** 2)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 500), max_size=8), st.sampled_from([1, 3]))
def test_output_does_not_depend_on_the_chunks(cuts, width):
    x = np.random.default_rng(1).normal(size=(500, width))
    x = x[:, 0] if width == 1 else x
    whole = burst_band(1000.0).push(x)
    pieces = burst_band(1000.0)
    parts = [pieces.push(p) for p in np.split(x, sorted(cuts))]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    ("make", "fs", "inside", "outside"),
    [
        (burst_band, 1000.0, (60, 100, 250), (2, 5)),
        (burst_band, 2000.0, (60, 250, 350), (5, 900)),
        (burst_band, 250.0, (40, 80), (4,)),
        (leg_movement_band, 1000.0, (25, 50), (1, 400)),
        (dynamic_band, 100.0, (2, 10, 25), (0.05,)),
    ],
)
def test_gain_within_and_outside_each_band(make, fs, inside, outside):
    for hz in inside:
        assert 0.9 < gain(make, fs, hz) < 1.1
    for hz in outside:
        assert gain(make, fs, hz) < 0.1


def test_gain_is_minus_3_db_at_the_corners():
    assert gain(burst_band, 2000.0, 20) == pytest.approx(0.707, abs=0.02)
    assert gain(burst_band, 2000.0, 450) == pytest.approx(0.707, abs=0.02)


@pytest.mark.parametrize("make", [burst_band, leg_movement_band, dynamic_band])
def test_constant_causes_no_transient(make):
    y = make(1000.0).push(np.full(2000, 1234.5))
    assert np.abs(y).max() < 1e-6


@pytest.mark.parametrize(
    ("make", "fs", "hz"),
    [(burst_band, 1000.0, 110), (burst_band, 2000.0, 110), (dynamic_band, 100.0, 8)],
)
def test_stated_delay_is_the_delay_of_a_wave_packet(make, fs, hz):
    t = np.arange(round(4 * fs)) / fs
    packet = np.exp(-(((t - 2) / (3 / hz)) ** 2)) * np.sin(2 * np.pi * hz * t)
    band = make(fs)
    y = band.push(packet)
    lag_s = (t @ y**2) / (y @ y) - (t @ packet**2) / (packet @ packet)
    assert lag_s == pytest.approx(band.delay_s, abs=0.001 if fs > 500 else 0.005)


def test_empty_input_gives_empty_output():
    assert len(bandpass(1, 10, 100.0, order=(2, 2)).push(np.empty(0))) == 0
