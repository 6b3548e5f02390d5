"""Intervals between leg movements."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

import twitchsense as ts
from tests.report.builders import make_per_second
from twitchsense.report.interval_histogram import movement_intervals


def night_of(onsets, bad=()):
    valid = np.ones(1000, bool)
    valid[list(bad)] = False
    events = pd.DataFrame({"trial_type": "movement", "onset": onsets})
    return SimpleNamespace(events=events, seconds={"emg1": make_per_second(np.arange(1000), valid)})


def test_intervals_are_onset_to_onset_in_order():
    assert movement_intervals(night_of([100.5, 20.0, 60.0])).tolist() == [40.0, 40.5]
    assert movement_intervals(night_of([5.0])).tolist() == []


def test_interval_with_invalid_signal_is_left_out():
    found = movement_intervals(night_of([10.0, 50.0, 90.0], bad=range(60, 75)))
    assert found.tolist() == [40.0]


def test_histogram_has_bins_of_two_seconds():
    ax = ts.plot_intervals(night_of([0.0, 20.5, 41.2, 300.0]))
    bars = [b for b in ax.patches if b.get_width() == 2]
    assert len(bars) == 45
    assert [b.get_x() for b in bars if b.get_height()] == [20.0]
    assert "1 longer than 90 s" in ax.get_title(loc="left")
