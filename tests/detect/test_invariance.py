"""A detector is blind to what is not physiology."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import signal
from scipy.spatial.transform import Rotation

from tests.signals import SimulatedLeg, band_noise, detect, unit_potential
from twitchsense.model.recording import Recording


def busy_leg(**options):
    leg = SimulatedLeg(80, **options)
    for at in (15, 22.3, 47.7):
        leg.twitch(at)
    for at in (30, 55.2):
        leg.jerk(at)
    return leg.movement(65, 2.0).oscillation(72)


def shift(recording, by_ns):
    from dataclasses import replace

    segments = tuple(replace(s, start_ns=s.start_ns + by_ns) for s in recording.segments)
    return replace(recording, segments=segments)


def test_start_time_does_not_matter():
    recording = busy_leg().recording()
    now, later = detect(recording), detect(shift(recording, 7200 * 10**9))
    moved = later.events.assign(onset=later.events.onset - 7200)
    np.testing.assert_allclose(moved.onset, now.events.onset, rtol=0, atol=1e-9)
    rest = [c for c in now.events if c != "onset"]
    pd.testing.assert_frame_equal(now.events[rest], later.events[rest], check_exact=True)


@pytest.mark.parametrize("seed", range(5))
def test_turning_the_sensor_changes_nothing(seed):
    leg = busy_leg()
    before = detect(leg.recording()).events
    leg.acc = Rotation.random(random_state=seed).apply(leg.acc)
    after = detect(leg.recording()).events
    assert list(before.trial_type) == list(after.trial_type)
    np.testing.assert_allclose(before.onset, after.onset, atol=0.010)
    np.testing.assert_allclose(before.peak_g, after.peak_g, rtol=0.05)


@pytest.mark.parametrize(("unit", "factor"), [("mv", 1e-3), ("v", 1e-6)])
def test_unit_of_the_column_changes_nothing(unit, factor):
    signals = busy_leg().signals()
    before = detect(Recording.from_arrays(signals)).events
    x, fs = signals.pop("emg1_uv")
    signals[f"emg1_{unit}"] = (x * factor, fs)
    after = detect(Recording.from_arrays(signals)).events
    assert list(before.trial_type) == list(after.trial_type)
    np.testing.assert_allclose(before.amplitude_uv, after.amplitude_uv, rtol=1e-5)


def same_physics(fs):
    """Build one continuous signal (defined at 8 kHz) sampled at `fs`."""
    fine = 8000.0
    rng = np.random.default_rng(11)
    x = band_noise(round(60 * fine), fine, 3.0, rng, high=400)
    for i, at in enumerate(np.arange(12, 55, 3.1)):
        first = round(at * fine)
        if i % 3 == 2:
            body = band_noise(round(0.2 * fine), fine, 80.0, rng, high=250)
        else:
            body = 200.0 * unit_potential(fine)
        x[first : first + len(body)] += body
    return signal.resample_poly(x, 1, round(fine / fs)) if fs < fine else x


def test_1000_and_2000_hz_give_the_same_events():
    tables = [
        detect(Recording.from_arrays({"emg1_uv": (same_physics(fs), fs)})).events
        for fs in (1000.0, 2000.0)
    ]
    # the longer ones are noise, which may resemble an electrode artefact at one rate and not at
    # the other; the potentials are the same
    tables = [t[t.trial_type == "twitch"].reset_index(drop=True) for t in tables]
    assert [len(table) for table in tables] == [10, 10]
    np.testing.assert_allclose(tables[0].onset, tables[1].onset, atol=0.010)
    np.testing.assert_allclose(tables[0].duration, tables[1].duration, atol=0.010)
    np.testing.assert_allclose(tables[0].amplitude_uv, tables[1].amplitude_uv, rtol=0.05)


@pytest.mark.parametrize("fs", [200.0, 250.0, 512.0, 1000.0, 1024.0, 4000.0])
@pytest.mark.parametrize("fs_acc", [25.0, 100.0, 1000.0])
def test_twitches_and_jerks_are_found_at_every_sampling_rate(fs, fs_acc):
    leg = (
        SimulatedLeg(50, fs=fs, fs_acc=fs_acc)
        .twitch(20, 300.0)
        .jerk(30, size_g=0.6)
        .twitch(40, 300.0)
    )
    assert list(detect(leg.recording()).events.trial_type) == ["twitch", "jerk", "twitch"]


def test_legs_are_independent():
    left, right = (
        SimulatedLeg(50, seed=1).jerk(20).twitch(30),
        SimulatedLeg(50, seed=2).movement(35, 2.0),
    )
    signals = {
        "emg_left_uv": (left.emg, 1000.0), "emg_right_uv": (right.emg, 1000.0),
        **{f"acc_left_{a}_g": (left.acc[:, i], 100.0) for i, a in enumerate("xyz")},
        **{f"acc_right_{a}_g": (right.acc[:, i], 100.0) for i, a in enumerate("xyz")},
    }  # fmt: skip
    events = detect(Recording.from_arrays(signals)).events
    assert list(zip(events.trial_type, events.leg, strict=True)) == [
        ("jerk", "left"), ("twitch", "left"), ("movement", "right"),
    ]  # fmt: skip


def test_accelerometer_without_a_leg_belongs_to_the_only_leg():
    leg = SimulatedLeg(50).jerk(20)
    signals = leg.signals()
    signals["emg_left_uv"] = signals.pop("emg1_uv")
    events = detect(Recording.from_arrays(signals)).events
    assert list(zip(events.trial_type, events.leg, strict=True)) == [("jerk", "left")]


def test_gap_neither_hides_nor_creates_an_event():
    leg = SimulatedLeg(60).twitch(20.2).jerk(40)
    leg.emg[20_000:20_100] = np.nan
    leg.emg[30_000:33_000] = np.nan
    found = detect(leg.recording())
    assert list(found.events.trial_type) == ["twitch", "jerk"]
    assert found.valid_s["emg1"] == pytest.approx(60 - 3.1, abs=0.01)


def test_flat_line_and_stuck_amplifier_are_not_valid_time():
    leg = SimulatedLeg(60)
    leg.emg[20_000:30_000] = 12.5
    leg.emg[40_000:42_000] = 3000.0
    leg.acc[2000:2500] = leg.acc[2000]
    valid = detect(leg.recording()).valid_s
    assert valid["emg1"] == pytest.approx(60 - 12, abs=3.1)
    assert valid["acc"] == pytest.approx(55, abs=1.1)


def test_very_short_segment_has_no_event_and_no_valid_time():
    leg = SimulatedLeg(1)
    found = detect(Recording.from_arrays({"emg1_uv": (leg.emg[:300], 1000.0)}))
    assert len(found.events) == 0
    assert found.valid_s["emg1"] == 0.0
