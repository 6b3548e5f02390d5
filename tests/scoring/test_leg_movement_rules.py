"""Leg movements by the WASM 2016 rules, hand-worked: one case per clause."""

from __future__ import annotations

import pytest

from tests.scoring.builders import breaths, check, marks, stages, train
from twitchsense import score_limb
from twitchsense.scoring.leg_movements.rules import RULES

BOTH_READINGS = ("wasm2016", "wasm2016-strict")


# clause: (rows, what is counted); the same in both readings
SIMPLE = {
    "1 same leg: gap of 0.499999 s is one movement": (
        ["L 10 1", "L 11.499999 1"], {"n_lm": 1, "n_clm": 1, "n_bilateral_lm": 0}),
    "1 same leg: gap of exactly 0.5 s is two": (["L 10 1", "L 11.5 1"], {"n_lm": 2}),
    "1 same leg: gap of 0.5 s at an awkward hour is two": (
        ["L 25200.1 0.7", "L 25201.3 1"], {"n_lm": 2}),
    "1 same leg: overlapping marks are one": (["L 10 3", "L 12 4"], {"n_lm": 1, "n_clm": 1}),
    "1 same leg: a mark within another changes no end": (
        ["L 10 5", "L 11 1", "L 15.4 1", "L 16.9 1"], {"n_lm": 2}),
    "1 same leg: touching marks are one": (["L 10 1", "L 11 1"], {"n_lm": 1}),
    "1 same leg: the same mark twice is one": (["L 10 1", "L 10 1"], {"n_lm": 1}),
    "1 same leg: three in a chain are one": (
        ["L 10 1", "L 11.4 1", "L 12.8 1"], {"n_lm": 1, "n_bilateral_lm": 0}),
    "1 same leg: rows in any order": (["L 12.8 1", "L 10 1", "L 11.4 1"], {"n_lm": 1}),
    "1 minimum: 0.499999 s is no movement": (["L 10 0.499999"], {"n_lm": 0, "n_clm": 0}),
    "1 minimum: exactly 0.5 s is one": (["L 10 0.5"], {"n_lm": 1, "n_clm": 1}),
    "1 minimum: exactly 0.5 s at an awkward hour": (["L 25200.1 0.5"], {"n_lm": 1}),
    "1 minimum: a mark of no length is none": (["L 10 0"], {"n_lm": 0}),
    "1 joined first, then measured: 0.2 + 0.2 s with a gap of 0.1 s": (
        ["L 10 0.2", "L 10.3 0.2"], {"n_lm": 1}),
    "1 joined first, then measured: three short ones": (
        ["L 10 0.1", "L 10.3 0.1", "L 10.7 0.1"], {"n_lm": 1}),
    "1 joined first: two short ones apart are none": (
        ["L 10 0.2", "L 10.7 0.2"], {"n_lm": 0}),
    "1 too short is no part: no bilateral movement": (
        ["L 10 1", "R 10.5 0.4"], {"n_lm": 1, "n_bilateral_lm": 0}),
    "1 too short is no part: it bridges no gap across legs": (
        ["L 10 1", "R 11.1 0.4", "L 11.6 1"], {"n_lm": 2, "n_bilateral_lm": 0}),
    "1 too short is no part: five with one short are four": (
        ["L 10 1", "R 10.9 1", "L 11.8 1", "R 12.7 1", "L 13.6 0.4"], {"n_lm": 1, "n_clm": 1}),
    "1 short marks of two legs don't add up": (["L 10 0.3", "R 10.3 0.3"], {"n_lm": 0}),
    "2 one leg: exactly 10 s is a candidate": (["L 10 10"], {"n_lm": 1, "n_clm": 1}),
    "2 one leg: 10.000001 s is a movement but no candidate": (
        ["L 10 10.000001"], {"n_lm": 1, "n_clm": 0}),
    "2 one leg: 6 + 3.6 s joined over 0.4 s are 10 s": (
        ["L 10 6", "L 16.4 3.6"], {"n_lm": 1, "n_clm": 1}),
    "2 one leg: joined to more than 10 s is no candidate": (
        ["L 10 6", "L 16.4 3.7"], {"n_lm": 1, "n_clm": 0}),
    "2 one leg may not use the 15 s of two": (["R 10 12"], {"n_clm": 0}),
    "3 across legs: gap of 0.499999 s is one": (
        ["L 10 1", "R 11.499999 1"], {"n_lm": 1, "n_bilateral_lm": 1, "n_clm": 1}),
    "3 across legs: gap of exactly 0.5 s is two": (
        ["L 10 1", "R 11.5 1"], {"n_lm": 2, "n_bilateral_lm": 0, "n_clm": 2}),
    "3 across legs: overlap is one": (["L 10 3", "R 11 1"], {"n_lm": 1, "n_bilateral_lm": 1}),
    "3 across legs: the same onset is one": (
        ["R 10 1", "L 10 1"], {"n_lm": 1, "n_bilateral_lm": 1}),
    "3 chain: measured from the latest end, not the last part's": (
        ["L 10 5", "R 11 1", "R 15.4 1"], {"n_lm": 1, "n_bilateral_lm": 1}),
    "3 no rule of 5 s: onsets 4.9 s apart with a gap are two": (
        ["L 10 1", "R 14.9 1"], {"n_lm": 2, "n_bilateral_lm": 0}),
    "3 no rule of 5 s: onsets 8 s apart that touch are one": (
        ["L 10 8", "R 18 3"], {"n_lm": 1, "n_bilateral_lm": 1, "n_clm": 1}),
    "3 parts: four are a candidate": (
        ["L 10 1", "R 10.9 1", "L 11.8 1", "R 12.7 1"],
        {"n_lm": 1, "n_clm": 1, "n_bilateral_lm": 1}),
    "3 parts: five are none": (
        ["L 10 1", "R 10.9 1", "L 11.8 1", "R 12.7 1", "L 13.6 1"],
        {"n_lm": 1, "n_clm": 0, "n_bilateral_lm": 1}),
    "3 parts: what was joined on a leg is one part": (
        ["L 10 1", "L 11.2 0.6", "R 11.8 1", "L 12.9 1", "R 13.9 1"], {"n_lm": 1, "n_clm": 1}),
    "3 total: exactly 15 s is a candidate": (["L 10 8", "R 17 8"], {"n_clm": 1}),
    "3 total: 15.000001 s is none": (["L 10 8", "R 17 8.000001"], {"n_lm": 1, "n_clm": 0}),
    "3 part of exactly 10 s": (["L 10 10", "R 19 2"], {"n_lm": 1, "n_clm": 1}),
    "3 part of 10.000001 s": (["L 10 10.000001", "R 19 2"], {"n_lm": 1, "n_clm": 0}),
    "3 part of more than 10 s, last": (["R 19 1", "L 20 10.5"], {"n_lm": 1, "n_clm": 0}),
    "5 series: 3 movements are none": (
        train(20, 20), {"n_plm": 0, "n_series": 0, "n_clm": 3, "n_isolated": 3}),
    "5 series: 4 movements are one": (
        train(20, 20, 20), {"n_plm": 4, "n_series": 1, "n_isolated": 0}),
    "5 IMI of exactly 10 s": (train(10, 10, 10), {"n_plm": 4, "n_short_imi": 0}),
    "5 IMI of exactly 10 s, late in the night": (
        train(10, 10, 10, start=28800.7), {"n_plm": 4, "n_short_imi": 0}),
    "5 IMI of 9.999999 s": (
        train(10, 10, 9.999999), {"n_plm": 0, "n_short_imi": 1, "n_isolated": 3}),
    "5 IMI of exactly 90 s": (train(90, 90, 90), {"n_plm": 4, "n_series": 1}),
    "5 IMI of 90.000001 s": (
        train(90, 90, 90.000001), {"n_plm": 0, "n_short_imi": 0, "n_isolated": 4}),
    "5 IMI above 90 s: the later one may begin the next series": (
        train(20, 20, 91, 20, 20, 20), {"n_plm": 4, "n_series": 1, "n_isolated": 3}),
    "5 IMI above 90 s parts two series": (
        train(20, 20, 20, 91, 20, 20, 20), {"n_plm": 8, "n_series": 2}),
    "5 IMI below 10 s ends a series, the earlier one is its last": (
        train(20, 20, 20, 5), {"n_plm": 4, "n_series": 1, "n_short_imi": 1, "n_isolated": 0}),
    "5 a movement that is no candidate ends a series": (
        [*train(20, 20, start=100), "L 160 11", *train(20, 20, start=180)],
        {"n_lm": 7, "n_clm": 6, "n_plm": 0, "n_isolated": 6}),
    "5 one that is no candidate between two series": (
        [*train(20, 20, 20, start=100), "R 180 11", *train(20, 20, 20, start=200)],
        {"n_plm": 8, "n_series": 2}),
    "5 one that is no candidate breaks even an interval that would fit": (
        [*train(20, 60, 20), "R 130 11"], {"n_clm": 4, "n_plm": 0}),
    "5 five parts end a series too": (
        [*train(20, 20, start=100), "L 160 1", "R 160.9 1", "L 161.8 1", "R 162.7 1",
         "L 163.6 1", *train(20, start=180)], {"n_lm": 6, "n_clm": 5, "n_plm": 0}),
    "4 too short marks between don't matter": (
        [*train(20, 20, 20), "R 130 0.3"], {"n_lm": 4, "n_plm": 4}),
    "4 IMI is onset to onset, whatever the durations": (
        ["L 100 9", "L 110 9", "L 120 9", "L 130 9"], {"n_plm": 4}),
    "4 IMI runs over both legs together": (
        ["L 100 1", "R 120 1", "L 140 1", "R 160 1"], {"n_plm": 4, "n_bilateral_lm": 0}),
    "4 IMI over both legs: the other leg shortens it": (
        ["L 100 1", "L 120 1", "L 140 1", "L 160 1", "R 129.9 1"],
        {"n_plm": 0, "n_short_imi": 1}),
    "4 IMI of a bilateral movement counts from its first part": (
        ["R 99.5 1", "L 100 1", "L 189.5 1", "L 209.5 1", "L 229.5 1"], {"n_clm": 4, "n_plm": 4}),
    "4 IMI is undefined after one that is no candidate": (
        ["L 100 11", "R 112 1"], {"n_clm": 1, "n_short_imi": 0, "n_isolated": 1}),
    "4 IMI is undefined before one that is no candidate": (
        ["R 100 1", "L 105 11"], {"n_clm": 1, "n_short_imi": 0, "n_isolated": 1}),
    "5 after one that is no candidate a series may begin at once": (
        ["R 88 11.2", *train(20, 20, 20, start=100)], {"n_plm": 4, "n_short_imi": 0}),
    "8 isolated: neither periodic nor short": (["L 10 1", "L 200 1"], {"n_isolated": 2}),
    "8 isolated: the first of a close pair is, the second is short": (
        train(5), {"n_isolated": 1, "n_short_imi": 1}),
    "8 nothing but one movement": (["L 10 1"], {"n_lm": 1, "n_series": 0, "n_isolated": 1}),
}  # fmt: skip


