"""Compare a night with published ranges of healthy adults, and with the person's other nights.

Only ranges whose source was read are here; each keeps its DOI and its limits. Where nothing is
published the comparison says so. No comparison is a diagnosis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import pandas as pd

from twitchsense.report.number_text import as_dict, format_interval, format_number, is_finite
from twitchsense.report.palette import kind_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import format_duration
from twitchsense.scoring.rates import rate
from twitchsense.trend.nights import MIN_NIGHTS_FOR_TYPICAL, MIN_VALID_HOURS, OUTCOMES

#: 90th percentile of the PLMS index of 100 healthy adults, per hour of sleep (Frauscher 2014).
PLMS_90TH_PER_H: Final = 24.8
#: 90th percentile of the fragmentary-myoclonus index, per hour of sleep (Frauscher 2014).
FM_90TH_PER_H: Final = 143.7
#: 90th percentile of sequences of high-frequency leg movements in a night (Frauscher 2014).
HFLM_90TH_PER_NIGHT: Final = 4
#: Fasciculations per minute that the tibialis anterior of healthy adults never exceeded in
#: periods of 2 min (van der Heijden 1994).
TIBIALIS_MAX_PER_MIN: Final = 3.0

Reading = Literal[
    "within", "around", "above", "below", "within_on_shin", "above_on_shin", "none", "unknown"
]

#: What each reading says.
READING_TEXT: Final[dict[str, str]] = {
    "within": "within this range",
    "around": "spans the upper end",
    "above": "above this range",
    "below": "below this range",
    "within_on_shin": "within, if on the shin",
    "above_on_shin": "above, if on the shin",
    "none": "no reference range",
    "unknown": "can’t be told",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A publication.

    Attributes
    ----------
    name : str
        First author and year.
    text : str
        What was measured, in whom.
    doi : str
    limits : str
        Why the comparison is only approximate.
    """

    name: str
    text: str
    doi: str
    limits: str


