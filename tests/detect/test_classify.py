"""What the verdict is told, and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.test_sequence_rules import S, finding, table
from twitchsense.detect import classify
from twitchsense.detect.boosted_trees import Trees
from twitchsense.detect.burst_grouping import TEXTURE
from twitchsense.detect.burst_measures import LOOK
from twitchsense.detect.classify import (
    MOVEMENT_FEATURES,
    TWITCH_FEATURES,
    describe_movements,
    describe_twitches,
    judge_movements,
    judge_twitches,
    turn_down_trains,
)
from twitchsense.detect.ecg_rejection import Beats
from twitchsense.detect.local_features import Company
from twitchsense.detect.night_context import Surroundings
from twitchsense.detect.sequence_rules import vote
from twitchsense.dsp.ecg_canceller import Beat
from twitchsense.model.candidates import event_tables
from twitchsense.settings import Settings

NEAR = Company(7, 2, 11, 3, 0.3, 0.05, 0.2)
NOTHING = Surroundings()


def burst(at_s=100.0, **changes):
    """Return a finding that the verdict judges."""
    found = finding(at_s, length_s=changes.pop("length_s", 0.047))
    look = np.arange(len(LOOK), dtype=np.float32) / 8
    own = {"peak_ns": found.onset_ns + 1, "features": look, "snr_db": 21.0, "peak_g": 0.05}
    return replace(found, **(own | changes))


def contraction(at_s=100.0, **changes):
    texture = np.arange(len(TEXTURE), dtype=np.float32) / 8
    own = {"kind": "movement", "features": texture, "length_s": 2.0}
    return burst(at_s, **(own | changes))


def company_of(*found):
    return Surroundings(company={"emg1": {f.peak_ns: NEAR for f in found}})


# -- what it is told ---------------------------------------------------------------------


def told(found, around=NOTHING, which=0):
    members, rows = describe_twitches(found, around)
    assert rows.shape == (len(members), len(TWITCH_FEATURES))
    return dict(zip(TWITCH_FEATURES, rows[which].tolist(), strict=True))


def test_features_of_a_twitch_stand_in_their_columns():
    own = burst()
    beats = Beats()
    beats.add([(own.onset_ns - 1, Beat(0, 300.0, own.amplitude_uv / 3))])
    row = told([own], Surroundings(beats={"emg1": beats}, company=company_of(own).company))
    look = {name: row.pop(name) for name in LOOK}
    assert list(look.values()) == own.features.tolist()
    assert row == pytest.approx(
        {
            "again": 7, "soon": 2, "tall": 11, "tall_soon": 3, "rhythm": 0.3, "most": 0.2,
            "lift": np.log(4), "crowd": 1, "neighbours": 1, "log_over_beat": np.log(3),
            "log_knock": np.log(0.05), "log_length": np.log(0.05), "snr_db": 21.0,
        }
    )  # fmt: skip


def test_features_of_a_movement_stand_in_their_columns():
    own = contraction(peak_g=0.2)
    members, rows = describe_movements([own], company_of(own))
    row = dict(zip(MOVEMENT_FEATURES, rows[0].tolist(), strict=True))
    assert members == [0]
    assert [row.pop(name) for name in TEXTURE] == own.features.tolist()
    expected = {
        "again": 7,
        "most": 0.2,
        "log_length": np.log(2),
        "snr_db": 21,
        "log_g": np.log(0.2),
    }
    assert row == pytest.approx(expected)


def test_without_company_nothing_is_seen_again():
    row = told([burst()])
    assert (row["again"], row["tall"], row["most"]) == (0, 0, 0)
    assert np.isnan(row["log_over_beat"])  # no beat there
    assert row["lift"] == pytest.approx(np.log(1.4))  # as in noise


def test_company_is_looked_up_by_channel_and_peak():
    own, other = burst(), burst(channel="emg2")
    assert told([other], company_of(own))["again"] == 0
    assert told([replace(own, peak_ns=own.peak_ns + 1)], company_of(own))["again"] == 0


def test_the_crowd_are_bursts_within_two_and_a_half_seconds_on_the_channel():
    near = [burst(100 + d) for d in (-2.4, -0.5, 0.5, 0.7, 2.4)]
    far = [burst(97.4), burst(102.6)]
    foreign = [
        burst(100.2, channel="emg2"),
        burst(100.3, reason="ecg"),
        burst(100.4, waveform=None),
    ]
    found = [burst(), *near, *far, *foreign]
    row = told(found)
    assert row["crowd"] == 1 + len(near)
    assert row["neighbours"] == 1 + 2
    # rejected candidates crackle too
    assert told([*found, burst(100.1, reason="too_small")])["neighbours"] == 4


def test_what_is_less_than_half_as_large_is_no_crowd():
    found = [burst(), *(burst(100 + d, amplitude_uv=a) for d, a in ((0.3, 49), (1.0, 51)))]
    found = [replace(f, amplitude_uv=100.0) if f is found[0] else f for f in found]
    row = told(found)
    assert (row["crowd"], row["neighbours"]) == (2, 1)
    # seen from the small one everybody is large
    assert told(found, which=1)["crowd"] == 3


def test_acceleration_is_unknown_without_an_accelerometer_and_noise_below_3_mg():
    assert np.isnan(told([burst(peak_g=np.nan)])["log_knock"])
    assert told([burst(peak_g=0.0)])["log_knock"] == pytest.approx(np.log(0.003))


def test_who_is_judged():
    found = [
        burst(), burst(kind="brief_contraction"), burst(kind="jerk"), contraction(),
        contraction(kind="gross_movement"), contraction(kind="posture_change"),
        burst(reason="too_small"), burst(reason="electrode_pop"), burst(reason="ecg"),
        burst(features=None), contraction(reason="mains"), contraction(reason="electrode_pop"),
        contraction(reason="weak_contraction"), contraction(features=None),
    ]  # fmt: skip
    assert describe_twitches(found, NOTHING)[0] == [0, 1, 7]
    assert describe_movements(found, NOTHING)[0] == [3, 4, 11]


def test_nobody_to_judge():
    assert describe_twitches([], NOTHING)[1].shape == (0, len(TWITCH_FEATURES))
    assert describe_movements([], NOTHING)[1].shape == (0, len(MOVEMENT_FEATURES))
    found = [burst(kind="jerk")]
    assert judge_twitches(found, NOTHING) == found
    assert judge_movements(found, NOTHING) == found


# -- what it says ------------------------------------------------------------------------------


def model(names, bias, **weights):
    """Return a model in which a feature over one half, or unknown, adds its weight down."""
    asked = list(weights.items()) or [(names[0], 0.0)]
    n = len(asked)
    feature, most, odds = np.full(3 * n, -1), np.zeros(3 * n), np.zeros(3 * n)
    feature[::3] = [names.index(name) for name, _ in asked]
    most[::3] = 0.5
    odds[2::3] = [-weight for _, weight in asked]
    odds[:3] += bias
    low = np.arange(3 * n) + 1
    unknown_low = np.zeros(3 * n, bool)
    return Trees(tuple(names), feature, most, unknown_low, low, low + 1, odds, np.arange(n) * 3)


def learn(monkeypatch, **models):
    monkeypatch.setattr(classify, "learned", models.__getitem__)
    monkeypatch.setattr(classify, "look_again", lambda _, sure: sure)


def judge(monkeypatch, found, bias, near=NEAR, **weights):
    learn(monkeypatch, twitch=model(TWITCH_FEATURES, bias, **weights))
    around = Surroundings(company={"emg1": {found.peak_ns: near}})
    return judge_twitches([found], around)[0]


@pytest.mark.parametrize(("odds", "kept"), [(0.01, True), (-0.01, False)])
def test_what_is_more_likely_something_else_is_turned_down(monkeypatch, odds, kept):
    judged = judge(monkeypatch, burst(grade="mild"), odds)
    assert (judged.reason == "") is kept
    if kept:
        assert judged.confidence == pytest.approx(1 / (1 + np.exp(-odds)))
        assert judged.grade == "mild"
    else:
        assert np.isnan(judged.confidence)
        assert judged.grade == ""


def test_confidence_is_the_probability(monkeypatch):
    judged = judge(monkeypatch, burst(), 4.0, again=1.5, log_width=0.0)
    assert judged.confidence == pytest.approx(1 / (1 + np.exp(-2.5)))


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [(-1, 0.7, ""), (1, 0.7, ""), (-1, 0.3, "rhythmic_train"), (1, 0.3, "electrode_pop")],
)
def test_the_second_look_has_the_last_word(monkeypatch, first, second, reason):
    learn(monkeypatch, twitch=model(TWITCH_FEATURES, first + 1.0, again=1.0))
    monkeypatch.setattr(classify, "look_again", lambda found, _: np.full(len(found), second))
    own = burst()
    (judged,) = judge_twitches([own], company_of(own))
    assert judged.reason == reason
    assert judged.confidence == pytest.approx(np.nan if reason else second, nan_ok=True)


def test_a_pop_by_the_rules_may_be_a_twitch(monkeypatch):
    judged = judge(monkeypatch, burst(reason="electrode_pop", confidence=np.nan), 2.0)
    assert (judged.reason, judged.confidence) == ("", pytest.approx(1 / (1 + np.exp(-2))))


@pytest.mark.parametrize("reason", ["too_small", "too_short", "saturation", "mains", "noise_floor"])
@pytest.mark.parametrize("bias", [-9.0, 9.0])
def test_other_reasons_are_left_alone(monkeypatch, reason, bias):
    own = burst(reason=reason)
    assert judge(monkeypatch, own, bias) is own


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"again": 2, "after": 1}, "rhythmic_train"),
        ({"again": 1, "after": 2}, "electrode_pop"),
        # groups are added up: two small ones outweigh a larger one
        ({"again": 2, "after": 1.5, "before": 1.5}, "electrode_pop"),
        ({"log_over_beat": 3, "again": 2}, "ecg"),
        ({}, "rhythmic_train"),  # the first where all weigh alike
    ],
)
def test_the_reason_is_what_weighs_most_against_it(monkeypatch, weights, reason):
    look = np.ones(len(LOOK), np.float32)
    assert judge(monkeypatch, burst(features=look), -1.0, **weights).reason == reason


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        ("filled", "rhythmic_train"),
        ("contact", "electrode_pop"),
        ("log_length", "weak_contraction"),
    ],
)
def test_reasons_of_movements(monkeypatch, feature, reason):
    learn(monkeypatch, movement=model(MOVEMENT_FEATURES, -0.1, **{feature: 2}))
    own = contraction(features=np.ones(len(TEXTURE), np.float32), length_s=3.0)
    assert judge_movements([own], NOTHING)[0].reason == reason


@pytest.mark.parametrize(
    ("kind", "busy", "confidence"),
    [
        ("gross_movement", 0.51, 0.51), ("gross_movement", 0.49, None),
        ("gross_movement", 0.0, None), ("movement", 0.9, None),
    ],
)  # fmt: skip
def test_a_walk_is_a_movement_though_its_steps_look_alike(monkeypatch, kind, busy, confidence):
    learn(monkeypatch, movement=model(MOVEMENT_FEATURES, -2.0))
    own = contraction(kind=kind, length_s=20.0)
    share = np.zeros(400, np.float32)
    share[100:120] = busy  # while it lasts; before and after it the leg is still
    leg = replace(table(share), mean_vector=np.zeros((400, 3), np.float32), kind="acc")
    around = Surroundings({"emg1": table(1.0), "acc": leg})
    judged = judge_movements([own], around)[0]
    assert judged.reason == ("" if confidence else "rhythmic_train")
    if confidence:
        assert judged.confidence == pytest.approx(confidence)


# -- a contraction that is none ------------------------------------------------------------------


def parts():
    return (burst(100.0), burst(100.8, kind="brief_contraction"))


def voted(monkeypatch, whole, bias):
    learn(monkeypatch, movement=model(MOVEMENT_FEATURES, bias), twitch=model(TWITCH_FEATURES, 3.0))
    events, rejected = event_tables(vote([whole], Surroundings({"emg1": table()}), Settings()))
    assert not set(events.trial_type) & set(rejected.trial_type)
    return list(events.trial_type), list(rejected.trial_type)


def test_parts_of_a_movement_are_no_events(monkeypatch):
    whole = contraction(parts=parts())
    assert voted(monkeypatch, whole, 3.0) == (["movement"], [])


def test_parts_of_what_is_no_movement_stand_on_their_own_and_are_judged(monkeypatch):
    whole = contraction(parts=parts())
    assert voted(monkeypatch, whole, -3.0) == (["twitch", "brief_contraction"], ["movement"])


def test_parts_stand_too_where_the_rules_turned_the_whole_down(monkeypatch):
    whole = contraction(parts=parts(), reason="sustained_activity", kind="gross_movement")
    expected = ["twitch", "brief_contraction"], ["gross_movement"]
    assert voted(monkeypatch, whole, 3.0) == expected


def test_what_was_turned_down_without_parts_stays_alone(monkeypatch):
    assert voted(monkeypatch, contraction(), -3.0) == ([], ["movement"])


def test_a_beat_is_never_asked_whether_it_is_a_twitch(monkeypatch):
    models = {"movement": model(MOVEMENT_FEATURES, 9.0), "twitch": model(TWITCH_FEATURES, 9.0)}
    learn(monkeypatch, **models)
    found = [burst(20 + 0.9 * k) for k in range(20)]
    voted = vote(found, Surroundings({"emg1": table()}), Settings())
    assert {f.reason for f in voted} == {"ecg"}
    assert {f.onset_ns // S for f in voted} == {int(20 + 0.9 * k) for k in range(20)}


# -- a jerk of a train -----------------------------------------------------------------------


@pytest.mark.parametrize(("again", "reason"), [(4, ""), (5, "rhythmic_train")])
def test_a_knock_beside_a_unit_that_fires_all_the_time_is_no_jerk(again, reason):
    own = burst(kind="jerk", grade="mild", confidence=0.9)
    near = replace(NEAR, again=again)
    around = Surroundings(company={"emg1": {own.peak_ns: near}})
    (judged,) = turn_down_trains([own], around)
    assert judged.reason == reason
    assert (judged.grade == "mild") is (reason == "")
    assert turn_down_trains([replace(own, kind="twitch")], around)[0].reason == ""
