"""Edge cases: empty and very short signals, one axis, saturation."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import band_noise
from twitchsense.detect.candidates.acc_segment import AccSegment
from twitchsense.detect.features.artifact_measures import is_saturated
from twitchsense.detect.sensors.sensor_queries import find_response
from twitchsense.model.recording import Channel
from twitchsense.settings import Settings

S = 1_000_000_000


def track(columns=("acc_x_g", "acc_y_g", "acc_z_g")):
    return AccSegment(Channel("acc", "acc", "g", 100.0, tuple(columns)), 0, Settings())


def still(seconds, width=3):
    x = np.random.default_rng(0).normal(0, 0.001, (round(seconds * 100), width))
    x[:, -1] += 1
    return x.astype(np.float32)


def test_empty_chunk_changes_nothing():
    with_pause, without = track(), track()
    for t in (with_pause, without):
        t.push(still(10)[:450])
        if t is with_pause:
            t.push(still(0))
        t.push(still(10)[450:])
        t.close()
    np.testing.assert_array_equal(with_pause.per_second().level, without.per_second().level)


def test_there_is_no_response_before_and_after_the_recording():
    t = track()
    t.push(still(10))
    t.close()

    def response(first_s, last_s, limit_s):
        envelope = t.envelope(first_s * S, last_s * S, limit_s * S)
        return find_response(envelope, first_s * S, last_s * S)

    assert response(5, 6, 10) is not None
    assert response(-3, -2, 10) is None
    assert response(20, 21, 30) is None


@pytest.mark.parametrize(
    ("columns", "known"), [(("acc_x_g",), False), (("acc_x_g", "acc_z_g"), True)]
)
def test_turn_needs_more_than_one_axis(columns, known):
    t = track(columns)
    x = still(60, len(columns))
    x[3000:3050] += np.float32(0.5)
    t.push(x)
    t.close()
    (episode,) = t.take()
    assert np.isnan(episode.turn_deg) is not known


def test_saturation_needs_five_repeated_values():
    x = np.concatenate([np.linspace(-600, 600, 50), np.full(5, 600.0)])
    assert is_saturated(np.append(x, 600.0), 500.0)
    assert not is_saturated(x[:-1], 500.0)
    assert not is_saturated(
        np.append(x, 600.0) / 3, 500.0
    )  # too small for an amplifier at its limit
    assert not is_saturated(np.full(4, 600.0), 500.0)


@pytest.mark.parametrize("fs", [250.0, 1000.0])
def test_amplifier_that_reaches_or_leaves_its_limit_is_saturated(fs):
    """Most of the samples are at the limit, which is their median."""
    noise = np.random.default_rng(2).normal(0, 3, round(0.03 * fs))
    slope, limit = np.linspace(0, -6500, round(0.015 * fs)), np.full(round(0.06 * fs), -6553.6)
    reached = np.concatenate([noise, slope, limit])
    assert is_saturated(reached, fs)
    assert is_saturated(reached[::-1], fs)
    step = np.concatenate([noise, slope, -6500 + np.resize(noise, len(limit))])
    assert not is_saturated(step, fs)


def test_contraction_that_is_clipped_is_not_a_saturated_amplifier():
    x = band_noise(4000, 1000.0, 400.0, np.random.default_rng(1), low=25, high=150)
    clipped = np.clip(x, -500, 500)
    assert (np.abs(clipped) == 500).mean() > 0.1
    assert not is_saturated(clipped, 1000.0)
    clipped[2000:2010] = 500
    assert is_saturated(clipped, 1000.0)
