"""Indices and alternatives as the page tells them."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from twitchsense.report.clinical_table import clinical_rows
from twitchsense.report.explanations import describe_alternatives, kind_rule


def rate(value, low, high, key="rate_per_h"):
    return {"count": 9, "hours": 7.0, key: value, "low": low, "high": high}


FACTS = {
    "leg_movements": {
        "labels_by": "wasm2016",
        "respiratory_events_given": False,
        "rules": {
            "wasm2016": {
                "title": "WASM 2016",
                "plms_index": rate(12.34, 10.0, 15.1),
                "plmw_index": rate(None, None, None),
                "pi_sleep": 0.456,
                "pi_sleep_formula": "PLMS / CLM in sleep",
                "not_computable": {"plmw_index": "no valid signal in wake"},
            }
        },
    },
    "fragmentary_myoclonus": {
        "rule": "3-s mini-epochs",
        "fm_index": {"sleep": rate(25.3, 20.0, 31.0)},
        "potentials_per_min": {"sleep": rate(0.51, 0.4, 0.6, "rate_per_min")},
        "efm_pattern": {"rule": "5 a minute", "minutes": 12.0},
        "not_computable": {},
    },
    "fasciculations": {
        "rule": "per minute of rest",
        "channels": {"emg1": rate(1.25, 0.9, 1.7, "rate_per_min")},
        "not_computable": {},
    },
    "trains": {"tremor_like": {"trains": rate(0.5, 0.1, 1.5), "events": 12}},
}


def test_each_index_stands_with_its_interval_and_rule():
    rows = {row["name"]: (row["value"], row["rule"]) for row in clinical_rows(FACTS)}
    assert rows["Periodic-leg-movement-like, per hour of sleep"] == (
        "12.3 (10.0–15.1)",
        "WASM 2016; not corrected for breathing",
    )
    awake = rows["Periodic-leg-movement-like, per hour awake"][0]
    assert awake == "not defined: no valid signal in wake"
    assert rows["Periodicity, 0 to 1"] == ("0.46", "PLMS / CLM in sleep")
    assert rows["Twitch potentials per minute of sleep"][0] == "0.5 (0.4–0.6)"
    assert rows["Minutes with many twitches in sleep"][0] == "12 min"
    assert rows["Fasciculation-like twitches per minute at rest awake, emg1"][0] == "1.2 (0.9–1.7)"
    assert rows["Trains per hour: tremor-like"] == ("0.5 (0.1–1.5)", "movements in them: 12")


@pytest.mark.parametrize(
    "facts",
    [{}, {"leg_movements": 3}, {"leg_movements": {"rules": []}}, {"fragmentary_myoclonus": None}],
)
def test_a_summary_without_indices_has_no_such_section(facts):
    assert clinical_rows(facts) == []


def test_what_is_no_number_is_not_defined():
    facts = {"leg_movements": {"labels_by": "x", "rules": {"x": {"plms_index": "<b>"}}}}
    assert clinical_rows(facts)[0]["value"] == "not defined"


def event(**changes):
    row = {"trial_type": "jerk", "label": "sleep_start", "context": "sleep_onset", "onset": 100.0,
           "amplitude_uv": 500.0, "alternatives": ""}  # fmt: skip
    return pd.Series({**row, **changes})


def night(low=0.0, high=200.0):
    return SimpleNamespace(onset=SimpleNamespace(low_s=low, high_s=high))


def test_alternatives_of_the_table_are_told_with_their_share():
    told = describe_alternatives(
        night(), event(alternatives="myoclonic_jerk_awake:0.30; tremor_like")
    )
    assert told == "it could also be “myoclonic-jerk-like, awake” (about 30%) or “tremor-like”"


def test_within_the_range_of_sleep_onset_the_neighbours_are_alternatives():
    told = describe_alternatives(night(), event())
    assert told.startswith("sleep may have begun earlier or later, so it could also be")
    assert describe_alternatives(night(low=900.0, high=999.0), event()) == ""


def test_a_jerk_without_muscle_signal_may_be_a_knock():
    told = describe_alternatives(night(900.0, 999.0), event(amplitude_uv=float("nan")))
    assert "a knock on the bed" in told


def test_a_kind_of_a_plug_in_has_a_rule_too():
    from twitchsense.settings import Settings

    assert kind_rule("wobble", Settings()) == "the rule for wobble"
