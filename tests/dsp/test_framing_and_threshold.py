from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twitchsense.dsp.framing import Blocks, hop_size, moving_sum
from twitchsense.dsp.noise_threshold import NoiseThreshold


@given(st.lists(st.integers(0, 100), max_size=9), st.integers(1, 13))
def test_blocks_are_the_same_for_every_cut(cuts, size):
    x = np.arange(100.0)
    blocks = Blocks(size)
    parts = np.concatenate([blocks.push(p) for p in np.split(x, sorted(cuts))])
    assert np.array_equal(parts, x[: 100 // size * size].reshape(-1, size))
    assert np.array_equal(blocks.rest, x[100 // size * size :])


def test_blocks_of_vectors():
    blocks = Blocks(2)
    assert blocks.push(np.ones((5, 3))).shape == (2, 2, 3)
    assert blocks.push(np.ones((1, 3))).shape == (1, 2, 3)


@pytest.mark.parametrize(("step", "fs", "n"), [(0.005, 1000, 5), (0.005, 200, 1), (0.01, 25, 1)])
def test_hop_is_at_least_one_sample(step, fs, n):
    assert hop_size(step, fs) == n


def test_moving_sum():
    assert np.array_equal(moving_sum(np.arange(6.0), 3), [3, 6, 9, 12])


@pytest.mark.parametrize("freedom", [3, 8, 40])
def test_noise_of_any_band_passes_with_the_stated_probability(freedom):
    rms = np.sqrt(stats.chi2.rvs(freedom, size=400_000, random_state=1) / freedom)
    centre = np.median(rms)
    spread = 1.4826 * np.median(np.abs(rms - centre))
    k = NoiseThreshold(0.0, 1e-3).k(np.array([centre]), np.array([spread]))
    passed = float((rms > centre + k * spread).mean())
    assert 0.0005 < passed < 0.002


def test_multiple_is_never_below_the_least():
    assert NoiseThreshold(6.0, 0.01).k(np.array([1.0]), np.array([0.01]))[0] == 6.0
