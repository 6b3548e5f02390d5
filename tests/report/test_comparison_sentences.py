"""The answer to "Did anything unusual happen?" in all combinations of readings."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from twitchsense.report.comparison_sentences import unusual_sentences
from twitchsense.report.reference_ranges import (
    FRAUSCHER,
    READING_TEXT,
    VAN_DER_HEIJDEN,
    WHY_NO_SLEEP,
    WHY_NO_WAKE,
    Comparison,
)

HOUR = 3600.0


def compared(*readings, source=FRAUSCHER):
    """Return a comparison for each reading; their names are a, b, c, …"""
    return [
        Comparison(name.upper(), "", "", reading, source, name, reason=WHY_NO_SLEEP)
        for name, reading in zip("abcdef", readings, strict=False)
    ]


def on_shin(reading, reason=""):
    return Comparison("S", "", "", reading, VAN_DER_HEIJDEN, "s", reason=reason, is_on_shin=True)


NOTHING = "Nothing unusual by the ranges that exist: "
CALM = "One in ten healthy adults is above a published range too, and single nights vary widely."
ON_SHIN = "range of the shin muscle, which applies only if the sensor was there."
OTHERS = "Other muscles of healthy adults may twitch far more often."


@pytest.mark.parametrize(
    ("comparisons", "text"),
    [
        ([], "That can’t be told: there was no valid signal."),
        (compared("none"), "That can’t be told: no range is published for what was found."),
        (compared("within"), f"{NOTHING}a lay within their range."),
        (compared("within", "within"), f"{NOTHING}a and b lay within their ranges."),
        (
            compared("within", "within", "within"),
            f"{NOTHING}a, b and c lay within their ranges.",
        ),
        (
            compared("above"),
            f"One number to compare with other nights: a were above the range. {CALM}",
        ),
        (
            compared("above", "above", "within"),
            "2 numbers to compare with other nights: a and b were above the range. "
            f"{CALM} C lay within their range.",
        ),
        (
            compared("above", source=None),
            "One number to compare with other nights: a were above the range. Single nights vary "
            "widely.",
        ),
        (compared("around"), "A lay at the upper end of their range."),
        (
            compared("within", "around", "around"),
            "B and c lay at the upper end of their ranges. A lay within their range.",
        ),
        (compared("below"), "A were below the range of your other nights."),
        (compared("within", "unknown"),
         f"A lay within their range. It can’t be told for b: {WHY_NO_SLEEP}."),
        (compared("unknown"), f"It can’t be told for a: {WHY_NO_SLEEP}."),
        (
            [*compared("unknown", "unknown"), on_shin("unknown", WHY_NO_WAKE)],
            f"It can’t be told for a and b: {WHY_NO_SLEEP}. It can’t be told for s: "
            f"{WHY_NO_WAKE}.",
        ),
        ([*compared("within"), on_shin("within")],
         f"{NOTHING}a lay within their range. S lay within the {ON_SHIN}"),
        ([*compared("within"), on_shin("above")],
         f"A lay within their range. S were above the {ON_SHIN} {OTHERS}"),
        ([on_shin("around")], f"S lay at the upper end of the {ON_SHIN} {OTHERS}"),
    ],
)  # fmt: skip
def test_answer(comparisons, text):
    assert unusual_sentences(comparisons, 8 * HOUR) == text


def test_every_combination_is_complete_sentences_without_alarm():
    for readings in combinations_with_replacement(READING_TEXT, 4):
        for shin in ("within", "around", "above", "unknown"):
            comparisons = [*compared(*readings), on_shin(shin)]
            text = unusual_sentences(comparisons, 8 * HOUR)
            assert text.endswith(".")
            assert ".." not in text
            assert ": ." not in text
            sentences = text.removesuffix(".").split(". ")
            assert all(s[0].isupper() or s[0].isdigit() for s in sentences)
            is_all_compared = not {"above", "around", "unknown"} & {*readings, shin}
            assert (NOTHING in text) <= is_all_compared
            for never in ("abnormal", "pathological", "risk", "severe", "you have", "disease"):
                assert never not in text


def test_under_two_hours_the_length_is_the_answer():
    for readings in combinations_with_replacement(READING_TEXT, 2):
        text = unusual_sentences(compared(*readings), HOUR)
        assert text == "That can’t be told: a recording of 1 h is too short to judge a night."
