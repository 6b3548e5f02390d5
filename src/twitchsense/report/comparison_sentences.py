"""The answer to "Did anything unusual happen?", from the comparisons of a night."""

from __future__ import annotations

from collections.abc import Sequence

from twitchsense.report.number_text import join_words
from twitchsense.report.reference_ranges import Comparison, Reading
from twitchsense.report.time_labels import format_duration
from twitchsense.trend.nights import MIN_VALID_HOURS


def unusual_sentences(comparisons: Sequence[Comparison], length_s: float) -> str:
    """Return the answer to "Did anything unusual happen?".

    Parameters
    ----------
    comparisons : sequence of Comparison
        From `compare_with_published` and `compare_with_own`.
    length_s : float
        Length of the recording (s).

    Returns
    -------
    str
    """
    if not comparisons:
        return "That can’t be told: there was no valid signal."
    if length_s < MIN_VALID_HOURS * 3600:
        length = format_duration(length_s)
        return f"That can’t be told: a recording of {length} is too short to judge a night."
    sentences = [
        *_above(comparisons),
        *_around(comparisons),
        *_within(comparisons),
        *_below(comparisons),
        *_on_shin(comparisons),
        *_unknown(comparisons),
    ]
    if not sentences:
        return "That can’t be told: no range is published for what was found."
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in sentences)


def _above(comparisons: Sequence[Comparison]) -> list[str]:
    found = _names(comparisons, "above")
    if not found:
        return []
    n = len(found)
    numbers = "one number" if n == 1 else f"{n} numbers"
    softener = "single nights vary widely"
    if any(c.source is not None for c in comparisons if c.in_words in found):
        softener = f"one in ten healthy adults is above a published range too, and {softener}"
    return [
        f"{numbers} to compare with other nights: {join_words(found)} were above the range",
        softener,
    ]


def _within(comparisons: Sequence[Comparison]) -> list[str]:
    found = _names(comparisons, "within")
    if not found:
        return []
    text = f"{join_words(found)} lay within {_their_range(found)}"
    if any(c.reading in ("above", "around", "unknown") for c in comparisons):
        return [text]
    return [f"nothing unusual by the ranges that exist: {text}"]


def _below(comparisons: Sequence[Comparison]) -> list[str]:
    found = _names(comparisons, "below")
    return [f"{join_words(found)} were below the range of your other nights"] if found else []


def _around(comparisons: Sequence[Comparison]) -> list[str]:
    found = _names(comparisons, "around")
    if not found:
        return []
    return [f"{join_words(found)} lay at the upper end of {_their_range(found)}"]


def _on_shin(comparisons: Sequence[Comparison]) -> list[str]:
    """Return a sentence for each number whose range applies only over the shin muscle."""
    places: dict[Reading, str] = {
        "above": "were above the range",
        "around": "lay at the upper end of the range",
        "within": "lay within the range",
    }
    out: list[str] = []
    for place, words in places.items():
        if found := _names(comparisons, place, is_on_shin=True):
            text = f"{join_words(found)} {words} of the shin muscle"
            out.append(f"{text}, which applies only if the sensor was there")
            if place != "within":
                out.append("other muscles of healthy adults may twitch far more often")
    return out


def _unknown(comparisons: Sequence[Comparison]) -> list[str]:
    """Return a sentence for each reason why numbers are not compared."""
    by_reason: dict[str, list[str]] = {}
    for c in comparisons:
        if c.reading == "unknown":
            by_reason.setdefault(c.reason, []).append(c.in_words)
    return [
        f"it can’t be told for {join_words(names)}{f': {reason}' if reason else ''}"
        for reason, names in by_reason.items()
    ]


def _names(
    comparisons: Sequence[Comparison], reading: Reading, *, is_on_shin: bool = False
) -> list[str]:
    return [c.in_words for c in comparisons if (c.reading, c.is_on_shin) == (reading, is_on_shin)]


def _their_range(names: Sequence[str]) -> str:
    return "their range" if len(names) == 1 else "their ranges"
