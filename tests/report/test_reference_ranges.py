"""Comparisons with published ranges and with the person's other nights."""

from __future__ import annotations

import pytest

from tests.report.builders import make_own_nights, make_quiet_night
from twitchsense.report import reference_ranges

HOUR = 3600.0


def facts(plms=(9.1, 7.1, 11.5), fm=(27.8, 24.2, 31.9)):
    def cell(numbers):
        return dict(zip(("rate_per_h", "low", "high"), numbers, strict=True))

    return {
        "leg_movements": {"labels_by": "w", "rules": {"w": {"plms_index": cell(plms)}}},
        "fragmentary_myoclonus": {"fm_index": {"sleep": cell(fm)}},
    }


@pytest.fixture(scope="module")
def quiet():
    return make_quiet_night(120, 120)


@pytest.mark.parametrize(
    ("plms", "reading"),
    [
        ((9.1, 7.1, 11.5), "within"),
        ((24.0, 20.0, 30.0), "around"),
        ((40.0, 30.0, 50.0), "above"),
        ((None, None, None), "unknown"),
    ],
)
def test_index_is_read_by_its_interval(quiet, plms, reading):
    comparison = reference_ranges.compare_with_published(quiet, facts(plms))[0]
    assert (comparison.name, comparison.reading) == ("PLMS index", reading)
    assert comparison.source.doi == "10.5665/sleep.3586"


def test_acceleration_alone_is_a_lower_limit(quiet):
    given = facts()
    given["leg_movements"]["sensor"] = "acc"
    comparison = reference_ranges.compare_with_published(quiet, given)[0]
    assert (comparison.reading, comparison.reading_text) == ("unknown", "can’t be told without EMG")


@pytest.mark.parametrize(
    ("most", "reading", "text"),
    [
        (4, "within_on_shin", "within, if on the shin"),
        (7, "above_on_shin", "above, if on the shin"),
        (None, "unknown", "can’t be told"),
    ],
)
def test_twitches_at_rest_have_the_range_of_the_shin(quiet, most, reading, text):
    cell = {"rate_per_min": 1.3, "low": 0.9, "high": 2.0, "most_in_2_min": most}
    given = {**facts(), "fasciculations": {"channels": {"emg1": cell}}}
    comparison = reference_ranges.compare_with_published(quiet, given)[2]
    assert (comparison.reading, comparison.reading_text) == (reading, text)


def test_the_channel_of_the_busiest_minutes_is_compared(quiet):
    steady = {"rate_per_min": 2.0, "low": 1.5, "high": 2.5, "most_in_2_min": 5}
    bursts = {"rate_per_min": 0.5, "low": 0.2, "high": 0.9, "most_in_2_min": 12}
    given = {**facts(), "fasciculations": {"channels": {"emg1": steady, "emg2": bursts}}}
    comparison = reference_ranges.compare_with_published(quiet, given)[2]
    assert comparison.reading == "above_on_shin"
    assert "in the busiest 2 min 6.0 per min" in comparison.value


def test_jerks_have_no_reference_range(quiet):
    readings = {c.name: c.reading for c in reference_ranges.compare_with_published(quiet, facts())}
    assert readings["Sleep-start-like jerks"] == readings["Other jerks"] == "none"


@pytest.mark.parametrize(
    ("plms", "begins"),
    [
        ((9.1, 7.1, 11.5), "Nothing unusual by the ranges that exist"),
        ((24.0, 20.0, 30.0), "Nothing unusual by the ranges that exist: the fragmentary"),
        ((40.0, 30.0, 50.0), "One number to compare with other nights: the PLMS index was above"),
    ],
)
def test_answer_is_calm_and_names_what_was_compared(quiet, plms, begins):
    comparisons = reference_ranges.compare_with_published(quiet, facts(plms))
    text = reference_ranges.unusual_sentences(comparisons, 8 * HOUR)
    assert text.startswith(begins)
    for never in ("abnormal", "pathological", "risk", "severe", "you have", "disease"):
        assert never not in text


@pytest.mark.parametrize(
    ("most", "begins", "has"),
    [(4, "Nothing unusual", "lay within the range"), (7, "The PLMS index and", "were above the")],
)
def test_a_range_of_the_shin_is_a_condition_in_the_answer_too(quiet, most, begins, has):
    cell = {"rate_per_min": 1.3, "low": 0.9, "high": 2.0, "most_in_2_min": most}
    given = {**facts(), "fasciculations": {"channels": {"emg1": cell}}}
    comparisons = reference_ranges.compare_with_published(quiet, given)
    text = reference_ranges.unusual_sentences(comparisons, 8 * HOUR)
    assert text.startswith(begins)
    assert f"Fasciculation-like twitches at rest {has}" in text
    assert text.endswith("range of the shin muscle, which applies only if the sensor was there.")


def test_plms_needs_either_sensor(quiet):
    comparisons = reference_ranges.compare_with_published(quiet, facts((None,) * 3, (None,) * 3))
    assert [c.value for c in comparisons[:2]] == [
        "needs sleep and valid EMG or acceleration",
        "needs sleep and valid EMG",
    ]


def test_short_recording_and_missing_signal_are_said(quiet):
    comparisons = reference_ranges.compare_with_published(quiet, facts())
    assert "60 min" not in reference_ranges.unusual_sentences(comparisons, 8 * HOUR)
    assert "1 h are too short to judge a night" in reference_ranges.unusual_sentences(
        comparisons, HOUR
    )
    assert "no valid signal" in reference_ranges.unusual_sentences([], HOUR)


def test_own_nights_are_a_range_from_five_on(quiet):
    assert reference_ranges.compare_with_own(quiet, make_own_nights(4, 2.0)) == []
    twitches = reference_ranges.compare_with_own(quiet, make_own_nights(5, 2.0))[0]
    assert twitches.reading == "within"
    assert twitches.reference_range == "your 5 other nights: 2.0–6.0 per h, median 4.0 per h"


def test_fewer_than_in_any_other_night_is_below(quiet):
    twitches = reference_ranges.compare_with_own(quiet, make_own_nights(5, 500.0))[0]
    assert twitches.reading_text == "below this range"
    text = reference_ranges.unusual_sentences([twitches], 8 * HOUR)
    assert text == "Below the range of the other nights were twitches."