@pytest.mark.parametrize("rules", BOTH_READINGS)
@pytest.mark.parametrize("clause", SIMPLE)
def test_clauses_on_marks_alone(clause, rules):
    rows, expected = SIMPLE[clause]
    check(rows, rules, **expected)


# clause: (rows, count of the lenient reading, count of the strict reading)
READINGS = {
    "5 after a short IMI: 4 from there on": (
        train(5, 20, 20, 20), {"n_plm": 4, "n_short_imi": 1, "n_isolated": 1},
        {"n_plm": 0, "n_isolated": 4}),
    "5 after a short IMI: 5 from there on": (
        train(5, 20, 20, 20, 20), {"n_plm": 5, "n_series": 1}, {"n_plm": 4, "n_series": 1}),
    "5 two short IMI in a row": (
        train(5, 5, 20, 20, 20), {"n_plm": 4, "n_short_imi": 2}, {"n_plm": 0, "n_short_imi": 2}),
    "5 a short IMI between two fours": (
        train(20, 20, 20, 5, 20, 20, 20), {"n_plm": 8, "n_series": 2}, {"n_plm": 4, "n_series": 1}),
    "5 a short IMI just below 10 s": (
        train(9.999999, 20, 20, 20), {"n_plm": 4}, {"n_plm": 0}),
    "5 exactly 10 s is not short": (train(10, 20, 20), {"n_plm": 4}, {"n_plm": 4}),
    "5 more than 90 s is no short one": (train(91, 20, 20, 20), {"n_plm": 4}, {"n_plm": 4}),
}  # fmt: skip


