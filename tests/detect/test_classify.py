"""Feature tables of candidates, and the decisions of the classifiers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import S, candidate, night_context, night_rules, per_second
from twitchsense.detect.features.local import LocalFeatures
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.models.boosted_trees import BoostedTrees
from twitchsense.detect.rules import classify
from twitchsense.detect.rules.burst_grouping import CONTRACTION_FEATURES
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.ecg_rejection import EcgBeats
from twitchsense.detect.rules.feature_tables import (
    BURST_FEATURES,
    MOVEMENT_FEATURES,
    NightContext,
    burst_features,
    movement_features,
)
from twitchsense.detect.rules.sequence_rules import (
    NightInputs,
    classify_bursts,
    classify_movements,
    reject_trains,
)
from twitchsense.model.candidates import SHORT_KINDS, event_tables
from twitchsense.settings import Settings

NEAR = LocalFeatures(7, 2, 11, 3, 0.6, 0.3, 0.05, 0.2)


def burst(at_s=100.0, **changes):
    """Return a candidate that the burst model classifies."""
    found = candidate(at_s, length_s=changes.pop("length_s", 0.047))
    features = np.arange(len(WAVEFORM_FEATURES), dtype=np.float32) / 8
    features[-1] = np.log(1000)
    own = {"peak_ns": found.onset_ns + 1, "features": features, "snr_db": 21.0, "peak_g": 0.05}
    return replace(found, **(own | changes))


def contraction(at_s=100.0, **changes):
    """Return a candidate that the movement model classifies."""
    features = np.arange(len(CONTRACTION_FEATURES), dtype=np.float32) / 8
    features[-1] = np.log(1000)
    own = {"kind": "movement", "features": features, "length_s": 2.0}
    return burst(at_s, **(own | changes))


def inputs(context=None, classifier=None):
    return NightInputs(context or night_context(), Settings(), classifier or Classifier())


# -- features ----------------------------------------------------------------------------


def described(candidates, context=None, row=0):
    """Return the features of one candidate by name."""
    rows = [i for i, c in enumerate(candidates) if c.kind in SHORT_KINDS]
    table = burst_features(candidates, rows, context or night_context())
    assert table.shape == (len(rows), len(BURST_FEATURES))
    return dict(zip(BURST_FEATURES, table[row].tolist(), strict=True))


def test_features_of_a_burst_are_in_their_columns():
    own = burst()
    beats = EcgBeats()
    beats.add(np.array([own.onset_ns - 1]), np.array([own.amplitude_uv / 3]))
    row = described([own], night_context(beats={"emg1": beats}, near=NEAR))
    waveform = {name: row.pop(name) for name in WAVEFORM_FEATURES}
    assert list(waveform.values()) == own.features.tolist()
    assert row == pytest.approx(
        {
            "n_repeats": 7, "n_repeats_near": 2, "n_large_windows": 11, "n_large_windows_near": 3,
            "interval_cv": 0.6, "rhythmicity": 0.3, "rel_p75": 0.2, "log_p75_over_p10": np.log(4),
            "n_bursts": 1, "n_bursts_near": 1, "log_ecg_residual_ratio": np.log(3),
            "log_peak_g": np.log(0.05), "log_duration_3ms": np.log(0.05), "snr_db_clipped": 21.0,
        }
    )  # fmt: skip


def test_features_of_a_movement_are_in_their_columns():
    own = contraction(peak_g=0.2)
    table = movement_features([own], [0], night_context(near=NEAR))
    row = dict(zip(MOVEMENT_FEATURES, table[0].tolist(), strict=True))
    assert [row.pop(name) for name in CONTRACTION_FEATURES] == own.features.tolist()
    expected = {
        "n_repeats": 7,
        "rel_p75": 0.2,
        "log_duration": np.log(2),
        "snr_db_clipped": 21,
        "log_peak_g": np.log(0.2),
    }
    assert row == pytest.approx(expected)


def test_a_burst_without_neighbours_has_no_repeats_and_the_background_of_noise():
    row = described([burst()])
    assert (row["n_repeats"], row["n_large_windows"], row["rel_p75"]) == (0, 0, 0)
    assert np.isnan(row["log_ecg_residual_ratio"])  # no removed beat there
    assert row["log_p75_over_p10"] == pytest.approx(np.log(1.4))


def test_local_features_are_those_of_the_burst_of_that_number_on_that_channel():
    context = NightContext(local={"emg1": {3: NEAR}})
    assert context.local_features(burst(burst_number=3)) is NEAR
    for other in (burst(burst_number=4), burst(channel="emg2", burst_number=3)):
        with pytest.raises(KeyError):
            context.local_features(other)


def test_bursts_within_two_and_a_half_seconds_on_the_channel_are_counted():
    near = [burst(100 + d) for d in (-2.4, -0.5, 0.5, 0.7, 2.4)]
    far = [burst(97.4), burst(102.6)]
    foreign = [
        burst(100.2, channel="emg2"),
        burst(100.3, reason="ecg"),
        burst(100.4, waveform=None),
    ]
    found = [burst(), *near, *far, *foreign]
    row = described(found)
    assert row["n_bursts"] == 1 + len(near)
    assert row["n_bursts_near"] == 1 + 2
    # rejected candidates are counted too
    assert described([*found, burst(100.1, reason="too_small")])["n_bursts_near"] == 4


def test_bursts_less_than_half_as_large_are_not_counted():
    found = [burst(), *(burst(100 + d, amplitude_uv=a) for d, a in ((0.3, 49), (1.0, 51)))]
    row = described(found)
    assert (row["n_bursts"], row["n_bursts_near"]) == (2, 1)
    # compared with the small one, all are large
    assert described(found, row=1)["n_bursts"] == 3


def test_acceleration_is_unknown_without_an_accelerometer_and_noise_below_3_mg():
    assert np.isnan(described([burst(peak_g=np.nan)])["log_peak_g"])
    assert described([burst(peak_g=0.0)])["log_peak_g"] == pytest.approx(np.log(0.003))


# -- which candidates are classified -----------------------------------------------------


class Recorder(Classifier):
    """Records which candidates it classifies, and accepts all."""

    def __init__(self):
        self.classified = {}

    def movements(self, candidates, rows, context):
        self.classified["movements"] = list(rows)
        return np.ones(len(rows)), [""] * len(rows)

    def bursts(self, candidates, rows, context):
        self.classified["bursts"] = list(rows)
        return np.ones(len(rows)), [""] * len(rows)


def test_only_undecided_candidates_with_features_are_classified():
    found = [
        burst(), burst(kind="brief_contraction"), burst(kind="jerk"), contraction(),
        contraction(kind="gross_movement"), contraction(kind="posture_change"),
        burst(reason="too_small"), burst(reason="electrode_pop"), burst(reason="ecg"),
        burst(features=None), contraction(reason="mains"), contraction(reason="electrode_pop"),
        contraction(reason="weak_contraction"), contraction(features=None),
    ]  # fmt: skip
    recorder = Recorder()
    classify_bursts(found, inputs(classifier=recorder))
    classify_movements(found, inputs(classifier=recorder))
    assert recorder.classified == {"bursts": [0, 1, 7], "movements": [3, 4, 11]}


def test_nothing_to_classify():
    context = night_context()
    assert burst_features([], [], context).shape == (0, len(BURST_FEATURES))
    assert movement_features([], [], context).shape == (0, len(MOVEMENT_FEATURES))
    found = [burst(kind="jerk")]
    assert classify_bursts(found, inputs()) == found
    assert classify_movements(found, inputs()) == found


# -- decisions -----------------------------------------------------------------------------


def model(names, bias, **weights):
    """Return a model in which a feature over one half, or unknown, lowers the log-odds."""
    tested = list(weights.items()) or [(names[0], 0.0)]
    n = len(tested)
    feature, threshold, log_odds = np.full(3 * n, -1), np.zeros(3 * n), np.zeros(3 * n)
    feature[::3] = [names.index(name) for name, _ in tested]
    threshold[::3] = 0.5
    log_odds[2::3] = [-weight for _, weight in tested]
    log_odds[:3] += bias
    left = np.arange(3 * n) + 1
    missing_left = np.zeros(3 * n, bool)
    roots = np.arange(n) * 3
    return BoostedTrees(
        tuple(names), feature, threshold, missing_left, left, left + 1, log_odds, roots
    )


def use_models(monkeypatch, **models):
    """Let the classifier use other models, and no second stage."""
    monkeypatch.setattr(classify, "load_model", lambda name, _: models[name.removesuffix("_slow")])
    monkeypatch.setattr(Classifier, "recurring", lambda _self, _candidates, first: first)


def classified(monkeypatch, found, bias, **weights):
    use_models(monkeypatch, burst=model(BURST_FEATURES, bias, **weights))
    return classify_bursts([found], inputs(night_context(near=NEAR)))[0]


@pytest.mark.parametrize(("log_odds", "kept"), [(0.01, True), (-0.01, False)])
def test_candidate_below_the_decision_threshold_is_rejected(monkeypatch, log_odds, kept):
    after = classified(monkeypatch, burst(grade="mild"), log_odds)
    assert (after.reason == "") is kept
    if kept:
        assert after.confidence == pytest.approx(1 / (1 + np.exp(-log_odds)))
        assert after.grade == "mild"
    else:
        assert np.isnan(after.confidence)
        assert after.grade == ""


def test_confidence_is_the_probability(monkeypatch):
    after = classified(monkeypatch, burst(), 4.0, n_repeats=1.5, log_width=0.0)
    assert after.confidence == pytest.approx(1 / (1 + np.exp(-2.5)))


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (-1, 0.7, ""), (1, 0.7, ""), (-1, 0.3, "rhythmic_train"), (1, 0.3, "electrode_pop"),
        # in doubt, a waveform that returns stands
        (-1, 0.36, ""), (-0.4, 0.36, "rhythmic_train"), (1, 0.45, "electrode_pop"),
    ],
)  # fmt: skip
def test_the_second_stage_decides(monkeypatch, first, second, reason):
    use_models(monkeypatch, burst=model(BURST_FEATURES, first + 1.0, n_repeats=1.0))
    monkeypatch.setattr(Classifier, "recurring", lambda _self, c, _p: np.full(len(c), second))
    (after,) = classify_bursts([burst()], inputs(night_context(near=NEAR)))
    assert after.reason == reason
    assert after.confidence == pytest.approx(np.nan if reason else second, nan_ok=True)


def test_classifier_may_overrule_an_electrode_artefact(monkeypatch):
    after = classified(monkeypatch, burst(reason="electrode_pop", confidence=np.nan), 2.0)
    assert (after.reason, after.confidence) == ("", pytest.approx(1 / (1 + np.exp(-2))))


@pytest.mark.parametrize("reason", ["too_small", "too_short", "saturation", "mains", "noise_floor"])
@pytest.mark.parametrize("bias", [-9.0, 9.0])
def test_other_reasons_are_final(monkeypatch, reason, bias):
    own = burst(reason=reason)
    assert classified(monkeypatch, own, bias) is own


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"n_repeats": 2, "peak_after": 1}, "rhythmic_train"),
        ({"n_repeats": 1, "peak_after": 2}, "electrode_pop"),
        # groups are added up: two small ones outweigh a larger one
        ({"n_repeats": 2, "peak_after": 1.5, "peak_before": 1.5}, "electrode_pop"),
        ({"log_ecg_residual_ratio": 3, "n_repeats": 2}, "ecg"),
        ({}, "rhythmic_train"),  # the first group, as all weights are equal
    ],
)
def test_the_reason_is_the_group_that_weighs_most_against_it(monkeypatch, weights, reason):
    features = np.ones(len(WAVEFORM_FEATURES), np.float32)
    assert classified(monkeypatch, burst(features=features), -1.0, **weights).reason == reason


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        ("active_share", "rhythmic_train"),
        ("mean_log_kurtosis", "electrode_pop"),
        ("log_duration", "weak_contraction"),
    ],
)
def test_reasons_of_movements(monkeypatch, feature, reason):
    use_models(monkeypatch, movement=model(MOVEMENT_FEATURES, -0.1, **{feature: 2}))
    own = contraction(features=np.ones(len(CONTRACTION_FEATURES), np.float32), length_s=3.0)
    assert classify_movements([own], inputs())[0].reason == reason


@pytest.mark.parametrize(
    ("kind", "moving", "confidence"),
    [
        ("gross_movement", 0.51, 0.51), ("gross_movement", 0.49, None),
        ("gross_movement", 0.0, None), ("movement", 0.9, 0.9), ("movement", 0.49, None),
    ],
)  # fmt: skip
def test_movement_is_as_likely_as_the_fraction_of_time_in_motion(
    monkeypatch, kind, moving, confidence
):
    use_models(monkeypatch, movement=model(MOVEMENT_FEATURES, -2.0))
    own = contraction(kind=kind, length_s=20.0)
    fraction = np.zeros(400, np.float32)
    fraction[100:120] = moving  # before and after it the leg is still
    leg = replace(per_second(kind="acc"), active_fraction=fraction)
    context = night_context({"emg1": per_second(1.0), "acc": leg})
    after = classify_movements([own], inputs(context))[0]
    assert after.reason == ("" if confidence else "rhythmic_train")
    if confidence:
        assert after.confidence == pytest.approx(confidence)


# -- parts of a rejected contraction ---------------------------------------------------


def parts():
    return (burst(100.0), burst(100.8, kind="brief_contraction"))


def kinds_after_the_night(monkeypatch, whole, bias):
    use_models(
        monkeypatch, movement=model(MOVEMENT_FEATURES, bias), burst=model(BURST_FEATURES, 3.0)
    )
    found = night_rules([whole], night_context({"emg1": per_second()}))
    events, rejected = event_tables(found)
    assert not set(events.trial_type) & set(rejected.trial_type)
    return list(events.trial_type), list(rejected.trial_type)


def test_the_parts_of_a_movement_are_no_events(monkeypatch):
    whole = contraction(parts=parts())
    assert kinds_after_the_night(monkeypatch, whole, 3.0) == (["movement"], [])


def test_the_parts_of_a_rejected_movement_are_classified_on_their_own(monkeypatch):
    whole = contraction(parts=parts())
    expected = ["twitch", "brief_contraction"], ["movement"]
    assert kinds_after_the_night(monkeypatch, whole, -3.0) == expected


def test_the_parts_are_classified_too_where_a_rule_rejected_the_whole(monkeypatch):
    whole = contraction(parts=parts(), reason="sustained_activity", kind="gross_movement")
    expected = ["twitch", "brief_contraction"], ["gross_movement"]
    assert kinds_after_the_night(monkeypatch, whole, 3.0) == expected


def test_a_rejected_movement_without_parts_leaves_nothing(monkeypatch):
    assert kinds_after_the_night(monkeypatch, contraction(), -3.0) == ([], ["movement"])


def test_heart_beat_is_not_classified(monkeypatch):
    use_models(
        monkeypatch, movement=model(MOVEMENT_FEATURES, 9.0), burst=model(BURST_FEATURES, 9.0)
    )
    found = [burst(20 + 0.9 * k) for k in range(20)]
    after = night_rules(found, night_context({"emg1": per_second()}))
    assert {c.reason for c in after} == {"ecg"}
    assert {c.onset_ns // S for c in after} == {int(20 + 0.9 * k) for k in range(20)}


# -- a jerk of a train -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_repeats", "background", "interval_cv", "reason"),
    [
        (4, 0.5, 0.1, ""),
        (5, 0.5, 1.0, "rhythmic_train"),
        (5, 0.0, 0.1, "rhythmic_train"),
        (8, 0.1, 1.0, ""),  # beside a contraction: repeats at irregular times, with rest between
    ],
)
def test_jerk_is_rejected_as_part_of_a_train_that_is_regular_or_fills_the_time(
    n_repeats, background, interval_cv, reason
):
    own = burst(kind="jerk", grade="mild", confidence=0.9)
    near = replace(NEAR, n_repeats=n_repeats, rel_p75=background, interval_cv=interval_cv)
    context = inputs(night_context(near=near))
    (after,) = reject_trains([own], context)
    assert after.reason == reason
    assert (after.grade == "mild") is (reason == "")
    assert reject_trains([replace(own, kind="twitch")], context)[0].reason == ""
