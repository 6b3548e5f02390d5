"""Measurements of bursts and movements do not depend on the sampling rate more than they must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import (
    BURST,
    KICK,
    FakeClassifier,
    FakeSensors,
    burst,
    candidate,
    night_context,
)
from twitchsense.detect.candidates.acc_segment import AccSegment
from twitchsense.detect.candidates.burst_batch import measure_bursts
from twitchsense.detect.candidates.burst_window import BurstWindow, LocalFloor, visible_share
from twitchsense.detect.candidates.interpolation import factor, interpolate
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.rules.burst_limits import min_amplitude_uv
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.cluster_rules import ClusterRules
from twitchsense.detect.rules.clustering import Cluster
from twitchsense.detect.rules.sequence_rules import (
    NightInputs,
    classify_bursts,
    find_bumped_twitches,
)
from twitchsense.model.channels import Channel
from twitchsense.model.rate_limits import rate_notes, shows_rate_of_change
from twitchsense.settings import Settings

FLOOR = LocalFloor(centre=1.0, spread=0.2)
AXES = ("acc_x_g", "acc_y_g", "acc_z_g")
#: Instants of the first sample, as shares of the distance of two samples.
PHASES = (0.0, 0.2, 0.4, 0.6, 0.8)


def test_interpolation_keeps_the_samples_and_finds_a_sine_between_them():
    t = np.arange(200)
    x = np.stack([np.sin(2 * np.pi * 0.35 * t), np.cos(2 * np.pi * 0.1 * t)], axis=1)
    finer = interpolate(x, 4)
    fine_t = np.arange(800) / 4
    expected = np.stack([np.sin(2 * np.pi * 0.35 * fine_t), np.cos(2 * np.pi * 0.1 * fine_t)], 1)
    assert finer.shape == (800, 2)
    np.testing.assert_allclose(finer[100:700], expected[100:700], atol=0.01)
    np.testing.assert_allclose(finer[100:700:4], x[25:175], atol=0.01)


def test_a_constant_stays_constant_up_to_its_ends():
    np.testing.assert_allclose(interpolate(np.full((40, 3), 0.7), 4), 0.7, rtol=1e-3)
    assert interpolate(np.ones(1), 3).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("fs", "expected"), [(25, 4), (50, 2), (99.5, 1), (100, 1), (400, 1), (33.3, 3)]
)
def test_factor_reaches_the_rate(fs, expected):
    assert factor(fs, 100.0) == expected


def measured(fs: float, phase: float = 0.0):
    """Measure a biphasic potential of 15 ms in silence; times in ms."""
    t = (np.arange(-0.5, 0.5, 1 / fs) + phase / fs) / 0.003
    x = -250 * t * np.exp(-(t**2) / 2)
    around = (round(0.46 * fs), round(0.54 * fs))
    window = BurstWindow(x, x, 0, around, round((phase / fs - 0.5) * 1e9), FLOOR)
    channel = Channel("emg1", "emg", "uV", fs, ("emg1_uv",))
    (found,) = measure_bursts(channel, [window], Settings())
    return found.duration_s * 1000, found.onset_ns / 1e6, found.rise_ms


def test_edges_of_a_burst_lie_between_the_samples_of_a_slow_device():
    """At 250 Hz it was 21 to 25 ms too long, with an onset 5 to 12 ms early."""
    for phase in PHASES:
        np.testing.assert_allclose(measured(500.0, phase), measured(4000.0), atol=1.0)
        np.testing.assert_allclose(measured(250.0, phase), measured(4000.0), atol=1.5)


def swing(fs: float, phase: float = 0.0):
    """Return peak and rate of change of a swing of 4 Hz."""
    t = np.arange(0, 8, 1 / fs) + phase / fs - 4
    x = 0.5 * np.exp(-((t / 0.1) ** 2)) * np.cos(2 * np.pi * 4 * t)
    axes = np.stack([x, np.zeros(len(t)), np.ones(len(t))], axis=1)
    segment = AccSegment(Channel("acc", "acc", "g", fs, AXES), 0, Settings())
    segment.push(axes.astype(np.float32))
    segment.close()
    (found,) = segment.take()
    return found.peak_g, found.jerk_g_s


def test_peak_of_a_swing_lies_between_the_samples_of_a_slow_accelerometer():
    """At 25 Hz the peak read up to 15 % low, the rate of change up to 19 %."""
    for fs in (50.0, 25.0):
        for phase in PHASES:
            np.testing.assert_allclose(swing(fs, phase), swing(400.0), rtol=0.03)


def test_smallest_twitch_is_as_much_smaller_as_the_sampling_rate_shows_of_it():
    rule = Settings().twitch
    assert [visible_share(fs) for fs in (200, 250, 500, 1000)] == [0.7, 0.82, 1.0, 1.0]
    assert min_amplitude_uv(burst(floor_uv=2.0), rule) == 45.0
    assert min_amplitude_uv(burst(floor_uv=2.0, visible_share=0.8), rule) == pytest.approx(36.0)
    # noise alone could be as large
    assert min_amplitude_uv(burst(floor_uv=4.0, visible_share=0.8), rule) == 40.0


def test_waveforms_of_a_slow_device_do_not_make_a_jerk_a_twitch_beside_a_bump():
    """In a band of 100 Hz, all short potentials have one waveform."""

    def at(fs):
        features = np.ones(len(WAVEFORM_FEATURES), np.float32)
        features[WAVEFORM_FEATURES.index("log_fs")] = np.log(fs)
        jerk = replace(candidate(100), kind="jerk", grade="mild")
        found = [jerk, *(candidate(50.0 * k + 20) for k in range(3))]
        return [replace(f, peak_ns=f.onset_ns, features=features) for f in found]

    assert find_bumped_twitches(at(1000.0)) == [0]
    assert find_bumped_twitches(at(250.0)) == []


@pytest.mark.parametrize("judges", [True, False])
def test_rate_of_change_that_the_sampling_rate_hides_is_unknown(judges):
    rules = ClusterRules(Settings(), FakeSensors(KICK), "", FakeClassifier(), judges)
    (found,) = rules.classify(Cluster.of([BURST]))
    assert (found.kind, found.peak_g) == ("jerk", KICK.peak_g)
    assert np.isnan(found.jerk_g_s) != judges


def test_notes_say_what_is_not_judged_at_a_rate():
    def notes(emg, acc):
        muscle = Channel("emg1", "emg", "uV", emg, ("emg1_uv",))
        return rate_notes([muscle, Channel("acc", "acc", "g", acc, AXES)])

    assert notes(500.0, 100.0) == ()
    assert [shows_rate_of_change(fs) for fs in (25, 50, 100)] == [False, True, True]
    emg, acc = notes(250.0, 25.0)
    assert emg.startswith("emg1: EMG at 250 Hz")
    assert "not judged at this rate" in emg
    assert acc.startswith("acc: the rate of change of acceleration is not judged at this rate")
    (half,) = notes(1000.0, 52.0)
    assert "whether a jerk is stronger than its grade is not judged at this rate" in half


@pytest.mark.parametrize(("fs", "reason"), [(1000.0, "electrode_pop"), (250.0, "")])
def test_in_doubt_the_definition_decides_at_a_low_rate(fs, reason):
    class Doubtful(Classifier):
        def bursts(self, candidates, rows, context):
            return np.full(len(rows), 0.4), ["electrode_pop"] * len(rows)

    features = np.ones(len(WAVEFORM_FEATURES), np.float32)
    features[WAVEFORM_FEATURES.index("log_fs")] = np.log(fs)
    night = NightInputs(night_context(), Settings(), Doubtful())
    (found,) = classify_bursts([replace(candidate(1.0), features=features)], night)
    assert found.reason == reason
    assert (found.confidence == 0.4) == (not reason)
