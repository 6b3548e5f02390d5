from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals import damped_oscillation, rest_acc
from twitchsense.dsp.spikes import LONGEST, SpikeRemover, remove_spikes


def rest(n=200, seed=0):
    return rest_acc(n, np.random.default_rng(seed), noise_g=0.005)


def cleaned(samples, fs=100.0, cuts=()):
    remover = SpikeRemover(fs, samples.shape[1])
    parts = [remover.push(part) for part in np.split(samples, sorted(cuts))]
    return np.concatenate([*parts, remover.close()])


@pytest.mark.parametrize("length", range(1, LONGEST + 1))
@pytest.mark.parametrize("height", [(0.4, 0.0, 0.0), (-10.0, 16.0, -1.0), (0.0, 0.0, 1e4)])
@pytest.mark.parametrize("first", [2, 50, 200 - 2 - LONGEST])
def test_false_samples_become_the_mean_of_the_samples_beside_them(length, height, first):
    samples = rest()
    expected = samples.copy()
    expected[first : first + length] = samples[[first - 2, first - 1, first + length,
                                                first + length + 1]].mean(axis=0)  # fmt: skip
    samples[first : first + length] += height
    np.testing.assert_allclose(cleaned(samples), expected, atol=1e-9)


@pytest.mark.parametrize("fs", [25.0, 50.0, 59.9])
def test_a_slow_accelerometer_keeps_every_sample(fs):
    samples = rest()
    samples[100] += 5.0
    assert cleaned(samples, fs) is not samples
    np.testing.assert_array_equal(cleaned(samples, fs), samples)


@pytest.mark.parametrize("fs", [62.5, 100.0, 400.0])
@pytest.mark.parametrize("hz", [4.0, 9.0, 15.0])
@pytest.mark.parametrize("at", np.linspace(0, 0.04, 5))
def test_the_swing_of_a_leg_is_kept(fs, hz, at):
    samples = rest(round(2 * fs))
    t = np.arange(len(samples)) / fs - 1 - at
    swing = np.exp(-np.maximum(t, 0) / 0.06) * np.sin(2 * np.pi * hz * t) * (t > 0)
    samples[:, 0] += 3 * swing
    np.testing.assert_array_equal(cleaned(samples, fs), samples)


def test_steps_edges_and_longer_pulses_are_kept():
    for begin, stop in ((100, 200), (0, 100), (0, 1), (1, 2), (198, 199), (199, 200), (80, 84)):
        samples = rest()
        samples[begin:stop] += 2.0
        np.testing.assert_array_equal(cleaned(samples), samples)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 59), st.integers(1, 4)), max_size=12),
    st.lists(st.integers(0, 60), max_size=8),
    st.integers(0, 60),
)
def test_any_chunks_give_the_result_of_the_whole(spikes, cuts, n):
    samples = rest(60)
    for first, length in spikes:
        samples[first : first + length] += 3.0
    samples = samples[:n]
    expected = remove_spikes(samples.copy())
    np.testing.assert_array_equal(cleaned(samples, cuts=[c for c in cuts if c <= n]), expected)


def test_a_small_sample_beside_noise_is_kept():
    samples = rest()
    samples[100] += damped_oscillation(100.0, 0.09).max()
    np.testing.assert_array_equal(remove_spikes(samples), samples)
