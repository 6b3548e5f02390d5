"""Trains and series (docs/definitions.md), both sides of every limit, and with faults in them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import SimulatedLeg
from tests.sleep.nights import EMG, events, recording
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS, make_table
from twitchsense.scoring.burst_trains import find_runs, find_trains, regular_members
from twitchsense.scoring.leg_movements.recording import find_leg_movements
from twitchsense.scoring.movement_bursts import (
    leg_names,
    measure_movement_bursts,
    no_movement_bursts,
)
from twitchsense.scoring.series import find_hiccups, find_jerk_clusters
from twitchsense.settings import Settings

SETTINGS = Settings()
RULE = SETTINGS.trains
NOTHING = make_table([], REJECTED_COLUMNS)


def row(onset, kind="brief_contraction", duration=0.3, leg="", **more):
    base = {"onset": onset, "trial_type": kind, "duration": duration, "leg": leg, "peak_g": 0.05}
    return {**base, **more}


def rejected(*rows):
    return make_table(rows, REJECTED_COLUMNS)


def trains(*rows, others=NOTHING):
    table = events(*rows)
    return find_trains(table, others, no_movement_bursts(len(table)), RULE), table


def names(*rows, others=NOTHING):
    return [t.pattern for t in trains(*rows, others=others)[0]]


def at(rate, n, start=100.0):
    return [start + k / rate for k in range(n)]


# -- bursts at 0.3-4 Hz --------


@pytest.mark.parametrize(("n", "found"), [(3, []), (4, ["foot"])])
def test_6_2_foot_tremor_needs_four_bursts(n, found):
    assert names(*(row(t) for t in at(1.0, n))) == found


@pytest.mark.parametrize(
    ("rate", "found"), [(0.29, []), (0.31, ["foot"]), (2.9, ["foot"]), (4.2, [])]
)
def test_6_2_foot_tremor_keeps_its_rates(rate, found):
    assert names(*(row(t, duration=0.25) for t in at(rate, 6))) == found


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
def test_6_2_burst_length_tells_foot_tremor_from_other_fast_movements(ms, found):
    kind = "twitch" if ms < 150 else "movement" if ms >= 500 else "brief_contraction"
    assert names(*(row(t, kind, ms / 1000) for t in at(0.5, 6))) == found


def test_irregular_contractions_are_no_train():
    times = np.cumsum([100, 0.4, 2.9, 0.35, 2.6, 0.5, 3.1, 0.4])
    assert names(*(row(t) for t in times)) == []


def test_strong_shaking_is_walking_and_no_train_of_a_leg():
    assert names(*(row(t, peak_g=0.9) for t in at(1.0, 8))) == []


def test_a_long_train_survives_a_missed_and_a_false_burst():
    times = at(1.0, 20)
    whole, _ = trains(*(row(t) for t in times))
    missed, _ = trains(*(row(t) for t in [*times[:9], *times[10:]]))
    false, table = trains(*(row(t) for t in sorted([*times, 105.45])))
    assert [t.pattern for t in (*whole, *missed, *false)] == ["foot"] * 3
    assert whole[0].count == 20
    assert missed[0].count == 19
    assert false[0].count >= 20
    assert whole[0].count > whole[0].min_count
    fewest = trains(*(row(t) for t in at(1.0, 4)))[0][0]
    assert fewest.count == fewest.min_count


def test_driven_candidates_count_but_are_no_members():
    driven = [
        {**row(t), "reason": "rhythmic_train", "channel": "emg1", "amplitude_uv": 90.0}
        for t in at(1.0, 3, start=101.0)
    ]
    found, _ = trains(row(100.0), others=rejected(*driven))
    assert [(t.pattern, t.rows, t.count) for t in found] == [("foot", (0,), 4)]
    assert names(others=rejected(*driven, driven[0])) == []


# -- tremor --------


@pytest.mark.parametrize(
    ("rate", "n", "found"),
    [
        (3.4, 12, False), (3.6, 12, True), (17.5, 60, True), (19.0, 60, False),
        (5.0, 4, False), (5.0, 10, False), (5.0, 11, True),  # 2 s and more
    ],
)  # fmt: skip
def test_6_2_tremor_keeps_its_rates_and_length(rate, n, found):
    got = names(*(row(t, "twitch", 0.03) for t in at(rate, n)))
    assert ("tremor" in got) == found


def test_scattered_twitches_are_no_tremor():
    rng = np.random.default_rng(2)
    times = 100 + np.cumsum(rng.exponential(0.8, 300))
    assert "tremor" not in names(*(row(float(t), "twitch", 0.02) for t in times))


# -- two legs --------


def alternating(n, rate=1.5, ms=300):
    return [row(t, leg="left" if k % 2 else "right", duration=ms / 1000)
            for k, t in enumerate(at(rate, n))]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "rate", "ms", "found"),
    [
        (3, 1.5, 300, False), (4, 1.5, 300, True), (6, 0.49, 300, False), (6, 0.51, 300, True),
        (6, 2.95, 200, True), (6, 3.1, 200, False), (6, 1.5, 99, False), (6, 1.5, 100, True),
        (6, 1.5, 500, True), (6, 1.5, 501, False),
    ],
)  # fmt: skip
def test_6_2_alma_needs_four_alternating_bursts_in_its_limits(n, rate, ms, found):
    assert ("alma" in names(*alternating(n, rate, ms))) == found


def test_6_2_alma_needs_two_legs():
    rows = alternating(8)
    one = [{**r, "leg": "left"} for r in rows]
    assert "alma" not in names(*one)
    assert "fast" in names(*one) or "foot" in names(*one)


def test_both_legs_together_do_not_alternate():
    rows = [row(t + d, leg=leg) for t in at(1.0, 8) for d, leg in ((0, "left"), (0.02, "right"))]
    assert "alma" not in names(*rows)


# -- what is inside a movement --------


def test_bursts_inside_one_movement_are_read_off_the_samples():
    leg = SimulatedLeg(60, seed=3)
    for k in range(10):
        leg.burst(20 + k * 0.8, 0.45, 120)
    leg.movement(45, 5.0)
    rec = leg.recording()
    table = events(row(20.0, "movement", 7.65), row(45.0, "movement", 5.0))
    rhythms = measure_movement_bursts(rec, table, SETTINGS)
    count = rhythms.bursts.groupby("event").size()
    assert count[0] == 10
    assert rhythms.bursts["duration"][:10].median() == pytest.approx(0.45, abs=0.06)
    found = find_trains(table, NOTHING, rhythms, RULE)
    assert [(t.pattern, t.rows) for t in found] == [("foot", (0,))]


def test_a_rocking_leg_swings_and_a_plain_movement_does_not():
    leg = SimulatedLeg(90, seed=4)
    t = np.arange(1500) / 100
    leg.acc[2000:3500, 0] += 0.4 * np.sin(2 * np.pi * 1.1 * t)
    leg.acc[6000:7500] += 0.2 * leg.rng.normal(size=(1500, 3))
    table = events(row(20.0, "gross_movement", 15.0), row(60.0, "gross_movement", 15.0))
    swing = measure_movement_bursts(leg.recording(), table, SETTINGS).swing_hz
    assert swing[0] == pytest.approx(1.1, abs=0.05)
    assert np.isnan(swing[1])


def test_a_window_with_a_gap_has_no_rhythm():
    leg = SimulatedLeg(60, seed=5).burst(20, 8.0, 120)
    leg.emg[22_000:23_000] = np.nan
    leg.acc[2200:2300] = np.nan
    table = events(row(20.0, "movement", 8.0))
    rhythms = measure_movement_bursts(leg.recording(), table, SETTINGS)
    assert rhythms.bursts.empty
    assert np.isnan(rhythms.swing_hz).all()


def test_legs_are_named_as_the_detector_names_them():
    other = type(EMG)("emg2", "emg", "uV", 1000.0, ("emg2_uv",))
    assert leg_names((EMG, other), {}) == {"emg1": "", "emg2": ""}
    assert leg_names((EMG, other), {"emg2": "right"}) == {"emg1": "right", "emg2": "right"}


# -- hiccups --------


def jolt(onset, reason="bump", duration=0.26, **more):
    return {"onset": onset, "trial_type": "movement", "duration": duration, "channel": "acc",
            "peak_g": 0.07, "reason": reason, **more}  # fmt: skip


def hiccups(times, **more):
    return find_hiccups(events(), rejected(*(jolt(float(t), **more) for t in times)), RULE)


@pytest.mark.parametrize(("n", "found"), [(4, 0), (5, 1)])
def test_6_2_hiccups_need_five_jolts(n, found):
    table, rest, trains_ = hiccups(at(0.25, n))
    assert len(trains_) == found
    assert len(table) == (n if found else 0)
    assert len(table) + len(rest) == n  # no row is lost
    assert set(table["trial_type"]) <= {"jolt"}


@pytest.mark.parametrize(("step", "found"), [(0.99, 0), (1.0, 1), (4.0, 1), (20.0, 1), (20.01, 0)])
def test_6_2_hiccups_come_every_1_to_20_s(step, found):
    # closer ones are echoes of each other: of 0.99 s every second one is left, at 1.98 s
    count = len(hiccups([100 + k * step for k in range(6)])[2])
    assert count == found


def test_6_2_hiccups_have_a_steady_rhythm():
    # four intervals with a spread (SD over mean) of 0.34 and of 0.36
    for spread, found in ((0.34, 1), (0.36, 0)):
        d = spread * 5 * np.sqrt(3) / 2
        steps = [5 - d, 5 + d, 5 - d, 5 + d]
        assert np.std(steps, ddof=1) / 5 == pytest.approx(spread, abs=0.001)
        assert len(hiccups(np.cumsum([100, *steps]))[2]) == found


@pytest.mark.parametrize(("spread", "found"), [(0.44, 1), (0.46, 0)])
def test_6_2_hiccups_are_alike_in_size(spread, found):
    log = np.array([-1.0, 1.0, 0.0, -1.0, 1.0])  # standard deviation 1
    sizes = 0.07 * np.exp(spread * log)
    rows = [jolt(t, peak_g=g) for t, g in zip(at(0.25, 5), sizes, strict=True)]
    assert len(find_hiccups(events(), rejected(*rows), RULE)[2]) == found


def test_6_2_a_jolt_lasts_less_than_half_a_second():
    assert len(hiccups(at(0.25, 6), duration=0.499)[2]) == 1
    assert len(hiccups(at(0.25, 6), duration=0.5)[2]) == 0


def test_6_2_jolts_with_muscle_activity_are_no_hiccups():
    table = events(*(row(t, "jerk", 0.2, amplitude_uv=300.0) for t in at(0.25, 8)))
    assert find_hiccups(table, NOTHING, RULE)[2] == []
    silent = events(*(row(t, "jerk", 0.2, amplitude_uv=np.nan, channel="acc") for t in at(0.25, 8)))
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


def test_bumps_at_random_are_no_hiccups():
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found += len(hiccups(100 + np.cumsum(rng.exponential(8.0, 60)))[2])
    assert found <= 6  # 20 x 60 bumps of a restless bed


def test_both_legs_feel_one_train_of_hiccups():
    rows = [jolt(t + d, leg=leg) for t in at(0.25, 8) for d, leg in ((0, "left"), (0.02, "right"))]
    table, _, found = find_hiccups(events(), rejected(*rows), RULE)
    assert len(found) == 1
    assert found[0].count == 8
    assert len(table) == 8


# -- jerks in succession --------


def jerk(t, grade="violent"):
    return row(t, "jerk", 0.15, grade=grade)


def repeated(*rows):
    table = events(*rows)
    return [
        (t.pattern, t.rows) for t in find_jerk_clusters(table, RULE, np.zeros(len(table), bool))
    ]


def test_6_2_three_jerks_within_a_minute_both_ends_included():
    assert repeated(jerk(0), jerk(30), jerk(60)) == [("violent", (0, 1, 2))]
    assert repeated(jerk(0), jerk(30), jerk(60.001)) == []
    assert repeated(jerk(0), jerk(30)) == []


def test_6_2_mild_jerks_do_not_count_and_three_must_be_violent():
    assert repeated(jerk(0), jerk(10, "mild"), jerk(20)) == []
    assert repeated(jerk(0), jerk(10, "moderate"), jerk(20)) == [("jerks", (0, 1, 2))]


def test_6_2_ten_in_an_hour_and_one_volley_names_no_jerk_an_hour_away():
    spread = [jerk(360.0 * k) for k in range(10)]
    assert repeated(*spread) == [("violent", tuple(range(10)))]
    assert repeated(*spread[:9]) == []
    volley = [jerk(5000.0 + 5 * k) for k in range(9)]
    assert repeated(*spread[:3], *volley) == [("violent", tuple(range(3, 12)))]


def both(t, lag=0.1):
    return [{**jerk(t), "leg": "left"}, {**jerk(t + lag), "leg": "right"}]


def test_what_both_legs_do_at_once_is_one_jerk_of_a_succession():
    assert repeated(*both(0), *both(30)) == []
    assert repeated(*both(0), *both(30), *both(60 - 0.1)) == [("violent", tuple(range(6)))]
    assert repeated(*both(0, 0.51), *both(30)) == [("violent", tuple(range(4)))]
    tenth = [leg for k in range(5) for leg in both(600.0 * k)]
    assert repeated(*tenth) == []
    mild = [{**row, "grade": "moderate"} for row in both(50)]
    assert repeated(*both(0), *both(30), *mild) == [("jerks", tuple(range(6)))]


def test_one_leg_jerking_twice_in_half_a_second_jerks_twice():
    twice = [{**jerk(t), "leg": "left"} for t in (0, 0.4, 30)]
    assert repeated(*twice) == [("violent", (0, 1, 2))]


def test_a_succession_of_both_legs_counts_moments():
    table = events(*both(0), *both(20), *both(40))
    (train,) = find_jerk_clusters(table, RULE, np.zeros(len(table), bool))
    assert train.count == 3
    assert train.rate_hz == pytest.approx(1 / 20)


# -- leg movements of an event table --------


def moves(*rows, rules="wasm2016"):
    table = events(*rows)
    return find_leg_movements(table, rules, np.zeros(len(table), bool))


def lm(t, duration=2.0, kind="movement", leg=""):
    return row(t, kind, duration, leg)


def test_four_movements_every_10_to_90_s_are_a_series_and_every_row_finds_its_movement():
    got = moves(lm(0), lm(10), lm(100), lm(120))
    assert got.series.tolist() == [1, 1, 1, 1]
    assert got.of_event.tolist() == [0, 1, 2, 3]
    assert moves(lm(0), lm(10), lm(100.001), lm(120)).series.max() == 0


def test_a_change_of_posture_or_a_large_movement_ends_a_series_even_when_short():
    for kind in ("posture_change", "gross_movement"):
        got = moves(
            *(lm(20.0 * k) for k in range(4)),
            lm(80, 3.0, kind),
            *(lm(100 + 20.0 * k) for k in range(3)),
        )
        assert got.series.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
        assert got.movements.clm.tolist() == [True] * 4 + [False] + [True] * 3


def test_legs_that_move_together_are_one_movement_with_two_rows():
    rows = [lm(20.0 * k + d, leg=leg) for k in range(4) for d, leg in ((0, "left"), (0.3, "right"))]
    got = moves(*rows)
    assert len(got.movements) == 4
    assert got.of_event.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert got.series.tolist() == [1] * 4


def test_rows_of_other_trains_are_no_leg_movements():
    table = events(*(lm(20.0 * k) for k in range(5)))
    taken = np.array([False, False, True, False, False])
    got = find_leg_movements(table, "wasm2016", taken)
    assert got.of_event.tolist() == [0, 1, -1, 2, 3]


def test_too_short_is_no_movement_and_aasm_drops_what_is_too_long():
    got = moves(lm(0, 0.499), lm(20, 0.5))
    assert got.of_event.tolist() == [-1, 0]
    assert moves(lm(0, 11.0), rules="aasm").of_event.tolist() == [-1]
    assert moves(lm(0, 11.0)).movements.clm.tolist() == [False]


def test_an_empty_table_has_nothing():
    empty = events()
    assert find_trains(empty, NOTHING, no_movement_bursts(0), RULE) == []
    assert len(find_leg_movements(empty, "wasm2016", np.zeros(0, bool)).movements) == 0
    assert find_jerk_clusters(empty, RULE, np.zeros(0, bool)) == []
    table, _, found = find_hiccups(empty, NOTHING, RULE)
    assert list(table) == [c.name for c in EVENT_COLUMNS]
    assert found == []
    rec = recording(EMG, seconds=10)
    assert measure_movement_bursts(rec, empty, SETTINGS).bursts.empty


# -- the pieces --------


def test_runs_break_at_long_steps_and_skip_echoes():
    times = np.array([0, 1, 1.2, 2, 3, 9, 10, 30])
    assert [r.tolist() for r in find_runs(times, 0.5, 2.0)] == [[0, 1, 3, 4], [5, 6]]
    assert find_runs(np.arange(0, 9, 0.3), 0.5, 2.0) == []  # every second one is no rhythm


def test_in_step_forgives_a_quarter_of_eight_intervals_and_more():
    even = np.arange(9.0)
    assert len(regular_members(even, 0.1)) == 9
    assert (
        len(regular_members(np.delete(even, 4), 0.1)) == 0
    )  # seven intervals: nothing is forgiven
    longer = np.arange(12.0)
    assert len(regular_members(np.delete(longer, 5), 0.1)) == 11
    assert len(regular_members(np.array([0.0, 1.0]), 0.5)) == 0