@pytest.mark.parametrize("clause", READINGS)
def test_two_readings_of_a_short_interval(clause):
    rows, lenient, strict = READINGS[clause]
    check(rows, "wasm2016", **lenient)
    check(rows, "wasm2016-strict", **strict)


# clause: (rows, stages from 0 s in 30-s epochs, expected)
STAGED = {
    "6 wake ends no series: 3 in wake + 1 in sleep": (
        train(20, 20, 20, start=30), "WWW2", {"n_plm": 4, "n_plms": 1, "n_plmw": 3, "n_series": 1}),
    "6 wake inside a series doesn't shorten it": (
        train(30, 30, 30, start=5), "2WW2", {"n_plm": 4, "n_plms": 2, "n_plmw": 2}),
    "6 epoch: its start is in it": (
        train(20, 20, 20, start=60), "WW2222", {"n_plms": 4, "n_plmw": 0}),
    "6 epoch: a microsecond before it is not": (
        train(20, 20, 20, start=59.999999), "WW2222", {"n_plms": 3, "n_plmw": 1}),
    "6 epoch: its end is the next one's": (
        train(20, 20, 20, start=0), "22W", {"n_plms": 3, "n_plmw": 1}),
    "6 the onset decides, not the bulk": (
        train(20, 20, 20, start=29, duration=9), "WRRR", {"n_plms": 3, "n_plmw": 1}),
    "6 the onset of a bilateral movement is that of its first part": (
        ["L 29.9 1", "R 30.1 2", *train(20, 20, start=50)], "W222",
        {"n_plm": 4, "n_plms": 3, "n_plmw": 1}),
    "6 sleep is N1, N2, N3 and R": (
        train(30, 30, 30, start=1), "123R", {"n_plms": 4, "n_plmw": 0, "pi_sleep": 1.0}),
    "6 stages end no series": (train(30, 30, 30, start=1), "1R3W", {"n_series": 1, "n_plms": 3}),
    "6 unscored is neither sleep nor wake": (
        train(30, 30, 30, start=1), "2??W", {"n_plm": 4, "n_plms": 1, "n_plmw": 1}),
    "6 after the last epoch is neither": (
        train(30, 30, 30, start=1), "2W", {"n_plm": 4, "n_plms": 1, "n_plmw": 1}),
    "6 at the very end of the last epoch is neither": (
        train(30, 30, 30, start=30), "222W", {"n_plm": 4, "n_plms": 2, "n_plmw": 1}),
    "8 PLMS per hour of all sleep": (
        train(30, 30, 30, start=1), "2" * 120 + "W" * 240, {"plms_index": 4.0, "plmw_index": 0.0}),
    "8 PLMW per hour of all wake": (
        train(30, 30, 30, start=1), "W" * 60 + "R" * 60, {"plms_index": 0.0, "plmw_index": 8.0}),
    "8 unscored epochs are in no denominator": (
        train(30, 30, 30, start=1), "2" * 60 + "?" * 500, {"plms_index": 8.0}),
    "8 no sleep: null": (
        train(30, 30, 30, start=1), "WWWW",
        {"plms_index": None, "pi_sleep": None, "n_plms": 0, "n_plmw": 4, "plmw_index": 120.0}),
    "8 no wake: null": (train(30, 30, 30, start=1), "2222", {"plmw_index": None, "n_plmw": 0}),
    "8 nothing scored: null": (
        train(30, 30, 30, start=1), "????", {"plms_index": None, "plmw_index": None, "n_plms": 0}),
    "8 periodicity: PLMS / CLM in sleep": (
        [*train(20, 20, 20, start=1), "L 500 1"], "2" * 30, {"pi_sleep": 0.8}),
    "8 periodicity leaves movements in wake out": (
        [*train(20, 20, 20, start=31), "L 1 1", "L 500 1"], "W" + "2" * 9 + "W" * 20,
        {"n_clm": 6, "pi_sleep": 1.0, "n_plms": 4}),
    "8 periodicity leaves out what is no candidate": (
        [*train(20, 20, 20, start=1), "L 200 11"], "2" * 30, {"pi_sleep": 1.0}),
    "8 no CLM in sleep: null": (["L 1 1"], "W222", {"pi_sleep": None, "plms_index": 0.0}),
}  # fmt: skip


