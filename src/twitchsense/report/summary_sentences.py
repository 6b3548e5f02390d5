"""The night in a few sentences: the questions and answers at the top of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.report.comparison_sentences import unusual_sentences
from twitchsense.report.night_intervals import artifact_minutes, has_valid
from twitchsense.report.number_text import join_words
from twitchsense.report.palette import KIND_NAMES, context_name, kind_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.reference_ranges import Comparison, compare_with_published
from twitchsense.report.sleep_statistics import (
    format_sleep,
    has_hypnogram,
    hypnogram_statistics,
)
from twitchsense.report.time_labels import (
    INTO_RECORDING,
    WallClock,
    format_duration,
    is_onset_known,
    is_onset_left_censored,
    onset_interval,
)
from twitchsense.trend.nights import MIN_VALID_HOURS

#: Confidence from which an event is called clear; an engineering choice.
CLEAR_CONFIDENCE: Final = 0.7
#: Share above which a signal was valid "nearly all the time"; an engineering choice.
_NEARLY_ALL: Final = 0.98
#: Share from which the recording was "mostly" good; an engineering choice.
_MOSTLY: Final = 0.8
#: Share of one sensor from which the recording was good "in part"; an engineering choice.
_IN_PART: Final = 0.1
#: Kinds counted first; all other kinds follow after "besides".
_MAIN_KINDS: Final = ("twitch", "jerk", "movement")
_SENSOR_NAMES: Final = {"emg": "muscle signal (EMG)", "acc": "acceleration"}


def summary_answers(
    night: NightLike, comparisons: Sequence[Comparison] | None = None
) -> list[tuple[str, str]]:
    """Return the questions at the top of the report with their answers.

    Parameters
    ----------
    night : Night
    comparisons : sequence of Comparison, optional
        With published ranges and with the person's other nights; by default with published
        ranges.

    Returns
    -------
    list of tuple of str
        Question and answer.
    """
    if comparisons is None:
        comparisons = compare_with_published(night, night.summary_dict())
    return [
        ("Did anything unusual happen?", unusual_sentences(comparisons, _length_s(night))),
        ("What was found?", events_sentences(night)),
        ("How did I sleep?", sleep_sentences(night)),
        ("Was the recording good?", f"{quality_word(night)}. {valid_time_sentences(night)}"),
        ("How sure is that?", confidence_sentences(night)),
    ]


def quality_word(night: NightLike) -> str:
    """Return how much of the night both sensors recorded without artefacts, in a word or two."""
    if is_too_short(night) and any(seconds > 0 for seconds in night.valid_s.values()):
        return "Too short to judge a night"
    shares = _valid_shares(night)
    of_sensors = [shares.get(kind, 0.0) for kind in _SENSOR_NAMES]
    undisturbed = 1 - _artifact_s(night) / max(_length_s(night), 1e-9)
    worst, best = min(*of_sensors, undisturbed), max(of_sensors)
    if worst > _NEARLY_ALL:
        return "Yes"
    if worst >= _MOSTLY:
        return "Mostly"
    return "In part" if best >= _IN_PART else "No"


def valid_time_sentences(night: NightLike) -> str:
    """Return the length of the recording and how much of it was valid."""
    length, shares = _length_s(night), _valid_shares(night)
    extents = {_extent(shares.get(kind), length) for kind in _SENSOR_NAMES}
    if len(extents) == 1 and len(shares) == len(_SENSOR_NAMES):
        both = " and ".join(_SENSOR_NAMES.values())
        validity = f"{both} could both be evaluated {extents.pop()}"
    else:
        validity = " and ".join(
            _sensor_validity(kind, shares.get(kind), length) for kind in _SENSOR_NAMES
        )
    text = f"The recording lasted {format_duration(length)}: {validity}."
    if any(0 < share <= _NEARLY_ALL for share in shares.values()):
        text += " Nothing is known about the rest of the time."
    disturbed_s = _artifact_s(night)
    if disturbed_s > 0:
        text += (
            f" {format_duration(disturbed_s)} of it had many artefacts (such as from a loose "
            "electrode): small twitches may be missed there, and some events may not be real."
        )
    if is_too_short(night):
        text += f" A night needs at least {MIN_VALID_HOURS:g} h, ideally all of the sleep."
    return text


def is_too_short(night: NightLike) -> bool:
    """Return whether the recording is shorter than a night that the trend would use."""
    return _length_s(night) < MIN_VALID_HOURS * 3600


def _length_s(night: NightLike) -> float:
    return (night.recording.end_ns - night.recording.start_ns) / NS


def _artifact_s(night: NightLike) -> float:
    return sum(length for _, length in artifact_minutes(night))


def _is_all_valid(shares: Mapping[str, float]) -> bool:
    return all(shares.get(kind, 0.0) > _NEARLY_ALL for kind in _SENSOR_NAMES)


def _valid_shares(night: NightLike) -> dict[str, float]:
    """Return the valid share of the recording for each kind of channel that it has."""
    shares: dict[str, float] = {}
    for channel in night.recording.channels:
        share = night.valid_s.get(channel.name, 0.0) / max(_length_s(night), 1e-9)
        shares[channel.kind] = max(shares.get(channel.kind, 0.0), share)
    return shares


def _sensor_validity(kind: str, share: float | None, length_s: float) -> str:
    name = _SENSOR_NAMES[kind]
    if share is None:
        return f"no {name} was recorded"
    if share <= 0:
        return f"none of the {name} could be evaluated"
    return f"{name} could be evaluated {_extent(share, length_s)}"


def _extent(share: float | None, length_s: float) -> str:
    if share is None or share <= 0:
        return "at no time"
    if share > _NEARLY_ALL:
        return "nearly all the time"
    return f"for {format_duration(share * length_s)} of it"


def sleep_sentences(night: NightLike) -> str:
    """Return sleep onset, and with a hypnogram how long and how well the night was slept."""
    sleep = hypnogram_statistics(night)
    if sleep is None:
        return sleep_onset_sentence(night)
    if sleep.latency_s is None:
        return sleep_onset_sentence(night)
    asleep, in_bed = format_sleep(sleep.asleep_s), format_sleep(sleep.in_bed_s)
    return (
        f"{sleep_onset_sentence(night)} Total sleep time {asleep} of {in_bed} in bed "
        f"(sleep efficiency {100 * sleep.efficiency:.0f} %), {format_sleep(sleep.waso_s)} awake "
        "after sleep onset."
    )


def sleep_onset_sentence(night: NightLike) -> str:
    """Return the time of sleep onset, its uncertainty and its source."""
    onset, clock = night.onset, WallClock.of(night.recording)
    if onset.time_s is None or not is_onset_known(night):
        if has_hypnogram(night):
            return "The hypnogram holds no sleep within the recording."
        if (night.epochs["context"] == "wake").any():
            return (
                "No sleep was found in this recording; lying awake and light sleep can look the "
                "same."
            )
        if any(key.startswith("acc") and s > 0 for key, s in night.valid_s.items()):
            return (
                "It is not known when you were awake or asleep: the movement of the leg did not "
                "tell it in this recording; a hypnogram would."
            )
        return (
            "It is not known when you were awake or asleep: that needs a hypnogram or acceleration."
        )
    when = clock.format_minute(onset.time_s)
    if "hypnogram" in onset.source:
        if onset.time_s > night.recording.end_ns / NS:
            return "According to the hypnogram, sleep began after the end of the recording."
        return f"According to the hypnogram, sleep began {'at ' if clock.is_known else ''}{when}."
    if is_onset_left_censored(night) and onset.high_s is not None:
        moved = (night.events["onset"] < onset.high_s).any()
        leg = "Apart from single movements, the leg" if moved else "The leg"
        return (
            f"{leg} lay still from the start, so sleep may have begun at any time until "
            f"{clock.format_minute(onset.high_s)}: lying awake without moving looks the same."
        )
    between = ""
    if (interval := onset_interval(night)) is not None:
        low, high = (clock.format_minute(t) for t in interval)
        between = f", between {low} and {high},"
    if not clock.is_known:
        between = between.replace(INTO_RECORDING, "")
    return (
        f"Sleep probably began around {when}{between or ','} estimated from how still the leg lay: "
        "lying awake without moving looks the same."
    )


def events_sentences(night: NightLike) -> str:
    """Return the counts by kind, where most occurred, series, and the strongest jerk."""
    table = night.events
    if not any(seconds > 0 for seconds in night.valid_s.values()):
        return "Nothing can be said about twitches or jerks: there was no valid signal."
    counts = table["trial_type"].value_counts()
    has_emg, has_acc = (has_valid(night, kind) for kind in _SENSOR_NAMES)
    missed = "" if has_emg else " Twitches cannot be detected without a muscle signal."
    missed += "" if has_acc else " Jerks cannot be detected without acceleration."
    main = [k for k in _MAIN_KINDS if counts.get(k, 0)]
    others = [k for k in (*KIND_NAMES, *sorted(counts.index)) if k in counts and k not in main]
    other_counts = [_counted(k, int(counts[k])) for k in dict.fromkeys(others)]
    if not main:
        verb = "was" if counts.sum() == 1 else "were"
        tail = f"; there {verb} {join_words(other_counts)}" if other_counts else ""
        none = ("twitch", "jerk", "leg movement")
        kinds = [k for k, seen in zip(none, (has_emg, has_acc, True), strict=True) if seen]
        return f"No {join_words(kinds, 'or')} was found in the valid signal{tail}.{missed}"
    verb = "was" if counts[main].sum() == 1 else "were"
    text = f"{join_words([_counted(k, int(counts[k])) for k in main])} {verb} found"
    text += _counts_by_leg(table[table["trial_type"].isin(main)])
    context = _majority_context(table[table["trial_type"] == main[0]])
    if context:
        text += f", most of the {kind_name(main[0], 2)} while {context}"
    if other_counts:
        verb = "was" if counts.sum() - counts[main].sum() == 1 else "were"
        text += f". There {verb} also {join_words(other_counts)}"
    text += _periodic_series(table)
    jerks = table[table["trial_type"] == "jerk"]
    if len(jerks) and jerks["peak_g"].notna().any():
        strongest = jerks.iloc[int(jerks["peak_g"].fillna(-1.0).to_numpy().argmax())]
        clock = WallClock.of(night.recording)
        when = clock.format_minute(float(strongest["onset"]))
        text += (
            f". The strongest jerk came {'at ' if clock.is_known else ''}{when} with "
            f"{float(strongest['peak_g']):.2f} g (1 g = Earth’s gravity)"
        )
    return f"{text}.{missed}"


def _counted(kind: str, count: int) -> str:
    return f"{count:,} {kind_name(kind, count)}"


def confidence_sentences(night: NightLike) -> str:
    """Return how many events met their rule clearly, and what "-like" labels mean."""
    table = night.events
    n = len(table)
    if not n:
        if not any(seconds > 0 for seconds in night.valid_s.values()):
            return "Nothing is known about this night."
        coverage = (
            "the signal was valid nearly all the time"
            if _is_all_valid(_valid_shares(night))
            else "nothing is known about the time without valid signal"
        )
        return (
            f"No event was found, and {coverage}. The sensors detect only the muscle below them "
            "and movements of this leg."
        )
    like = "Names that end in “-like” say what a pattern resembles, not what causes it."
    confidence = table["confidence"].to_numpy(float)
    clear = confidence.round(3) >= CLEAR_CONFIDENCE  # rounded as in events.csv
    n_clear = int(clear.sum())
    # the event is clear, and only the sleep state that its label depends on is not
    n_name = int((~clear & (confidence / _label_share(table) >= CLEAR_CONFIDENCE)).sum())
    return f"{clear_events_sentences(n, n_clear, n_name)} {like}"


def clear_events_sentences(n: int, n_clear: int, n_name: int) -> str:
    """Return how many events are clear, and how many of the others only in their name.

    Parameters
    ----------
    n : int
        Number of events, at least 1.
    n_clear : int
        Events that met their rule clearly.
    n_name : int
        Events that did not, and of which only the name is uncertain.

    Returns
    -------
    str
    """
    clearly = f"clearly (confidence {CLEAR_CONFIDENCE:g} or more of 1)."
    n_others, n_unsure = n - n_clear, n - n_clear - n_name
    rule = "its rule" if n_clear < 2 else "their rules"
    others = "all of them"  # in "for …"
    if n == 1:
        first, others = f"The only event {'met' if n_clear else 'did not meet'} {rule}", "it"
    elif not n_others:
        first = "Every event met its rule"
    else:
        first = f"{f'{n_clear:,}' if n_clear else 'None'} of the {n:,} events met {rule}"
        if n_clear:
            others = "the other one" if n_others == 1 else f"the other {n_others:,}"
    text = f"{first} {clearly}"
    if n_name:
        whom = others
        if n_unsure:
            whom = f"{n_name:,} of {others if n_clear else 'them'}"
        text += f" For {whom} only the name is uncertain, since it depends on when sleep began"
        if n_unsure:
            which = "the remaining one is" if n_unsure == 1 else f"the remaining {n_unsure:,} are"
            text += f"; {which} less certain"
        return f"{text}."
    if n_clear and n_unsure:
        text += f" {others.capitalize()} {'is' if n_others == 1 else 'are'} less certain."
    return text


def _label_share(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability of each event's label, relative to its alternatives by sleep."""
    if "alternatives" not in table:
        return np.ones(len(table))
    found = table["alternatives"].astype(str).str.extractall(r":([0-9.]+)")[0]
    others = pd.to_numeric(found, errors="coerce").groupby(level=0).sum()
    return np.asarray(1 - others.reindex(table.index, fill_value=0.0).clip(0, 0.95), np.float64)


def _periodic_series(table: pd.DataFrame) -> str:
    rows = table[(table["label"] == "periodic_leg_movement_like") & (table["series"] != "")]
    if not len(rows):
        return ""
    n = rows["series"].nunique()
    return (
        f". {len(rows)} of the leg movements followed each other at regular intervals "
        f"({n} periodic-like series)"
    )


def _counts_by_leg(events: pd.DataFrame) -> str:
    counts = events["leg"].value_counts()
    if not {"left", "right"} <= set(counts.index):
        return ""
    return f" ({counts['left']:,} on the left leg, {counts['right']:,} on the right)"


def _majority_context(events: pd.DataFrame) -> str:
    """Return the context of more than half of at least five events; else an empty text."""
    counts = events["context"].value_counts()
    if len(events) < 5 or not len(counts) or counts.index[0] in ("unknown", ""):
        return ""
    return context_name(str(counts.index[0])) if counts.iloc[0] > 0.5 * len(events) else ""
