"""Published coefficients against numbers worked by hand from the papers' equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.sleep.nights import ACC, acc_seconds, events, restless
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.settings import ContextSettings
from twitchsense.sleep.actigraphy import (
    cole_kripke,
    cole_kripke_asleep,
    counts_per_minute,
    first_run,
    hdcza,
    onsets_by_algorithm,
    sadeh,
    sadeh_asleep,
)
from twitchsense.sleep.activity_counts import ActivityCounter, ActivityCounts
from twitchsense.sleep.inactivity import EpochGrid, measure_motion

RULES = ContextSettings()
NAN = float("nan")

# -- Cole-Kripke 1992 --------


@pytest.mark.parametrize(
    ("minute", "weight"), [(-4, 106), (-3, 54), (-2, 58), (-1, 76), (0, 230), (1, 74), (2, 67)]
)
def test_cole_kripke_each_of_the_seven_weights_at_its_place(minute, weight):
    counts = np.zeros(21)
    counts[10 + minute] = 1000.0  # ten hundreds
    assert cole_kripke(counts)[10] == pytest.approx(0.001 * weight * 10)
    # and nowhere else: one minute further there is another weight, or none
    assert cole_kripke(np.roll(counts, 7 - minute))[10] == 0


def test_cole_kripke_a_sum_worked_by_hand():
    a = np.array([0, 2, 1, 0, 3, 1, 0]) * 100.0
    # 0.001 (106*0 + 54*2 + 58*1 + 76*0 + 230*3 + 74*1 + 67*0) = 0.001 * 930
    assert cole_kripke(a)[4] == pytest.approx(0.930)
    assert cole_kripke_asleep(a)[4] == 1


def test_cole_kripke_sleep_is_below_one_and_one_is_wake():
    counts = np.zeros(9)
    for value, asleep in ((1000 / 230 * 100 - 0.01, 1), (1000 / 230 * 100 + 0.01, 0)):
        counts[4] = value
        assert cole_kripke_asleep(counts)[4] == asleep


def test_cole_kripke_counts_are_capped_at_300_hundreds():
    counts = np.zeros(9)
    counts[4] = 1e7
    assert cole_kripke(counts)[4] == pytest.approx(0.230 * 300)


def test_cole_kripke_is_unknown_where_any_of_its_minutes_is():
    counts = np.zeros(20)
    counts[10] = NAN
    known = ~np.isnan(cole_kripke(counts))
    # minute k looks at k-4 to k+2: the gap at 10 spoils 8 to 14; the ends have no company
    assert np.flatnonzero(known).tolist() == [4, 5, 6, 7, 15, 16, 17]
    assert len(cole_kripke(np.empty(0))) == 0


# -- Sadeh 1994 --------


def test_sadeh_a_quiet_night_has_the_constant():
    assert sadeh(np.zeros(11))[5] == pytest.approx(7.601)


def test_sadeh_a_score_worked_by_hand():
    a = np.array([0, 60, 120, 0, 30, 80, 10, 0, 99, 100, 50], float)
    mean = 549 / 11
    nat = 4  # 60, 80, 99, 50: at least 50 and below 100
    last = np.array([0, 60, 120, 0, 30, 80], float)  # the minute and the five before
    sd = math.sqrt(sum((x - 290 / 6) ** 2 for x in last) / 5)
    by_hand = 7.601 - 0.065 * mean - 1.08 * nat - 0.056 * sd - 0.703 * math.log(81)
    assert sadeh(a)[5] == pytest.approx(by_hand)
    assert sadeh_asleep(a)[5] == 0


@pytest.mark.parametrize(("count", "nat"), [(49.99, 0), (50, 1), (99.99, 1), (100, 0)])
def test_sadeh_nat_takes_50_and_not_100(count, nat):
    a = np.zeros(11)
    a[10] = count  # the last of the eleven: in the mean and in NAT alone
    assert sadeh(a)[5] == pytest.approx(7.601 - 0.065 * count / 11 - 1.08 * nat)


def test_sadeh_counts_are_capped_at_300():
    a = np.zeros(11)
    a[0] = 5000
    capped = 7.601 - 0.065 * 300 / 11 - 0.056 * math.sqrt(5 / 6 * 300**2 / 5)
    assert sadeh(a)[5] == pytest.approx(capped)


def test_sadeh_zero_is_sleep():
    # ln(A + 1) = 7.601 / 0.703 would need more than 300; so vary the mean instead
    a = np.zeros(11)
    a[6:] = 7.601 / 0.065 * 11 / 5  # above 100: no NAT, and no SD
    assert sadeh(a)[5] == pytest.approx(0, abs=1e-12)
    a[6:] -= 0.001
    assert sadeh_asleep(a)[5] == 1
    a[6:] += 0.002
    assert sadeh_asleep(a)[5] == 0


# -- HDCZA 2018 --------


def turns(*parts: tuple[float, float]) -> np.ndarray:
    """Change of angle per 5 s: (minutes, degrees)."""
    return np.concatenate([np.full(round(m * 12), d) for m, d in parts])


def test_hdcza_finds_the_longest_rest_and_fills_an_hour():
    turn = turns((60, 5), (120, 0.05), (50, 5), (200, 0.05), (70, 5), (100, 0.05), (30, 5))
    first, stop = hdcza(turn, 5.0)
    assert first * 5 == pytest.approx(60 * 60, abs=5)
    assert stop * 5 == pytest.approx(430 * 60, abs=5)  # the gap of 50 min filled, not that of 70


def test_hdcza_rest_must_last_more_than_half_an_hour():
    assert hdcza(turns((60, 5), (29, 0.05), (60, 5)), 5.0) is None
    assert hdcza(turns((60, 5), (32, 0.05), (60, 5)), 5.0) is not None
    assert hdcza(np.full(100, np.nan), 5.0) is None


@pytest.mark.parametrize(
    ("quiet", "busy", "found"),
    [
        (0.02, 0.29, True),  # 15 x 0.02 = 0.30: all of it is rest
        (0.02, 0.31, False),
        (0.001, 0.12, True),  # never below 0.13
        (0.001, 0.14, False),
        (0.1, 0.49, True),  # never above 0.50
        (0.1, 0.51, False),
    ],
)
def test_hdcza_threshold_is_15_times_the_tenth_percentile_within_limits(quiet, busy, found):
    turn = turns((60, busy), (60, quiet))
    start = hdcza(turn, 5.0)[0]
    assert (start == 0) == found


# -- counts --------


def counts_of(samples: np.ndarray, fs: float, cuts: list[int] | None = None) -> ActivityCounts:
    channel = Channel("acc", "acc", "g", fs, ("acc_x_g", "acc_y_g", "acc_z_g"))
    counter = ActivityCounter(channel)
    edges = [0, *(cuts or []), len(samples)]
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        counter.push(Chunk("acc", 0, a, samples[a:b].astype(np.float32)))
    return counter.close()


def swing(hz: float, g: float, fs: float, seconds: int = 60) -> np.ndarray:
    t = np.arange(round(seconds * fs)) / fs
    out = np.zeros((len(t), 3))
    out[:, 0] = g * np.sin(2 * np.pi * hz * t)
    out[:, 2] = 1.0
    return out


def test_counts_are_the_same_however_the_recording_is_cut():
    rng = np.random.default_rng(4)
    samples = rng.normal(0, 0.2, (3017, 3)) + (0, 0, 1)
    whole = counts_of(samples, 97.3)
    for cuts in ([1], [5, 6, 7], sorted(rng.integers(1, 3017, 40).tolist())):
        got = counts_of(samples, 97.3, cuts)
        assert (got.counts == whole.counts).all()
        assert (got.time_ns == whole.time_ns).all()


@pytest.mark.parametrize("fs", [25.0, 31.25, 50.0, 100.0, 400.0])
def test_counts_hardly_depend_on_the_sampling_rate(fs):
    want = counts_of(swing(0.75, 0.5, 100.0), 100.0).counts[20:50].sum()
    assert counts_of(swing(0.75, 0.5, fs), fs).counts[20:50].sum() == pytest.approx(want, rel=0.06)


def test_counts_pass_slow_swings_and_neither_gravity_nor_tremor():
    def per_second(hz: float, g: float) -> float:
        return float(counts_of(swing(hz, g, 100.0), 100.0).counts[20:50, 0].mean())

    assert per_second(0.75, 0.5) > 150
    assert per_second(0.0, 0.5) == 0
    assert per_second(8.0, 0.5) < 0.05 * per_second(0.75, 0.5)
    assert per_second(0.75, 0.02) == 0  # the dead band
    # the ceiling of 128 steps, 10 values a second: the swing is above it most of the time
    assert per_second(0.75, 50.0) == pytest.approx(1280, rel=0.1)


def test_counts_of_a_swing_follow_from_the_gain_of_the_filter():
    """The published band-pass, evaluated at the swing's frequency, rectified and summed."""
    from twitchsense.sleep import activity_counts as module

    hz, g = 0.75, 0.5
    z = np.exp(-2j * np.pi * hz / 30)
    gain = abs(np.polyval(module._B[::-1], z) / np.polyval(module._A[::-1], z))
    smooth = 1.0  # the low-pass at 9 Hz leaves 0.75 Hz alone
    peak = g * gain * smooth * 17.127404
    phase = np.arange(30 * 60) / 30
    steps = np.abs(peak * np.sin(2 * np.pi * hz * phase))
    steps = np.where(steps < 4, 0, np.minimum(steps, 128))
    want = np.floor(steps.reshape(-1, 3).mean(axis=1)).sum() / 60
    got = counts_of(swing(hz, g, 100.0), 100.0).counts[20:50, 0].mean()
    assert got == pytest.approx(want, rel=0.02)