@pytest.mark.parametrize("clause", STAGED)
def test_clause_with_stages(clause):
    rows, letters, expected = STAGED[clause]
    check(rows, hypnogram=stages(letters), **expected)


def test_clause_6_bilateral_movement_has_the_stage_of_its_first_part():
    rows = ["L 29.9 1", "R 30.1 2"]
    assert score_limb(marks(*rows), stages("W2")).movements["stage"].tolist() == ["W"]


# clause: (rows, respiratory events, expected); the window of (50, 50) is [98, 110.25]
RESPIRATORY = {
    "7 window: begins at its very end": (["L 110.25 1"], [(50, 50)], {"n_clmr": 1}),
    "7 window: begins a microsecond after it": (["L 110.250001 1"], [(50, 50)], {"n_clmr": 0}),
    "7 window: ends at its very start": (["L 97 1"], [(50, 50)], {"n_clmr": 1}),
    "7 window: ends a microsecond before it": (["L 97 0.999999"], [(50, 50)], {"n_clmr": 0}),
    "7 window: goes by the end of the event, not its onset": (
        ["L 50 1"], [(50, 50)], {"n_clmr": 0}),
    "7 window: a movement that covers it all": (
        ["L 97 8", "R 104.9 6.6"], [(50, 50)], {"n_clmr": 1, "n_clm": 1}),
    "7 window: a movement within it": (["L 104 1"], [(50, 50)], {"n_clmr": 1}),
    "7 window: of an event of no length": (["L 104 1"], [(100, 0)], {"n_clmr": 1}),
    "7 any event will do": (["L 104 1"], [(0, 10), (50, 50), (300, 10)], {"n_clmr": 1}),
    "7 a long event hides no short one within": (
        ["L 64 1"], [(10, 200), (50, 10)], {"n_clmr": 1}),
    "7 two events make no two CLMr": (["L 104 1"], [(50, 50), (51, 50)], {"n_clmr": 1}),
    "7 the combined movement counts: one part in the window is enough": (
        ["L 97 0.9", "R 98.3 1"], [(50, 50)], {"n_clm": 1, "n_clmr": 1, "n_clm_nr": 0}),
    "7 no event at all: nothing is removed": (
        train(20, 20, 20), [], {"n_clmr": 0, "n_clm_nr": 4, "n_plm_nr": 4}),
    "7 removed first: 5 with an end removed leave 4": (
        train(20, 20, 20, 20, start=100), [(50, 50)], {"n_plm": 5, "n_clmr": 1, "n_plm_nr": 4}),
    "7 removed first: an interval of 80 s is found anew": (
        train(40, 40, 40, 40, start=60), [(50, 50)],
        {"n_plm": 5, "n_clmr": 1, "n_clm_nr": 4, "n_plm_nr": 4}),
    "7 removed first: an interval of 120 s is found anew": (
        train(60, 60, 60, 60, 60, 60, start=40), [(50, 50)],
        {"n_plm": 7, "n_clmr": 1, "n_plm_nr": 5}),
    "7 removed first: without the short one between, a series": (
        ["L 80 1", "L 100 1", "L 105 1", "L 120 1", "L 140 1"], [(103.5, 4.25)],
        {"n_plm": 0, "n_clmr": 1, "n_plm_nr": 4, "n_short_imi": 1}),
    "7 a respiratory one that is no CLM still ends the series": (
        [*train(20, 20, start=40), "R 99 11", *train(20, 20, start=120)], [(50, 50)],
        {"n_clm": 6, "n_clmr": 0, "n_clm_nr": 6, "n_plm_nr": 0}),
    "7 CLMr beside one that is no CLM": (
        ["L 97 1", "R 99 11", *train(20, 20, 20, start=140)], [(50, 50)],
        {"n_clm": 5, "n_clmr": 1, "n_clm_nr": 4, "n_plm_nr": 4}),
}  # fmt: skip


