"""Compare a night with published ranges of healthy adults, and with the person's other nights.

Only ranges whose source was read are here; each keeps its DOI and its limits. Where nothing is
published the comparison says so. No comparison is a diagnosis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import pandas as pd

from twitchsense.model.channels import NS
from twitchsense.report.night_intervals import has_valid
from twitchsense.report.number_text import as_dict, format_interval, format_number, is_finite
from twitchsense.report.palette import kind_name
from twitchsense.report.protocols import NightLike
from twitchsense.scoring.indices.confidence_intervals import poisson_interval
from twitchsense.scoring.indices.fasciculations import NO_WAKE_AT_REST
from twitchsense.scoring.indices.rates import rate
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

Reading = Literal["within", "around", "above", "below", "none", "unknown"]

#: What each reading says.
READING_TEXT: Final[dict[str, str]] = {
    "within": "within this range",
    "around": "at the upper end",
    "above": "above this range",
    "below": "below this range",
    "none": "no reference range",
    "unknown": "can’t be told",
}
#: Why a number is not compared; each continues "It can’t be told for …:".
WHY_NO_SLEEP: Final = "this needs sleep and valid EMG"
WHY_ACC_ALONE: Final = "acceleration alone misses many of them"
WHY_NO_WAKE: Final = (
    "their range is for muscles awake at rest, and it is not known when you were awake"
)
WHY_NO_REST: Final = "there was too little valid signal awake at rest"
WHY_SHORT: Final = f"a comparison needs {MIN_VALID_HOURS:g} h"


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
        Number, unit and 95 % interval; without a number what it needs.
    reference_range : str
    reading : str
        A key of `READING_TEXT`.
    source : Source or None
    in_words : str
        The name inside a sentence, in the plural.
    meaning : str
        What the number counts, for readers who do not know its name.
    reason : str
        Why the reading is ``unknown``.
    is_on_shin : bool
        Whether the range applies only to a sensor over the shin muscle.
    """

    name: str
    value: str
    reference_range: str
    reading: Reading
    source: Source | None = None
    in_words: str = ""
    meaning: str = ""
    reason: str = ""
    is_on_shin: bool = False

    @property
    def reading_text(self) -> str:
        """What the reading says."""
        if self.reason == WHY_SHORT:
            return "too short to compare"
        text = READING_TEXT[self.reading]
        if self.is_on_shin and self.reading != "unknown":
            return f"{text.removesuffix(' this range')}, if on the shin"
        return text


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
    comparisons = [
        _plms(as_dict(summary.get("leg_movements"))),
        *_fragmentary_myoclonus(as_dict(summary.get("fragmentary_myoclonus")), night),
        *_high_frequency(as_dict(summary.get("trains"))),
        *_fasciculations(as_dict(summary.get("fasciculations")), night),
        *_jerks(night),
    ]
    hours = (night.recording.end_ns - night.recording.start_ns) / NS / 3600
    return comparisons if hours >= MIN_VALID_HOURS else [_too_short(c) for c in comparisons]


def _too_short(comparison: Comparison) -> Comparison:
    if comparison.reading in ("none", "unknown"):
        return comparison
    return replace(comparison, reading="unknown", reason=WHY_SHORT)


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
    comparison = _against_limit(
        Comparison(
            "PLMS index",
            "",
            f"90 of 100 healthy adults: up to {PLMS_90TH_PER_H} per h of sleep; 18 were above 15",
            "unknown",
            FRAUSCHER,
            "periodic leg movements (PLMS index)",
            "periodic leg movements, asleep",
        ),
        as_dict(leg_movement_score(block).get("plms_index")),
        PLMS_90TH_PER_H,
    )
    return _needs_emg(comparison) if block.get("sensor") == "acc" else comparison


def _needs_emg(comparison: Comparison) -> Comparison:
    return replace(comparison, value="needs EMG", reading="unknown", reason=WHY_ACC_ALONE)


def _fragmentary_myoclonus(block: dict[str, Any], night: NightLike) -> list[Comparison]:
    comparison = Comparison(
        "Fragmentary myoclonus index",
        "",
        f"90 of 100 healthy adults: up to {FM_90TH_PER_H} per h of sleep",
        "unknown",
        FRAUSCHER,
        "twitches in sleep (fragmentary myoclonus index)",
        "stretches of 3 s with a twitch, asleep",
    )
    cell = as_dict(as_dict(block.get("fm_index")).get("sleep"))
    if not has_valid(night, "emg"):
        return [_needs_emg(comparison)]
    out = [_against_limit(comparison, cell, FM_90TH_PER_H)]
    pattern = as_dict(block.get("efm_pattern"))
    if pattern.get("verdict") in ("present", "borderline"):
        out.append(
            Comparison(
                "Pattern of excessive fragmentary myoclonus",
                f"{format_number(pattern.get('minutes'))} min",
                "9 of 100 healthy adults had 20 min or more",
                "above" if pattern["verdict"] == "present" else "around",
                FRAUSCHER,
                "minutes with many twitches in sleep",
                "minutes of sleep with many twitches",
            )
        )
    return out


