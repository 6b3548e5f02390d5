"""Explanations of events: rules and alternatives."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from twitchsense.report.explanations import describe_alternatives, kind_rule


def event(**changes):
    row = {"trial_type": "jerk", "label": "sleep_start", "context": "sleep_onset", "onset": 100.0,
           "amplitude_uv": 500.0, "alternatives": ""}  # fmt: skip
    return pd.Series({**row, **changes})


def night(low=0.0, high=200.0):
    return SimpleNamespace(onset=SimpleNamespace(low_s=low, high_s=high))


def test_alternatives_of_the_table_are_given_with_their_probability():
    text = describe_alternatives(
        night(), event(alternatives="myoclonic_jerk_awake:0.30; tremor_like")
    )
    assert text == "it could also be “myoclonic-jerk-like, awake” (about 30%) or “tremor-like”"


def test_near_sleep_onset_the_labels_of_other_sleep_states_are_alternatives():
    text = describe_alternatives(night(), event())
    assert text.startswith("sleep may have begun earlier or later, so it could also be")
    assert describe_alternatives(night(low=900.0, high=999.0), event()) == ""


def test_jerk_seen_by_the_accelerometer_alone_may_be_a_knock():
    text = describe_alternatives(night(900.0, 999.0), event(amplitude_uv=float("nan")))
    assert "a knock on the bed" in text


def test_kind_of_a_plug_in_has_a_rule():
    from twitchsense.settings import Settings

    assert kind_rule("wobble", Settings()) == "the rule for wobble"