@pytest.mark.parametrize("clause", RESPIRATORY)
def test_clause_with_respiratory_events(clause):
    rows, events, expected = RESPIRATORY[clause]
    check(rows, respiratory=breaths(*events), **expected)


def test_clause_7_strict_ignores_a_short_interval_to_a_removed_movement():
    rows = ["L 109 1", *train(20, 20, 20, start=117)]
    given = {"hypnogram": stages("2" * 120), "respiratory": breaths((50, 50))}
    check(rows, "wasm2016-strict", **given, n_plm=0, n_plm_nr=4, n_plms_nr=4, plms_nr_index=4.0)


def test_clause_8_indices_of_sleep_are_none_without_a_hypnogram():
    found = score_limb(marks(*train(20, 20, 20)), respiratory=breaths()).indices
    undefined = {name for name, value in found.items() if value is None}
    assert undefined == {
        "n_plms", "n_plmw", "plms_index", "plmw_index", "pi_sleep", "n_plms_nr", "plms_nr_index",
    }  # fmt: skip


def test_clause_8_respiratory_indices_are_none_without_respiratory_events():
    found = score_limb(marks(*train(20, 20, 20)), stages("W2222222")).indices
    undefined = {name for name, value in found.items() if value is None}
    assert undefined == {"n_clmr", "n_clm_nr", "n_plm_nr", "n_plms_nr", "plms_nr_index"}