def _high_frequency(trains: dict[str, Any]) -> list[Comparison]:
    cell = as_dict(as_dict(trains.get("high_freq_leg_movement")).get("trains"))
    count = cell.get("count")
    if not is_finite(count) or not count:
        return []
    low, high = (float(x) for x in poisson_interval(int(count)))
    return [
        Comparison(
            "Series of high-frequency leg movements",
            f"{count:.0f} ({low:.1f}–{high:.1f})",
            f"90 of 100 healthy adults: up to {HFLM_90TH_PER_NIGHT} a night",
            # the range is of counts of a night: up to the limit, the count itself decides
            "within" if count <= HFLM_90TH_PER_NIGHT else _reading(low, high, HFLM_90TH_PER_NIGHT),
            FRAUSCHER,
            "series of high-frequency leg movements",
            "rapid movements of the foot or leg in a row",
        )
    ]


def _reading(low: float, high: float, limit: float) -> Reading:
    """Return where a 95 % interval lies; only a whole interval is within or above a range."""
    if high <= limit:
        return "within"
    return "above" if low > limit else "around"


def _against_limit(comparison: Comparison, cell: dict[str, Any], limit: float) -> Comparison:
    """Fill in the number and its reading; a rate of under two hours is not compared."""
    value, low, high = (cell.get(key) for key in ("rate_per_h", "low", "high"))
    if not (is_finite(value) and is_finite(low) and is_finite(high)):
        return replace(comparison, value="needs sleep and valid EMG", reason=WHY_NO_SLEEP)
    compared = replace(
        comparison,
        value=format_interval(value, low, high, "per h"),
        reading=_reading(low, high, limit),
    )
    hours = cell.get("hours")
    return compared if is_finite(hours) and hours >= MIN_VALID_HOURS else _too_short(compared)


def _fasciculations(block: dict[str, Any], night: NightLike) -> list[Comparison]:
    channels = {name: as_dict(c) for name, c in as_dict(block.get("channels")).items()}
    if not channels:
        return []
    name = max(channels, key=lambda name: _busiest_key(channels[name]))
    cell, missing = channels[name], as_dict(block.get("not_computable")).get(name)
    comparison = Comparison(
        "Fasciculation-like twitches at rest",
        "not known when you were awake",
        f"shin muscle: at most {TIBIALIS_MAX_PER_MIN:g} per min; others: no range",
        "unknown",
        VAN_DER_HEIJDEN,
        "twitches awake at rest (fasciculation-like)",
        "brief twitches of a muscle, awake",
        WHY_NO_WAKE,
        is_on_shin=True,
    )
    if not (night.epochs["context"] == "wake").any():  # results of earlier versions counted it
        return [comparison]
    low, high, most = (cell.get(key) for key in ("low", "high", "most_in_2_min"))
    if not (is_finite(cell.get("rate_per_min")) and is_finite(low) and is_finite(high)):
        if missing == NO_WAKE_AT_REST:
            return [replace(comparison, value=NO_WAKE_AT_REST, reason=WHY_NO_REST)]
        return [comparison]
    value = format_interval(cell["rate_per_min"], low, high, "per min")
    if not is_finite(most):  # the range is of complete periods of 2 min
        return [replace(comparison, value=value, reason=WHY_NO_REST)]
    busiest = float(most) / 2
    reading = _reading(low, high, TIBIALIS_MAX_PER_MIN)
    if reading == "within" and busiest > TIBIALIS_MAX_PER_MIN:
        reading = "around"
    value += f", in the busiest 2 min {format_number(busiest)} per min"
    return [replace(comparison, value=value, reading=reading, reason="")]


def _busiest_key(cell: dict[str, Any]) -> tuple[float, float]:
    """Return the sort key of a channel: first its busiest 2 min, which the range is about."""
    most, rate_per_min = cell.get("most_in_2_min"), cell.get("rate_per_min")
    return (
        float(most) if is_finite(most) else -1.0,
        float(rate_per_min) if is_finite(rate_per_min) else -1.0,
    )


def _jerks(night: NightLike) -> list[Comparison]:
    jerks = night.events[night.events["trial_type"] == "jerk"]
    n_starts = int((jerks["label"] == "sleep_start").sum())
    counts = [f"{n_starts}", f"{len(jerks) - n_starts}"]
    counts = counts if has_valid(night, "acc") else ["needs acceleration"] * 2
    return [
        Comparison(
            "Sleep-start-like jerks",
            counts[0],
            "60–70 % of people have them; no range per night",
            "none",
            CHIARO,
        ),
        Comparison("Other jerks", counts[1], "no range is published for the leg", "none"),
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
        reason = ""
        if not math.isfinite(value) or hours < MIN_VALID_HOURS:
            reading, reason = "unknown", WHY_SHORT
        elif high < lowest:
            reading = "below"
        elif value <= highest:
            reading = "within"
        elif low > highest:
            reading = "above"
        names = kind_name(kind, 2)
        out.append(
            Comparison(
                f"{names.capitalize()}, all",
                format_interval(value, low, high, "per h"),
                reference_range,
                reading,
                in_words=names,
                reason=reason,
            )
        )
    return out
