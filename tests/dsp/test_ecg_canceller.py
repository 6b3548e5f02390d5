"""The ECG canceller returns its input unchanged, except for the beats of a known heart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals import SimulatedLeg, add_waveform, band_noise, heart_beat, unit_potential
from twitchsense.dsp.beat_tracker import BEFORE_S, MAX_MISSED_BEATS, Beat
from twitchsense.dsp.ecg_canceller import MAX_DELAY_S, EcgCanceller

FS = 500.0


def leg(seconds=40, *, bpm=70, size=200.0, until=None, seed=0, fs=FS, noise=3.0):
    """Return the EMG of a leg with heart beats, and the times of their R waves."""
    leg = SimulatedLeg(seconds, fs=fs, noise_uv=noise, seed=seed)
    return leg.emg, leg.heart_beats(1.0, until or seconds - 1, bpm, size)


def run(x, cuts=(), fs=FS):
    """Return the output and the beats."""
    canceller = EcgCanceller(fs)
    out = [canceller.push(p) for p in np.split(x, sorted(cuts))]
    beats = canceller.pop_beats()
    out.append(canceller.close())
    beats = np.concatenate([beats, canceller.pop_beats()])
    return np.concatenate(out), [Beat(*row) for row in beats.tolist()]


# -- chunks and delay ------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 12_000), max_size=20),
    seconds=st.floats(0.0, 24.0),
    seed=st.integers(0, 3),
    fs=st.sampled_from([200.0, 500.0, 512.0, 1000.0]),
)
def test_samples_and_beats_do_not_depend_on_the_chunks(cuts, seconds, seed, fs):
    whole, _ = leg(25, bpm=100, seed=seed, fs=fs)
    x = whole[: round(seconds * fs)]
    cuts = [min(c, len(x)) for c in cuts]
    once, beats = run(x, fs=fs)
    cut, found = run(x, cuts, fs)
    assert len(once) == len(x)
    np.testing.assert_array_equal(once, cut)
    assert beats == found


@pytest.mark.parametrize("fs", [200.0, 500.0, 1000.0, 1024.0])
@pytest.mark.parametrize("step_s", [0.05, 0.37, 1.0])
def test_no_beat_is_lost_at_the_end_of_a_chunk(fs, step_s):
    x, _ = leg(35, bpm=110, size=100.0, fs=fs)
    once, beats = run(x, fs=fs)
    cut, found = run(x, range(round(step_s * fs), len(x), round(step_s * fs)), fs)
    assert len(beats) > 50
    assert beats == found
    np.testing.assert_array_equal(once, cut)


def test_single_samples_as_chunks_give_the_same_result():
    x, _ = leg(14, bpm=100, fs=250.0)
    once, beats = run(x, fs=250.0)
    cut, found = run(x, range(1, len(x)), 250.0)
    np.testing.assert_array_equal(once, cut)
    assert len(beats) > 10
    assert beats == found


@pytest.mark.parametrize("n", [0, 1, 2, 30, 499])
def test_very_short_signals_are_returned_unchanged(n):
    x = np.random.default_rng(n).normal(size=n)
    np.testing.assert_array_equal(run(x)[0], x)


@pytest.mark.parametrize("fs", [200.0, 500.0, 999.7, 1000.0])
def test_delay_is_at_most_the_stated_one(fs):
    x, _ = leg(20, fs=fs)
    canceller = EcgCanceller(fs)
    given_out = 0
    for k, piece in enumerate(np.array_split(x, 200), 1):
        given_out += len(canceller.push(piece))
        held = sum(len(p) for p in np.array_split(x, 200)[:k]) - given_out
        if k > 110:  # before, the first floor is waited for
            assert held <= (MAX_DELAY_S + 1) * fs  # the floor itself comes second by second


def test_no_delay_without_a_heart():
    x = band_noise(10_000, FS, 5.0, np.random.default_rng(2))
    add_waveform(x, 15.0, FS, 300 * unit_potential(FS, 0.008))
    canceller, given_out = EcgCanceller(FS), 0
    for k in range(0, len(x), 10):
        given_out += len(canceller.push(x[k : k + 10]))
        if k > 12 * FS:  # before, the first floor is waited for
            assert given_out == k + 10


@pytest.mark.parametrize("fs", [500.0, 1000.0])
def test_only_samples_that_a_beat_may_reach_are_delayed(fs):
    x, times = leg(40, bpm=60, fs=fs)
    canceller, given_out, step = EcgCanceller(fs), 0, round(0.01 * fs)
    held = np.empty(len(x) // step)
    for k in range(len(held)):
        given_out += len(canceller.push(x[k * step : (k + 1) * step]))
        held[k] = ((k + 1) * step - given_out) / fs
    at = np.arange(len(held)) * 0.01
    since = at - np.array([max([t for t in times if t <= a], default=-9.0) for a in at])
    calm = (at > 25) & (at < 38)
    assert held[calm & (since > 0.15) & (since < 0.2)].max() == 0.0  # no beat comes so soon
    assert held[calm & (since > 0.5)].max() <= MAX_DELAY_S
    assert np.median(held[calm]) < 0.2


# -- no heart, no change -------------------------------------------------------------------


def without_rhythm(kind):
    rng = np.random.default_rng(4)
    x = band_noise(30_000, FS, 5.0, rng)
    if kind == "twitches at random":
        for at in np.cumsum(rng.exponential(0.8, 45) + 0.3):
            add_waveform(x, min(at, 59.0), FS, 300 * unit_potential(FS, 0.008))
    elif kind == "beats at random":
        for at in np.cumsum(rng.exponential(0.8, 45) + 0.3):
            add_waveform(x, min(at, 59.0), FS, 200 * heart_beat(FS))
    elif kind == "different shapes at a rhythm":
        for k in range(60):
            add_waveform(x, 1 + 0.9 * k, FS, band_noise(60, FS, 100.0, rng, low=8, high=40))
    elif kind == "five beats":
        for k in range(5):
            add_waveform(x, 20 + 0.9 * k, FS, 200 * heart_beat(FS))
    elif kind == "too slow":
        for k in range(20):
            add_waveform(x, 1 + 2.0 * k, FS, 200 * heart_beat(FS))
    elif kind == "too fast":
        for k in range(100):
            add_waveform(x, 1 + 0.3 * k, FS, 200 * heart_beat(FS)[: round(0.2 * FS)])
    elif kind == "silence":
        x[:] = 0
    return x


@pytest.mark.parametrize(
    "kind",
    [
        "noise", "twitches at random", "beats at random", "different shapes at a rhythm",
        "five beats", "too slow", "too fast", "silence",
    ],
)  # fmt: skip
def test_signal_without_a_heart_is_unchanged(kind):
    x = without_rhythm(kind)
    out, beats = run(x)
    assert beats == []
    np.testing.assert_array_equal(out, x)


# -- a heart ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", [45, 70, 110, 140])
@pytest.mark.parametrize("size", [60.0, 300.0])
def test_heart_is_found_and_mostly_subtracted(bpm, size):
    x, times = leg(60, bpm=bpm, size=size)
    out, beats = run(x)
    known = times[times < 58]
    found = np.array([b.sample for b in beats]) / FS
    near = np.abs(known[:, None] - found[None, :]).min(axis=1)
    assert (near < 0.02).mean() > 0.9
    nearest = np.abs(found[:, None] - times[None, :]).min(axis=1)
    assert (nearest < 0.05).mean() > 0.98
    # R waves of the second half are a fifth of what they were
    at = [round(t * FS) for t in known if t > 30]
    before = np.median([np.ptp(x[k - 15 : k + 15]) for k in at])
    after = np.median([np.ptp(out[k - 15 : k + 15]) for k in at])
    noise = np.median(
        [np.ptp(n) for n in band_noise(3000, FS, 3.0, np.random.default_rng(1)).reshape(-1, 30)]
    )
    assert after - noise < 0.2 * before
    assert np.median([b.amplitude_uv for b in beats]) == pytest.approx(size, rel=0.25)
    assert np.median([b.residual_uv for b in beats[-20:]]) < 0.2 * size + 2 * noise


def test_nothing_is_subtracted_before_the_heart_is_known():
    x, times = leg(40)
    out, beats = run(x)
    changed = np.flatnonzero(out != x)
    assert changed[0] >= (times[5] - BEFORE_S - 0.02) * FS
    assert len(beats) >= len(times) - 3


def test_potential_between_beats_is_preserved():
    x, times = leg(40)
    for at in (times[20] + 0.52, times[30] + 0.52):
        add_waveform(x, at - 0.02, FS, 150 * unit_potential(FS))
    out, _ = run(x)
    clean, _ = run(leg(40)[0])
    for at in (times[20] + 0.52, times[30] + 0.52):
        here = slice(round((at - 0.02) * FS), round((at + 0.02) * FS))
        assert np.ptp(out[here] - clean[here]) == pytest.approx(150, rel=0.1)


def test_potential_on_top_of_a_beat_is_preserved():
    x, times = leg(40)
    for k in (20, 30):
        add_waveform(x, times[k] - 0.02, FS, 150 * unit_potential(FS))
    out, _ = run(x)
    for k in (20, 30):
        here = slice(round((times[k] - 0.03) * FS), round((times[k] + 0.03) * FS))
        assert 100 < np.ptp(out[here]) < 220


def test_beat_under_a_contraction_is_subtracted_where_it_is_due():
    x, times = leg(40)
    muscle = band_noise(round(0.3 * FS), FS, 60.0, np.random.default_rng(3))
    add_waveform(x, times[25] - 0.1, FS, muscle)
    _, beats = run(x)
    assert min(abs(b.sample / FS - times[25]) for b in beats) < 0.02


def test_deflection_between_beats_is_not_a_beat():
    x, times = leg(40)
    rng = np.random.default_rng(4)
    for k in (20, 25, 30):
        swing = band_noise(round(0.12 * FS), FS, 70.0, rng, low=8, high=30)
        add_waveform(x, (times[k] + times[k + 1]) / 2, FS, swing)
    _, beats = run(x)
    for k in (20, 25, 30):
        middle = (times[k] + times[k + 1]) / 2 + 0.06
        assert min(abs(b.sample / FS - middle) for b in beats) > 0.1


def test_missing_beats_do_not_end_a_heart():
    fs = FS
    x = band_noise(round(40 * fs), fs, 3.0, np.random.default_rng(5))
    times = [t for k, t in enumerate(np.arange(1, 38, 0.85)) if k not in (20, 21, 30)]
    for at in times:
        add_waveform(x, at - 0.1, fs, 200 * heart_beat(fs))
    _, beats = run(x)
    found = np.array([b.sample for b in beats]) / fs
    assert all(np.min(np.abs(found - t)) < 0.02 for t in times)


def test_heart_that_stops_is_forgotten():
    x, times = leg(60, until=30)
    rng = np.random.default_rng(8)
    for at in (
        times[-1] + (MAX_MISSED_BEATS + 2) * 60 / 70 + np.cumsum(rng.exponential(2.5, 6) + 0.7)
    ):
        if at < 58:
            add_waveform(x, at, FS, 200 * heart_beat(FS))
    out, beats = run(x)
    assert max(b.sample for b in beats) < (times[-1] + 0.1) * FS
    stopped = round((times[-1] + 0.6) * FS)
    np.testing.assert_array_equal(out[stopped:], x[stopped:])


def test_heart_that_returns_is_learned_again():
    x, times = leg(60, until=20)
    again = np.arange(40, 58, 0.7)
    for at in again:
        add_waveform(x, at - 0.1, FS, -150 * heart_beat(FS))
    _, beats = run(x)
    found = np.array([b.sample for b in beats]) / FS
    assert (np.abs(found[:, None] - again[None, :]).min(axis=1) < 0.03).sum() > 20
    assert (found < 21).sum() > 0.9 * len(times)


def test_heart_learned_under_other_activity_adds_nothing_and_is_learned_again():
    clean, times = leg(60, bpm=80, size=60.0)
    x = clean.copy()
    busy = slice(0, round(14 * FS))  # the first beats lie under a unit that fires steadily
    for t in np.arange(1.0, 13.9, 0.031):
        add_waveform(x, t, FS, 110 * unit_potential(FS, 0.012))
    out, _ = run(x)
    # the median of the first beats must not be written into the quiet signal
    after = slice(busy.stop, None)
    rough = [np.square(np.diff(y[after])).sum() for y in (out, clean)]
    assert rough[0] <= rough[1]
    late = [round(t * FS) for t in times if t > 45]
    left = [np.ptp(out[k - 20 : k + 20]) / np.ptp(clean[k - 20 : k + 20]) for k in late]
    assert np.median(left) < 0.6


def test_beats_not_much_larger_than_the_noise_are_subtracted():
    """The median of a few beats is noisy, which makes the signal a little rougher."""
    fs = 2000.0
    (x, _), (rest, _) = (leg(60, bpm=100, size=s, noise=2.5, fs=fs, seed=2) for s in (12.0, 0.0))
    white = np.random.default_rng(5).normal(0, 1.5, len(x))
    out, _ = run(x + white, fs=fs)

    def slow_power(y):
        return np.square(np.convolve(y[60_000:116_000], np.full(24, 1 / 24), "valid")).mean()

    without = slow_power(rest + white)
    assert slow_power(out) - without < 0.3 * (slow_power(x + white) - without)


def test_differences_of_rounding_do_not_grow_from_beat_to_beat():
    x, _ = leg(120, bpm=75, size=26.0, noise=4.0, seed=3)
    other = x + 1e-12 * np.random.default_rng(0).normal(size=len(x))
    assert np.abs(run(x)[0] - run(other)[0]).max() < 1e-9