@pytest.mark.parametrize("rules", RULES)
def test_clause_8_a_night_without_movements_has_zeros_and_no_ratio(rules):
    found = score_limb(marks(), stages("W2"), breaths((10, 10)), rules).indices
    assert found.pop("pi_sleep") is None
    assert set(found.values()) == {0}


def test_movement_table():
    rows = [*train(20, 20, 20, start=10), "R 10.2 2", "L 75 1", "R 300 11"]
    table = score_limb(marks(*rows), stages("W2222"), breaths((20, 15))).movements
    assert table["onset"].tolist() == [10, 30, 50, 70, 75, 300]
    assert table["duration"].tolist() == [2.2, 1, 1, 1, 1, 11]
    assert table["leg"].tolist() == ["both", "left", "left", "left", "left", "right"]
    assert table["bilateral"].tolist() == [True, *[False] * 5]
    assert table["parts"].tolist() == [2, 1, 1, 1, 1, 1]
    assert table["clm"].tolist() == [*[True] * 5, False]
    assert table["imi"].fillna(0).tolist() == [0, 20, 20, 20, 5, 0]
    assert table["short_imi"].tolist() == [*[False] * 4, True, False]
    assert table["plm"].tolist() == [*[True] * 4, False, False]
    assert table["series"].fillna(0).tolist() == [1, 1, 1, 1, 0, 0]
    assert table["stage"].tolist() == ["W", "N2", "N2", "N2", "N2", None]
    assert table["respiratory"].tolist() == [False, False, False, False, False, False]
    assert table["plm_nr"].tolist() == table["plm"].tolist()
