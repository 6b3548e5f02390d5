"""The tagged name of an event: its physical kind read in its company and its sleep context.

The first rule of the table (docs/labels.md) that matches wins. Labels say what a
pattern looks like, never what a person has. Everything is a pure function of the
event tables, the context and, for what goes on inside a movement, the recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.detections import Detections
from twitchsense.model.event_table import REJECTED_COLUMNS
from twitchsense.model.intervals import in_intervals
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.scoring.burst_trains import Train, find_trains
from twitchsense.scoring.label_confidence import Certainty, weigh
from twitchsense.scoring.label_features import FALLING, Marks, mark
from twitchsense.scoring.movement_bursts import measure_rhythms, no_rhythms
from twitchsense.scoring.series import find_hiccups, find_jerks, find_leg_moves
from twitchsense.settings import Settings
from twitchsense.sleep.hypnogram.hypnogram import to_us
from twitchsense.sleep.tagging import Context, tag

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table.

    Attributes
    ----------
    number : int
        Row of docs/labels.md; the order in which rules are tried is that of the table.
    label : str
    says : str
        The condition, for people.
    source : str
    holds : callable
        From the marks to one truth per event.
    train : str
        The pattern whose name goes to ``series``.
    """

    number: int
    label: str
    says: str
    source: str
    holds: Callable[[Marks], Bools]
    train: str = ""


def _foot(m: Marks) -> Bools:
    light = np.isin(m.stage, ("W", "N1")) | (m.stage == "") & m.is_in("wake", *FALLING, "unknown")
    return np.asarray(m.in_train("foot") & light, np.bool_)


_WAKE: Final = ("wake", "drowsy")
_SLEEP: Final = ("sleep_onset", "asleep")
_RECORDED: Final = "E: engineering default"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        3, "tremor_like", "member of a train at 3.5-18 Hz: 5 cycles, 2 s",
        "Bhatia 2018 (tremor consensus)", lambda m: m.in_train("tremor"), "tremor",
    ),
    Rule(
        3, "alma_like", "member of a train that changes legs at 0.5-3 Hz: 4 bursts of 100-500 ms",
        "AASM manual; Chervin 2003", lambda m: m.in_train("alma"), "alma",
    ),
    Rule(
        3, "hypnagogic_foot_tremor_like",
        "member of a train at 0.3-4 Hz: 4 bursts of 250-1000 ms; awake, falling asleep or in N1",
        "AASM manual; Wichniak 2001", _foot, "foot",
    ),
    Rule(
        3, "high_freq_leg_movement", "member of another train of one leg at 0.3-4 Hz: 4 bursts",
        "Yang & Winkelman 2010", lambda m: m.in_train("fast") | m.in_train("foot"), "fast",
    ),
    Rule(
        3, "rhythmic_movement_like",
        "large movement, not in wake, whose swing is mostly at one rhythm of 0.5-2 Hz: 4 cycles",
        "AASM manual",
        lambda m: m.in_train("rock") & ~m.is_in("wake"), "rock",
    ),
    Rule(
        2, "posture_change", "kind: the leg came to rest turned by 30 degrees",
        "Sicbaldi 2025", lambda m: m.is_kind("posture_change"),
    ),
    Rule(
        2, "gross_movement", "kind: over 10 s of EMG, or 3 s of acceleration",
        "WASM 2016; " + _RECORDED, lambda m: m.is_kind("gross_movement"),
    ),
    Rule(
        4, "periodic_leg_movement_like",
        "leg movement of a series: 4 candidates and more, 10-90 s from onset to onset",
        "Ferri 2016 (WASM)", lambda m: m.in_train("plm"), "plm",
    ),
    Rule(
        5, "short_interval_leg_movement",
        "candidate in no series, under 10 s after the candidate before",
        "Ferri 2016 (WASM)", lambda m: m.clm & m.short,
    ),
    Rule(
        5, "isolated_leg_movement", "candidate in no series",
        "Ferri 2016 (WASM)", lambda m: m.clm,
    ),
    Rule(
        5, "leg_movement", "leg movement that is no candidate: too long, or of too many parts",
        "Ferri 2016 (WASM)", lambda m: m.is_kind("movement"),
    ),
    Rule(
        6, "hiccup_like",
        "member of 5 jolts and more, alike, at a steady rhythm of 1-20 s, leg EMG below 50 uV",
        _RECORDED + "; rate from the literature", lambda m: m.in_train("hiccup"), "hiccup",
    ),
    Rule(
        7, "repetitive_violent_jerks",
        "jerk of 3 and more within 60 s (or 10 in an hour), moderate at least, 3 of them violent",
        _RECORDED, lambda m: m.in_train("violent"), "violent",
    ),
    Rule(
        8, "sleep_start",
        "jerk drowsy or in the first minutes of sleep, EMG 50-300 ms, no more than 2 within 10 s",
        "ICSD-3 (wording from memory); Chiaro 2016",
        lambda m: m.is_kind("jerk") & m.is_in(*FALLING) & m.start_like & ~m.volley,
    ),
    Rule(
        9, "myoclonic_jerk_asleep", "other jerk, asleep", _RECORDED,
        lambda m: m.is_kind("jerk") & m.is_in(*_SLEEP),
    ),
    Rule(
        9, "myoclonic_jerk_awake", "other jerk, awake", _RECORDED,
        lambda m: m.is_kind("jerk") & m.is_in(*_WAKE),
    ),
    Rule(
        9, "myoclonic_jerk_like", "other jerk, context unknown", _RECORDED,
        lambda m: m.is_kind("jerk"),
    ),
    Rule(
        10, "hypnagogic_twitch", "twitch drowsy or in the first minutes of sleep",
        _RECORDED, lambda m: m.is_kind("twitch") & m.is_in(*FALLING),
    ),
    Rule(
        11, "fragmentary_myoclonus_like", "twitch in NREM sleep, or in sleep of unknown stage",
        "AASM manual; Frauscher 2014", lambda m: m.is_kind("twitch") & m.is_in("asleep") & m.nrem,
    ),
    Rule(
        12, "rem_twitch", "twitch in REM sleep", "AASM manual",
        lambda m: m.is_kind("twitch") & m.is_in("asleep") & (m.stage == "R"),
    ),
    Rule(
        13, "fasciculation_like", "twitch awake at rest, or context unknown",
        "van der Heijden 1994",
        lambda m: m.is_kind("twitch") & m.is_in("wake", "unknown") & ~m.active,
    ),
    Rule(
        14, "voluntary_or_unclassified",
        "active wake (a fifth of the minute around is muscle activity, or the leg moves), "
        "or no other rule", "AVID (Bashford 2020)", lambda m: np.ones(len(m.kind), bool),
    ),
)  # fmt: skip


