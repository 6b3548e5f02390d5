"""The electrode model separates potentials from electrode artefacts by their waveform."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import band_noise, unit_potential
from twitchsense.detect.candidates.burst_measures import zero_phase
from twitchsense.detect.features.artifact_measures import low_frequency_share
from twitchsense.detect.features.electrode_artifact import (
    ELECTRODE_FEATURES,
    N_LOGS,
    REGRESSIONS,
    electrode_features,
    electrode_probability,
    regression_of,
)
from twitchsense.detect.rules.burst_limits import MAX_ELECTRODE_PROBABILITY


def probability(wave, fs=1000.0, noise_uv=3.0, seed=0):
    rng = np.random.default_rng(seed)
    x = band_noise(round(0.6 * fs), fs, noise_uv, rng)
    first = round(0.3 * fs)
    x[first : first + len(wave)] += wave[: len(x) - first]
    burst = zero_phase(x, fs)
    loud = np.flatnonzero(np.abs(burst) > 0.3 * np.abs(burst).max())
    body = (int(loud[0]), int(loud[-1]) + 1)
    slow = low_frequency_share(x, burst, body, fs)
    features = electrode_features(x, burst, body, fs, low_frequency_share=slow, noise_uv=noise_uv)
    features[:N_LOGS] = np.log(features[:N_LOGS])
    assert features.shape == (len(ELECTRODE_FEATURES),)
    assert np.isfinite(features).all()
    return electrode_probability(features, (body[1] - body[0]) / fs, fs)


@pytest.mark.parametrize("size", [100, 300, 1000])
@pytest.mark.parametrize("width_s", [0.003, 0.004, 0.005])
def test_motor_unit_potential_is_no_electrode_artefact(size, width_s):
    wave = size * unit_potential(1000.0, width_s)
    assert np.median([probability(wave, seed=s) for s in range(9)]) < MAX_ELECTRODE_PROBABILITY


@pytest.mark.parametrize("size", [100, 300, 1000])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_spike_of_a_few_samples_is_an_electrode_artefact(size, samples):
    wave = np.full(samples, float(size))
    assert np.median([probability(wave, seed=s) for s in range(9)]) > 0.8


def test_scattered_spikes_are_an_electrode_artefact_and_interference_is_muscle():
    rng = np.random.default_rng(1)
    crackle = np.zeros(200)
    crackle[rng.integers(0, 200, 7)] = rng.normal(0, 300, 7)
    muscle = band_noise(200, 1000.0, 80.0, rng, low=40, high=180)
    assert probability(crackle) > 0.8
    assert probability(muscle) < 0.5


@pytest.mark.parametrize("fs", [200.0, 500.0, 999.7, 2000.0, 4000.0])
def test_every_sampling_rate_gives_a_probability(fs):
    assert 0 < probability(200 * unit_potential(fs), fs) < 1


@pytest.mark.parametrize("fs", [899.0, 900.0])
@pytest.mark.parametrize("duration_s", [0.04, 0.041])
def test_each_rate_and_duration_has_its_regression(fs, duration_s):
    name = regression_of(duration_s, fs)
    assert name == ("fine" if fs >= 900 else "coarse") + (
        "_single" if duration_s <= 0.04 else "_long"
    )
    assert name in REGRESSIONS
    assert 0 < electrode_probability(np.zeros(len(ELECTRODE_FEATURES)), duration_s, fs) < 1
