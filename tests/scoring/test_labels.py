"""Labels of single events by kind and context, absorption, confidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    emg_seconds,
    events,
    hypnogram,
    recording,
    restless,
)
from twitchsense.model.event_table import LABELS, REJECT_REASONS, TRIAL_TYPES, make_table
from twitchsense.scoring.labels.label_confidence import STATE_FACTOR
from twitchsense.scoring.labels.label_events import (
    absorb_in_large_movements,
    label_detections,
    label_events,
)
from twitchsense.settings import ContextSettings, Settings
from twitchsense.sleep.context import add_context, find_context

#: Sleep by sustained inactivity, whose onset is exact on signals as plain as these.
SETTINGS = Settings(context=ContextSettings(estimate_by="inactivity"))
#: 20 min wake (drowsy from 15), N1/N2 to 60 min, REM to 90, unscored to 100, N3.
STAGES = hypnogram(("W", 20), ("N1", 5), ("N2", 35), ("R", 30), ("", 10), ("N3", 20))
WAKE, DROWSY, FALLING, NREM, REM, UNSCORED = 5, 17, 25, 40, 70, 95


def name(*rows, active_fraction: float = 0.0, stages=STAGES) -> pd.DataFrame:
    found = detections(events(*rows), emg1=emg_seconds(7200, active_fraction=active_fraction))
    context = find_context(recording(EMG, seconds=7200), found, SETTINGS, stages)
    return label_detections(found, context, SETTINGS).events


def one(kind: str, minute: float, **more) -> str:
    return name({"onset": minute * 60.0, "trial_type": kind, **more})["label"].item()


@pytest.mark.parametrize("minute", [WAKE, DROWSY, FALLING, NREM, REM, UNSCORED])
def test_rule_2_large_movements_and_leg_movements_keep_their_name_everywhere(minute):
    assert one("posture_change", minute) == "posture_change"
    assert one("gross_movement", minute) == "gross_movement"
    assert one("movement", minute) == "leg_movement"
    assert one("brief_contraction", minute) == "voluntary_or_unclassified"


@pytest.mark.parametrize(
    ("minute", "jerk", "twitch"),
    [
        (WAKE, "myoclonic_jerk_awake", "fasciculation_like"),
        (DROWSY, "sleep_start", "hypnagogic_twitch"),
        (FALLING, "sleep_start", "hypnagogic_twitch"),
        (NREM, "myoclonic_jerk_asleep", "fragmentary_myoclonus_like"),
        (REM, "myoclonic_jerk_asleep", "rem_twitch"),
        (UNSCORED, "myoclonic_jerk_like", "fasciculation_like"),
    ],
)
def test_rules_8_to_13_jerks_and_twitches_by_context(minute, jerk, twitch):
    assert one("jerk", minute, peak_g=0.5) == jerk
    assert one("twitch", minute) == twitch


def test_rule_11_sleep_of_unknown_stage_counts_as_nrem():
    acc = restless(acc_seconds(3600), 0, 600)
    table = events({"onset": 2000.0, "trial_type": "twitch"})
    found = detections(table, emg1=emg_seconds(3600), acc=acc)
    context = find_context(recording(EMG, ACC, seconds=3600), found, SETTINGS)
    got = label_detections(found, context, SETTINGS).events
    assert got["label"].tolist() == ["fragmentary_myoclonus_like"]
    assert got["stage"].tolist() == [""]


@pytest.mark.parametrize(
    ("ms", "label_"),
    [(49.999, "myoclonic_jerk_asleep"), (50, "sleep_start"), (300, "sleep_start"),
     (300.001, "myoclonic_jerk_asleep")],
)  # fmt: skip
def test_rule_8_a_sleep_start_lasts_50_to_300_ms(ms, label_):
    assert one("jerk", FALLING, peak_g=0.5, duration=ms / 1000) == label_


def test_rule_8_emg_limits_are_not_applied_to_jerks_without_emg():
    got = one("jerk", FALLING, peak_g=0.5, duration=0.7, amplitude_uv=float("nan"))
    assert got == "sleep_start"


def test_rule_8_at_most_two_jerks_of_a_leg_within_ten_seconds():
    def names(*offsets, leg=lambda k: ""):
        rows = [
            {"onset": 1500 + t, "trial_type": "jerk", "peak_g": 0.5, "leg": leg(k)}
            for k, t in enumerate(offsets)
        ]
        return [n == "sleep_start" for n in name(*rows)["label"]]

    assert names(0, 5) == [True, True]
    assert names(0, 5, 10) == [False, False, False]  # both ends included
    assert names(0, 5, 10.001) == [True, True, True]
    assert names(0, 4, 8, 19) == [False, False, False, True]
    # one start seen on both legs is no volley
    assert names(0, 0.02, 5, 5.02, leg=lambda k: "left" if k % 2 else "right") == [True] * 4


def test_rule_14_twitches_in_active_wake_are_voluntary_or_unclassified():
    twitch = {"onset": WAKE * 60.0, "trial_type": "twitch"}
    assert name(twitch, active_fraction=0.21)["label"].item() == "voluntary_or_unclassified"
    assert name(twitch, active_fraction=0.19)["label"].item() == "fasciculation_like"
    # the channel that saw it may be an accelerometer: then the EMG is asked all the same
    assert (
        name({**twitch, "channel": "acc"}, active_fraction=0.5)["label"].item()
        == "voluntary_or_unclassified"
    )
    # asleep, muscle activity does not make it voluntary
    asleep = {"onset": NREM * 60.0, "trial_type": "twitch"}
    assert name(asleep, active_fraction=0.5)["label"].item() == "fragmentary_myoclonus_like"


def test_rule_14_a_moving_leg_is_active_wake():
    acc = acc_seconds(3600)
    acc.level[300:600] = 0.05
    rows = [{"onset": t, "trial_type": "twitch"} for t in (100.0, 450.0)]
    found = detections(events(*rows), emg1=emg_seconds(3600), acc=acc)
    context = find_context(recording(EMG, ACC, seconds=3600), found, SETTINGS, hypnogram(("W", 60)))
    got = label_detections(found, context, SETTINGS).events["label"].tolist()
    assert got == ["fasciculation_like", "voluntary_or_unclassified"]


def test_rule_2_jerks_and_twitches_near_a_large_movement_are_absorbed():
    rows = [
        {"onset": t, "trial_type": kind, "peak_g": 0.5}
        for t, kind in [
            (98.999, "jerk"), (99.0, "twitch"), (105.0, "jerk"), (113.0, "jerk"),
            (113.001, "twitch"), (105.0, "movement"), (105.0, "brief_contraction"),
        ]
    ]  # fmt: skip
    gross = {"onset": 100.0, "duration": 12.0, "trial_type": "gross_movement"}
    table = events(gross, *rows, {**rows[2], "onset": 106.0, "leg": "left"})
    kept, rejected = absorb_in_large_movements(table, detections().rejected)
    assert rejected["onset"].tolist() == [99, 105, 113]
    assert set(rejected["reason"]) == {"absorbed"}
    assert list(rejected)[-1] == "reason"
    assert len(kept) + len(rejected) == len(table)
    assert kept["onset"].is_monotonic_increasing
    assert kept.index.tolist() == list(range(len(kept)))
    # a second round adds to what is there
    turn = {"onset": 98.5, "duration": 0.0, "trial_type": "posture_change"}
    again, more = absorb_in_large_movements(events(turn, rows[0]), rejected)
    assert again["trial_type"].tolist() == ["posture_change"]
    assert more["onset"].tolist() == [98.999, 99, 105, 113]
    assert set(REJECT_REASONS) >= set(more["reason"])


def test_brief_contractions_are_absorbed_by_posture_changes_only():
    rows = [{"onset": t, "trial_type": "brief_contraction"} for t in (98.9, 99.0, 113.0, 113.1)]
    for kind, left in (
        ("posture_change", [98.9, 113.1]),
        ("gross_movement", [98.9, 99, 113, 113.1]),
    ):
        large = {"onset": 100.0, "duration": 12.0, "trial_type": kind}
        kept, rejected = absorb_in_large_movements(events(large, *rows), detections().rejected)
        assert kept["onset"][kept["trial_type"] != kind].tolist() == left
        assert len(rejected) == 4 - len(left)


def test_without_large_movements_nothing_is_absorbed():
    table, rejected = events({"onset": 1.0, "trial_type": "jerk"}), detections().rejected
    assert absorb_in_large_movements(table, rejected) == (table, rejected)


def test_a_long_movement_absorbs_events_after_a_shorter_one_inside_it():
    table = events(
        {"onset": 0.0, "duration": 60.0, "trial_type": "gross_movement"},
        {"onset": 10.0, "duration": 1.0, "trial_type": "posture_change"},
        {"onset": 40.0, "trial_type": "twitch"},
    )
    assert len(absorb_in_large_movements(table, detections().rejected)[0]) == 2


def test_confidence_follows_the_certainty_of_the_context():
    rows = [
        {"onset": 60.0 * m, "trial_type": kind, "confidence": 0.5}
        for m in (WAKE, NREM, UNSCORED)
        for kind in ("twitch", "movement")
    ]
    got = name(*rows).groupby("trial_type")["confidence"].apply(list)
    assert got["twitch"] == [0.5, 0.5, 0.5 * STATE_FACTOR["unknown"]]
    assert got["movement"] == [0.5] * 3


def test_confidence_is_lower_within_the_range_of_an_estimated_onset():
    acc = restless(acc_seconds(7200), 0, 1200)
    rows = [{"onset": t, "trial_type": "twitch"} for t in (300.0, 1210.0, 2300.0, 6000.0)]
    found = detections(events(*rows), emg1=emg_seconds(7200), acc=acc)
    context = find_context(recording(EMG, ACC, seconds=7200), found, SETTINGS)
    got = label_detections(found, context, SETTINGS).events
    sure = STATE_FACTOR["accelerometer"]
    confidence = got["confidence"].tolist()
    assert confidence[0] == confidence[3] == sure
    assert confidence[1] < sure
    assert 0.5 * sure < confidence[2] < sure
    # what is said beside the label makes up for what it lacks
    alone, pair = got["alternatives"][3], got["alternatives"][2]
    assert alone == ""
    rest = sum(float(w.split(":")[1]) for w in pair.split("; "))
    assert confidence[2] / sure + rest == pytest.approx(1, abs=0.06)
    assert "hypnagogic_twitch:" in pair


def test_labels_are_in_the_glossary_and_other_columns_are_unchanged():
    rows = [
        {"onset": 60.0 * m, "trial_type": kind, "peak_g": 0.2}
        for m in range(0, 125, 5)
        for kind in TRIAL_TYPES
    ]
    found = detections(events(*rows), emg1=emg_seconds(7200))
    context = find_context(recording(EMG, seconds=7200), found, SETTINGS, STAGES)
    tagged = add_context(found.events, context)
    got, _ = label_events(tagged, context, SETTINGS, found.seconds)
    assert set(got["label"]) <= set(LABELS)
    assert len(set(got["label"])) >= 11
    theirs = ("label", "confidence", "series", "evidence", "alternatives")
    same = [c for c in tagged if c not in theirs]
    pd.testing.assert_frame_equal(got[same], tagged[same])
    assert (got["confidence"] <= tagged["confidence"]).all()


def test_no_events_give_an_empty_table():
    got = name()
    assert got.empty
    assert list(got) == list(make_table([]))


@pytest.mark.slow  # many random nights
@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(TRIAL_TYPES)),
    st.floats(0, 7199),
    st.floats(0, 7199),
    st.floats(0.005, 0.4),
)
def test_moving_an_event_across_sleep_onset_changes_label_but_not_kind(kind, here, there, d):
    row = {"trial_type": kind, "duration": d, "peak_g": 0.2}
    got = [name({**row, "onset": t}) for t in (here, there)]
    assert got[0]["trial_type"].item() == got[1]["trial_type"].item() == kind
    if got[0]["context"].item() == got[1]["context"].item():
        stages = {got[k]["stage"].item() for k in (0, 1)}
        if "R" not in stages:
            assert got[0]["label"].item() == got[1]["label"].item()


def test_the_sum_of_events_and_rejected_never_changes():
    rng = np.random.default_rng(3)
    rows = [
        {"onset": float(t), "trial_type": str(k), "peak_g": 0.3}
        for t, k in zip(rng.uniform(0, 7200, 400), rng.choice(list(TRIAL_TYPES), 400), strict=True)
    ]
    found = detections(events(*rows), emg1=emg_seconds(7200))
    context = find_context(recording(EMG, seconds=7200), found, SETTINGS, STAGES)
    got = label_detections(found, context, SETTINGS)
    assert len(got.events) + len(got.rejected) == 400
    assert (got.rejected["context"] != "").all()
