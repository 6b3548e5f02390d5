"""The tagged name of an event: its physical kind read in its sleep context.

The first rule of criteria.md 6.4 that matches wins; rules that need trains or
series of events are searched elsewhere. Labels say what a pattern looks like,
never what a person has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.context.hypnogram import to_us
from twitchsense.context.tags import Context, tag
from twitchsense.detect.detection import Detections, Seconds
from twitchsense.events import REJECTED_COLUMNS
from twitchsense.settings import Settings

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Jerks and twitches this near to a large movement belong to it (criteria 6.4, rule 2).
ABSORB_S: Final = 1.0
#: EMG duration of a sleep start, both ends included (rule 8).
SLEEP_START_MS: Final = (50, 300)
#: More jerks of a leg than this within so many seconds are no sleep starts (rule 8).
VOLLEY, VOLLEY_S = 2, 10.0
#: Active wake: more than this share of the surrounding minute is muscle activity
#: (criteria 6.4, the AVID idea), or the leg moves more than `quiet_g` [E].
ACTIVE_SHARE: Final = 0.2

#: Factors on `confidence` for labels that rest on sleep or wake [E]: by a hypnogram;
#: by the accelerometer; by it, within the range of the sleep onset; unknown.
CERTAINTY: Final = {"hypnogram": 1.0, "accelerometer": 0.9, "onset range": 0.7, "unknown": 0.7}
#: Kinds whose label is the same in every context.
_SAME_ANYWHERE: Final = ("posture_change", "gross_movement", "movement", "brief_contraction")


def label_detections(detections: Detections, context: Context, settings: Settings) -> Detections:
    """Tag, absorb and label: everything between the detector and the answers."""
    events = tag(detections.events, context, settings)
    rejected = tag(detections.rejected, context, settings)
    events, rejected = absorb(events, rejected)
    events = label(events, context, settings, detections.seconds)
    return replace(detections, events=events, rejected=rejected)


def absorb(events: pd.DataFrame, rejected: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Move jerks and twitches that are part of a large movement to the rejected.

    A jerk or twitch whose onset lies within 1 s of (or inside) a gross movement
    or change of posture of the same leg gets the reason ``absorbed``.

    Returns
    -------
    events, rejected : DataFrame
        New tables; no row is lost.
    """
    kind = events["trial_type"].to_numpy(object)
    small, large = np.isin(kind, ("jerk", "twitch")), np.isin(kind, _SAME_ANYWHERE[:2])
    leg = events["leg"].to_numpy(object)
    onset = events["onset"].to_numpy(np.float64)
    end = onset + np.nan_to_num(events["duration"].to_numpy(np.float64))
    gone = np.zeros(len(events), bool)
    for side in set(leg[large]):
        theirs = large & (leg == side)
        start, stop = to_us(onset[theirs] - ABSORB_S), to_us(end[theirs] + ABSORB_S)
        order = np.argsort(start, kind="stable")
        reach = np.maximum.accumulate(stop[order])
        time = to_us(onset)
        at = np.searchsorted(start[order], time, side="right") - 1
        gone |= small & (leg == side) & (at >= 0) & (time <= reach[np.maximum(at, 0)])
    if not gone.any():
        return events, rejected
    moved = events[gone].assign(reason="absorbed")[[c.name for c in REJECTED_COLUMNS]]
    joined = moved if rejected.empty else pd.concat([rejected, moved])
    keys = ["onset", "channel", "trial_type", "duration"]
    return (
        events[~gone].reset_index(drop=True),
        joined.sort_values(keys, kind="stable", ignore_index=True),
    )


