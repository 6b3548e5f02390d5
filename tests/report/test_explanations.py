"""Explanations of events: rules and alternatives."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from twitchsense.dsp.filters import BURST_BAND_HZ
from twitchsense.report.explanations import (
    describe_alternatives,
    format_grade,
    kind_rule,
    label_meaning,
    method_paragraphs,
)
from twitchsense.settings import Settings


def event(**changes):
    row = {"trial_type": "jerk", "label": "sleep_start", "context": "sleep_onset", "onset": 100.0,
           "amplitude_uv": 500.0, "alternatives": ""}  # fmt: skip
    return pd.Series({**row, **changes})


def night(low=0.0, high=200.0):
    return SimpleNamespace(onset=SimpleNamespace(low_s=low, high_s=high))


def test_alternatives_follow_the_label_by_probability_then_by_rule():
    listed = "hypnagogic_twitch:0.10; fasciculation_like:0.30; tremor_like; myoclonic_jerk_like"
    text = describe_alternatives(
        night(), event(label="fragmentary_myoclonus_like", alternatives=listed, evidence="rule 2")
    )
    assert text == (
        "by when sleep began: “fragmentary-myoclonus-like twitch” 60 %; “fasciculation-like "
        "twitch” 30 %; “twitch around falling asleep” 10 %; rule 2 decided; rule 3 would give "
        "“tremor-like”"
    )


def test_no_alternative_has_a_larger_number_than_the_label():
    listed = "sleep_start:0.23; myoclonic_jerk_asleep:0.54"
    text = describe_alternatives(night(), event(label="myoclonic_jerk_awake", alternatives=listed))
    assert text == (
        "by when sleep began: “myoclonic-jerk-like, awake” 23 %; “myoclonic-jerk-like, asleep” at "
        "least 23 %; “sleep-start-like jerk” 23 %"
    )


@pytest.mark.parametrize(
    ("grade", "peak", "change", "text"),
    [
        ("violent", 0.34, 21.5, "strong (21.5 g/s)"),
        ("violent", 0.62, 25.0, "strong (0.62 g)"),
        ("mild", 0.28, 6.0, "mild (0.28 g)"),
        ("", 0.01, 1.0, ""),
    ],
)
def test_grade_is_given_with_the_number_that_decided_it(grade, peak, change, text):
    jerk = event(grade=grade, peak_g=peak, jerk_g_s=change)
    assert format_grade(jerk, Settings()) == text


def test_near_sleep_onset_the_labels_of_other_sleep_states_are_alternatives():
    text = describe_alternatives(night(), event())
    assert text.startswith("sleep may have begun earlier or later, so it could also be")
    assert describe_alternatives(night(low=900.0, high=999.0), event()) == ""


def test_jerk_seen_by_the_accelerometer_alone_may_be_a_knock():
    text = describe_alternatives(night(900.0, 999.0), event(amplitude_uv=float("nan")))
    assert "a knock on the bed" in text


def test_kind_of_a_plug_in_has_a_rule():
    assert kind_rule("wobble", Settings()) == "the rule for wobble"


ODD = Settings.model_validate(
    {
        "movement": {"turn_deg": 37.5, "acc_gross_s": 4.25, "max_s": 11.5},
        "trains": {"tremor_hz": (3.25, 17.5), "hiccup_least": 7},
    }
)


def test_rule_of_a_kind_states_the_limits_of_the_settings():
    assert "37.5 degrees" in kind_rule("posture_change", ODD)
    assert "4.25 s" in kind_rule("gross_movement", ODD)
    assert "11.5 s" in kind_rule("gross_movement", ODD)


def test_meaning_of_a_label_states_the_limits_of_the_settings():
    assert label_meaning("tremor_like", ODD) == "5 or more bursts at 3.25-17.5 Hz for 2 s or longer"
    assert label_meaning("hiccup_like", ODD).startswith("7 or more jolts")
    assert label_meaning("wobble_like", ODD) == "wobble-like"


def test_method_names_the_band_of_the_filter():
    low, high = BURST_BAND_HZ
    paragraphs = method_paragraphs(SimpleNamespace(settings=ODD))
    assert f"detected at {low:g}–{high:g} Hz" in paragraphs[0]
