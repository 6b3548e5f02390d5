"""How often a waveform is seen again around a burst, and how far it stands out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import band_noise, unit_potential
from twitchsense.detect.local_features import ALONE, LEAST_S, OWN_S, find_company

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


def company(*args, fs=FS, **kwargs):
    return find_company(*around(*args, fs=fs, **kwargs), fs)


@pytest.mark.parametrize("fs", [250.0, 1000.0, 1024.0, 2000.0])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 1), (5, 2), (3, 12)])
def test_a_waveform_seen_again_is_counted_on_its_side(before, after, fs):
    copies = [(2.5 - 0.18 * (k + 1), 1.0) for k in range(before)]
    copies += [(2.5 + 0.18 * (k + 1), 1.0) for k in range(after)]
    found = company(copies, fs=fs)
    assert found.again == before + after
    # 0.18, 0.36 and 0.54 s away are soon
    assert found.soon == min(before, 3) + min(after, 3)


def test_others_of_the_same_size_are_not_counted():
    x, at = around()
    t = np.arange(-0.02, 0.02, 1 / FS)
    other = 50 * np.exp(-((t / 0.006) ** 2)) * np.cos(2 * np.pi * 180 * t)
    for first in range(200, 4800, 300):
        if abs(first + 20 - at) > 100:
            x[first : first + len(other)] += other
    found = find_company(x, at, FS)
    assert found.again == 0
    assert found.tall > 12  # but they are as large
    assert find_company(x, 220, FS).again > 10  # they have company of their own


def test_the_same_upside_down_is_another():
    found = company([(1.0, -1.0), (4.0, -1.0)])
    assert (found.again, found.tall > 0) == (0, True)


@pytest.mark.parametrize(("factor", "counted"), [(0.5, 0), (0.7, 1), (1.0, 1), (1.6, 1), (1.8, 0)])
def test_it_is_of_about_the_same_height(factor, counted):
    assert company([(3.5, factor)], noise_uv=0.2).again == counted


@pytest.mark.parametrize(("after_s", "counted"), [(OWN_S - 0.01, 0), (OWN_S + 0.03, 1)])
def test_a_doublet_is_the_burst_itself(after_s, counted):
    found = company([(2.5 + after_s, 1.0), (2.5 - after_s, 1.0)])
    assert found.again == found.soon == 2 * counted


@pytest.mark.parametrize("seed", range(4))
def test_noise_far_smaller_than_the_burst_is_never_taken_for_it(seed):
    found = company(noise_uv=8.0, seed=seed)
    assert found.again == 0
    assert found.tall <= 2  # of 190


def test_copies_below_the_threshold_of_a_burst_are_seen():
    found = company([(2.5 + 0.2 * k, 0.7) for k in range(1, 9)], noise_uv=8.0)
    assert found.again >= 6


def test_the_sizes_on_the_calmer_side_tell_how_far_it_stands_out():
    x, at = around(noise_uv=1.0)
    x[AT + 100 :] *= 10  # 10 µV rms after the burst, 1 before
    found = find_company(x, at, FS)
    # and where the burst is ten times as large, all of them are a tenth
    y, size = x.copy(), np.ptp(x[at - 12 : at + 13])
    y[at - 12 : at + 13] *= 10
    assert find_company(y, at, FS).most == pytest.approx(found.most / 10, rel=0.05)
    # sizes are peak to peak of 25 ms, in units of the burst's
    sizes = np.ptp(x[: at - 120][::-1][: (at - 120) // 25 * 25].reshape(-1, 25), axis=1) / size
    np.testing.assert_allclose([found.quiet, found.most], np.quantile(sizes, (0.1, 0.75)))


@pytest.mark.parametrize(("factor", "tall"), [(0.45, 0), (0.6, 4), (3.0, 4)])
def test_windows_at_least_half_as_large_are_tall(factor, tall):
    # in the middle of a window of 25 ms, counted from 0.12 s beside the burst
    copies = [(2.5 + 0.12 + 0.025 * k + 0.0125, -factor) for k in (3, 10, 30, 80)]
    found = company(copies, noise_uv=0.2)
    assert tall <= found.tall <= 2 * tall  # one may reach into the next window
    assert bool(found.tall_soon) is (tall > 0)
    assert found.tall_soon < found.tall or not tall


def test_a_rhythm_is_told_from_the_same_number_without_one():
    steady = [(2.5 + 0.2 * k, 1.0) for k in range(-12, 13) if k]
    rng = np.random.default_rng(2)
    loose = [(t, 1.0) for t in rng.uniform(0.05, 4.95, 24) if abs(t - 2.5) > 0.13]
    assert company(steady).rhythm > 0.4
    assert company(loose).rhythm < 0.25
    assert company([(2.5 + 0.8 * k, 1.0) for k in (-2, -1, 1, 2)]).rhythm < 0.25  # a heart


def test_what_goes_on_inside_a_contraction_is_no_company():
    rng = np.random.default_rng(4)
    x, at = around([(4.5, 1.0)], noise_uv=1.0)
    x[AT + 300 : AT + 1500] += band_noise(1200, FS, 60.0, rng)
    for k in range(8):  # and the same waveform all through it
        first = AT + 350 + 140 * k
        x[first : first + 24] += x[at - 12 : at + 12]
    found = find_company(x, at, FS)
    assert found.again <= 1
    assert found.tall <= 4
    # the same for less than half a second is company
    short, at = around(noise_uv=1.0)
    short[AT + 300 : AT + 700] += band_noise(400, FS, 60.0, rng)
    assert find_company(short, at, FS).tall > 10


def test_a_contracting_muscle_around_it_leaves_little_to_stand_out():
    assert company(noise_uv=40.0).most > 5 * company(noise_uv=2.0).most


def test_forwards_and_backwards_are_mirror_images():
    copies = [(0.5, 1.0), (1.4, 1.0), (3.3, 1.0)]
    x, at = around(copies)
    forward, backward = find_company(x, at, FS), find_company(x[::-1], len(x) - 1 - at, FS)
    assert forward.again == backward.again == 3


@pytest.mark.parametrize("at_s", [0.01, 0.1, 4.9, 4.99])
def test_at_the_end_of_a_segment_the_other_side_tells_all(at_s):
    copies = [(at_s + d, 1.0) for d in (-2, -1, 1, 2) if 0.2 < at_s + d < 4.8]
    found = company(copies, at_s=at_s)
    assert found.again == 2
    assert found.most > 0


@pytest.mark.parametrize(("more", "known"), [(0.001, True), (-0.002, False)])
def test_less_than_half_a_second_on_either_side_says_nothing(more, known):
    x, _ = around()
    side = round((OWN_S + LEAST_S + more) * FS)
    found = find_company(x[AT - side : AT + side], side, FS)
    assert (found.most > 0) is known


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_a_scrap_of_signal_has_no_company(n):
    assert find_company(np.ones(n), n // 2, FS) == ALONE


def test_silence_has_no_company():
    assert find_company(np.zeros(5000), AT, FS) == ALONE