def label(
    events: pd.DataFrame,
    context: Context,
    settings: Settings,
    seconds: Mapping[str, Seconds],
) -> pd.DataFrame:
    """Fill ``label`` and scale ``confidence`` by how certain the context is.

    Parameters
    ----------
    events : DataFrame
        Tagged (`twitchsense.context.tags.tag`) and absorbed. Label a table once:
        the confidence of a labelled table would be scaled again.
    context : Context
    settings : Settings
    seconds : mapping of channel name to Seconds
        For the muscle activity around each event.

    Notes
    -----
    A jerk in ``unknown`` context matches no rule of the table before the last.
    It is called ``myoclonic_jerk_like``, not ``voluntary_or_unclassified``: its
    pattern is as clear as that of any jerk, only the state is not.

    A jerk seen by the accelerometer alone (no `amplitude_uv`) has the duration
    of the swing of the leg, which says nothing about the EMG limits of a sleep
    start, so these are not asked of it; its confidence is low already.
    """
    kind = events["trial_type"].to_numpy(object)
    where = events["context"].to_numpy(object)
    stage = events["stage"].to_numpy(object)
    falling = np.isin(where, ("drowsy", "sleep_onset"))
    jerk, twitch = kind == "jerk", kind == "twitch"
    active = np.isin(where, ("wake", "unknown")) & _active(events, context, settings, seconds)
    rules: list[tuple[Bools, str]] = [
        (kind == "posture_change", "posture_change"),
        (kind == "gross_movement", "gross_movement"),
        (kind == "movement", "leg_movement"),
        (jerk & falling & _start_like(events) & ~_in_volley(events, jerk), "sleep_start"),
        (jerk & np.isin(where, ("sleep_onset", "asleep")), "myoclonic_jerk_asleep"),
        (jerk & np.isin(where, ("wake", "drowsy")), "myoclonic_jerk_awake"),
        (jerk, "myoclonic_jerk_like"),
        (twitch & falling, "hypnagogic_twitch"),
        (twitch & (where == "asleep") & (stage != "R"), "fragmentary_myoclonus_like"),
        (twitch & (where == "asleep"), "rem_twitch"),
        (twitch & ~active, "fasciculation_like"),
    ]
    labels = np.full(len(events), "voluntary_or_unclassified", dtype=object)
    for match, name in reversed(rules):
        labels[match] = name
    confidence = events["confidence"].to_numpy(np.float64) * np.where(
        np.isin(kind, _SAME_ANYWHERE), 1.0, _certainty(events, context)
    )
    return events.assign(
        label=pd.Series(labels, index=events.index, dtype="object"), confidence=confidence
    )


def _start_like(events: pd.DataFrame) -> Bools:
    """Return whether a jerk is as long as a sleep start, or not measurable by EMG."""
    low, high = (1000 * ms for ms in SLEEP_START_MS)
    length = to_us(np.nan_to_num(events["duration"].to_numpy(np.float64)))
    unseen = np.isnan(events["amplitude_uv"].to_numpy(np.float64))
    return np.asarray(((low <= length) & (length <= high)) | unseen)


def _in_volley(events: pd.DataFrame, jerk: Bools) -> Bools:
    """Return whether a jerk is one of three or more of its leg within 10 s."""
    out = np.zeros(len(events), bool)
    time = to_us(events["onset"].to_numpy(np.float64))
    leg = events["leg"].to_numpy(object)
    for side in set(leg[jerk]):
        rows = np.flatnonzero(jerk & (leg == side))
        rows = rows[np.argsort(time[rows], kind="stable")]
        t = time[rows]
        # a window that opens at a jerk and holds more than two marks them all
        after = np.searchsorted(t, t + to_us(VOLLEY_S), side="right")
        full = after - np.arange(len(t)) > VOLLEY
        delta = np.zeros(len(t) + 1, np.int64)
        np.add.at(delta, np.flatnonzero(full), 1)
        np.add.at(delta, after[full], -1)
        out[rows] = np.cumsum(delta)[:-1] > 0
    return out


def _active(
    events: pd.DataFrame, context: Context, settings: Settings, seconds: Mapping[str, Seconds]
) -> Bools:
    """Return whether the leg is in use around each event, other than by leg events."""
    times = events["onset"].to_numpy(np.float64)
    moving = context.activity_at(times) >= settings.context.quiet_g
    share = np.zeros(len(events))
    channel = events["channel"].to_numpy(object)
    emg = {name: s for name, s in seconds.items() if s.vector.shape[1] == 0}
    for name, table in emg.items():
        # the channel that saw it; where that is an accelerometer, the busiest EMG
        rows = (channel == name) | ~np.isin(channel, list(emg))
        share[rows] = np.maximum(share[rows], _busy_around(table, times[rows]))
    return np.asarray(moving | (share > ACTIVE_SHARE))


def _busy_around(table: Seconds, times: Floats) -> Floats:
    """Return the share of the valid signal within ±30 s that is muscle activity."""
    valid_s = table.length_s.astype(np.float64) * table.valid
    middle = table.time_ns / 1e9 + table.length_s / 2
    total = np.concatenate([[0.0], np.cumsum(valid_s)])
    busy = np.concatenate([[0.0], np.cumsum(valid_s * table.busy)])
    first, after = np.searchsorted(middle, times - 30.0), np.searchsorted(middle, times + 30.0)
    seen = total[after] - total[first]
    share: Floats = np.divide(
        busy[after] - busy[first], seen, out=np.zeros(len(times)), where=seen > 0
    )
    return share


def _certainty(events: pd.DataFrame, context: Context) -> Floats:
    source = context.onset.source
    if context.hypnogram is not None:
        source = "hypnogram"
    factor = np.full(len(events), CERTAINTY.get(source, CERTAINTY["accelerometer"]))
    low, high = context.onset.low_s, context.onset.high_s
    if source == "accelerometer" and low is not None and high is not None:
        times = events["onset"].to_numpy(np.float64)
        factor[(low <= times) & (times <= high)] = CERTAINTY["onset range"]
    factor[events["context"].to_numpy(object) == "unknown"] = CERTAINTY["unknown"]
    return factor
