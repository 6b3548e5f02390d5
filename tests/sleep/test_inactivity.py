"""Sustained inactivity (docs/definitions.md) and the sleep onset estimated from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tests.sleep.builders import acc_seconds, drop, events, jerks, restless
from twitchsense.model.channels import NS
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import ContextSettings
from twitchsense.sleep.inactivity import (
    ASLEEP,
    UNDECIDED,
    UNKNOWN,
    WAKE,
    EpochGrid,
    find_sustained_inactivity,
    majority_per_epoch,
    mask_events,
    measure_motion,
)
from twitchsense.sleep.onset import ACTIGRAPHY_BIAS_S, onset_from_motion

RULES = ContextSettings()
NOTHING = events()


def measure(*acc: PerSecond, table=NOTHING, seconds=3600):
    return measure_motion(acc, table, EpochGrid.over(0, seconds * NS), RULES)


def onset(*acc: PerSecond, table=NOTHING, seconds=3600):
    return onset_from_motion(measure(*acc, table=table, seconds=seconds), RULES)


def test_the_grid_starts_at_a_whole_30_s_and_covers_the_recording():
    grid = EpochGrid.over(47 * NS, 121 * NS)
    assert grid.epochs_s.tolist() == [30, 60, 90, 120]
    assert grid.bins_s[:3].tolist() == [30, 35, 40]
    assert EpochGrid.over(-5 * NS, 0).epochs_s.tolist() == [-30]
    assert EpochGrid.over(0, 0).n == 0


def test_sleep_begins_with_the_first_five_minutes_without_turning():
    found = onset(restless(acc_seconds(3600), 0, 1200))
    assert found.time_s == pytest.approx(1200, abs=5)
    assert found.source == "accelerometer"
    assert 1170 <= found.low_s <= found.time_s


def test_four_minutes_of_stillness_are_not_sleep():
    acc = restless(restless(acc_seconds(3600), 0, 600), 840, 3600)
    found = onset(acc)
    assert (found.time_s, found.low_s, found.high_s, found.source) == (None, None, None, "none")
    assert (find_sustained_inactivity(measure(acc), RULES)[:700] == WAKE).all()


def test_the_range_reaches_twenty_minutes_later_but_not_past_the_recording():
    found = onset(restless(acc_seconds(3600), 0, 600))
    assert found.high_s == pytest.approx(found.time_s + ACTIGRAPHY_BIAS_S, abs=10)
    found = onset(restless(acc_seconds(3600), 0, 3000))
    assert found.high_s == 3600


def test_disagreement_of_the_methods_widens_the_range():
    # still for 7 min, up again, then asleep: 5 and 10 min of stillness disagree
    acc = restless(restless(acc_seconds(7200), 0, 600), 1020, 1500)
    found = onset(acc, seconds=7200)
    assert found.time_s == pytest.approx(600, abs=10)
    assert found.high_s == pytest.approx(1500 + ACTIGRAPHY_BIAS_S, abs=10)
    # turning without activity (a slow roll): the activity alone calls it sleep earlier
    acc = restless(acc_seconds(7200), 0, 1200, g=0.002)
    found = onset(acc, seconds=7200)
    assert found.low_s == 0
    assert found.time_s == pytest.approx(1200, abs=5)
    # never still for 10 min: that variant has no answer, and the range is open
    acc = restless(acc_seconds(3600), 0, 600)
    for t in range(1000, 3600, 400):
        restless(acc, t, t + 20)
    assert onset(acc).high_s == 3600


def test_activity_without_turning_is_not_sleep():
    acc = acc_seconds(3600)
    acc.level[:1800] = 0.02
    assert onset(acc).time_s == 1800


@pytest.mark.parametrize("spin", range(4))
def test_sleep_onset_does_not_depend_on_the_orientation_of_the_sensor(spin):
    acc = restless(acc_seconds(3600), 0, 1200)
    turned = Rotation.random(rng=spin).apply(acc.mean_vector).astype(np.float32)
    assert onset(replace(acc, mean_vector=turned)) == onset(acc)


def test_turning_is_measured_with_one_and_two_axes():
    acc = restless(acc_seconds(3600), 0, 1200, g=0.002)
    for axes in ([0], [0, 2]):
        found = onset(replace(acc, mean_vector=acc.mean_vector[:, axes]))
        assert found.time_s == pytest.approx(1200, abs=5)


def test_a_channel_of_zeros_has_no_orientation():
    acc = acc_seconds(600)
    still = measure(replace(acc, mean_vector=0 * acc.mean_vector), seconds=600)
    assert np.isnan(still.angle_change_deg).all()


def test_the_more_active_leg_decides_and_one_leg_fills_gaps_of_the_other():
    calm, busy = acc_seconds(3600), restless(acc_seconds(3600), 0, 1200)
    assert onset(calm, busy) == onset(busy, calm)
    assert onset(calm, busy).time_s == pytest.approx(1200, abs=5)
    assert onset(drop(calm, 600, 2400), acc_seconds(3600)).time_s == 0


def test_jerks_every_40_s_do_not_delay_sleep_onset():
    """A jerk train masked out of sleep scoring does not shift onset by more than 1 min."""
    quiet = restless(acc_seconds(5400), 0, 1500)
    calm = onset(quiet, seconds=5400)
    times = np.arange(1000.3, 1800, 40)
    shaken = restless(acc_seconds(5400), 0, 1500)
    for t in times.astype(int):
        shaken.level[t : t + 2] = 0.25
        shaken.mean_vector[t : t + 2] += [0.15, -0.1, 0.0]
    masked = onset(shaken, table=jerks(times), seconds=5400)
    blind = onset(shaken, seconds=5400)
    assert abs(masked.time_s - calm.time_s) <= 60
    assert abs(masked.time_s - 1500) <= 60
    assert blind.time_s > 1740  # and without the mask they would


def test_leg_movements_are_masked_but_large_movements_are_evidence_of_wake():
    def night(kind: str):
        acc = restless(acc_seconds(3600), 0, 600)
        rows = []
        for t in range(600, 1800, 60):
            acc.level[t : t + 4] = 0.3
            rows.append({"onset": float(t), "duration": 4.0, "trial_type": kind, "peak_g": 0.5})
        return onset(acc, table=events(*rows)).time_s

    assert night("movement") == pytest.approx(600, abs=10)
    assert night("brief_contraction") == pytest.approx(600, abs=10)
    assert night("gross_movement") >= 1740
    assert night("posture_change") >= 1740


def test_a_jerk_inside_a_gross_movement_is_not_masked():
    acc = acc_seconds(60)
    gross = {"onset": 20.0, "duration": 5.0, "trial_type": "gross_movement", "peak_g": 0.5}
    jerk = {"onset": 22.0, "trial_type": "jerk", "peak_g": 0.5}
    assert not mask_events(acc, events(gross, jerk), RULES)[20:25].any()


def test_the_mask_covers_the_seconds_of_an_event_and_one_more_on_each_side():
    acc = acc_seconds(20)
    hit = mask_events(acc, jerks([10.5]), RULES)  # 9.5 to 11.6 s
    assert np.flatnonzero(hit).tolist() == [9, 10, 11]
    gap = drop(acc, 8, 13)
    assert not mask_events(gap, jerks([10.5]), RULES).any()
    assert mask_events(acc_seconds(0), jerks([10.5]), RULES).tolist() == []


def test_a_twitch_below_the_activity_limit_is_not_masked():
    acc = acc_seconds(20)
    twitch = {"onset": 10.5, "trial_type": "twitch"}
    assert not mask_events(acc, events({**twitch, "peak_g": 0.003}, twitch), RULES).any()
    assert mask_events(acc, events({**twitch, "peak_g": 0.03}), RULES).any()


def test_a_movement_into_another_position_is_seen_despite_its_mask():
    acc = acc_seconds(1200)
    acc.mean_vector[600:] = [0, 1, 0]
    kick = {"onset": 595.0, "duration": 8.0, "trial_type": "movement", "peak_g": 0.4}
    turn = measure(acc, table=events(kick), seconds=1200).angle_change_deg
    assert np.nanmax(turn) > 60
    assert np.flatnonzero(turn > 5).tolist() == [121]


def test_a_gap_never_counts_as_inactivity():
    acc = drop(restless(acc_seconds(3600), 0, 600), 700, 2700)
    state = find_sustained_inactivity(measure(acc), RULES)
    assert (state[141:539] == UNKNOWN).all()
    # 100 s of stillness cut off by the gap prove nothing
    assert (state[121:139] == UNDECIDED).all()
    found = onset(acc)
    assert found.time_s == 2700
    assert found.low_s == 700  # may have begun anywhere in the gap


def test_invalid_seconds_are_a_gap_and_vectors_are_not_compared_across_it():
    acc = acc_seconds(1200)
    acc.valid[300:400] = False
    acc.mean_vector[400:] = [0, 1, 0]
    still = measure(acc, seconds=1200)
    assert (find_sustained_inactivity(still, RULES)[60:80] == UNKNOWN).all()
    assert np.nanmax(still.angle_change_deg) < 1


def test_single_lost_seconds_do_not_end_sleep():
    acc = restless(acc_seconds(3600), 0, 600)
    acc.valid[605::30] = False
    assert onset(acc).time_s == pytest.approx(600, abs=10)


def test_inactivity_that_is_fully_masked_is_undecided():
    times = np.arange(0.0, 1200, 1.0)
    state = find_sustained_inactivity(
        measure(acc_seconds(1200), table=jerks(times), seconds=1200), RULES
    )
    assert (state == UNDECIDED).all()


def test_inactivity_cut_off_by_the_end_of_the_recording_is_undecided():
    acc = restless(acc_seconds(1200), 120, 1080)
    state = find_sustained_inactivity(measure(acc, seconds=1200), RULES)
    assert (state[:24] == WAKE).all()
    assert (state[-20:] == UNDECIDED).all()


def test_no_accelerometer_means_unknown():
    still = measure(seconds=600)
    assert (find_sustained_inactivity(still, RULES) == UNKNOWN).all()
    assert np.isnan(still.activity).all()
    assert onset_from_motion(still, RULES).source == "none"


def test_activity_is_the_mean_of_the_epoch_without_masked_seconds():
    acc = acc_seconds(60)
    acc.level[10] = 0.302
    assert measure(acc, seconds=60).activity == pytest.approx([0.012, 0.002])
    assert measure(acc, table=jerks([10.5]), seconds=60).activity == pytest.approx([0.002, 0.002])


def test_the_majority_of_bins_decides_for_an_epoch_and_sleep_wins_a_tie():
    bins = np.array([ASLEEP] * 3 + [WAKE] * 3 + [WAKE] * 4 + [UNKNOWN] * 2 + [UNKNOWN] * 6, np.int8)
    assert majority_per_epoch(bins).tolist() == [ASLEEP, WAKE, UNKNOWN]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40), st.integers(-50, 50))
def test_sleep_onset_shifts_with_the_recording(quiet_after, shift):
    acc = restless(acc_seconds(2400), 0, 20 * quiet_after)
    moved = replace(acc, time_ns=acc.time_ns + shift * 30 * NS)
    here = onset(acc, seconds=2400)
    grid = EpochGrid.over(shift * 30 * NS, (shift * 30 + 2400) * NS)
    there = onset_from_motion(measure_motion([moved], NOTHING, grid, RULES), RULES)
    for name in ("time_s", "low_s", "high_s"):
        assert getattr(there, name) == pytest.approx(getattr(here, name) + shift * 30)
