"""Noise and artefacts make no events; durations are measured."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import burst_duration
from tests.detect.builders import leg_with_electrode_noise
from tests.signals import SimulatedLeg, band_noise, detect, rest_acc
from twitchsense.model.recording import Recording


@pytest.mark.slow  # analyses three hours
@pytest.mark.parametrize(("rms", "top"), [(3.0, 450.0), (10.0, 450.0), (12.0, 200.0)])
def test_an_hour_of_noise_has_no_event(rms, top):
    rng = np.random.default_rng(round(rms))
    acc = rest_acc(360_000, rng)
    signals = {f"acc_{a}_g": (acc[:, i], 100.0) for i, a in enumerate("xyz")}
    signals["emg1_uv"] = (band_noise(3_600_000, 1000.0, rms, rng, high=top), 1000.0)
    found = detect(Recording.from_arrays(signals))
    assert len(found.events) == 0
    assert found.valid_s == {"acc": 3600.0, "emg1": 3600.0}


@pytest.mark.parametrize("snr_db", [10, 20, 30])
def test_staircase_of_bursts(snr_db):
    recording, truth = burst_duration.staircase(1000.0, snr_db, 0.0, repeats=6, seed=snr_db + 1)
    e = burst_duration.errors(recording, truth)
    assert e.found.mean() > 0.95
    assert e[e.found].onset_ms.abs().median() <= 5
    assert e[e.found].duration_ms.abs().median() <= 10


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        ("spike", "electrode_pop"),
        ("step", "electrode_pop"),
        ("decay", "electrode_pop"),
        ("rail", "saturation"),
        ("bump", "bump"),
    ],
)
def test_artefacts_are_rejected_with_their_reason(make, reason):
    leg = SimulatedLeg(40)
    t = np.arange(2000) / 1000
    if make == "spike":
        leg.emg[20_000] += 800
    elif make == "step":
        leg.emg[20_000:] += 800
    elif make == "decay":
        leg.emg[20_000:22_000] += 900 * np.exp(-t / 0.15)
    elif make == "rail":
        leg.emg[20_000:20_080] = 2500.0
    else:
        leg.oscillation(20)
    found = detect(leg.recording())
    assert list(found.events.trial_type) == []
    assert reason in set(found.rejected.reason)


def test_intermittent_mains_is_no_movement():
    leg = SimulatedLeg(60)
    t = np.arange(8000) / 1000
    leg.emg[30_000:38_000] += 40 * np.sin(2 * np.pi * 50 * t) + 10 * np.sin(2 * np.pi * 150 * t)
    found = detect(leg.recording())
    assert len(found.events) == 0
    assert "mains" in set(found.rejected.reason)


@pytest.mark.parametrize(("noise_uv", "kinds"), [(22.0, []), (60.0, ["jerk"])])
def test_acceleration_without_emg_is_a_bump_unless_noise_would_hide_a_jerk(noise_uv, kinds):
    leg = SimulatedLeg(120, noise_uv=noise_uv).oscillation(80)
    found = detect(leg.recording())
    assert found.events.trial_type.tolist() == kinds
    if kinds:
        assert found.valid_s["emg1"] < 20
        assert found.events.confidence.iloc[0] <= 0.9
    else:
        assert found.rejected.reason.tolist() == ["bump"]


@pytest.mark.parametrize(("swing", "kinds"), [(0.0, ["twitch", "twitch"]), (0.9, [])])
def test_large_twitches_stand_out_of_steady_noise_only(swing, kinds):
    leg = SimulatedLeg(60, noise_uv=19.0)
    leg.emg *= 1 + swing * np.sin(2 * np.pi * np.arange(60_000) / 1000)  # as steps would
    found = detect(leg.twitch(30.25, 900).twitch(41.25, 900).recording())
    assert found.events.trial_type.tolist() == kinds
    assert kinds or "noise_floor" in set(found.rejected.reason)
    assert found.valid_s["emg1"] == 60.0


def test_baseline_wander_is_no_event():
    leg = SimulatedLeg(60)
    leg.emg += 800 * np.sin(2 * np.pi * 0.3 * np.arange(60_000) / 1000)
    assert len(detect(leg.recording()).events) == 0


def test_posture_change_and_gross_movement():
    leg = SimulatedLeg(90)
    leg.burst(20, 3.0, 80)
    leg.acc[2000:2300] += 0.2 * leg.rng.normal(size=(300, 3))
    leg.acc[2300:] = leg.acc[2300:] @ np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    leg.acc[6000:7200] += 0.2 * leg.rng.normal(size=(1200, 3))
    leg.burst(60, 12.0, 80)
    assert list(detect(leg.recording()).events.trial_type) == ["posture_change", "gross_movement"]


@pytest.mark.parametrize("size_uv", [80.0, 300.0, 1500.0])
def test_potential_of_any_amplitude_is_a_twitch(size_uv):
    found = detect(SimulatedLeg(40).twitch(15.0, size_uv).twitch(27.0, size_uv).recording())
    assert found.events.trial_type.tolist() == ["twitch", "twitch"]


def test_bursts_above_noise_that_has_grown_are_found():
    found = detect(leg_with_electrode_noise().recording())
    assert found.events.trial_type.tolist() == ["twitch"] * 3 + ["jerk"]
    np.testing.assert_allclose(found.events.onset, [52.0, 58.0, 66.0, 72.0], atol=0.02)
    assert "sustained_activity" in set(found.rejected.reason)


def test_electrode_noise_is_no_movement_and_a_contraction_is():
    leg = SimulatedLeg(300)
    for at in np.arange(40.0, 280.0, 40.0):
        noise = band_noise(4000, leg.fs, 25.0, leg.rng)
        leg.emg[round(at * 1000) :][:4000] += noise * np.hanning(4000) ** 0.5
        leg.contraction(at + 20, 3.0, 25.0)
    found = detect(Recording.from_arrays(leg.signals())).events
    moved = found[found.trial_type == "movement"]
    assert len(moved) >= 5
    assert ((moved.onset - 59) % 40 < 5).all()