def label_detections(
    detections: Detections,
    context: Context,
    settings: Settings,
    recording: Recording | None = None,
) -> Detections:
    """Tag, absorb, search trains and label: everything between detector and answers.

    Parameters
    ----------
    detections : Detections
    context : Context
    settings : Settings
    recording : Recording, optional
        Without it no train is seen inside a movement.
    """
    events, rejected = absorb(detections.events, detections.rejected, settings.labels.absorb_s)
    events, rejected, hiccups = find_hiccups(events, rejected, settings.trains)
    rhythms = no_rhythms(len(events))
    if recording is not None:
        rhythms = measure_rhythms(recording, events, settings)
    trains = [*hiccups, *find_trains(events, rejected, rhythms, settings.trains)]
    events, rejected = (tag(table, context, settings) for table in (events, rejected))
    events = label(events, context, settings, detections.seconds, trains)
    return replace(detections, events=events, rejected=rejected)


def absorb(
    events: pd.DataFrame, rejected: pd.DataFrame, near_s: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Move short events that are part of a large movement to the rejected.

    A jerk or twitch whose onset lies within `near_s` of (or inside) a gross
    movement or change of posture of the same leg gets the reason ``absorbed``; so does
    a brief contraction by a change of posture (rows of them beside gross movement are
    patterns of their own).

    Returns
    -------
    events, rejected : DataFrame
        New tables; no row is lost.
    """
    kind = events["trial_type"].to_numpy(object)
    small, turn = np.isin(kind, ("jerk", "twitch")), kind == "posture_change"
    gone = small & _beside(events, turn | (kind == "gross_movement"), near_s)
    gone |= (kind == "brief_contraction") & _beside(events, turn, near_s)
    if not gone.any():
        return events, rejected
    moved = events[gone].assign(reason="absorbed")[[c.name for c in REJECTED_COLUMNS]]
    joined = moved if rejected.empty else pd.concat([rejected, moved])
    keys = ["onset", "channel", "trial_type", "duration"]
    return (
        events[~gone].reset_index(drop=True),
        joined.sort_values(keys, kind="stable", ignore_index=True),
    )


def _beside(events: pd.DataFrame, large: NDArray[np.bool_], near_s: float) -> NDArray[np.bool_]:
    """Return which events begin within `near_s` of one of the large ones of their leg."""
    leg = events["leg"].to_numpy(object)
    onset = events["onset"].to_numpy(np.float64)
    end = onset + np.nan_to_num(events["duration"].to_numpy(np.float64))
    found = np.zeros(len(events), bool)
    for side in set(leg[large]):
        theirs = large & (leg == side)
        start, stop = to_us(onset[theirs] - near_s), to_us(end[theirs] + near_s)
        found |= (leg == side) & in_intervals(to_us(onset), start, stop)
    return found


def label(
    events: pd.DataFrame,
    context: Context,
    settings: Settings,
    seconds: Mapping[str, PerSecond],
    trains: list[Train] | None = None,
) -> pd.DataFrame:
    """Fill ``label``, ``series``, ``evidence`` and ``alternatives``; scale ``confidence``.

    Parameters
    ----------
    events : DataFrame
        Tagged (`twitchsense.sleep.tagging.tag`) and absorbed. Label a table once:
        the confidence of a labelled table would be scaled again.
    context : Context
    settings : Settings
    seconds : mapping of channel name to Seconds
        For the muscle activity around each event.
    trains : list of Train, optional
        From `find_trains` and `find_hiccups`, rows of this table.

    Notes
    -----
    A jerk in ``unknown`` context matches no rule of the table before the last.
    It is called ``myoclonic_jerk_like``, not ``voluntary_or_unclassified``: its
    pattern is as clear as that of any jerk, only the state is not.

    A jerk seen by the accelerometer alone (no `amplitude_uv`) has the duration
    of the swing of the leg, which says nothing about the EMG limits of a sleep
    start, so these are not asked of it; its confidence is low already.

    A large movement that is a train all through is named by the train (rules 3
    before 2); any other keeps its name whatever it stands beside.
    """
    trains = trains or []
    taken = np.zeros(len(events), bool)
    for train in trains:
        taken[list(train.rows)] |= train.pattern != "rock"
    jerks = find_jerks(events, settings.trains, taken)
    legs = find_leg_moves(events, settings.limb.rules, taken)
    marks = mark(events, context, settings, seconds, [*trains, *jerks], legs)
    holds = np.array([rule.holds(marks) for rule in RULES])
    first = np.argmax(holds, axis=0) if len(events) else np.empty(0, np.int64)
    labels = np.array([rule.label for rule in RULES], object)[first]
    certainty = weigh(events, context, settings, marks, labels)
    return events.assign(
        label=pd.Series(labels, index=events.index, dtype="object"),
        series=_words([_series(marks, RULES[k], row) for row, k in enumerate(first)], events),
        # as many digits as the files keep, so that both are told in the same words
        confidence=(events["confidence"].to_numpy(np.float64) * certainty.factor).round(3),
        evidence=_words([_evidence(marks, RULES[k], row) for row, k in enumerate(first)], events),
        alternatives=_words(_alternatives(holds, first, certainty), events),
    )


def _words(words: list[str], events: pd.DataFrame) -> pd.Series[str]:
    return pd.Series(words, index=events.index, dtype="object")


def _series(marks: Marks, rule: Rule, row: int) -> str:
    for pattern in (rule.train, "foot") if rule.train == "fast" else (rule.train,):
        name = marks.names[pattern][row] if pattern in marks.names else ""
        if name:
            return str(name)
    return ""


def _evidence(marks: Marks, rule: Rule, row: int) -> str:
    parts = [f"rule {rule.number}"]
    for pattern in (rule.train, "foot") if rule.train == "fast" else (rule.train,):
        if pattern in marks.counts and marks.counts[pattern][row]:
            parts.append(f"{marks.counts[pattern][row]} in the train")
            break
    if rule.number in (11, 12) and marks.efm[row]:
        parts.append("efm_pattern")
    if marks.recurs[row]:
        parts.append("recurs every 10-90 s")
    if rule.number == 14 and marks.active[row]:
        parts.append("active wake")
    return "; ".join(parts)


def _alternatives(holds: Bools, first: NDArray[np.int64], certainty: Certainty) -> list[str]:
    """Name the other rules that hold, and what the label would be in another state."""
    out: list[str] = []
    # rules that hold for whatever is left over are no alternative to anything
    telling = [
        k for k, rule in enumerate(RULES) if rule.number < 14 and rule.label != "leg_movement"
    ]
    for row, k in enumerate(first.tolist()):
        own = RULES[k].label
        words = dict(certainty.others[row])
        for j in telling:
            if holds[j, row] and RULES[j].label not in (own, *words):
                words[RULES[j].label] = float("nan")
        told = [w if np.isnan(p) else f"{w}:{p:.2f}" for w, p in words.items() if w != own]
        out.append("; ".join(told))
    return out
