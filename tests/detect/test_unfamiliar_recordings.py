"""Signals that earlier detectors misread on recordings composed by others, one kind per test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

import twitchsense as ts
from tests.signals import (
    SimulatedLeg,
    add_waveform,
    band_noise,
    damped_oscillation,
    detect,
    unit_potential,
)
from twitchsense.scoring.labels.label_events import absorb_in_large_movements

TIMES = np.arange(40.0, 280.0, 20.0)


def kinds_at(found, times, reach_s=0.3):
    """Return the kinds of the events that begin within a short time of each time."""
    onset, kind = found.events.onset.to_numpy(), found.events.trial_type.to_numpy()
    return [kind[np.abs(onset - t) < reach_s].tolist() for t in times]


def add_trains(leg, n_bursts=7, period_s=0.16, burst_s=0.06, size_g=0.5, rms_uv=250.0):
    for at in TIMES:
        for k in range(n_bursts):
            leg.jerk(at + k * period_s, burst_s, size_g * 0.8**k)
            leg.burst(at + k * period_s, burst_s, rms_uv)
    return leg


def hum(seconds, fs, line=50.05, size_uv=60.0):
    t = np.arange(round(seconds * fs)) / fs
    wave = np.sin(2 * np.pi * line * t) + 0.4 * np.sin(2 * np.pi * 3 * line * t + 1)
    return size_uv / 2 * (wave + 0.3 * np.sin(2 * np.pi * 5 * line * t + 2))


@pytest.mark.parametrize("size_uv", [0.0, 60.0])
def test_train_of_jerks_is_one_jerk_with_hum_and_without(size_uv):
    leg = add_trains(SimulatedLeg(300))
    leg.emg += hum(300, leg.fs, size_uv=size_uv)
    found = kinds_at(detect(leg.recording()), TIMES)
    assert sum(kinds == ["jerk"] for kinds in found) >= len(TIMES) - 1


@pytest.mark.parametrize("period_s", [0.055, 0.07])
def test_fast_train_of_jerks_whose_bursts_merge_is_one_jerk(period_s):
    leg = add_trains(SimulatedLeg(300), 8, period_s, 0.6 * period_s, 0.9)
    found = kinds_at(detect(leg.recording()), TIMES)
    assert sum(kinds == ["jerk"] for kinds in found) >= len(TIMES) - 1


def test_jerk_that_turns_the_leg_is_a_jerk_beside_a_posture_change():
    leg = SimulatedLeg(300)
    here, there = np.array([0.0, 0.6, 0.8]), np.array([0.0, 0.95, 0.312])  # 35 degrees apart
    share = np.zeros(len(leg.acc))  # of the way from here to there
    for k, at in enumerate(TIMES):
        leg.jerk(at, 0.08, 0.9)
        first, n = round((at + 0.04) * leg.fs_acc), round(0.5 * leg.fs_acc)
        path = np.linspace(0, 1, n)
        share[first : first + n] = path if k % 2 == 0 else 1 - path
        share[first + n :] = 1.0 if k % 2 == 0 else 0.0
    leg.acc += share[:, None] * (there - here)
    found = detect(leg.recording())
    events, _ = absorb_in_large_movements(found.events, found.rejected)
    for kind in ("jerk", "posture_change"):
        onsets = events.onset[events.trial_type == kind].to_numpy()
        near = [np.abs(onsets - at).min(initial=9.0) < 0.3 for at in TIMES]
        assert sum(near) >= len(TIMES) - 2, kind


def test_loud_twitches_are_found_as_often_as_others():
    shares = []
    for size_uv in (150.0, 3000.0):
        leg = SimulatedLeg(300)
        rng = np.random.default_rng(4)
        for at in TIMES:
            wave = unit_potential(leg.fs, rng.uniform(0.002, 0.006)) * rng.uniform(0.8, 1.2)
            add_waveform(leg.emg, at, leg.fs, size_uv * wave)
        found = kinds_at(detect(leg.recording()), TIMES)
        shares.append(np.mean([kinds == ["twitch"] for kinds in found]))
    assert shares[1] >= shares[0] >= 0.9


def compound(fs, rise_s, fall_s):
    """Return a one-sided potential with a smooth front, as a synchronous volley makes."""
    t = np.arange(-0.03, 0.06, 1 / fs)
    return np.exp(-np.square(t / np.where(t < 0, rise_s, fall_s)))


def test_one_sided_compound_potentials_are_twitches():
    leg = SimulatedLeg(300)
    rng = np.random.default_rng(5)
    for at in TIMES:
        wave = compound(leg.fs, rng.uniform(0.002, 0.004), rng.uniform(0.003, 0.008))
        add_waveform(leg.emg, at - 0.03, leg.fs, rng.uniform(300, 3000) * wave)
    found = kinds_at(detect(leg.recording()), TIMES)
    assert sum(kinds == ["twitch"] for kinds in found) >= 0.8 * len(TIMES)


def far_unit(fs, rng):
    """Return a biphasic potential of a unit deep in the muscle, 1 µV peak to peak."""
    t = np.arange(-0.03, 0.05, 1 / fs) / rng.uniform(0.003, 0.008)
    return -t * np.exp(-0.5 * np.square(t)) / 1.213


def gamma_pulse(fs, rng):
    """Return a potential that rises and falls at once and then turns over, 1 µV high."""
    t = np.arange(0, 0.06, 1 / fs)
    x = t ** rng.uniform(1.5, 4) * np.exp(-t / rng.uniform(0.0015, 0.004))
    x /= x.max()
    return x - rng.uniform(0, 0.6) * np.interp(t - 0.008, t, x, left=0)


@pytest.mark.parametrize(("potential", "fs", "seed"), [(far_unit, 1000, 2), (gamma_pulse, 250, 3)])
def test_smooth_potentials_are_twitches(potential, fs, seed):
    times = np.arange(20.0, 110.0, 9.0)
    leg, rng = SimulatedLeg(120, seed=seed), np.random.default_rng(seed)
    for at in times:
        wave = potential(leg.fs, rng)
        add_waveform(leg.emg, at - 0.03, leg.fs, np.exp(rng.uniform(5.7, 8)) * wave)
    leg.emg, leg.fs = signal.resample_poly(leg.emg, fs, 1000), float(fs)
    found = kinds_at(detect(leg.recording()), times)
    assert sum(kinds == ["twitch"] for kinds in found) >= len(times) - 1


def test_unit_that_fires_at_the_rate_of_a_heart_is_no_heart():
    leg, rng = SimulatedLeg(120, seed=2), np.random.default_rng(1)
    times = 20 + np.cumsum(0.8 * rng.choice([1, 1, 1, 2], 75) * rng.uniform(0.97, 1.03, 75))
    for at in times:
        add_waveform(leg.emg, at, leg.fs, 500.0 * unit_potential(leg.fs, 0.002))
    found = detect(leg.recording())
    assert not (found.rejected.reason == "ecg").any()
    assert sum(kinds == ["twitch"] for kinds in kinds_at(found, times)) >= 0.9 * len(times)


def test_pulses_of_a_machine_are_no_twitches():
    leg = SimulatedLeg(120, seed=2)
    for at in np.arange(20.0, 110.0, 1.005):  # the pump of a bed
        add_waveform(leg.emg, at, leg.fs, 70.0 * unit_potential(leg.fs, 0.002))
    assert len(detect(leg.recording()).events) <= 5


def test_knock_after_a_twitch_does_not_make_it_a_jerk():
    leg = SimulatedLeg(300)
    lags = np.random.default_rng(7).uniform(0.17, 0.5, len(TIMES))
    for at, lag in zip(TIMES, lags, strict=True):
        leg.twitch(at, 600.0).bump(at + lag, 0.5)
    found = kinds_at(detect(leg.recording()), TIMES)
    assert sum("twitch" in kinds for kinds in found) >= len(TIMES) - 2
    assert not any("jerk" in kinds for kinds in found)


def test_twitches_are_found_a_few_seconds_after_long_activity():
    leg = SimulatedLeg(200, noise_uv=2.0)
    leg.contraction(30, 70, 60.0)
    times = 100.0 + np.array([8.0, 12.0, 16.0, 20.0])
    for at in times:
        leg.twitch(at, 120.0)
    found = kinds_at(detect(leg.recording()), times)
    assert sum(kinds == ["twitch"] for kinds in found) >= 3


def test_noise_that_grows_a_little_is_no_activity():
    leg = SimulatedLeg(220, noise_uv=0.7, seed=1)
    t = np.arange(len(leg.emg)) / leg.fs  # the interference of a charger, a third larger later
    leg.emg += np.interp(t, [100, 120], [3.4, 4.5]) * np.sin(2 * np.pi * 77.3 * t)
    times = [120.0, 131.0, 143.0, 152.0]
    for at in times:
        leg.twitch(at, 400.0)
    assert kinds_at(detect(leg.recording()), times) == [["twitch"]] * len(times)


def test_bursts_of_hum_and_radio_are_no_events():
    leg = SimulatedLeg(300)
    rng = np.random.default_rng(6)
    for k, at in enumerate(np.arange(40.0, 280.0, 6.0)):
        seconds = (0.15, 0.4, 0.9, 1.6)[k % 4]
        n = round(seconds * leg.fs)
        if k % 2:
            body = hum(seconds, leg.fs, 49.95, rng.uniform(100, 800))[:n]
        else:
            body = band_noise(n, leg.fs, rng.uniform(50, 300), rng, low=100)
        add_waveform(leg.emg, at, leg.fs, body)
    assert len(detect(leg.recording()).events) <= 2


@pytest.mark.parametrize(("fs", "fs_acc"), [(250.0, 52.0), (500.0, 100.0)])
def test_jerks_are_found_at_the_rates_of_devices_on_sale(fs, fs_acc):
    leg = SimulatedLeg(300, fs=fs, fs_acc=fs_acc)
    for at in TIMES:
        leg.jerk(at, 0.09, 0.6)
    found = kinds_at(detect(leg.recording()), TIMES)
    assert sum("jerk" in kinds for kinds in found) >= len(TIMES) - 1


def acc_only(leg, **options):
    return detect(leg.recording(emg=False), **options)


def kinds_of(found):
    return found.events.trial_type.value_counts().to_dict()


def test_jerks_without_emg_are_found_whatever_the_swing():
    leg = SimulatedLeg(300)
    for at in TIMES:
        leg.oscillation(at, 0.6)
    assert kinds_of(acc_only(leg)) == {"jerk": len(TIMES)}


@pytest.mark.parametrize("false_g", [2.0, 25.0])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_false_samples_of_an_accelerometer_are_no_movement(false_g, n_samples):
    """Several in each of the ankle recordings of Daphnet: 25 g between two samples at rest."""
    leg = SimulatedLeg(300)
    for at in TIMES:
        first = round(at * leg.fs_acc)
        leg.acc[first : first + n_samples, 1] += false_g
        leg.twitch(at)
    assert kinds_of(acc_only(leg)) == {}
    assert set(kinds_of(detect(leg.recording()))) <= {"twitch"}


@pytest.mark.parametrize("strike_g", [0.5, 5.0])
def test_steps_without_emg_are_no_jerks(strike_g):
    """The leg is lifted for half a second before it strikes."""
    leg = SimulatedLeg(300)
    for at in TIMES:
        first, n = round((at - 0.5) * leg.fs_acc), round(0.5 * leg.fs_acc)
        leg.acc[first : first + n, 1] += 0.15 * np.sin(2 * np.pi * np.arange(n) / n * 2)
        leg.oscillation(at, strike_g)
    assert "jerk" not in kinds_of(acc_only(leg))


def test_many_jerks_a_minute_without_emg_are_no_walk():
    leg = SimulatedLeg(300)
    times = np.arange(120.0, 180.0, 5.0)
    for at in times:
        swing = damped_oscillation(leg.fs_acc, 0.8, hz=5.0, decay_s=0.4)
        first = round(at * leg.fs_acc)
        leg.acc[first : first + len(swing), 0] += swing
    found = kinds_of(acc_only(leg))
    assert found["jerk"] >= len(times) - 1


def test_jerks_without_emg_between_the_movements_of_a_restless_sleeper_are_found():
    leg = SimulatedLeg(300)
    for first in (80.0, 95.0, 118.0, 133.0):
        t = np.arange(round(4 * leg.fs_acc)) / leg.fs_acc
        turn = slice(round(first * leg.fs_acc), round(first * leg.fs_acc) + len(t))
        leg.acc[turn, 2] += 0.05 * np.sin(2 * np.pi * 1.3 * t)
    leg.oscillation(109.0, 0.9)
    found = acc_only(leg).events
    assert found.onset[found.trial_type == "jerk"].round().tolist() == [109.0]


@pytest.mark.parametrize("growing", [True, False])
def test_a_row_of_jolts_without_emg_is_one_jerk(growing):
    """Six jolts in 1.5 s: their rows were movements, for which the greatest came too late."""
    leg = SimulatedLeg(300)
    sizes = np.linspace(0.4, 1.2, 6)
    for i, size_g in enumerate(sizes if growing else sizes[::-1]):
        jolt = damped_oscillation(leg.fs_acc, size_g, hz=9.0, decay_s=0.06)
        first = round((TIMES[0] + 0.3 * i) * leg.fs_acc)
        leg.acc[first : first + len(jolt), 0] += jolt
    (found,) = acc_only(leg).events.itertuples()
    assert found.trial_type == "jerk"
    assert found.onset == pytest.approx(TIMES[0], abs=0.05)
    assert 1.5 <= found.duration <= 2.0


def test_a_leg_that_moves_for_four_seconds_without_emg_is_one_movement():
    leg = SimulatedLeg(300)
    t = np.arange(round(4 * leg.fs_acc)) / leg.fs_acc
    first = round(100 * leg.fs_acc)
    leg.acc[first : first + len(t), 2] += 0.1 * np.sin(2 * np.pi * 1.3 * t)
    assert kinds_of(acc_only(leg)) == {"movement": 1}


def test_a_jerk_without_emg_in_a_pause_of_a_walk_is_active_wake():
    leg = SimulatedLeg(300)
    for first in (80.0, 115.0):
        t = np.arange(round(15 * leg.fs_acc)) / leg.fs_acc
        walk = slice(round(first * leg.fs_acc), round(first * leg.fs_acc) + len(t))
        leg.acc[walk, 2] += 0.3 * np.sin(2 * np.pi * 1.8 * t)
    leg.oscillation(105.0, 0.6)
    leg.oscillation(240.0, 0.6)
    found = acc_only(leg)
    jerks = found.events[found.events.trial_type == "jerk"]
    assert jerks.onset.round().tolist() == [240.0]
    assert "active_wake" in found.rejected.reason.tolist()


@pytest.mark.parametrize("fs", [256.0, 500.0, 1000.0])
def test_contractions_of_many_units_are_movements(fs):
    """The EMG of many units at once is Gaussian, with the spectrum of Stulen and De Luca (1981)."""
    rng = np.random.default_rng(6)
    n = 12
    emg = rng.normal(0, 2.5, int(fs * (n * 20 + 40)))
    for i in range(n):
        size = int(fs * rng.uniform(1.5, 4))
        f = np.fft.rfftfreq(size, 1 / fs)
        gain = f / ((f**2 + 60**2) * np.sqrt(f**2 + 120**2))
        wave = np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * gain, size)
        t = np.arange(size) / fs
        ramps = np.minimum(1, np.minimum(t, t[-1] - t) / 0.1)
        start = int(fs * (30 + 20 * i))
        emg[start : start + size] += 60 * ramps * wave / wave.std()
    found = ts.analyze({"emg1_uv": (emg, fs)}).events
    assert (found.trial_type == "movement").sum() >= n - 1
