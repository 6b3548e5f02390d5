"""Signals at the edge: too short, flat, or at an amplifier's limit."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.detect.acc_candidates import AccTrack
from twitchsense.detect.burst_measures import is_stuck
from twitchsense.model.recording import Channel
from twitchsense.settings import Settings

S = 1_000_000_000


def track(columns=("acc_x_g", "acc_y_g", "acc_z_g")):
    return AccTrack(Channel("acc", "acc", "g", 100.0, tuple(columns)), 0, Settings())


def still(seconds, width=3):
    x = np.random.default_rng(0).normal(0, 0.001, (round(seconds * 100), width))
    x[:, -1] += 1
    return x.astype(np.float32)


def test_no_samples_change_nothing():
    with_pause, without = track(), track()
    for t in (with_pause, without):
        t.push(still(10)[:450])
        if t is with_pause:
            t.push(still(0))
        t.push(still(10)[450:])
        t.close()
    np.testing.assert_array_equal(with_pause.seconds().level, without.seconds().level)


def test_there_is_no_response_before_and_after_the_recording():
    t = track()
    t.push(still(10))
    t.close()
    assert t.response(5 * S, 6 * S, 10 * S) is not None
    assert t.response(-3 * S, -2 * S, 10 * S) is None
    assert t.response(20 * S, 21 * S, 30 * S) is None


@pytest.mark.parametrize(
    ("columns", "known"), [(("acc_x_g",), False), (("acc_x_g", "acc_z_g"), True)]
)
def test_one_axis_tells_no_turn(columns, known):
    t = track(columns)
    x = still(60, len(columns))
    x[3000:3050] += np.float32(0.5)
    t.push(x)
    t.close()
    (episode,) = t.take()
    assert np.isnan(episode.turn_deg) is not known


def test_an_amplifier_stands_at_its_limit_for_five_steps():
    x = np.concatenate([np.linspace(-600, 600, 50), np.full(5, 600.0)])
    assert is_stuck(np.append(x, 600.0))
    assert not is_stuck(x[:-1])
    assert not is_stuck(np.append(x, 600.0) / 3)  # no limit is so near
    assert not is_stuck(np.full(4, 600.0))