def test_counts_start_anew_at_a_gap_and_leave_the_rest_of_a_second():
    channel = Channel("acc", "acc", "g", 100.0, ("acc_x_g", "acc_y_g", "acc_z_g"))
    counter = ActivityCounter(channel)
    samples = swing(0.75, 0.5, 100.0, 3).astype(np.float32)
    counter.push(Chunk("acc", 0, 0, samples[:250]))
    counter.push(Chunk("acc", 10 * NS, 0, samples))
    got = counter.close()
    assert got.time_ns.tolist() == [0, NS, 10 * NS, 11 * NS, 12 * NS][: len(got.time_ns)]
    assert ActivityCounter(channel).close().counts.shape == (0, 3)


# -- asked together --------


def test_minutes_leave_masked_seconds_out_and_stand_for_the_whole():
    grid = EpochGrid.over(0, 600 * NS)
    time = np.arange(600, dtype=np.int64) * NS
    table = ActivityCounts(time, np.ones(600), np.tile([3.0, 4.0, 0.0], (600, 1)))
    still = measure_motion([acc_seconds(600)], events(), grid, RULES)
    _, minutes = counts_per_minute({"acc": table}, events(), still, RULES)
    assert minutes == pytest.approx(np.full(10, 300.0))  # vector magnitude 5 a second
    jerk = {"onset": 65.0, "trial_type": "jerk", "peak_g": 0.5, "duration": 20.0}
    _, masked = counts_per_minute({"acc": table}, events(jerk), still, RULES)
    assert masked == pytest.approx(np.full(10, 300.0))
    long = {**jerk, "trial_type": "movement", "duration": 45.0}
    _, gone = counts_per_minute({"acc": table}, events(long), still, RULES)
    assert np.isnan(gone).tolist() == [False, True] + [False] * 8


