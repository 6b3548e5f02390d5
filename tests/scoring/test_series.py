"""Hiccups and clusters of jerks: both sides of every limit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scoring.builders import (
    SETTINGS,
    burst_row,
    onsets,
    rejected,
)
from tests.sleep.builders import events
from twitchsense.model.event_table import REJECTED_COLUMNS, make_table
from twitchsense.scoring.trains.series import find_hiccups, find_jerk_clusters

RULE = SETTINGS.trains


NOTHING = make_table([], REJECTED_COLUMNS)


def jolt(onset, reason="bump", duration=0.26, **more):
    return {"onset": onset, "trial_type": "movement", "duration": duration, "channel": "acc",
            "peak_g": 0.07, "reason": reason, **more}  # fmt: skip


def hiccups(times, **more):
    return find_hiccups(events(), rejected(*(jolt(float(t), **more) for t in times)), RULE)


@pytest.mark.parametrize(("n", "found"), [(4, 0), (5, 1)])
def test_hiccups_need_five_jolts(n, found):
    table, rest, trains_ = hiccups(onsets(0.25, n))
    assert len(trains_) == found
    assert len(table) == (n if found else 0)
    assert len(table) + len(rest) == n  # no row is lost
    assert set(table["trial_type"]) <= {"jolt"}


@pytest.mark.parametrize(("step", "found"), [(0.99, 0), (1.0, 1), (4.0, 1), (20.0, 1), (20.01, 0)])
def test_hiccups_come_every_1_to_20_s(step, found):
    # closer ones are echoes of each other: of 0.99 s every second one is left, at 1.98 s
    count = len(hiccups([100 + k * step for k in range(6)])[2])
    assert count == found


def test_hiccups_have_a_steady_rhythm():
    # four intervals with a spread (SD over mean) of 0.34 and of 0.36
    for spread, found in ((0.34, 1), (0.36, 0)):
        d = spread * 5 * np.sqrt(3) / 2
        steps = [5 - d, 5 + d, 5 - d, 5 + d]
        assert np.std(steps, ddof=1) / 5 == pytest.approx(spread, abs=0.001)
        assert len(hiccups(np.cumsum([100, *steps]))[2]) == found


@pytest.mark.parametrize(("spread", "found"), [(0.44, 1), (0.46, 0)])
def test_hiccups_are_similar_in_size(spread, found):
    log = np.array([-1.0, 1.0, 0.0, -1.0, 1.0])  # standard deviation 1
    sizes = 0.07 * np.exp(spread * log)
    rows = [jolt(t, peak_g=g) for t, g in zip(onsets(0.25, 5), sizes, strict=True)]
    assert len(find_hiccups(events(), rejected(*rows), RULE)[2]) == found


def test_a_jolt_lasts_less_than_half_a_second():
    assert len(hiccups(onsets(0.25, 6), duration=0.499)[2]) == 1
    assert len(hiccups(onsets(0.25, 6), duration=0.5)[2]) == 0


def test_jolts_with_muscle_activity_are_not_hiccups():
    table = events(*(burst_row(t, "jerk", 0.2, amplitude_uv=300.0) for t in onsets(0.25, 8)))
    assert find_hiccups(table, NOTHING, RULE)[2] == []
    silent = events(
        *(burst_row(t, "jerk", 0.2, amplitude_uv=np.nan, channel="acc") for t in onsets(0.25, 8))
    )
    got = find_hiccups(silent, NOTHING, RULE)
    assert len(got[2]) == 1
    assert got[0]["trial_type"].tolist() == ["jerk"] * 8


def test_a_train_of_hiccups_survives_a_missed_and_a_false_jolt():
    rng = np.random.default_rng(1)
    times = 100 + np.cumsum(4 * (1 + 0.15 * rng.normal(size=24)))
    assert hiccups(times)[2][0].count == 24
    assert hiccups(np.delete(times, 11))[2][0].count == 23
    table, _, found = hiccups(np.sort([*times, times[8] + 1.7]))
    assert len(found) == 1
    assert found[0].count >= 24
    assert len(table) >= 24


def test_random_bumps_are_not_hiccups():
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found += len(hiccups(100 + np.cumsum(rng.exponential(8.0, 60)))[2])
    assert found <= 6  # 20 x 60 bumps of a restless bed


def test_jolts_of_both_legs_are_one_train_of_hiccups():
    rows = [
        jolt(t + d, leg=leg) for t in onsets(0.25, 8) for d, leg in ((0, "left"), (0.02, "right"))
    ]
    table, _, found = find_hiccups(events(), rejected(*rows), RULE)
    assert len(found) == 1
    assert found[0].count == 8
    assert len(table) == 8


def jerk(t, grade="violent"):
    return burst_row(t, "jerk", 0.15, grade=grade)


def repeated(*rows):
    table = events(*rows)
    return [
        (t.pattern, t.rows) for t in find_jerk_clusters(table, RULE, np.zeros(len(table), bool))
    ]


def test_three_jerks_within_a_minute_both_ends_included():
    assert repeated(jerk(0), jerk(30), jerk(60)) == [("violent", (0, 1, 2))]
    assert repeated(jerk(0), jerk(30), jerk(60.001)) == []
    assert repeated(jerk(0), jerk(30)) == []


def test_mild_jerks_do_not_count_and_three_must_be_violent():
    assert repeated(jerk(0), jerk(10, "mild"), jerk(20)) == []
    assert repeated(jerk(0), jerk(10, "moderate"), jerk(20)) == [("jerks", (0, 1, 2))]


def test_ten_jerks_in_an_hour_exclude_those_of_a_one_minute_cluster():
    spread = [jerk(360.0 * k) for k in range(10)]
    assert repeated(*spread) == [("violent", tuple(range(10)))]
    assert repeated(*spread[:9]) == []
    volley = [jerk(5000.0 + 5 * k) for k in range(9)]
    assert repeated(*spread[:3], *volley) == [("violent", tuple(range(3, 12)))]


def both(t, lag=0.1):
    return [{**jerk(t), "leg": "left"}, {**jerk(t + lag), "leg": "right"}]


def test_simultaneous_jerks_of_both_legs_count_once():
    assert repeated(*both(0), *both(30)) == []
    assert repeated(*both(0), *both(30), *both(60 - 0.1)) == [("violent", tuple(range(6)))]
    assert repeated(*both(0, 0.51), *both(30)) == [("violent", tuple(range(4)))]
    tenth = [leg for k in range(5) for leg in both(600.0 * k)]
    assert repeated(*tenth) == []
    mild = [{**row, "grade": "moderate"} for row in both(50)]
    assert repeated(*both(0), *both(30), *mild) == [("jerks", tuple(range(6)))]


def test_two_jerks_of_one_leg_within_half_a_second_count_twice():
    twice = [{**jerk(t), "leg": "left"} for t in (0, 0.4, 30)]
    assert repeated(*twice) == [("violent", (0, 1, 2))]


def test_the_count_of_a_cluster_is_that_of_its_moments():
    table = events(*both(0), *both(20), *both(40))
    (train,) = find_jerk_clusters(table, RULE, np.zeros(len(table), bool))
    assert train.count == 3
