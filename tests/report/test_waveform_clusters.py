"""What repeats in a night: intervals between movements, twitches of one shape."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import twitchsense as ts
from tests.trend.results import evening, write_night
from twitchsense.model.channels import Channel
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.report.event_windows import RESOLUTION, EventWindow
from twitchsense.report.interval_histogram import movement_intervals
from twitchsense.report.waveform_clusters import cluster_waveforms
from twitchsense.report.waveforms import plot_cluster


def seconds(n, bad=()):
    valid = np.ones(n, bool)
    valid[list(bad)] = False
    one = np.ones(n, np.float32)
    time = np.arange(n) * 1_000_000_000
    return PerSecond(time, one, valid, -one, one, one, one, np.empty((n, 0), np.float32), "emg")


def night_of(onsets, bad=()):
    events = pd.DataFrame({"trial_type": "movement", "onset": onsets})
    return SimpleNamespace(events=events, seconds={"emg1": seconds(1000, bad)})


def test_intervals_are_onset_to_onset_in_order():
    assert movement_intervals(night_of([100.5, 20.0, 60.0])).tolist() == [40.0, 40.5]
    assert movement_intervals(night_of([5.0])).tolist() == []


def test_an_interval_over_lost_signal_is_left_out():
    found = movement_intervals(night_of([10.0, 50.0, 90.0], bad=range(60, 75)))
    assert found.tolist() == [40.0]


def test_histogram_has_bins_of_two_seconds():
    ax = ts.plot_intervals(night_of([0.0, 20.5, 41.2, 300.0]))
    bars = [b for b in ax.patches if b.get_width() == 2]
    assert len(bars) == 45
    assert [b.get_x() for b in bars if b.get_height()] == [20.0]
    assert "1 longer than 90 s" in ax.get_title(loc="left")


@pytest.fixture
def twitches():
    """Two units, 12 and 7 times, and noise 10 times, at 1000 Hz."""
    rng = np.random.default_rng(3)
    t = np.arange(-20, 21) / 1000
    units = [
        200 * np.exp(-((t / 0.003) ** 2)) * np.cos(2 * np.pi * 90 * t),
        150 * np.exp(-(((t - 0.002) / 0.008) ** 2)) * np.sin(2 * np.pi * 60 * t),
    ]
    traces = []
    for k, unit in enumerate([0] * 12 + [1] * 7 + [None] * 10):
        wave = rng.normal(0, 4, 800)
        burst = rng.normal(0, 80, 41) if unit is None else units[unit] * rng.uniform(0.7, 1.3)
        wave[380:421] += burst
        samples = np.rint(wave / RESOLUTION["emg"]).astype(np.int16)[:, None]
        traces.append(EventWindow(k, "emg1", k * 10**10, 1000.0, samples))
    events = pd.DataFrame({"trial_type": "twitch", "amplitude_uv": 100.0}, index=range(29))
    recording = Recording((Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",)),), ())
    return SimpleNamespace(events=events, recording=recording), traces


def test_twitches_of_one_shape_are_found_and_noise_is_not(twitches):
    night, traces = twitches
    clusters = cluster_waveforms(night, traces)
    assert [c.events for c in clusters] == [tuple(range(12)), tuple(range(12, 19))]
    assert clusters[0].waveforms.shape == (12, 41)


def test_a_shape_is_drawn_on_the_axes_given(twitches):
    [cluster, _] = cluster_waveforms(*twitches)
    ax = Figure().add_subplot()
    assert plot_cluster(cluster, ax) is ax


def test_a_twitch_beside_a_gap_is_left_out(twitches):
    night, traces = twitches
    holed = [replace(t, samples=np.where(np.arange(800)[:, None] < 3, -32768, t.samples))
             for t in traces[:12]]  # fmt: skip
    assert len(cluster_waveforms(night, holed + traces[12:])) == 1


def test_trend_is_drawn_on_the_axes_given(tmp_path):
    weeks = ts.read_weeks([write_night(tmp_path, f"n{k}", evening(k)) for k in range(9)])
    ax = Figure().add_subplot()
    assert ts.plot_trend(weeks, "jerk", ax=ax) is ax
    assert isinstance(ts.plot_trend(weeks), Axes)
    nowhen = ts.read_weeks([write_night(tmp_path, "x", None)])
    assert "no night with a date" in ts.plot_trend(nowhen).texts[0].get_text()
