"""Explain events in words: rule and numbers, caption, meaning of the label, alternatives."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from twitchsense.dsp.filters import BURST_BAND_HZ
from twitchsense.model.event_table import LABELS
from twitchsense.report.palette import context_name, grade_name, kind_name, label_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import (
    WallClock,
    format_event_duration,
    format_minutes_from_onset,
)
from twitchsense.scoring.glossary import fill_limits
from twitchsense.scoring.labels.label_rules import LABELS_BY_STATE, RULES
from twitchsense.settings import Settings

#: Acceleration (g) below which an event's caption leaves the value out: it would show as 0.
_MIN_SHOWN_G: Final = 0.0005


def kind_rule(kind: str, settings: Settings) -> str:
    """Return the definition of a kind of event, with the limits of the settings.

    Parameters
    ----------
    kind : str
        A ``trial_type``, of a plug-in too.
    settings : Settings

    Returns
    -------
    str
        A phrase that continues "because it is …".
    """
    s = settings
    rules = {
        "twitch": f"a muscle burst of {s.twitch.min_ms:g}–{s.twitch.max_ms:g} ms with at least "
        f"{s.twitch.min_uv:g} µV peak to peak (tolerance {s.twitch.slack_uv:g} µV) that did not "
        "move the leg abruptly",
        "jerk": f"a burst of {s.jerk.min_ms:g}–{s.jerk.max_ms:g} ms that moved the leg abruptly, "
        f"with at least {s.jerk.min_g:g} g and {s.jerk.min_jerk_g_s:g} g/s",
        "brief_contraction": f"a muscle burst of {s.twitch.max_ms:g}–{s.movement.min_s * 1000:g} "
        "ms that is not a jerk",
        "movement": f"muscle activity {s.movement.rise_uv:g} µV above rest for "
        f"{s.movement.min_s:g}–{s.movement.max_s:g} s, or acceleration as long",
        "gross_movement": f"activity of more than {s.movement.max_s:g} s, or acceleration "
        f"alone for {s.movement.acc_gross_s:g} s or longer with a silent muscle, or if it "
        f"leaves the leg turned by {s.twitch.max_turn_deg:g} degrees",
        "posture_change": f"the leg came to rest turned by {s.movement.turn_deg:g} degrees or more",
    }
    return rules.get(kind, f"the rule for {kind_name(kind)}")


def method_paragraphs(night: NightLike) -> list[str]:
    """Return how events are detected, with the limits of the night's settings."""
    s = night.settings
    return [
        f"Muscle bursts are detected at {BURST_BAND_HZ[0]:g}–{BURST_BAND_HZ[1]:g} Hz: a burst "
        f"begins {s.emg.open_k:g} robust standard deviations above the noise floor of the last "
        f"{s.emg.floor_s:g} s and ends at {s.emg.close_k:g}. A twitch lasts "
        f"{s.twitch.min_ms:g}–{s.twitch.max_ms:g} ms and has at least {s.twitch.min_uv:g} µV peak "
        f"to peak, with a tolerance of {s.twitch.slack_uv:g} µV.",
        f"A jerk lasts {s.jerk.min_ms:g}–{s.jerk.max_ms:g} ms in the EMG and moves the leg "
        f"abruptly, with at least {s.jerk.min_g:g} g and {s.jerk.min_jerk_g_s:g} g/s. No published "
        "limits exist for the leg; these, and the grades of jerks, are provisional.",
        f"A leg movement is muscle activity {s.movement.rise_uv:g} µV above rest for "
        f"{s.movement.min_s:g}–{s.movement.max_s:g} s.",
        f"Drowsy is the {s.context.drowsy_min:g} min before sleep onset, falling asleep the first "
        f"{s.context.onset_min:g} min after it. On one leg, a fasciculation-like and a "
        "fragmentary-myoclonus-like twitch differ only by wake or sleep, not by their shape.",
        "Filters look only back in time and never across a gap; gaps are not interpolated. "
        "There is no public data set with expert labels for such jerks and twitches on the leg, "
        "so accuracy is known only from simulated and from related recordings.",
    ]


def describe_event(night: NightLike, event: pd.Series[Any]) -> tuple[str, str]:
    """Return the caption of an event and a line of its measurements.

    Parameters
    ----------
    night : Night
    event : Series
        A row of ``night.events``.

    Returns
    -------
    caption : str
        Kind and time, ``Jerk at 23:41:07``.
    measurements : str
        Label, grade, position, duration, amplitude, acceleration and confidence, as far
        as they are known, separated by ``·``.
    """
    clock = WallClock.of(night.recording)
    kind = kind_name(str(event["trial_type"]))
    caption = f"{kind.capitalize()} at {clock.format_second(float(event['onset']))}"
    label = label_name(str(event["label"]))
    parts = [] if label == kind else [label]
    if event["grade"]:
        parts.append(format_grade(event, night.settings))
    position = format_minutes_from_onset(float(event["min_from_onset"]))
    parts.append(position or context_name(str(event["context"])))
    parts.append(format_event_duration(float(event["duration"])))
    amplitude, peak = float(event["amplitude_uv"]), float(event["peak_g"])
    if math.isfinite(amplitude):
        parts.append(format_quantity(amplitude, "µV", 0))
    if math.isfinite(peak) and peak >= _MIN_SHOWN_G:
        parts.append(format_quantity(peak, "g", 3 if peak < 0.1 else 2))
    if math.isfinite(float(event["confidence"])):
        parts.append(f"confidence {float(event['confidence']):.2f}")
    return caption, " · ".join(p for p in parts if p)


