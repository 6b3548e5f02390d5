"""Local features: repeats of a waveform around a burst, and the background amplitude."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import band_noise, unit_potential
from twitchsense.detect.detector import Detector
from twitchsense.detect.features.local import (
    EXCLUDED_S,
    MIN_SIDE_S,
    NO_NEIGHBOURS,
    measure_local_features,
)
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

FS = 1000.0
AT = 2500  # the middle of five seconds


def around(copies=(), *, noise_uv=0.5, fs=FS, at_s=2.5, seconds=5.0, seed=0):
    """Return the band around a burst of 100 µV, with copies (s, factor) of it."""
    x = band_noise(round(seconds * fs), fs, noise_uv, np.random.default_rng(seed))
    for when, factor in [(at_s, 1.0), *copies]:
        wave = 100.0 * factor * unit_potential(fs, 0.003)
        first = round(when * fs) - len(wave) // 2
        begin, end = max(0, first), min(len(x), first + len(wave))
        x[begin:end] += wave[begin - first : end - first]
    middle = round(at_s * fs)
    half = round(0.01 * fs)
    first = max(0, middle - half)
    return x, first + int(np.abs(x[first : middle + half]).argmax())


def measured(band, at, fs):
    return measure_local_features(band[None], at, fs)[0]


def local_features(*args, fs=FS, **kwargs):
    return measured(*around(*args, fs=fs, **kwargs), fs)


@pytest.mark.parametrize("fs", [250.0, 1000.0, 1024.0, 2000.0])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 1), (5, 2), (3, 12)])
def test_repeats_are_counted_on_either_side(before, after, fs):
    copies = [(2.5 - 0.18 * (k + 1), 1.0) for k in range(before)]
    copies += [(2.5 + 0.18 * (k + 1), 1.0) for k in range(after)]
    found = local_features(copies, fs=fs)
    assert found.n_repeats == before + after
    # 0.18, 0.36 and 0.54 s away are near
    assert found.n_repeats_near == min(before, 3) + min(after, 3)


def test_other_waveforms_of_the_same_amplitude_are_no_repeats():
    x, at = around()
    t = np.arange(-0.02, 0.02, 1 / FS)
    other = 50 * np.exp(-((t / 0.006) ** 2)) * np.cos(2 * np.pi * 180 * t)
    for first in range(200, 4800, 300):
        if abs(first + 20 - at) > 100:
            x[first : first + len(other)] += other
    found = measured(x, at, FS)
    assert found.n_repeats == 0
    assert found.n_large_windows > 12  # but they are as large as the burst
    assert measured(x, 220, FS).n_repeats > 10  # they have repeats of their own


def test_inverted_waveform_is_no_repeat():
    found = local_features([(1.0, -1.0), (4.0, -1.0)])
    assert (found.n_repeats, found.n_large_windows > 0) == (0, True)


@pytest.mark.parametrize(("factor", "counted"), [(0.5, 0), (0.7, 1), (1.0, 1), (1.6, 1), (1.8, 0)])
def test_repeat_has_a_similar_amplitude(factor, counted):
    assert local_features([(3.5, factor)], noise_uv=0.2).n_repeats == counted


@pytest.mark.parametrize(("after_s", "counted"), [(EXCLUDED_S - 0.01, 0), (EXCLUDED_S + 0.03, 1)])
def test_doublet_is_no_repeat(after_s, counted):
    found = local_features([(2.5 + after_s, 1.0), (2.5 - after_s, 1.0)])
    assert found.n_repeats == found.n_repeats_near == 2 * counted


@pytest.mark.parametrize("seed", range(4))
def test_small_noise_is_no_repeat(seed):
    found = local_features(noise_uv=8.0, seed=seed)
    assert found.n_repeats == 0
    assert found.n_large_windows <= 2  # of 190


def test_repeats_below_the_burst_threshold_are_counted():
    found = local_features([(2.5 + 0.2 * k, 0.7) for k in range(1, 9)], noise_uv=8.0)
    assert found.n_repeats >= 6


def test_quantiles_are_those_of_the_calmer_side():
    x, at = around(noise_uv=1.0)
    x[AT + 100 :] *= 10  # 10 µV rms after the burst, 1 before
    found = measured(x, at, FS)
    # and where the burst is ten times as large, all of them are a tenth
    y, size = x.copy(), np.ptp(x[at - 12 : at + 13])
    y[at - 12 : at + 13] *= 10
    assert measured(y, at, FS).rel_p75 == pytest.approx(found.rel_p75 / 10, rel=0.05)
    # peak to peak in 25 ms, relative to the amplitude of the burst
    sizes = np.ptp(x[: at - 120][::-1][: (at - 120) // 25 * 25].reshape(-1, 25), axis=1) / size
    np.testing.assert_allclose([found.rel_p10, found.rel_p75], np.quantile(sizes, (0.1, 0.75)))


@pytest.mark.parametrize(("factor", "large"), [(0.45, 0), (0.6, 4), (3.0, 4)])
def test_windows_above_half_the_amplitude_are_large(factor, large):
    # in the middle of a window of 25 ms, counted from 0.12 s beside the burst
    copies = [(2.5 + 0.12 + 0.025 * k + 0.0125, -factor) for k in (3, 10, 30, 80)]
    found = local_features(copies, noise_uv=0.2)
    assert large <= found.n_large_windows <= 2 * large  # one may reach into the next window
    assert bool(found.n_large_windows_near) is (large > 0)
    assert found.n_large_windows_near < found.n_large_windows or not large


def test_rhythmic_windows_have_a_greater_rhythmicity_than_irregular_ones():
    steady = [(2.5 + 0.2 * k, 1.0) for k in range(-12, 13) if k]
    rng = np.random.default_rng(2)
    loose = [(t, 1.0) for t in rng.uniform(0.05, 4.95, 24) if abs(t - 2.5) > 0.13]
    assert local_features(steady).rhythmicity > 0.4
    assert local_features(loose).rhythmicity < 0.25
    assert (
        local_features([(2.5 + 0.8 * k, 1.0) for k in (-2, -1, 1, 2)]).rhythmicity < 0.25
    )  # a heart


def test_activity_inside_a_contraction_is_not_counted():
    rng = np.random.default_rng(4)
    x, at = around([(4.5, 1.0)], noise_uv=1.0)
    x[AT + 300 : AT + 1500] += band_noise(1200, FS, 60.0, rng)
    for k in range(8):  # and the same waveform all through it
        first = AT + 350 + 140 * k
        x[first : first + 24] += x[at - 12 : at + 12]
    found = measured(x, at, FS)
    assert found.n_repeats <= 1
    assert found.n_large_windows <= 4
    # the same for less than half a second is counted
    short, at = around(noise_uv=1.0)
    short[AT + 300 : AT + 700] += band_noise(400, FS, 60.0, rng)
    assert measured(short, at, FS).n_large_windows > 10


def test_contraction_around_a_burst_raises_the_quantiles():
    assert local_features(noise_uv=40.0).rel_p75 > 5 * local_features(noise_uv=2.0).rel_p75


def test_features_are_symmetric_in_time():
    copies = [(0.5, 1.0), (1.4, 1.0), (3.3, 1.0)]
    x, at = around(copies)
    forward, backward = (
        measured(x, at, FS),
        measured(x[::-1], len(x) - 1 - at, FS),
    )
    assert forward.n_repeats == backward.n_repeats == 3


@pytest.mark.parametrize("at_s", [0.01, 0.1, 4.9, 4.99])
def test_at_the_end_of_a_segment_only_the_other_side_counts(at_s):
    copies = [(at_s + d, 1.0) for d in (-2, -1, 1, 2) if 0.2 < at_s + d < 4.8]
    found = local_features(copies, at_s=at_s)
    assert found.n_repeats == 2
    assert found.rel_p75 > 0


@pytest.mark.parametrize(("more", "known"), [(0.001, True), (-0.002, False)])
def test_quantiles_need_half_a_second_of_signal(more, known):
    x, _ = around()
    side = round((EXCLUDED_S + MIN_SIDE_S + more) * FS)
    found = measured(x[AT - side : AT + side], side, FS)
    assert (found.rel_p75 > 0) is known


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_very_short_signal_has_no_repeats(n):
    assert repr(measured(np.ones(n), n // 2, FS)) == repr(NO_NEIGHBOURS)  # NaN is not equal to NaN


def test_silence_has_no_repeats():
    assert repr(measured(np.zeros(5000), AT, FS)) == repr(NO_NEIGHBOURS)


@pytest.mark.parametrize(("n", "at"), [(5000, 2500), (3100, 600), (2611, 2500)])
def test_bursts_measured_at_once_have_the_features_of_each(n, at):
    rng = np.random.default_rng(n)
    bands = 3.0 * rng.standard_normal((9, n))
    for row, band in enumerate(bands):
        band[rng.choice(n - 20, 30)] += 60.0
        band += 20.0 * row * np.sin(2 * np.pi * (row + 2) * np.arange(n) / FS)
    together = measure_local_features(bands, at, FS)
    assert [repr(f) for f in together] == [repr(measured(band, at, FS)) for band in bands]
    assert len({f.n_repeats for f in together}) > 2


def test_a_burst_at_the_very_end_of_a_recording_is_measured():
    fs = 250.0
    emg = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    emg[-3:] += np.float32([900, -900, 900])  # its peak in the filtered signal lies beyond the end
    recording = Recording.from_arrays({"emg1_uv": (emg, fs)})
    detector = Detector(Settings(), recording.channels)
    for chunk in recording.chunks():
        detector.push(chunk)
    found = detector.close()
    assert len(found.events) + len(found.rejected) > 0
