"""Cole-Kripke, Sadeh and HDCZA against hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.sleep.builders import ACC, acc_seconds, events, restless
from twitchsense.model.channels import NS
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
from twitchsense.sleep.activity_counts import ActivityCounts
from twitchsense.sleep.inactivity import EpochGrid, measure_motion

RULES = ContextSettings()


NAN = float("nan")


@pytest.mark.parametrize(
    ("minute", "weight"), [(-4, 106), (-3, 54), (-2, 58), (-1, 76), (0, 230), (1, 74), (2, 67)]
)
def test_cole_kripke_weights_are_applied_at_their_lags(minute, weight):
    counts = np.zeros(21)
    counts[10 + minute] = 1000.0  # ten hundreds
    assert cole_kripke(counts)[10] == pytest.approx(0.001 * weight * 10)
    # and nowhere else: one minute further there is another weight, or none
    assert cole_kripke(np.roll(counts, 7 - minute))[10] == 0


def test_cole_kripke_equals_a_hand_worked_sum():
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


def test_sadeh_score_of_a_quiet_night_is_the_constant():
    assert sadeh(np.zeros(11))[5] == pytest.approx(7.601)


def test_sadeh_equals_a_hand_worked_score():
    a = np.array([0, 60, 120, 0, 30, 80, 10, 0, 99, 100, 50], float)
    mean = 549 / 11
    nat = 4  # 60, 80, 99, 50: at least 50 and below 100
    last = np.array([0, 60, 120, 0, 30, 80], float)  # the minute and the five before
    sd = math.sqrt(sum((x - 290 / 6) ** 2 for x in last) / 5)
    by_hand = 7.601 - 0.065 * mean - 1.08 * nat - 0.056 * sd - 0.703 * math.log(81)
    assert sadeh(a)[5] == pytest.approx(by_hand)
    assert sadeh_asleep(a)[5] == 0


@pytest.mark.parametrize(("count", "nat"), [(49.99, 0), (50, 1), (99.99, 1), (100, 0)])
def test_sadeh_nat_includes_50_and_excludes_100(count, nat):
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


def test_counts_per_minute_exclude_masked_seconds_and_are_scaled():
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


def test_each_algorithm_gives_its_own_onset_or_none():
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
