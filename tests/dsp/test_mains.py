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
    np.testing.assert_array_equal(y[26_000:], x[26_000:])


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


def test_recorded_samples_need_no_conversion():
    _, x = with_hum(1000.0, 50.0, np.random.default_rng(1))
    x = x.astype(np.float32)
    given, wanted = MainsCanceller(1000.0), MainsCanceller(1000.0)
    for part in np.split(x, range(700, len(x), 700)):
        out = np.full(len(part), np.nan)
        assert given.push(part, out=out) is out
        np.testing.assert_array_equal(out, wanted.push(part.astype(np.float64)))


def test_one_harmonic_does_not_depend_on_the_chunks():
    # numpy rounds products of complex numbers differently at the end of an array
    for seed in range(8):
        _, x = with_hum(200.0, 50.0, np.random.default_rng(seed))
        whole = MainsCanceller(200.0).push(x)
        pieces = MainsCanceller(200.0)
        parts = [pieces.push(p) for p in np.split(x, range(100, len(x), 100))]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def trains_of_bursts(fs, seconds, rng):
    """Return trains of six strong bursts of 60 ms, 150 ms apart, and where they are."""
    x, inside = np.zeros(round(seconds * fs)), np.zeros(round(seconds * fs), bool)
    length = round(0.06 * fs)
    for start in np.arange(12.0, seconds - 2, 4.0):
        for k in range(6):
            first = round((start + 0.15 * k) * fs)
            x[first : first + length] += 400 * rng.standard_normal(length) * np.hanning(length)
            inside[first : first + length] = True
    return x, inside


@pytest.mark.parametrize("line", [49.9, 50.08, 60.0])
def test_hum_is_removed_through_trains_of_bursts_without_ringing(line):
    rng, fs = np.random.default_rng(5), 1000.0
    noise = band_noise(60_000, fs, 4.0, rng)
    bursts, inside = trains_of_bursts(fs, 60, rng)
    y = MainsCanceller(fs).push(noise + bursts + hum(line, 60, fs))
    error = y - noise - bursts
    settled = np.arange(60_000) > 8_000
    assert np.std(hum(line, 60, fs)) > 25
    assert np.std(error[settled & ~inside]) < 1.5
    between = settled & ~inside & (np.convolve(inside, np.ones(400), "full")[:60_000] > 0)
    assert np.std(error[between]) < 2.0


def test_hum_of_two_microvolts_is_removed():
    rng = np.random.default_rng(6)
    noise = band_noise(60_000, 1000.0, 4.0, rng)
    weak = hum(50.03, 60, 1000.0) / 15
    y = MainsCanceller(1000.0).push(noise + weak)
    assert np.std(y[10_000:] - noise[10_000:]) < 0.4 * np.std(weak)


def test_hum_without_its_fundamental_is_removed():
    rng = np.random.default_rng(7)
    noise = band_noise(60_000, 1000.0, 4.0, rng)
    third = 20 * np.sin(2 * np.pi * 150.12 * np.arange(60_000) / 1000)
    y = MainsCanceller(1000.0).push(noise + third)
    assert np.std(y[10_000:] - noise[10_000:]) < 1.0


def test_hum_is_held_through_a_long_contraction():
    rng = np.random.default_rng(8)
    noise = band_noise(60_000, 1000.0, 4.0, rng)
    noise[20_000:35_000] += band_noise(15_000, 1000.0, 150.0, rng, low=30, high=180)
    y = MainsCanceller(1000.0).push(noise + hum(50.05, 60, 1000.0))
    assert np.std(y[35_500:] - noise[35_500:]) < 2.0
