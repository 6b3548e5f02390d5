"""Rates per valid hour: denominators by sensor, context, stage and leg."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scoring.builders import (
    SETTINGS,
    two_hour_night,
)
from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    emg_seconds,
    events,
    recording,
)
from twitchsense.errors import InputError
from twitchsense.model.channels import Channel
from twitchsense.model.event_table import make_table
from twitchsense.model.recording import Recording
from twitchsense.scoring.indices.confidence_intervals import binomial_interval
from twitchsense.scoring.indices.rates import rate, summary_table
from twitchsense.scoring.indices.valid_hours import measure_valid_hours
from twitchsense.sleep.context import find_context


def test_no_signal_is_not_zero_events():
    assert np.isnan(rate(0, 0.0)).all()
    assert np.isnan(rate(3, float("nan"))).all()
    assert np.isnan(binomial_interval(0, 0)).all()
    assert rate(0, 2.0) == (0.0, 0.0, pytest.approx(3.6889 / 2, abs=1e-4))
    assert rate(10, 4.0)[0] == 2.5


def test_the_denominator_is_valid_time_in_that_context():
    rec, found, context = two_hour_night()
    hours = measure_valid_hours(rec.channels, found.seconds, context)
    assert hours.total("emg") == pytest.approx(6600 / 3600)
    assert hours.total("acc") == pytest.approx(5400 / 3600)
    assert hours.total("emg", context="wake") == pytest.approx(600 / 3600)
    assert hours.total("emg", context="drowsy") == pytest.approx(0)
    assert hours.total("acc", context="drowsy") == pytest.approx(300 / 3600)
    assert hours.total("emg", context="asleep", stage="R") == pytest.approx(1)
    assert hours.total("acc", stage="R") == pytest.approx(0.5)
    table = summary_table(found.events, hours).set_index(["label", "context"])
    row = table.loc[("fasciculation_like", "wake")]
    assert (row["count"], row["hours"]) == (2, pytest.approx(1 / 6))
    assert row["rate_per_h"] == pytest.approx(12)
    assert (row["low"], row["high"]) == (
        pytest.approx(0.2422 * 6, abs=0.01),
        pytest.approx(43.35, abs=0.01),
    )
    # no event, but time in which there might have been one
    assert table.loc[("fasciculation_like", "asleep"), "count"] == 0
    assert table.loc[("fasciculation_like", "asleep"), "rate_per_h"] == 0
    # jerks and large movements go by the accelerometer's time
    assert table.loc[("sleep_start", "sleep_onset"), "hours"] == pytest.approx(1 / 6)
    assert table.loc[("gross_movement", "asleep"), "hours"] == pytest.approx(3600 / 3600)
    assert table["count"].sum() == len(found.events)


def test_groups_of_all_kinds_of_columns():
    rec, found, context = two_hour_night()
    hours = measure_valid_hours(rec.channels, found.seconds, context)
    kinds = summary_table(found.events, hours, ["trial_type"]).set_index("trial_type")
    assert kinds.loc["twitch", "count"] == 3
    assert kinds.loc["twitch", "hours"] == pytest.approx(6600 / 3600)
    assert kinds.loc["jerk", "hours"] == pytest.approx(1.5)
    contexts = summary_table(found.events, hours, ("context",)).set_index("context")
    assert contexts.loc["asleep", "count"] == 3
    whole = summary_table(found.events, hours, ())
    assert whole["count"].tolist() == [6]
    stages = summary_table(found.events, hours, ("stage", "context"))
    assert set(stages["stage"]) == {"W", "N2", "R"}
    with pytest.raises(InputError, match="can't group by 'onset'"):
        summary_table(found.events, hours, ("onset",))


def test_no_events_leave_contexts_with_zero_counts_and_labels_without_rows():
    rec, found, context = two_hour_night()
    hours = measure_valid_hours(rec.channels, found.seconds, context)
    empty = make_table([])
    assert summary_table(empty, hours).empty
    contexts = summary_table(empty, hours, ("context",))
    assert (contexts["count"] == 0).all()
    # the drowsy minutes have acceleration but no EMG: no rate, rather than a rate of zero
    assert contexts["context"][contexts["hours"] == 0].tolist() == ["drowsy"]
    assert (contexts["rate_per_h"].isna() == (contexts["hours"] == 0)).all()
    assert list(summary_table(empty, hours)) == [
        "label", "context", "count", "hours", "rate_per_h", "low", "high",
    ]  # fmt: skip


def test_each_leg_has_its_own_hours_and_both_count_once():
    left = Channel("emg_left", "emg", "uV", 1000.0, ("emg_left_uv",), leg="left")
    right = Channel("emg2", "emg", "uV", 1000.0, ("emg2_uv",))
    found = detections(
        events({"onset": 5.0, "trial_type": "twitch", "leg": "left"}),
        emg_left=emg_seconds(3600),
        emg2=emg_seconds(1800),
    )
    rec = recording(left, right, seconds=3600)
    context = find_context(rec, found, SETTINGS)
    hours = measure_valid_hours(rec.channels, found.seconds, context, {"emg2": "right"})
    assert hours.total("emg", leg="left") == 1
    assert hours.total("emg", leg="right") == 0.5
    assert hours.total("emg") == 1
    table = summary_table(found.events, hours, ("leg", "trial_type"))
    assert table["leg"].tolist() == ["left", "right"]
    assert table["count"].tolist() == [1, 0]
    assert table["hours"].tolist() == [1, 0.5]


def test_a_missing_sensor_is_replaced_by_the_hours_of_the_other():
    rec = recording(ACC, seconds=3600)
    found = detections(acc=acc_seconds(3600))
    context = find_context(rec, found, SETTINGS)
    assert measure_valid_hours(rec.channels, found.seconds, context).total("emg") == 1
    rec = recording(EMG, seconds=3600)
    found = detections(emg1=emg_seconds(3600))
    context = find_context(rec, found, SETTINGS)
    assert measure_valid_hours(rec.channels, found.seconds, context).total("acc") == 1
    nothing = Recording((), ())
    context = find_context(nothing, detections(), SETTINGS)
    assert measure_valid_hours((), {}, context).total("emg") == 0
