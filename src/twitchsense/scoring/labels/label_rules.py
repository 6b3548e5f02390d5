"""The label table: which label an event gets, by kind, pattern and sleep context.

The rules are tried from top to bottom and the first that matches applies. Trains (3) are
tried before large movements (2), because a large movement that is rhythmic throughout is
better described by its rhythm. A label names the pattern that an event resembles; it is not a
diagnosis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.scoring.labels.label_features import LabelFeatures
from twitchsense.sleep.context_intervals import (
    SLEEP_CONTEXTS,
    SLEEP_ONSET_CONTEXTS,
    WAKE_CONTEXTS,
)

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelRule:
    """One row of the label table.

    Attributes
    ----------
    number : int
        Number of the rule in docs/labels.md; the position in `RULES`, not the
        number, decides the order.
    label : str
        Label of the events that match.
    condition : str
        The condition in words, for the documentation, with the names of its limits
        (see `twitchsense.scoring.glossary.fill_limits`).
    source : str
        Publication, or ``E`` for an engineering default.
    matches : callable
        Maps `LabelFeatures` to an ndarray of bool, one value per event.
    pattern : str
        Pattern of the train whose name goes to the column ``series``; ``""`` for none.
    """

    number: int
    label: str
    condition: str
    source: str
    matches: Callable[[LabelFeatures], Bools]
    pattern: str = ""


def _is_foot_tremor(m: LabelFeatures) -> Bools:
    """Return which events are in a train of foot tremor in wake, drowsiness or N1."""
    light = np.isin(m.stage, ("W", "N1"))
    unstaged = m.is_in("wake", *SLEEP_ONSET_CONTEXTS, "unknown")
    light |= (m.stage == "") & unstaged
    return np.asarray(m.in_train("foot") & light, np.bool_)


def is_sleep_start(m: LabelFeatures) -> Bools:
    """Return which jerks around sleep onset have the duration and rate of sleep starts.

    Parameters
    ----------
    m : LabelFeatures
        Inputs of the label rules.

    Returns
    -------
    ndarray of bool, shape (events,)
    """
    around_onset = m.is_kind("jerk") & m.is_in(*SLEEP_ONSET_CONTEXTS)
    return around_onset & m.sleep_start_duration & ~m.in_volley


_ENGINEERING_DEFAULT: Final = "E: engineering default"

#: Labels of a kind in wake, around sleep onset, and asleep.
LABELS_BY_STATE: Final = {
    "twitch": ("fasciculation_like", "hypnagogic_twitch", "fragmentary_myoclonus_like"),
    "jerk": ("myoclonic_jerk_awake", "sleep_start", "myoclonic_jerk_asleep"),
}

RULES: Final[tuple[LabelRule, ...]] = (
    LabelRule(
        3, "tremor_like",
        "member of a train at {trains.tremor_hz} Hz: {trains.tremor_cycles} cycles, "
        "{trains.tremor_s} s",
        "Bhatia 2018 (tremor consensus)", lambda m: m.in_train("tremor"), "tremor",
    ),
    LabelRule(
        3, "alma_like",
        "member of a train that alternates between legs at {trains.alma_hz} Hz: "
        "{trains.alma_least} bursts of {trains.alma_ms} ms",
        "AASM manual; Chervin 2003", lambda m: m.in_train("alma"), "alma",
    ),
    LabelRule(
        3, "hypnagogic_foot_tremor_like",
        "member of a train at {trains.fast_hz} Hz: {trains.fast_least} bursts of "
        "{trains.foot_ms} ms; awake, falling asleep or in N1",
        "AASM manual; Wichniak 2001", _is_foot_tremor, "foot",
    ),
    LabelRule(
        3, "high_freq_leg_movement",
        "member of another train of one leg at {trains.fast_hz} Hz: {trains.fast_least} bursts",
        "Yang & Winkelman 2010", lambda m: m.in_train("fast") | m.in_train("foot"), "fast",
    ),
    LabelRule(
        3, "rhythmic_movement_like",
        "gross movement outside wake that swings mainly at one rate of {trains.rock_hz} Hz: "
        "{trains.rock_least} cycles",
        "AASM manual",
        lambda m: m.in_train("rock") & ~m.is_in("wake"), "rock",
    ),
    LabelRule(
        2, "posture_change", "kind: the resting leg has turned by {movement.turn_deg} degrees",
        "Sicbaldi 2025", lambda m: m.is_kind("posture_change"),
    ),
    LabelRule(
        2, "gross_movement",
        "kind: over {movement.max_s} s, or {movement.acc_gross_s} s of acceleration that is none "
        "of the leg's own",
        "WASM 2016; " + _ENGINEERING_DEFAULT, lambda m: m.is_kind("gross_movement"),
    ),
    LabelRule(
        4, "periodic_leg_movement_like",
        "leg movement of a series: at least {limb_rules.min_series} candidates, "
        "{limb_rules.interval_s} s from onset to onset",
        "Ferri 2016 (WASM)", lambda m: m.in_train("plm"), "plm",
    ),
    LabelRule(
        5, "short_interval_leg_movement",
        "candidate outside series, less than {limb_rules.min_interval_s} s after the previous "
        "candidate",
        "Ferri 2016 (WASM)", lambda m: m.clm & m.short_interval,
    ),
    LabelRule(
        5, "isolated_leg_movement", "candidate outside series",
        "Ferri 2016 (WASM)", lambda m: m.clm,
    ),
    LabelRule(
        5, "leg_movement", "leg movement that is not a candidate: too long, or too many parts",
        "Ferri 2016 (WASM)", lambda m: m.is_kind("movement"),
    ),
    LabelRule(
        6, "hiccup_like",
        "one of at least {trains.hiccup_least} similar jolts at a steady rhythm of "
        "{trains.hiccup_s} s, leg EMG below {trains.hiccup_uv} µV",
        _ENGINEERING_DEFAULT + "; rate from the literature",
        lambda m: m.in_train("hiccup"), "hiccup",
    ),
    LabelRule(
        7, "repetitive_violent_jerks",
        "one of at least {trains.jerks_least} jerks within {trains.jerks_s} s (or "
        "{trains.jerks_per_h} in an hour), at least moderate, {trains.jerks_violent} of them "
        "violent",
        _ENGINEERING_DEFAULT, lambda m: m.in_train("violent"), "violent",
    ),
    LabelRule(
        8, "sleep_start",
        "jerk while drowsy or in the first minutes of sleep, EMG {labels.start_ms} ms, at most "
        "{labels.volley} within {labels.volley_s} s",
        "ICSD-3 (wording from memory); Chiaro 2016",
        is_sleep_start,
    ),
    LabelRule(
        9, "myoclonic_jerk_asleep", "other jerk, asleep", _ENGINEERING_DEFAULT,
        lambda m: m.is_kind("jerk") & m.is_in(*SLEEP_CONTEXTS),
    ),
    LabelRule(
        9, "myoclonic_jerk_awake", "other jerk, awake", _ENGINEERING_DEFAULT,
        lambda m: m.is_kind("jerk") & m.is_in(*WAKE_CONTEXTS),
    ),
    LabelRule(
        9, "myoclonic_jerk_like", "other jerk, context unknown", _ENGINEERING_DEFAULT,
        lambda m: m.is_kind("jerk"),
    ),
    LabelRule(
        10, "hypnagogic_twitch", "twitch while drowsy or in the first minutes of sleep",
        _ENGINEERING_DEFAULT, lambda m: m.is_kind("twitch") & m.is_in(*SLEEP_ONSET_CONTEXTS),
    ),
    LabelRule(
        11, "fragmentary_myoclonus_like", "twitch in NREM sleep, or in sleep of unknown stage",
        "AASM manual; Frauscher 2014", lambda m: m.is_kind("twitch") & m.is_in("asleep") & m.nrem,
    ),
    LabelRule(
        12, "rem_twitch", "twitch in REM sleep", "AASM manual",
        lambda m: m.is_kind("twitch") & m.is_in("asleep") & (m.stage == "R"),
    ),
    LabelRule(
        13, "fasciculation_like", "twitch awake at rest, or context unknown",
        "van der Heijden 1994",
        lambda m: m.is_kind("twitch") & m.is_in("wake", "unknown") & ~m.active_wake,
    ),
    LabelRule(
        14, "voluntary_or_unclassified",
        "active wake (muscle activity in more than {labels.active_share:%} of the surrounding "
        "minute, or a moving leg), or no other rule",
        "AVID (Bashford 2020)", lambda m: np.ones(len(m.kind), bool),
    ),
)  # fmt: skip
