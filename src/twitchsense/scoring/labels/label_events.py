"""Label events by physical kind, pattern and sleep context.

`label_detections` is the whole chain between the detector and the results: events that
belong to a large movement are absorbed, trains and series are searched, events get
their context, and the first matching rule of `twitchsense.scoring.labels.label_rules` gives
the label. Everything is a pure function of the event tables, the context and, for the
bursts within a movement, the recording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS, Channel
from twitchsense.model.detections import Detections
from twitchsense.model.event_table import REJECTED_COLUMNS
from twitchsense.model.intervals import in_intervals
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.scoring.labels.label_confidence import LabelConfidence, label_confidence
from twitchsense.scoring.labels.label_features import LabelFeatures, compute_label_features
from twitchsense.scoring.labels.label_rules import RULES, LabelRule
from twitchsense.scoring.leg_movements.recording_indices import find_leg_movements
from twitchsense.scoring.trains.burst_trains import Train, find_trains
from twitchsense.scoring.trains.movement_bursts import measure_movement_bursts, no_movement_bursts
from twitchsense.scoring.trains.series import find_hiccups, find_jerk_clusters
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context, add_context
from twitchsense.sleep.hypnogram.model import to_us

Bools = NDArray[np.bool_]

#: Maximum time between a jerk and the onset of a large movement that it begins, s [E].
BEGINS_S = 0.4


def label_detections(
    detections: Detections,
    context: Context,
    settings: Settings,
    recording: Recording | None = None,
) -> Detections:
    """Absorb, search trains, add the context and label the events of a recording.

    Parameters
    ----------
    detections : Detections
        From the detector.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        Limits of trains and labels.
    recording : Recording, optional
        Samples of the recording; without it, no train is found inside a movement.

    Returns
    -------
    Detections
        With labelled events; rejected candidates have their context.
    """
    events, rejected = absorb_in_large_movements(
        detections.events, detections.rejected, settings.labels.absorb_s
    )
    events, rejected, hiccups = find_hiccups(events, rejected, settings.trains)
    movement_bursts = no_movement_bursts(len(events))
    if recording is not None:
        movement_bursts = measure_movement_bursts(recording, events, settings)
    trains = [*hiccups, *find_trains(events, rejected, movement_bursts, settings.trains)]
    events, rejected = (add_context(table, context) for table in (events, rejected))
    events, min_counts = label_events(events, context, settings, detections.seconds, trains)
    if recording is not None:
        events = add_clocks(events, recording.channels)
    return replace(detections, events=events, rejected=rejected, series_min_counts=min_counts)


def add_clocks(events: pd.DataFrame, channels: Sequence[Channel]) -> pd.DataFrame:
    """Add to each event what its times come from, and their uncertainty.

    Parameters
    ----------
    events : DataFrame
        Event table.
    channels : sequence of Channel
        Channels of the recording.

    Returns
    -------
    DataFrame
        New table; empty text and NaN where a channel does not tell it.
    """
    clocks = {c.name: c.clock or "" for c in channels}
    onset_ns = events["onset"].to_numpy(np.float64) * NS
    errors_s = np.full(len(events), np.nan)
    for channel in channels:
        if channel.clock_errors:
            starts_ns, of_runs_s = zip(*channel.clock_errors, strict=True)
            run = np.searchsorted(starts_ns, onset_ns, "right") - 1
            here = (events["channel"] == channel.name).to_numpy()
            errors_s[here] = np.array(of_runs_s)[np.maximum(run, 0)][here]
    return events.assign(
        clock=events["channel"].map(clocks).fillna("").astype(object), time_error_s=errors_s
    )


def absorb_in_large_movements(
    events: pd.DataFrame, rejected: pd.DataFrame, near_s: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Move short events that are part of a large movement to the rejected table.

    A jerk or twitch whose onset lies in a gross movement or posture change of the same
    leg, or within `near_s` of it, gets the reason ``absorbed``. A jerk with EMG that begins the
    large movement is kept: it threw the leg into another position. A brief contraction is
    absorbed by a posture change only, because several of them near a gross movement
    are a pattern of their own.

    Parameters
    ----------
    events, rejected : DataFrame
        Tables of the detector.
    near_s : float
        Margin before and after the large movement, s.

    Returns
    -------
    events, rejected : DataFrame
        New tables; together they hold as many rows as before.
    """
    kind = events["trial_type"].to_numpy(object)
    short, turn = np.isin(kind, ("jerk", "twitch")), kind == "posture_change"
    absorbed = short & _near_any(events, turn | (kind == "gross_movement"), near_s)
    with_emg = (kind == "jerk") & events["amplitude_uv"].notna().to_numpy()
    absorbed &= ~(with_emg & _begins_any(events, turn | (kind == "gross_movement")))
    absorbed |= (kind == "brief_contraction") & _near_any(events, turn, near_s)
    if not absorbed.any():
        return events, rejected
    moved = events[absorbed].assign(reason="absorbed")[[c.name for c in REJECTED_COLUMNS]]
    joined = moved if rejected.empty else pd.concat([rejected, moved])
    keys = ["onset", "channel", "trial_type", "duration"]
    return (
        events[~absorbed].reset_index(drop=True),
        joined.sort_values(keys, kind="stable", ignore_index=True),
    )


def _begins_any(events: pd.DataFrame, large: Bools) -> Bools:
    """Return which events last until a large movement of their leg begins."""
    leg = events["leg"].to_numpy(object)
    onset = events["onset"].to_numpy(np.float64)
    found = np.zeros(len(events), bool)
    end = onset + np.nan_to_num(events["duration"].to_numpy(np.float64))
    for side in set(leg[large]):
        begins = np.sort(onset[large & (leg == side)])
        first = np.searchsorted(begins, onset - BEGINS_S, "left")
        last = np.searchsorted(begins, end + BEGINS_S, "right")
        found |= (leg == side) & (last > first)
    return found


