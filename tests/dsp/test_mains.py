"""Hum is removed while it is present, and nothing else is changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals import band_noise, unit_potential
from twitchsense.dsp.mains import MainsCanceller


def hum(line, seconds, fs):
    t = np.arange(round(seconds * fs)) / fs
    third = 15.0 if 3 * line < fs / 2 else 0.0  # the amplifier removes higher frequencies
    return 40 * np.sin(2 * np.pi * line * t) + third * np.sin(2 * np.pi * 3 * line * t + 1)


def with_hum(fs, line, rng):
    """Return noise of 5 µV for half a minute, without and with hum from 10 to 20 s."""
    noise = band_noise(round(30 * fs), fs, 5.0, rng)
    x = noise.copy()
    a, b = round(10 * fs), round(20 * fs)
    x[a:b] += hum(line, 30, fs)[a:b]
    return noise, x


@pytest.mark.parametrize("fs", [250.0, 999.7, 2000.0])
@pytest.mark.parametrize("line", [50.0, 49.95, 60.0])
def test_hum_is_removed_after_a_second_and_a_half(fs, line):
    noise, x = with_hum(fs, line, np.random.default_rng(1))
    y = MainsCanceller(fs).push(x)
    span = slice(round(12 * fs), round(20 * fs))
    assert np.std(x[span]) > 4 * np.std(noise[span])
    assert np.std(y[span]) < 1.3 * np.std(noise[span])


def test_signal_without_hum_is_unchanged():
    _, x = with_hum(1000.0, 50.0, np.random.default_rng(2))
    y = MainsCanceller(1000.0).push(x)
    np.testing.assert_array_equal(y[:10_000], x[:10_000])
    np.testing.assert_array_equal(y[23_000:], x[23_000:])


@pytest.mark.parametrize("rate", [5.0, 8.3, 10.0, 12.5])
def test_regularly_firing_unit_is_not_hum(rate):
    rng = np.random.default_rng(3)
    x = band_noise(60_000, 1000.0, 4.0, rng)
    for at in np.cumsum(rng.normal(1 / rate, 0.1 / rate, round(55 * rate))):
        first = round(at * 1000)
        x[first : first + 40] += 150 * unit_potential(1000.0)[: len(x[first : first + 40])]
    np.testing.assert_array_equal(MainsCanceller(1000.0).push(x), x)


def test_contraction_is_not_hum():
    x = band_noise(20_000, 1000.0, 150.0, np.random.default_rng(4), low=30, high=180)
    np.testing.assert_array_equal(MainsCanceller(1000.0).push(x), x)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=20), seed=st.integers(0, 5))
def test_samples_do_not_depend_on_the_chunks(cuts, seed):
    _, x = with_hum(1000.0, 50.0, np.random.default_rng(seed))
    whole = MainsCanceller(1000.0).push(x)
    pieces = MainsCanceller(1000.0)
    parts = [pieces.push(p) for p in np.split(x, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
