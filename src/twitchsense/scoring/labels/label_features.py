"""Inputs of the label rules: one array per condition, one value per event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import mask_of
from twitchsense.model.per_second import PerSecond
from twitchsense.scoring.indices.fragmentary_myoclonus import find_efm
from twitchsense.scoring.leg_movements.recording_indices import EventLegMovements
from twitchsense.scoring.leg_movements.rules import MIN_SERIES
from twitchsense.scoring.trains.burst_trains import Train
from twitchsense.settings import Settings
from twitchsense.sleep.active_wake import is_active_wake
from twitchsense.sleep.context import Context
from twitchsense.sleep.hypnogram.model import to_us
from twitchsense.sleep.hypnogram.stage_codes import NREM, UNSTAGED

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

#: Range of the onset-to-onset interval of recurring jerks, µs; that of periodic leg movements.
_RECURRENCE_US: Final = (10_000_000, 90_000_000)
#: Fewest recurring jerks; as many as periodic leg movements in a series.
_MIN_RECURRING: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class LabelFeatures:
    """Everything the label rules depend on, one value per event.

    Attributes
    ----------
    kind, context, stage : ndarray of object, shape (events,)
        Columns ``trial_type``, ``context`` and ``stage``.
    trains : mapping of pattern to ndarray of bool
        Whether an event is in a train of the pattern.
    train_names : mapping of pattern to ndarray of object
        Name of the event's train, such as ``plm-2``; ``""`` for none.
    train_counts : mapping of pattern to ndarray of int64
        Number of bursts or movements in the event's train; 0 for none.
    series_min_counts : mapping of str to int
        Fewest bursts or movements of each train, by its name.
    sleep_start_duration : ndarray of bool
        A jerk as long as a sleep start, or whose EMG duration is unknown.
    in_volley : ndarray of bool
        A jerk that is one of too many within 10 s to be a sleep start.
    active_wake : ndarray of bool
        An event in active wake.
    in_efm : ndarray of bool
        A twitch in a minute of the pattern of excessive fragmentary myoclonus.
    recurring : ndarray of bool
        A jerk of a run that recurs every 10-90 s.
    leg_movements : EventLegMovements
        Leg movements of the table.
    """

    kind: Objects
    context: Objects
    stage: Objects
    trains: Mapping[str, Bools]
    train_names: Mapping[str, Objects]
    train_counts: Mapping[str, Ints]
    series_min_counts: Mapping[str, int]
    sleep_start_duration: Bools
    in_volley: Bools
    active_wake: Bools
    in_efm: Bools
    recurring: Bools
    leg_movements: EventLegMovements

    def is_kind(self, *kinds: str) -> Bools:
        """Return which events are of one of these kinds.

        Parameters
        ----------
        *kinds : str
            Values of ``trial_type``.

        Returns
        -------
        ndarray of bool, shape (events,)
        """
        return np.isin(self.kind, kinds)

    def is_in(self, *contexts: str) -> Bools:
        """Return which events are in one of these contexts.

        Parameters
        ----------
        *contexts : str
            Values of ``context``.

        Returns
        -------
        ndarray of bool, shape (events,)
        """
        return np.isin(self.context, contexts)

    def in_train(self, pattern: str) -> Bools:
        """Return which events are in a train of a pattern.

        Parameters
        ----------
        pattern : str
            See `twitchsense.scoring.trains.burst_trains.Train`; also ``plm``.

        Returns
        -------
        ndarray of bool, shape (events,)
        """
        return self.trains.get(pattern, np.zeros(len(self.kind), bool))

    @property
    def clm(self) -> Bools:
        """Whether each event belongs to a candidate leg movement."""
        return self._of_movements(self.leg_movements.movements.clm)

    @property
    def short_interval(self) -> Bools:
        """Whether each event belongs to a candidate after too short an interval."""
        return self._of_movements(self.leg_movements.short)

    @property
    def nrem(self) -> Bools:
        """Whether each event is in NREM sleep or in an unknown stage."""
        return np.isin(self.stage, NREM) | np.isin(self.stage, ("", UNSTAGED))

    def _of_movements(self, flags: Bools) -> Bools:
        """Spread flags of movements over the events that they contain."""
        movement = self.leg_movements.of_event
        if len(flags) == 0:
            return np.zeros(len(movement), bool)
        return (movement >= 0) & flags[np.maximum(movement, 0)]


def compute_label_features(
    events: pd.DataFrame,
    context: Context,
    settings: Settings,
    seconds: Mapping[str, PerSecond],
    trains: list[Train],
    leg_movements: EventLegMovements,
) -> LabelFeatures:
    """Compute all inputs of the label rules for an event table.

    Parameters
    ----------
    events : DataFrame
        Event table with ``context`` and ``stage``.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        Limits of the rules.
    seconds : mapping of channel name to PerSecond
        Per-second statistics, for active wake and valid time.
    trains : list of Train
        Trains and clusters; rows refer to `events`.
    leg_movements : EventLegMovements
        Leg movements of `events`.

    Returns
    -------
    LabelFeatures
    """
    kind = events["trial_type"].to_numpy(object)
    where = events["context"].to_numpy(object)
    members: dict[str, Bools] = {}
    names: dict[str, Objects] = {}
    counts: dict[str, Ints] = {}
    min_counts: dict[str, int] = {}
    for train in sorted(trains, key=lambda t: t.rows[0]):
        pattern = train.pattern
        inside = members.setdefault(pattern, np.zeros(len(events), bool))
        name = names.setdefault(pattern, np.full(len(events), "", object))
        count = counts.setdefault(pattern, np.zeros(len(events), np.int64))
        rows = list(train.rows)
        number = len(set(name.tolist()) - {""}) + 1
        new = [r for r in rows if not inside[r]]
        name[new] = f"{pattern}-{number}"
        count[new] = train.count
        min_counts[f"{pattern}-{number}"] = train.min_count
        inside[rows] = True
    series = np.zeros(len(events), np.int64)
    contained = leg_movements.of_event >= 0
    series[contained] = leg_movements.series[leg_movements.of_event[contained]]
    members["plm"] = series > 0
    names["plm"] = np.array([f"plm-{k}" if k else "" for k in series], object)
    min_counts.update((f"plm-{k}", MIN_SERIES) for k in set(series[series > 0].tolist()))
    size = np.bincount(leg_movements.series, minlength=1)
    counts["plm"] = np.where(series > 0, size[series], 0)
    jerk = kind == "jerk"
    not_asleep = np.isin(where, ("wake", "unknown"))
    return LabelFeatures(
        kind=kind,
        context=where,
        stage=events["stage"].to_numpy(object),
        trains=members,
        train_names=names,
        train_counts=counts,
        series_min_counts=min_counts,
        sleep_start_duration=_has_sleep_start_duration(events, settings),
        in_volley=_in_volley(events, jerk, settings),
        active_wake=not_asleep & is_active_wake(events, context, settings, seconds),
        in_efm=find_efm(events, context, seconds, settings).member,
        recurring=_recurs_periodically(events, jerk, members["plm"]),
        leg_movements=leg_movements,
    )


def _has_sleep_start_duration(events: pd.DataFrame, settings: Settings) -> Bools:
    """Return which events are as long as a sleep start, or have no EMG duration."""
    low, high = (round(1000 * ms) for ms in settings.labels.start_ms)
    length = to_us(np.nan_to_num(events["duration"].to_numpy(np.float64)))
    without_emg = np.isnan(events["amplitude_uv"].to_numpy(np.float64))
    return np.asarray(((low <= length) & (length <= high)) | without_emg)


def _in_volley(events: pd.DataFrame, jerk: Bools, settings: Settings) -> Bools:
    """Return which jerks are among more than ``volley`` of their leg within ``volley_s``."""
    out = np.zeros(len(events), bool)
    time = to_us(events["onset"].to_numpy(np.float64))
    leg = events["leg"].to_numpy(object)
    for side in set(leg[jerk]):
        rows = np.flatnonzero(jerk & (leg == side))
        rows = rows[np.argsort(time[rows], kind="stable")]
        t = time[rows]
        # a window that opens at a jerk and holds too many includes all its jerks
        after = np.searchsorted(t, t + to_us(settings.labels.volley_s), side="right")
        full = after - np.arange(len(t)) > settings.labels.volley
        out[rows] = mask_of(np.flatnonzero(full), after[full], len(t))
    return out


def _recurs_periodically(events: pd.DataFrame, jerk: Bools, plm: Bools) -> Bools:
    """Return the jerks of runs of at least four that recur every 10 to 90 s.

    They are too short for leg movements and form no periodic series; the finding is
    reported in addition to their label (docs/definitions.md, Labels and words).
    """
    out = np.zeros(len(events), bool)
    rows = np.flatnonzero(jerk | plm)
    time = to_us(events["onset"].to_numpy(np.float64)[rows])
    step = np.diff(time)
    linked = (step >= _RECURRENCE_US[0]) & (step <= _RECURRENCE_US[1])
    for part in np.split(np.arange(len(rows)), np.flatnonzero(~linked) + 1):
        if len(part) >= _MIN_RECURRING:
            out[rows[part]] = True
    return out & jerk