FRAUSCHER: Final = Source(
    "Frauscher 2014",
    "one night of polysomnography of 100 healthy adults, 19–77 years old. PLMS index: 36 were "
    "above 5 per h, 18 above 15 per h, 10 above 24.8 per h. All had fragmentary myoclonus, 9 the "
    "excessive pattern",
    "10.5665/sleep.3586",
    "The study used a sleep laboratory with EEG; one sensor on one leg may count fewer movements "
    "or more. Age and sex matter, and one night differs from the next.",
)
CHIARO: Final = Source(
    "Chiaro 2016",
    "sleep starts (hypnic jerks) occur in 60–70 % of the general population",
    "10.1016/j.sleep.2016.07.011",
    "How many a night has is not published.",
)
VAN_DER_HEIJDEN: Final = Source(
    "van der Heijden 1994",
    "surface EMG of 60 healthy adults at rest in periods of 2 min; potentials of 50 µV or more. "
    "Only in the tibialis anterior there were never more than 3 per min; other muscles varied "
    "widely, in the foot to above 100 per min",
    "10.1016/0168-5597(94)90036-1",
    "The report does not know the muscle below the sensor. The subjects were young (the first "
    "50 were 18–25 years old).",
)
SOURCES: Final = (FRAUSCHER, CHIARO, VAN_DER_HEIJDEN)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number of a night beside its reference range.

    Attributes
    ----------
    name : str
    value : str
        Number, unit and 95 % interval.
    reference_range : str
    reading : str
        A key of `READING_TEXT`.
    source : Source or None
    reading_words : str
        What the reading says, where `READING_TEXT` is not enough.
    """

    name: str
    value: str
    reference_range: str
    reading: Reading
    source: Source | None = None
    reading_words: str = ""

    @property
    def reading_text(self) -> str:
        """What the reading says."""
        return self.reading_words or READING_TEXT[self.reading]


def compare_with_published(night: NightLike, summary: dict[str, Any]) -> list[Comparison]:
    """Return the comparisons with published ranges.

    Parameters
    ----------
    night : Night
    summary : dict
        The content of ``summary.json``.

    Returns
    -------
    list of Comparison
        Empty without valid signal.
    """
    if not any(seconds > 0 for seconds in night.valid_s.values()):
        return []
    return [
        _plms(as_dict(summary.get("leg_movements"))),
        *_fragmentary_myoclonus(as_dict(summary.get("fragmentary_myoclonus"))),
        *_high_frequency(as_dict(summary.get("trains"))),
        *_fasciculations(as_dict(summary.get("fasciculations"))),
        *_jerks(night),
    ]


def leg_movement_score(block: dict[str, Any]) -> dict[str, Any]:
    """Return the leg-movement score by the rules that the labels follow.

    Parameters
    ----------
    block : dict
        ``leg_movements`` of ``summary.json``.

    Returns
    -------
    dict
        Empty if there is none.
    """
    return as_dict(as_dict(block.get("rules")).get(str(block.get("labels_by"))))


def _plms(block: dict[str, Any]) -> Comparison:
    cell = as_dict(leg_movement_score(block).get("plms_index"))
    reference_range = f"90 of 100 healthy adults: up to {PLMS_90TH_PER_H} per h of sleep"
    comparison = _against_limit(
        "PLMS index", cell, PLMS_90TH_PER_H, reference_range, "valid EMG or acceleration"
    )
    if block.get("sensor") == "acc" and comparison.reading == "within":
        # without EMG an index is a lower limit: acceleration shows only part of the movements
        words = "can’t be told without EMG"
        return replace(comparison, reading="unknown", reading_words=words)
    return comparison


def _fragmentary_myoclonus(block: dict[str, Any]) -> list[Comparison]:
    cell = as_dict(as_dict(block.get("fm_index")).get("sleep"))
    reference_range = f"90 of 100 healthy adults: up to {FM_90TH_PER_H} per h of sleep"
    name = "Fragmentary myoclonus index"
    out = [_against_limit(name, cell, FM_90TH_PER_H, reference_range, "valid EMG")]
    pattern = as_dict(block.get("efm_pattern"))
    if pattern.get("verdict") in ("present", "borderline"):
        out.append(
            Comparison(
                "Pattern of excessive fragmentary myoclonus",
                f"{format_number(pattern.get('minutes'))} min",
                "9 of 100 healthy adults had 20 min or more",
                "above" if pattern["verdict"] == "present" else "around",
                FRAUSCHER,
            )
        )
    return out


def _high_frequency(trains: dict[str, Any]) -> list[Comparison]:
    cell = as_dict(as_dict(trains.get("high_freq_leg_movement")).get("trains"))
    count = cell.get("count")
    if not is_finite(count) or not count:
        return []
    reference_range = f"90 of 100 healthy adults: up to {HFLM_90TH_PER_NIGHT} a night"
    reading: Reading = "within" if count <= HFLM_90TH_PER_NIGHT else "above"
    name = "Series of high-frequency leg movements"
    return [Comparison(name, f"{count}", reference_range, reading, FRAUSCHER)]


def _against_limit(
    name: str, cell: dict[str, Any], limit: float, reference_range: str, needs: str
) -> Comparison:
    value, low, high = (cell.get(key) for key in ("rate_per_h", "low", "high"))
    if not (is_finite(value) and is_finite(low) and is_finite(high)):
        return Comparison(name, f"needs sleep and {needs}", reference_range, "unknown", FRAUSCHER)
    reading: Reading = "around"
    if float(high) <= limit:
        reading = "within"
    elif float(low) > limit:
        reading = "above"
    return Comparison(name, format_interval(value, low, high, "per h"), reference_range, reading,
                      FRAUSCHER)  # fmt: skip


def _fasciculations(block: dict[str, Any]) -> list[Comparison]:
    cells = [as_dict(cell) for cell in as_dict(block.get("channels")).values()]
    cells = [cell for cell in cells if is_finite(cell.get("rate_per_min"))]
    if not cells:
        return []
    cell = max(cells, key=_busiest_key)
    most = cell.get("most_in_2_min")
    value = format_interval(cell["rate_per_min"], cell.get("low"), cell.get("high"), "per min")
    reading: Reading = "unknown"
    if is_finite(most):
        is_within = float(most) / 2 <= TIBIALIS_MAX_PER_MIN
        reading = "within_on_shin" if is_within else "above_on_shin"
        value += f", in the busiest 2 min {format_number(float(most) / 2)} per min"
    name = "Fasciculation-like twitches at rest"
    reference_range = f"shin muscle: at most {TIBIALIS_MAX_PER_MIN:g} per min; others: no range"
    return [Comparison(name, value, reference_range, reading, VAN_DER_HEIJDEN)]


def _busiest_key(cell: dict[str, Any]) -> tuple[float, float]:
    """Return the sort key of a channel: first its busiest 2 min, which the range is about."""
    most = cell.get("most_in_2_min")
    return float(most) if is_finite(most) else -1.0, float(cell["rate_per_min"])


def _jerks(night: NightLike) -> list[Comparison]:
    jerks = night.events[night.events["trial_type"] == "jerk"]
    n_starts = int((jerks["label"] == "sleep_start").sum())
    n_others = len(jerks) - n_starts
    return [
        Comparison(
            "Sleep-start-like jerks",
            f"{n_starts}",
            "60–70 % of people have them; no range per night",
            "none",
            CHIARO,
        ),
        Comparison("Other jerks", f"{n_others}", "no range is published for the leg", "none"),
    ]


def compare_with_own(night: NightLike, others: pd.DataFrame) -> list[Comparison]:
    """Return the comparisons with the person's other nights.

    Parameters
    ----------
    night : Night
    others : DataFrame
        Table of `twitchsense.trend.nights.read_nights`, without this night.

    Returns
    -------
    list of Comparison
        For each kind that is followed; empty with fewer than five nights of two valid hours.
    """
    by_kind = as_dict(night.summary_dict().get("by_kind"))
    out: list[Comparison] = []
    for kind in OUTCOMES:
        long_enough = others[others[f"{kind}_hours"] >= MIN_VALID_HOURS]
        rates = long_enough[f"{kind}_rate"].dropna()
        if len(rates) < MIN_NIGHTS_FOR_TYPICAL:
            continue
        cell = as_dict(by_kind.get(kind))
        hours = float(cell.get("hours", 0.0))
        value, low, high = rate(int(cell.get("count", 0)), hours)
        lowest, highest = float(rates.min()), float(rates.max())
        reference_range = (
            f"your {len(rates)} other nights: {format_number(lowest)}–{format_number(highest)} "
            f"per h, median {format_number(float(rates.median()))} per h"
        )
        reading: Reading = "around"
        if not math.isfinite(value):
            reading = "unknown"
        elif high < lowest:
            reading = "below"
        elif value <= highest:
            reading = "within"
        elif low > highest:
            reading = "above"
        name = f"{kind_name(kind, 2).capitalize()}, all"
        out.append(Comparison(name, format_interval(value, low, high, "per h"), reference_range,
                              reading))  # fmt: skip
    return out


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
    names: dict[str, list[str]] = {reading: [] for reading in READING_TEXT}
    for comparison in comparisons:
        names[comparison.reading].append(_inside_sentence(comparison.name))
    sentences: list[str] = []
    if length_s < MIN_VALID_HOURS * 3600:
        sentences.append(f"{format_duration(length_s)} are too short to judge a night")
    if names["above"]:
        n = len(names["above"])
        sentences.append(
            f"{'One number' if n == 1 else f'{n} numbers'} to compare with other nights: "
            f"{_join(names['above'])} {'was' if n == 1 else 'were'} above the range. One in ten "
            "healthy adults is above a published range too, and single nights vary widely"
        )
    elif names["within"]:
        is_one = len(names["within"]) == 1 and names["within"][0].startswith("the ")
        lay = "lay within its range" if is_one else "lay within their ranges"
        text = f"{_join(names['within'])} {lay}"
        is_all = not names["above_on_shin"]
        nothing = "Nothing unusual by the ranges that exist: "
        sentences.append(nothing + text if is_all else text[:1].upper() + text[1:])
    if names["below"]:
        was = "was" if len(names["below"]) == 1 and names["below"][0].startswith("the ") else "were"
        sentences.append(f"Below the range of the other nights {was} {_join(names['below'])}")
    if names["around"]:
        spans = "it spans" if len(names["around"]) == 1 else "they span"
        sentences.append(
            f"{'For' if sentences else 'It can’t be decided for'} {_join(names['around'])}"
            f"{' it can’t be decided' if sentences else ''}: {spans} the upper end of the range"
        )
    for reading, was in (("above_on_shin", "were above"), ("within_on_shin", "lay within")):
        if names[reading]:
            text = f"{_join(names[reading])} {was} the range of the shin muscle"
            where = "which applies only if the sensor was there"
            sentences.append(f"{text[:1].upper()}{text[1:]}, {where}")
    if names["unknown"]:
        sentences.append(f"It can’t be told for {_join(names['unknown'])}")
    if not sentences:
        sentences.append("That can’t be told: no range is published for what was found")
    return ". ".join(sentences) + "."


def _inside_sentence(name: str) -> str:
    if name.endswith(("index", "myoclonus")):
        return f"the {name}" if name.startswith("PLMS") else f"the {name[:1].lower()}{name[1:]}"
    return f"{name[:1].lower()}{name[1:]}"


def _join(names: Sequence[str]) -> str:
    parts = [n.removesuffix(", all") for n in names]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
