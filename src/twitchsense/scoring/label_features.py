"""What the label rules may ask of an event: one array per question, one row per event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import mask_of
from twitchsense.model.per_second import PerSecond
from twitchsense.scoring.active_wake import is_active
from twitchsense.scoring.burst_trains import Train
from twitchsense.scoring.fragmentary_myoclonus import find_efm
from twitchsense.scoring.series import LegMoves
from twitchsense.settings import Settings
from twitchsense.sleep.hypnogram.hypnogram import to_us
from twitchsense.sleep.hypnogram.stage_codes import NREM
from twitchsense.sleep.tagging import Context

Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]

FALLING: Final = ("drowsy", "sleep_onset")


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """An event table with all that the rules need.

    Attributes
    ----------
    kind, where, stage : ndarray of object
        ``trial_type``, ``context`` and ``stage``.
    trains : mapping of pattern to ndarray of bool
        Whether an event is in a train of that pattern.
    series : ndarray of object
        Name of the train of each event for each pattern, see `name_of`.
    start_like, volley, active, efm, recurs : ndarray of bool
        A jerk as long as a sleep start; one of too many within 10 s; in active
        wake; in a minute of the fragmentary-myoclonus pattern; a jerk that comes
        back every 10-90 s.
    legs : LegMoves
    """

    kind: Objects
    where: Objects
    stage: Objects
    trains: Mapping[str, Bools]
    names: Mapping[str, Objects]
    counts: Mapping[str, NDArray[np.int64]]
    start_like: Bools
    volley: Bools
    active: Bools
    efm: Bools
    recurs: Bools
    legs: LegMoves

    def is_kind(self, *kinds: str) -> Bools:
        """Whether the kind is one of these."""
        return np.isin(self.kind, kinds)

    def is_in(self, *contexts: str) -> Bools:
        """Whether the context is one of these."""
        return np.isin(self.where, contexts)

    def in_train(self, pattern: str) -> Bools:
        """Whether an event is in a train of that pattern."""
        return self.trains.get(pattern, np.zeros(len(self.kind), bool))

    @property
    def clm(self) -> Bools:
        """Whether an event is (part of) a candidate leg movement."""
        return self._of_moves(self.legs.moves.clm)

    @property
    def short(self) -> Bools:
        """Whether it is one that comes too soon after the one before."""
        return self._of_moves(self.legs.short)

    @property
    def nrem(self) -> Bools:
        """Whether an event is in NREM sleep, or in sleep of unknown stage."""
        told = np.isin(self.stage, NREM)
        return told | np.isin(self.stage, ("", "S"))

    def _of_moves(self, flags: Bools) -> Bools:
        held = self.legs.of_event
        if len(flags) == 0:
            return np.zeros(len(held), bool)
        return (held >= 0) & flags[np.maximum(held, 0)]


def mark(
    events: pd.DataFrame,
    context: Context,
    settings: Settings,
    seconds: Mapping[str, PerSecond],
    trains: list[Train],
    legs: LegMoves,
) -> Marks:
    """Ask all questions at once."""
    kind = events["trial_type"].to_numpy(object)
    where = events["context"].to_numpy(object)
    members: dict[str, Bools] = {}
    names: dict[str, Objects] = {}
    counts: dict[str, NDArray[np.int64]] = {}
    for train in sorted(trains, key=lambda t: t.rows[0]):
        pattern = train.pattern
        inside = members.setdefault(pattern, np.zeros(len(events), bool))
        name = names.setdefault(pattern, np.full(len(events), "", object))
        count = counts.setdefault(pattern, np.zeros(len(events), np.int64))
        rows = list(train.rows)
        number = len(set(name.tolist()) - {""}) + 1
        fresh = [r for r in rows if not inside[r]]
        name[fresh], count[fresh], inside[rows] = f"{pattern}-{number}", train.count, True
    periodic = np.zeros(len(events), np.int64)
    held = legs.of_event >= 0
    periodic[held] = legs.series[legs.of_event[held]]
    members["plm"] = periodic > 0
    names["plm"] = np.array([f"plm-{k}" if k else "" for k in periodic], object)
    size = np.bincount(legs.series, minlength=1)
    counts["plm"] = np.where(periodic > 0, size[periodic], 0)
    jerk = kind == "jerk"
    awake = np.isin(where, ("wake", "unknown"))
    return Marks(
        kind,
        where,
        events["stage"].to_numpy(object),
        members,
        names,
        counts,
        _start_like(events, settings),
        _in_volley(events, jerk, settings),
        awake & is_active(events, context, settings, seconds),
        find_efm(events, context, seconds, settings).member,
        _recurs(events, jerk, members["plm"]),
        legs,
    )


def _start_like(events: pd.DataFrame, settings: Settings) -> Bools:
    """Return whether a jerk is as long as a sleep start, or not measurable by EMG."""
    low, high = (round(1000 * ms) for ms in settings.labels.start_ms)
    length = to_us(np.nan_to_num(events["duration"].to_numpy(np.float64)))
    unseen = np.isnan(events["amplitude_uv"].to_numpy(np.float64))
    return np.asarray(((low <= length) & (length <= high)) | unseen)


def _in_volley(events: pd.DataFrame, jerk: Bools, settings: Settings) -> Bools:
    """Return whether a jerk is one of more than `volley` of its leg within `volley_s`."""
    out = np.zeros(len(events), bool)
    time = to_us(events["onset"].to_numpy(np.float64))
    leg = events["leg"].to_numpy(object)
    for side in set(leg[jerk]):
        rows = np.flatnonzero(jerk & (leg == side))
        rows = rows[np.argsort(time[rows], kind="stable")]
        t = time[rows]
        # a window that opens at a jerk and holds too many marks them all
        after = np.searchsorted(t, t + to_us(settings.labels.volley_s), side="right")
        full = after - np.arange(len(t)) > settings.labels.volley
        out[rows] = mask_of(np.flatnonzero(full), after[full], len(t))
    return out


def _recurs(events: pd.DataFrame, jerk: Bools, plm: Bools) -> Bools:
    """Return the jerks of a run of four and more that come every 10 to 90 s.

    Too short for leg movements, they are no periodic series; the tag is kept
    beside their label (docs/definitions.md, Labels and words).
    """
    out = np.zeros(len(events), bool)
    rows = np.flatnonzero(jerk | plm)
    time = to_us(events["onset"].to_numpy(np.float64)[rows])
    step = np.diff(time)
    linked = (step >= 10_000_000) & (step <= 90_000_000)
    for part in np.split(np.arange(len(rows)), np.flatnonzero(~linked) + 1):
        if len(part) >= 4:
            out[rows[part]] = True
    return out & jerk
