"""Comparisons with published ranges and with the person's other nights."""

from __future__ import annotations

import pytest

from tests.report.builders import make_bare_night, make_own_nights
from twitchsense.report import reference_ranges
from twitchsense.report.comparison_sentences import unusual_sentences


def rate_cell(numbers, hours=7.0):
    return {**dict(zip(("rate_per_h", "low", "high"), numbers, strict=True)), "hours": hours}


def facts(plms=(9.1, 7.1, 11.5), fm=(27.8, 24.2, 31.9), hours=7.0):
    cell = rate_cell(plms, hours)
    return {
        "leg_movements": {"labels_by": "w", "rules": {"w": {"plms_index": cell}}},
        "fragmentary_myoclonus": {"fm_index": {"sleep": rate_cell(fm, hours)}},
    }


def with_twitches(numbers, most, missing=""):
    """Return facts with twitches at rest: rate per min with its interval, most in 2 min."""
    cell = {**dict(zip(("rate_per_min", "low", "high"), numbers, strict=True)),
            "most_in_2_min": most}  # fmt: skip
    block = {"channels": {"emg1": cell}, "not_computable": {"emg1": missing} if missing else {}}
    return {**facts(), "fasciculations": block}


@pytest.fixture(scope="module")
def night():
    return make_bare_night(8)


@pytest.mark.parametrize(
    ("plms", "hours", "reading", "text"),
    [
        ((9.1, 7.1, 11.5), 7, "within", "within this range"),
        ((24.0, 20.0, 30.0), 7, "around", "at the upper end"),
        ((40.0, 30.0, 50.0), 7, "above", "above this range"),
        ((None, None, None), 7, "unknown", "can’t be told"),
        ((0.0, 0.0, 31.6), 0.12, "unknown", "too short to compare"),  # zero in 7 min of sleep
        ((40.0, 30.0, 50.0), 1.9, "unknown", "too short to compare"),
    ],
)
def test_index_is_read_by_its_interval_from_two_hours_on(night, plms, hours, reading, text):
    given = facts(plms, hours=hours)
    comparison = reference_ranges.compare_with_published(night, given)[0]
    assert (comparison.name, comparison.reading) == ("PLMS index", reading)
    assert comparison.reading_text == text
    assert comparison.source.doi == "10.5665/sleep.3586"


def test_nothing_is_compared_in_a_recording_under_two_hours():
    given = with_twitches((9.0, 8.0, 10.0), 40)
    given["trains"] = {"high_freq_leg_movement": {"trains": {"count": 30}}}
    given["fragmentary_myoclonus"]["efm_pattern"] = {"verdict": "present", "minutes": 40}
    short = make_bare_night(1.9, n_twitches=900)
    compared = reference_ranges.compare_with_published(short, given)
    compared += reference_ranges.compare_with_own(short, make_own_nights(5, 2.0))
    assert len(compared) == 10
    assert {c.reading for c in compared} == {"unknown", "none"}
    assert unusual_sentences(compared, 1.9 * 3600) == (
        "That can’t be told: a recording of 1 h 54 min is too short to judge a night."
    )


@pytest.mark.parametrize("plms", [(0.0, 0.0, 0.6), (40.0, 30.0, 50.0)])
def test_acceleration_alone_gives_no_index(plms):
    given = facts(plms)
    given["leg_movements"]["sensor"] = "acc"
    night = make_bare_night(8, sensors=("acc",))
    plm, fm, starts, others = reference_ranges.compare_with_published(night, given)
    for comparison in (plm, fm):
        assert (comparison.value, comparison.reading_text) == ("needs EMG", "can’t be told")
    assert unusual_sentences([plm, fm, starts, others], 8 * 3600) == (
        "It can’t be told for periodic leg movements (PLMS index) and twitches in sleep "
        "(fragmentary myoclonus index): acceleration alone misses many of them."
    )
    assert (starts.value, others.value) == ("0", "0")


@pytest.mark.parametrize(
    ("numbers", "most", "reading", "text"),
    [
        ((1.3, 0.9, 2.0), 4, "within", "within, if on the shin"),
        ((1.3, 0.9, 2.0), 7, "around", "at the upper end, if on the shin"),
        ((2.3, 1.3, 3.9), 7, "around", "at the upper end, if on the shin"),
        ((6.5, 6.1, 6.9), 20, "above", "above, if on the shin"),
        ((6.5, 6.1, 6.9), None, "unknown", "can’t be told"),
    ],
)
def test_twitches_at_rest_are_above_the_range_of_the_shin_only_with_their_whole_interval(
    night, numbers, most, reading, text
):
    comparison = reference_ranges.compare_with_published(night, with_twitches(numbers, most))[2]
    assert (comparison.reading, comparison.reading_text) == (reading, text)


