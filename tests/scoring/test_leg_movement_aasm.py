"""Leg movements by the AASM rules, hand-worked."""

from __future__ import annotations

import pytest

from tests.scoring.builders import breaths, check, train

AASM = {
    "legs 4.999999 s apart are one": (
        ["L 10 1", "R 14.999999 1"], {"n_lm": 1, "n_bilateral_lm": 1}),
    "legs exactly 5 s apart are two": (["L 10 1", "R 15 1"], {"n_lm": 2, "n_bilateral_lm": 0}),
    "one leg 4 s apart is two, the interval short": (train(4), {"n_lm": 2, "n_short_imi": 1}),
    "onset decides: legs that touch 8 s apart are two": (["L 10 8", "R 18 3"], {"n_lm": 2}),
    "three: the third is measured from the first": (["L 10 1", "R 13 1", "L 16 1"], {"n_lm": 2}),
    "three within 5 s, legs alternating, are one": (["L 10 1", "R 12 1", "L 14 1"], {"n_lm": 1}),
    "same leg twice, then the other": (["L 10 1", "L 12 1", "R 13 1"], {"n_lm": 2}),
    "the same onset on both legs is one": (["R 10 1", "L 10 1"], {"n_lm": 1}),
    "both at once after one of either leg are one": (
        ["L 10 1", "L 13 1", "R 13 1"], {"n_lm": 1, "n_bilateral_lm": 1}),
    "and so they are after the right one": (
        ["R 10 1", "R 13 1", "L 13 1"], {"n_lm": 1, "n_bilateral_lm": 1}),
    "10 s is a movement": (["L 10 10"], {"n_lm": 1, "n_clm": 1}),
    "10.000001 s is none": (["L 10 10.000001"], {"n_lm": 0, "n_clm": 0}),
    "what lasts too long ends no series": (
        [*train(20, 40, 20), "R 130 11"], {"n_lm": 4, "n_plm": 4}),
    "combined movements have no limit of 4 parts": (
        ["L 10 0.5", "R 10.9 0.6", "L 11.8 0.6", "R 12.7 0.6", "L 13.6 0.6"],
        {"n_lm": 1, "n_clm": 1}),
    "combined movements may last longer than one leg's": (
        ["L 10 10", "R 14 10"], {"n_lm": 1, "n_clm": 1}),
    "interval of exactly 5 s": (train(5, 5, 5), {"n_plm": 4, "n_short_imi": 0}),
    "interval of 4.999999 s": (train(5, 5, 4.999999), {"n_plm": 0, "n_short_imi": 1}),
    "interval of exactly 90 s": (train(90, 90, 90), {"n_plm": 4}),
    "interval of 90.000001 s": (train(90, 90, 90.000001), {"n_plm": 0}),
    "3 movements are no series": (train(20, 20), {"n_plm": 0}),
    "gap of 0.4 s on a leg is one movement": (["L 10 1", "L 11.4 1"], {"n_lm": 1}),
    "gap of 0.5 s on a leg is two": (["L 10 1", "L 11.5 1"], {"n_lm": 2}),
    "0.499999 s is no movement": (["L 10 0.499999"], {"n_lm": 0}),
}  # fmt: skip


@pytest.mark.parametrize("clause", AASM)
def test_aasm_clause(clause):
    rows, expected = AASM[clause]
    check(rows, "aasm", **expected)


@pytest.mark.parametrize(
    ("row", "hit"),
    [
        ("L 48.5 1", 1),  # ends 0.5 s before the event
        ("L 48.5 0.999999", 0),
        ("L 70 1", 1),  # during the event
        ("L 100.5 1", 1),  # begins 0.5 s after it
        ("L 100.500001 1", 0),
    ],
)
def test_aasm_respiratory_window_is_the_event_plus_half_a_second(row, hit):
    check([row], "aasm", respiratory=breaths((50, 50)), n_clmr=hit, n_clm_nr=1 - hit)


def test_aasm_respiratory_events_may_contain_one_another():
    check(["L 150 1"], "aasm", respiratory=breaths((10, 200), (50, 10)), n_clmr=1)
