"""Clusters of twitches by waveform."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from twitchsense.model.channels import Channel
from twitchsense.model.recording import Recording
from twitchsense.report.event_windows import RESOLUTION, EventWindow
from twitchsense.report.waveform_clusters import cluster_waveforms
from twitchsense.report.waveforms import plot_cluster


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


def test_twitches_of_one_waveform_form_a_cluster_and_noise_does_not(twitches):
    night, traces = twitches
    clusters = cluster_waveforms(night, traces)
    assert [c.events for c in clusters] == [tuple(range(12)), tuple(range(12, 19))]
    assert clusters[0].waveforms.shape == (12, 41)


def test_cluster_is_drawn_on_the_axes_given(twitches):
    [cluster, _] = cluster_waveforms(*twitches)
    ax = Figure().add_subplot()
    assert plot_cluster(cluster, ax) is ax


def test_twitches_next_to_a_gap_are_left_out(twitches):
    night, traces = twitches
    holed = [replace(t, samples=np.where(np.arange(800)[:, None] < 3, -32768, t.samples))
             for t in traces[:12]]  # fmt: skip
    assert len(cluster_waveforms(night, holed + traces[12:])) == 1