@pytest.mark.parametrize(
    ("missing", "value", "reason"),
    [
        ("not known when the person was awake", "not known when you were awake",
         "their range is for muscles awake at rest, and it is not known when you were awake"),
        ("no valid wake at rest", "no valid wake at rest",
         "there was too little valid signal awake at rest"),
    ],
)  # fmt: skip
def test_twitches_of_unknown_context_are_not_compared(night, missing, value, reason):
    given = with_twitches((None,) * 3, None, missing)
    comparison = reference_ranges.compare_with_published(night, given)[2]
    assert (comparison.reading, comparison.value) == ("unknown", value)
    assert comparison.reading_text == "can’t be told"
    assert unusual_sentences([comparison], 8 * 3600) == (
        f"It can’t be told for twitches awake at rest (fasciculation-like): {reason}."
    )


def test_results_of_earlier_versions_that_counted_unknown_context_are_not_compared():
    blind = make_bare_night(8, context="unknown")
    given = with_twitches((6.5, 6.1, 6.9), 23)
    comparison = reference_ranges.compare_with_published(blind, given)[2]
    assert (comparison.reading, comparison.reading_text) == ("unknown", "can’t be told")
    assert "6.5" not in comparison.value


def test_the_channel_of_the_busiest_minutes_is_compared(night):
    steady = {"rate_per_min": 2.0, "low": 1.5, "high": 2.5, "most_in_2_min": 5}
    bursts = {"rate_per_min": 0.5, "low": 0.2, "high": 0.9, "most_in_2_min": 12}
    given = {**facts(), "fasciculations": {"channels": {"emg1": steady, "emg2": bursts}}}
    comparison = reference_ranges.compare_with_published(night, given)[2]
    assert comparison.reading == "around"
    assert "in the busiest 2 min 6.0 per min" in comparison.value


@pytest.mark.parametrize(
    ("count", "value", "reading"),
    [(4, "4 (1.1–10.2)", "within"), (6, "6 (2.2–13.1)", "around"),
     (12, "12 (6.2–21.0)", "above")],
)  # fmt: skip
def test_a_count_is_within_up_to_its_limit_and_above_with_its_whole_interval(
    night, count, value, reading
):
    given = {**facts(), "trains": {"high_freq_leg_movement": {"trains": {"count": count}}}}
    comparison = reference_ranges.compare_with_published(night, given)[2]
    assert (comparison.value, comparison.reading) == (value, reading)


def test_jerks_have_no_reference_range(night):
    jerks = reference_ranges.compare_with_published(night, facts())[-2:]
    assert [c.name for c in jerks] == ["Sleep-start-like jerks", "Other jerks"]
    assert {c.reading for c in jerks} == {"none"}
    assert {c.value for c in jerks} == {"needs acceleration"}  # no count without a sensor for them


def test_indices_need_sleep_and_emg(night):
    comparisons = reference_ranges.compare_with_published(night, facts((None,) * 3, (None,) * 3))
    assert {c.value for c in comparisons[:2]} == {"needs sleep and valid EMG"}


def test_own_nights_are_a_range_from_five_on():
    night = make_bare_night(8, n_twitches=20)
    assert reference_ranges.compare_with_own(night, make_own_nights(4, 2.0)) == []
    twitches = reference_ranges.compare_with_own(night, make_own_nights(5, 2.0))[0]
    assert twitches.reading == "within"
    assert twitches.reference_range == "your 5 other nights: 2.0–6.0 per h, median 4.0 per h"


def test_fewer_than_in_any_other_night_is_below(night):
    twitches = reference_ranges.compare_with_own(night, make_own_nights(5, 500.0))[0]
    assert twitches.reading_text == "below this range"
    text = unusual_sentences([twitches], 8 * 3600)
    assert text == "Twitches were below the range of your other nights."


def test_two_valid_hours_are_needed_for_a_comparison_with_own_nights():
    short = make_bare_night(8, valid_h=1.5, n_twitches=9000)
    twitches = reference_ranges.compare_with_own(short, make_own_nights(5, 2.0))[0]
    assert (twitches.reading, twitches.reading_text) == ("unknown", "too short to compare")