def _near_any(events: pd.DataFrame, large: Bools, near_s: float) -> Bools:
    """Return which events begin within `near_s` of a large movement of their leg."""
    leg = events["leg"].to_numpy(object)
    onset = events["onset"].to_numpy(np.float64)
    end = onset + np.nan_to_num(events["duration"].to_numpy(np.float64))
    found = np.zeros(len(events), bool)
    for side in set(leg[large]):
        on_side = large & (leg == side)
        start, stop = to_us(onset[on_side] - near_s), to_us(end[on_side] + near_s)
        found |= (leg == side) & in_intervals(to_us(onset), start, stop)
    return found


def label_events(
    events: pd.DataFrame,
    context: Context,
    settings: Settings,
    seconds: Mapping[str, PerSecond],
    trains: list[Train] | None = None,
) -> tuple[pd.DataFrame, Mapping[str, int]]:
    """Fill ``label``, ``series``, ``evidence`` and ``alternatives``; scale ``confidence``.

    Parameters
    ----------
    events : DataFrame
        After `absorb_in_large_movements` and `twitchsense.sleep.context.add_context`.
        A table must be labelled only once, because ``confidence`` is scaled in place.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        Limits of the label rules.
    seconds : mapping of channel name to PerSecond
        Per-second statistics, for active wake and valid time.
    trains : list of Train, optional
        From `find_trains` and `find_hiccups`; rows refer to `events`.

    Returns
    -------
    events : DataFrame
        A new table with the same rows.
    min_counts : mapping of str to int
        Fewest bursts or movements of each train or series, by its name.

    Notes
    -----
    A jerk in ``unknown`` context matches no rule before the last. It is labelled
    ``myoclonic_jerk_like``, not ``voluntary_or_unclassified``, because its pattern is
    known and only the state is not.

    A jerk seen by the accelerometer alone (no ``amplitude_uv``) has the duration of the
    swing of the leg. The EMG limits of a sleep start are not applied to it; its
    confidence is low already.

    A large movement that is a train throughout gets the label of the train (rules 3
    before 2); any other large movement keeps its own label.
    """
    trains = trains or []
    taken = np.zeros(len(events), bool)
    for train in trains:
        taken[list(train.rows)] |= train.pattern != "rock"
    clusters = find_jerk_clusters(events, settings.trains, taken)
    leg_movements = find_leg_movements(events, settings.limb.rules, taken)
    features = compute_label_features(
        events, context, settings, seconds, [*trains, *clusters], leg_movements
    )
    matches = np.array([rule.matches(features) for rule in RULES])
    first = np.argmax(matches, axis=0) if len(events) else np.empty(0, np.int64)
    labels = np.array([rule.label for rule in RULES], object)[first]
    confidence = label_confidence(events, context, settings, features, labels)
    rules = [RULES[k] for k in first]
    labelled = events.assign(
        label=_column(labels.tolist(), events),
        series=_column([_series(features, r, row) for row, r in enumerate(rules)], events),
        # rounded to the digits of the files, so that tables in memory and on disk agree
        confidence=(events["confidence"].to_numpy(np.float64) * confidence.factor).round(3),
        evidence=_column([_evidence(features, r, row) for row, r in enumerate(rules)], events),
        alternatives=_column(_alternatives(matches, first, confidence), events),
    )
    return labelled, features.series_min_counts


def _column(words: list[str], events: pd.DataFrame) -> pd.Series[str]:
    return pd.Series(words, index=events.index, dtype="object")


def _patterns(rule: LabelRule) -> tuple[str, ...]:
    """Return the patterns of train that a rule may be based on."""
    return (rule.pattern, "foot") if rule.pattern == "fast" else (rule.pattern,)


def _series(features: LabelFeatures, rule: LabelRule, row: int) -> str:
    """Return the name of the train that gave an event its label; ``""`` for none."""
    for pattern in _patterns(rule):
        name = features.train_names[pattern][row] if pattern in features.train_names else ""
        if name:
            return str(name)
    return ""


def _evidence(features: LabelFeatures, rule: LabelRule, row: int) -> str:
    """Return the number of the rule and additional findings."""
    parts = [f"rule {rule.number}"]
    counts = features.train_counts
    for pattern in _patterns(rule):
        if pattern in counts and counts[pattern][row]:
            parts.append(f"{counts[pattern][row]} in the train")
            break
    if rule.number in (11, 12) and features.in_efm[row]:
        parts.append("efm_pattern")
    if features.recurring[row]:
        parts.append("recurs every 10-90 s")
    if rule.number == 14 and features.active_wake[row]:
        parts.append("active wake")
    return "; ".join(parts)


def _alternatives(
    matches: Bools, first: NDArray[np.int64], confidence: LabelConfidence
) -> list[str]:
    """Return other labels: of other states, with probability, and of other matching rules."""
    out: list[str] = []
    # rules that match all remaining events are not alternatives
    specific = [
        k for k, rule in enumerate(RULES) if rule.number < 14 and rule.label != "leg_movement"
    ]
    for row, k in enumerate(first.tolist()):
        own = RULES[k].label
        others = dict(confidence.alternatives[row])
        for j in specific:
            if matches[j, row] and RULES[j].label not in (own, *others):
                others[RULES[j].label] = float("nan")
        words = [w if np.isnan(p) else f"{w}:{p:.2f}" for w, p in others.items() if w != own]
        out.append("; ".join(words))
    return out
