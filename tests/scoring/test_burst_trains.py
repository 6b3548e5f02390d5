"""Trains of bursts: both sides of every limit, missed and false bursts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scoring.builders import (
    SETTINGS,
    burst_row,
    onsets,
    rejected,
)
from tests.sleep.builders import EMG, events, recording
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS, make_table
from twitchsense.scoring.leg_movements.recording_indices import find_leg_movements
from twitchsense.scoring.trains.burst_trains import find_runs, find_trains, regular_members
from twitchsense.scoring.trains.movement_bursts import (
    measure_movement_bursts,
    no_movement_bursts,
)
from twitchsense.scoring.trains.series import find_hiccups, find_jerk_clusters

RULE = SETTINGS.trains
NOTHING = make_table([], REJECTED_COLUMNS)


def trains(*rows, others=NOTHING):
    table = events(*rows)
    return find_trains(table, others, no_movement_bursts(len(table)), RULE), table


def names(*rows, others=NOTHING):
    return [t.pattern for t in trains(*rows, others=others)[0]]


@pytest.mark.parametrize(("n", "found"), [(3, []), (4, ["foot"])])
def test_foot_tremor_needs_four_bursts(n, found):
    assert names(*(burst_row(t) for t in onsets(1.0, n))) == found


@pytest.mark.parametrize(
    ("rate", "found"), [(0.29, []), (0.31, ["foot"]), (2.9, ["foot"]), (4.2, [])]
)
def test_foot_tremor_keeps_its_rates(rate, found):
    assert names(*(burst_row(t, duration=0.25) for t in onsets(rate, 6))) == found


@pytest.mark.parametrize(
    ("ms", "found"),
    [
        (99, []),
        (101, ["fast"]),
        (249, ["fast"]),
        (250, ["foot"]),
        (1000, ["foot"]),
        (1001, ["fast"]),
    ],
)
def test_burst_duration_separates_foot_tremor_from_other_fast_movements(ms, found):
    kind = "twitch" if ms < 150 else "movement" if ms >= 500 else "brief_contraction"
    assert names(*(burst_row(t, kind, ms / 1000) for t in onsets(0.5, 6))) == found


def test_irregular_contractions_are_not_a_train():
    times = np.cumsum([100, 0.4, 2.9, 0.35, 2.6, 0.5, 3.1, 0.4])
    assert names(*(burst_row(t) for t in times)) == []


def test_strong_shaking_is_not_a_train():
    assert names(*(burst_row(t, peak_g=0.9) for t in onsets(1.0, 8))) == []


def test_a_long_train_survives_a_missed_and_a_false_burst():
    times = onsets(1.0, 20)
    whole, _ = trains(*(burst_row(t) for t in times))
    missed, _ = trains(*(burst_row(t) for t in [*times[:9], *times[10:]]))
    false, table = trains(*(burst_row(t) for t in sorted([*times, 105.45])))
    assert [t.pattern for t in (*whole, *missed, *false)] == ["foot"] * 3
    assert whole[0].count == 20
    assert missed[0].count == 19
    assert false[0].count >= 20
    assert whole[0].count > whole[0].min_count
    fewest = trains(*(burst_row(t) for t in onsets(1.0, 4)))[0][0]
    assert fewest.count == fewest.min_count


def test_rejected_bursts_count_but_are_not_members():
    driven = [
        {**burst_row(t), "reason": "rhythmic_train", "channel": "emg1", "amplitude_uv": 90.0}
        for t in onsets(1.0, 3, start=101.0)
    ]
    found, _ = trains(burst_row(100.0), others=rejected(*driven))
    assert [(t.pattern, t.rows, t.count) for t in found] == [("foot", (0,), 4)]
    assert names(others=rejected(*driven, driven[0])) == []


@pytest.mark.parametrize(
    ("rate", "n", "found"),
    [
        (3.4, 12, False), (3.6, 12, True), (17.5, 60, True), (19.0, 60, False),
        (5.0, 4, False), (5.0, 10, False), (5.0, 11, True),  # 2 s and more
    ],
)  # fmt: skip
def test_tremor_keeps_its_rates_and_length(rate, n, found):
    got = names(*(burst_row(t, "twitch", 0.03) for t in onsets(rate, n)))
    assert ("tremor" in got) == found


def test_scattered_twitches_are_not_tremor():
    rng = np.random.default_rng(2)
    times = 100 + np.cumsum(rng.exponential(0.8, 300))
    assert "tremor" not in names(*(burst_row(float(t), "twitch", 0.02) for t in times))


def alternating(n, rate=1.5, ms=300):
    return [burst_row(t, leg="left" if k % 2 else "right", duration=ms / 1000)
            for k, t in enumerate(onsets(rate, n))]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "rate", "ms", "found"),
    [
        (3, 1.5, 300, False), (4, 1.5, 300, True), (6, 0.49, 300, False), (6, 0.51, 300, True),
        (6, 2.95, 200, True), (6, 3.1, 200, False), (6, 1.5, 99, False), (6, 1.5, 100, True),
        (6, 1.5, 500, True), (6, 1.5, 501, False),
    ],
)  # fmt: skip
def test_alma_needs_four_alternating_bursts_in_its_limits(n, rate, ms, found):
    assert ("alma" in names(*alternating(n, rate, ms))) == found


def test_alma_needs_two_legs():
    rows = alternating(8)
    one = [{**r, "leg": "left"} for r in rows]
    assert "alma" not in names(*one)
    assert "fast" in names(*one) or "foot" in names(*one)


def test_both_legs_together_do_not_alternate():
    rows = [
        burst_row(t + d, leg=leg)
        for t in onsets(1.0, 8)
        for d, leg in ((0, "left"), (0.02, "right"))
    ]
    assert "alma" not in names(*rows)


def test_empty_tables_have_no_trains_and_no_movements():
    empty = events()
    assert find_trains(empty, NOTHING, no_movement_bursts(0), RULE) == []
    assert len(find_leg_movements(empty, "wasm2016", np.zeros(0, bool)).movements) == 0
    assert find_jerk_clusters(empty, RULE, np.zeros(0, bool)) == []
    table, _, found = find_hiccups(empty, NOTHING, RULE)
    assert list(table) == [c.name for c in EVENT_COLUMNS]
    assert found == []
    rec = recording(EMG, seconds=10)
    assert measure_movement_bursts(rec, empty, SETTINGS).bursts.empty


def test_runs_break_at_long_steps_and_skip_echoes():
    times = np.array([0, 1, 1.2, 2, 3, 9, 10, 30])
    assert [r.tolist() for r in find_runs(times, 0.5, 2.0)] == [[0, 1, 3, 4], [5, 6]]
    assert find_runs(np.arange(0, 9, 0.3), 0.5, 2.0) == []  # every second one is no rhythm


def test_a_quarter_of_at_least_eight_intervals_may_be_irregular():
    even = np.arange(9.0)
    assert len(regular_members(even, 0.1)) == 9
    assert (
        len(regular_members(np.delete(even, 4), 0.1)) == 0
    )  # seven intervals: nothing is forgiven
    longer = np.arange(12.0)
    assert len(regular_members(np.delete(longer, 5), 0.1)) == 11
    assert len(regular_members(np.array([0.0, 1.0]), 0.5)) == 0
