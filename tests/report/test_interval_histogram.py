"""Intervals between leg movements."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.report.builders import make_per_second
from twitchsense.report.interval_histogram import movement_intervals, periodic_interval_s


def night_of(onsets, bad=(), profile="default-2026", legs=""):
    valid = np.ones(1000, bool)
    valid[list(bad)] = False
    events = pd.DataFrame({"trial_type": "movement", "onset": onsets, "duration": 1.0})
    events["leg"] = legs
    return SimpleNamespace(
        events=events,
        seconds={"emg1": make_per_second(np.arange(1000), valid)},
        settings=ts.get_profile(profile),
    )


def edges(patch):
    """Return left and right edge; a range is a rectangle or, before matplotlib 3.9, a polygon."""
    box = patch.get_path().get_extents(patch.get_patch_transform())
    return round(box.x0, 9), round(box.x1, 9)


def width(patch):
    left, right = edges(patch)
    return right - left


def test_intervals_are_onset_to_onset_in_order():
    assert movement_intervals(night_of([100.5, 20.0, 60.0])).tolist() == [40.0, 40.5]
    assert movement_intervals(night_of([5.0])).tolist() == []


def test_a_movement_of_both_legs_counts_once():
    night = night_of([20.0, 20.1, 60.0, 60.2], legs=["left", "right", "right", "left"])
    assert movement_intervals(night).tolist() == [40.0]


def test_interval_with_invalid_signal_is_left_out():
    found = movement_intervals(night_of([10.0, 50.0, 90.0], bad=range(60, 75)))
    assert found.tolist() == [40.0]


def test_histogram_has_bins_of_two_seconds():
    ax = ts.plot_intervals(night_of([0.0, 20.5, 41.2, 300.0]))
    bars = [b for b in ax.patches if width(b) == 2]
    assert len(bars) == 45
    assert [b.get_x() for b in bars if b.get_height()] == [20.0]
    assert "1 longer than 90 s" in ax.get_title(loc="left")


@pytest.mark.parametrize(("profile", "shortest"), [("default-2026", 10.0), ("aasm-2026", 5.0)])
def test_shaded_range_is_that_of_the_rules_chosen(profile, shortest):
    ax = ts.plot_intervals(night_of([0.0, 20.5], profile=profile))
    assert periodic_interval_s(ts.get_profile(profile)) == (shortest, 90.0)
    shaded = [b for b in ax.patches if width(b) > 2]
    assert [edges(b) for b in shaded] == [(shortest, 90.0)]
