"""Reduction of signals for plots, and intervals of valid signal."""

from __future__ import annotations

import numpy as np

from tests.report.builders import make_per_second
from twitchsense.report.decimate import decimate_waveform, min_max_envelope
from twitchsense.report.night_intervals import validity_intervals


def test_envelope_keeps_extremes_and_is_nan_in_gaps():
    seconds = make_per_second([*range(10), *range(50, 100)], [True] * 60)
    env = min_max_envelope(seconds, 0.0, 100.0, 10)
    assert env.high[0] == 9
    assert np.isnan(env.high[1:5]).all()
    assert env.low[-1] == -59
    assert env.valid.tolist() == [True] + [False] * 4 + [True] * 5


def test_validity_intervals_end_at_gaps_and_where_validity_changes():
    seconds = make_per_second([0, 1, 2, 10, 11], [True, True, False, True, True])
    assert validity_intervals(seconds) == ([(0.0, 2.0), (10.0, 2.0)], [(2.0, 1.0)])
    assert validity_intervals(make_per_second([], [])) == ([], [])


def test_decimated_waveform_keeps_extremes_in_order():
    time, values = np.arange(10_000) / 1000, np.zeros(10_000)
    values[4321], values[8765] = 7, -3
    t, v = decimate_waveform(time, values, 200)
    assert len(t) < 450
    assert (np.diff(t) > 0).all()
    assert v.max() == 7
    assert v.min() == -3