def test_each_method_gives_its_own_onset_or_none():
    acc = restless(acc_seconds(7200), 0, 1800)
    grid = EpochGrid.over(0, 7200 * NS)
    still = measure_motion([acc], events(), grid, RULES)
    time = np.arange(7200, dtype=np.int64) * NS
    counts = np.where((time < 1800 * NS)[:, None], [30.0, 0.0, 0.0], 0.0)
    table = {"acc": ActivityCounts(time, np.ones(7200), counts)}
    tone = np.where(np.arange(240) < 80, 3.0, 0.2)
    found = onsets_by_algorithm(still, table, tone, events(), RULES)
    assert found["cole_kripke"] == pytest.approx(1800, abs=240)
    assert found["sadeh"] == pytest.approx(1800, abs=600)
    assert found["tone"] == 2400
    assert onsets_by_algorithm(still, {}, np.full(240, np.nan), events(), RULES).keys() == {"hdcza"}
    never = {"acc": ActivityCounts(time, np.ones(7200), np.full((7200, 3), 500.0))}
    assert onsets_by_algorithm(still, never, tone, events(), RULES)["cole_kripke"] is None
    assert ACC.width == 3


def test_first_run_needs_its_length():
    asleep = np.array([1, 1, 0, 1, 1, 1, np.nan, 1, 1, 1, 1])
    assert first_run(asleep, 2) == 0
    assert first_run(asleep, 3) == 3
    assert first_run(asleep, 4) == 7
    assert first_run(asleep, 5) is None