def format_grade(jerk: pd.Series[Any], settings: Settings) -> str:
    """Return the grade of a jerk with the number that decided it.

    Parameters
    ----------
    jerk : Series
        A row of the event table.
    settings : Settings

    Returns
    -------
    str
        Such as ``strong (21.5 g/s)`` or ``mild (0.28 g)``; empty without a grade.
    """
    grade, peak = str(jerk["grade"]), float(jerk["peak_g"])
    if not grade:
        return ""
    by_change = grade == "violent" and not peak >= settings.jerk.violent_g
    if by_change and math.isnan(float(jerk["jerk_g_s"])):  # not judged at this sampling rate
        return grade_name(grade)
    if by_change:
        return f"{grade_name(grade)} ({format_quantity(float(jerk['jerk_g_s']), 'g/s', 1)})"
    return f"{grade_name(grade)} ({format_quantity(peak, 'g', 2)})"


def format_quantity(value: float, unit: str, decimals: int) -> str:
    """Return a number with its unit, such as ``1,234 µV``.

    Parameters
    ----------
    value : float
    unit : str
    decimals : int

    Returns
    -------
    str
        A dash if `value` is not finite.
    """
    return f"{value:,.{decimals}f} {unit}".strip() if math.isfinite(value) else "–"


def label_meaning(label: str, settings: Settings) -> str:
    """Return the definition of a label, without its name.

    Parameters
    ----------
    label : str
    settings : Settings
        The settings whose limits the definition states.

    Returns
    -------
    str
        The name itself for a label of a plug-in.
    """
    meaning = LABELS.get(label)
    if meaning is None:  # the label of a plug-in
        return label_name(label)
    return fill_limits(meaning, settings).removeprefix(f"{label_name(label)}: ")


def describe_alternatives(night: NightLike, event: pd.Series[Any]) -> str:
    """Return what else an event could be.

    The event's ``alternatives`` column is used if it is not empty. Otherwise, an event within
    the uncertainty interval of sleep onset, or of unknown context, could have the labels that
    differ from its own only by sleep state. An event seen by one sensor could be what the
    other sensor would have excluded.

    Parameters
    ----------
    night : Night
    event : Series
        A row of ``night.events``.

    Returns
    -------
    str
        Clauses separated by semicolons; empty if there is no alternative.
    """
    parts: list[str] = []
    kind, label, context = str(event["trial_type"]), str(event["label"]), str(event["context"])
    listed = event.get("alternatives", "")
    if isinstance(listed, str) and listed:
        parts += _listed_alternatives(listed, label, str(event.get("evidence", "")))
    low, high = night.onset.low_s, night.onset.high_s
    near_onset = low is not None and high is not None and low <= float(event["onset"]) <= high
    if not parts and kind in LABELS_BY_STATE and (near_onset or context in ("unknown", "")):
        others = [_quoted(other) for other in LABELS_BY_STATE[kind] if other != label]
        reason = "sleep may have begun earlier or later" if near_onset else "sleep is unknown here"
        parts.append(f"{reason}, so it could also be {' or '.join(others)}")
    if kind == "jerk" and not math.isfinite(float(event["amplitude_uv"])):
        parts.append(
            "seen by the accelerometer alone: a knock on the bed or the strap can look the same"
        )
    if kind == "twitch" and context in ("asleep", "wake"):
        parts.append(
            "on one leg, twitches awake and asleep have the same shape; only sleep sets them apart"
        )
    return "; ".join(parts)


def _listed_alternatives(listed: str, label: str, evidence: str) -> list[str]:
    """Return the alternatives of an event: by sleep state with probability, then by rule.

    The label comes first. An alternative that sleep makes likelier than the label follows it
    without a larger number: the label is that of the best estimate of sleep onset.
    """
    probability: dict[str, float] = {}
    by_rule: list[str] = []
    for part in listed.split(";"):
        name, _, number = part.strip().partition(":")
        try:
            probability[name] = float(number)
        except ValueError:
            # a jerk of known state is not also one of unknown state
            if name and (name != "myoclonic_jerk_like" or label == "myoclonic_jerk_like"):
                by_rule.append(name)
    clauses: list[str] = []
    if probability:
        own = max(0.0, 1.0 - sum(probability.values()))
        ranked = sorted(probability.items(), key=lambda item: -item[1])
        others = [
            f"{_quoted(name)} {p:.0%}" if p < own + 0.005 else f"{_quoted(name)} at least {own:.0%}"
            for name, p in ranked
        ]
        names = "; ".join([f"{_quoted(label)} {own:.0%}", *others])
        clauses.append(f"by when sleep began: {names}".replace("%", " %"))
    if by_rule:
        rule = evidence.partition(";")[0].strip()
        rule = f"{rule} decided" if rule.startswith("rule ") else "an earlier rule decided"
        fits = " and ".join(_quoted(name) for name in by_rule)
        clauses.append(f"{rule}; {_rule_numbers(by_rule)} would give {fits}")
    return clauses


def _rule_numbers(labels: list[str]) -> str:
    """Return the numbers of the rules that give labels, such as ``rules 8 and 9``."""
    numbers = {r.label: r.number for r in RULES}
    known = [f"{numbers[label]}" for label in labels if label in numbers]
    if len(known) != len(labels):
        return "a later rule"
    return f"rule {known[0]}" if len(known) == 1 else f"rules {' and '.join(known)}"


def _quoted(label: str) -> str:
    return f"“{label_name(label)}”"
