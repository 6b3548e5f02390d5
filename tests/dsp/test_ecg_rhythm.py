"""Candidates for heart beats, and the rhythm that makes them beats."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import add_waveform, band_noise, heart_beat
from twitchsense.dsp.ecg_rhythm import PeakDetector, Peaks, RhythmDetector, median_rr_interval

FS = 500.0


def find_peaks(x, step):
    """Return the samples of all candidates, pushed in chunks of `step` samples."""
    detector = PeakDetector(FS)
    found = [detector.push(x[k : k + step]) for k in range(0, len(x), step)]
    found.append(detector.close())
    return detector.to_sample(np.concatenate(found))


@pytest.mark.parametrize("step", [7, 500, 15_000])
def test_large_deflections_are_peaks_for_any_chunks(step):
    x = band_noise(15_000, FS, 3.0, np.random.default_rng(1))
    times = np.array([14.0, 17.3, 22.8])
    for at in times:
        add_waveform(x, at - 0.1, FS, 200 * heart_beat(FS))
    samples = find_peaks(x, step)
    nearest = np.abs(samples[:, None] / FS - times).min(axis=0)
    assert nearest.max() < 0.03
    assert len(samples) < 50  # noise exceeds the threshold about once a second
    assert np.array_equal(samples, find_peaks(x, len(x)))


def peaks(times_s, waveforms, amplitudes=1.0):
    """Return candidates of unit norm."""
    waveforms = np.asarray(waveforms, float)
    norms = np.linalg.norm(waveforms, axis=1, keepdims=True)
    samples = np.round(np.asarray(times_s) * FS).astype(np.int64)
    return Peaks(samples, waveforms / norms, np.full(len(samples), amplitudes))


def test_similar_peaks_at_a_cardiac_rhythm_are_beats():
    waves = np.tile(np.hanning(31) - 0.5, (10, 1))
    times = 1 + 0.8 * np.arange(10)
    rhythm = RhythmDetector(FS).push(peaks(times, waves))
    assert rhythm is not None
    assert rhythm.interval_s == pytest.approx(0.8)
    assert rhythm.samples == [round(t * FS) for t in times[:7]]  # the fewest that make a rhythm


def test_rhythm_is_recognised_across_calls():
    waves = np.tile(np.hanning(31) - 0.5, (4, 1))
    detector = RhythmDetector(FS)
    assert detector.push(peaks(1 + 0.8 * np.arange(4), waves)) is None
    rhythm = detector.push(peaks(4.2 + 0.8 * np.arange(4), waves))
    assert rhythm is not None
    assert len(rhythm.samples) == 7


def test_different_waveforms_at_a_cardiac_rhythm_are_not_beats():
    waves = np.random.default_rng(2).normal(size=(40, 31))
    assert RhythmDetector(FS).push(peaks(1 + 0.8 * np.arange(40), waves)) is None


def test_similar_peaks_without_rhythm_are_not_beats():
    times = np.cumsum(np.random.default_rng(3).exponential(0.8, 40) + 0.2)
    waves = np.tile(np.hanning(31) - 0.5, (40, 1))
    assert RhythmDetector(FS).push(peaks(times, waves)) is None


@pytest.mark.parametrize(
    ("times", "interval_s"),
    [
        (np.arange(7) * 0.8, 0.8),
        (np.arange(6) * 0.8, 0.0),  # too few
        (np.arange(9) * 0.41, 0.41), (np.arange(9) * 0.39, 0.0),
        (np.arange(9) * 1.49, 1.49), (np.arange(9) * 1.51, 0.0),
        (np.delete(np.arange(12) * 0.8, [3, 7, 8]), 0.8),  # missed beats
        (np.cumsum([0, 1, 1.9, 0.6, 1.3, 2.2, 0.9, 0.7, 1.6]), 0.0),
    ],
)  # fmt: skip
def test_median_interval_of_a_rhythm(times, interval_s):
    assert median_rr_interval(np.asarray(times)) == pytest.approx(interval_s)


def test_irregular_discharges_of_one_unit_are_no_rhythm():
    """Most intervals happen to be multiples of half a second; no heart beats twice in 0.3 s."""
    times = np.cumsum([1, 0.2, 1.18, 0.28, 0.56, 1.49, 0.52, 0.6, 0.5])
    assert median_rr_interval(times) == 0.0
    beats = 1 + 0.8 * np.arange(10)
    twitch = np.sort(np.append(beats, beats[4] + 0.15))  # one that resembles a beat
    assert median_rr_interval(twitch) == pytest.approx(0.8)
