"""The table of clinical indices."""

from __future__ import annotations

import pytest

from twitchsense.report.clinical_table import clinical_rows


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


def test_each_index_has_its_interval_and_rule():
    rows = {row["name"]: (row["value"], row["rule"]) for row in clinical_rows(FACTS)}
    assert rows["PLMS index (periodic leg movements in sleep)"] == (
        "12.3 per h (10.0–15.1)",
        "WASM 2016; not corrected for breathing",
    )
    awake = rows["PLMW index (periodic leg movements awake)"][0]
    assert awake == "not defined: no valid signal in wake"
    assert rows["Periodicity, 0 to 1"] == ("0.46", "PLMS / CLM in sleep")
    assert rows["Twitch potentials in sleep"][0] == "0.51 per min (0.40–0.60)"
    assert rows["Minutes with many twitches in sleep"][0] == "12 min"
    twitches = rows["Fasciculation-like twitches, awake at rest, emg1"][0]
    assert twitches == "1.2 per min (0.90–1.7)"
    assert rows["Series: tremor-like"] == ("0.50 per h (0.10–1.5)", "movements in them: 12")


@pytest.mark.parametrize(
    "facts",
    [{}, {"leg_movements": 3}, {"leg_movements": {"rules": []}}, {"fragmentary_myoclonus": None}],
)
def test_summary_without_indices_gives_no_rows(facts):
    assert clinical_rows(facts) == []


def test_value_that_is_no_number_is_not_defined():
    facts = {"leg_movements": {"labels_by": "x", "rules": {"x": {"plms_index": "<b>"}}}}
    assert clinical_rows(facts)[0]["value"] == "not defined"


@pytest.mark.parametrize(
    ("rules", "interval"),
    [("wasm2016", "under 10 s"), ("aasm", "under 5 s"), ("unknown", "too soon")],
)
def test_short_interval_is_that_of_the_rules(rules, interval):
    facts = {"labels_by": rules, "rules": {rules: {"short_imi_sleep_index": rate(3.0, 2.0, 4.0)}}}
    rows = clinical_rows({"leg_movements": facts})
    assert [row["name"] for row in rows] == [f"of these, {interval} after the one before"]
