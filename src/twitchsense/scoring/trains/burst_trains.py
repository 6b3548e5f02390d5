"""Trains of bursts: tremor, foot tremor, alternating legs, high-frequency movements.

A train is a sequence of bursts at a rhythm (docs/definitions.md, Rhythmic movements).
A burst is a short event, a burst within a long event
(`twitchsense.scoring.trains.movement_bursts`), or a candidate that the detector rejected
because it stood in a dense sequence. One missed or one false burst must not change the
result, so in trains of at least eight intervals a quarter of them may be irregular.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import in_intervals
from twitchsense.scoring.trains.movement_bursts import MovementBursts
from twitchsense.settings import TrainSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Fewest intervals of a train in which irregular ones are tolerated [E].
MIN_INTERVALS_FOR_OUTLIERS: Final = 8
#: Largest share of irregular intervals in such a train [E].
OUTLIER_SHARE: Final = 0.25
#: Largest relative deviation from the median interval of a regular interval.
INTERVAL_TOLERANCE: Final = 0.6
#: Reasons of rejected candidates that may be bursts of a train.
REJECTED_BURST_REASONS: Final = ("rhythmic_train", "active_wake")
#: Smallest share of a long event that its train must cover [E].
MIN_COVERED_SHARE: Final = 0.6
#: Largest coefficient of variation of intervals between bursts within one event, which
#: is stricter than between events because voluntary movements are irregular [E].
WITHIN_EVENT_CV: Final = 0.25
#: Tolerance of comparisons of times, s.
_ROUNDING_S: Final = 1e-9
#: Kinds of event that may be single bursts.
_BURST_KINDS: Final = ("twitch", "jerk", "brief_contraction", "movement")


@dataclass(frozen=True, slots=True)
class Train:
    """One train or series.

    Attributes
    ----------
    pattern : str
        ``tremor``, ``foot``, ``fast``, ``alma``, ``rock``, ``hiccup``, ``violent`` or
        ``jerks``.
    rows : tuple of int
        Its events, as rows of the event table.
    count : int
        Number of its bursts, including bursts that are not events of their own.
    min_count : int
        Fewest bursts that make such a train.
    """

    pattern: str
    rows: tuple[int, ...]
    count: int
    min_count: int


def find_runs(times: Floats, min_step: float, max_step: float) -> list[Ints]:
    """Find runs of times whose steps all lie within limits.

    A time that follows too soon is skipped as an echo of the previous one. A run with
    more than an occasional echo is too fast and is discarded.

    Parameters
    ----------
    times : ndarray of float64
        Onsets in time order, s.
    min_step, max_step : float
        Limits of the steps (both included), s.

    Returns
    -------
    list of ndarray of int64
        Indices of the members of each run, two or more.
    """
    runs: list[tuple[list[int], list[int]]] = []
    for k, time in enumerate(times.tolist()):
        step = time - times[runs[-1][0][-1]] if runs else np.inf
        if step < min_step - _ROUNDING_S:
            runs[-1][1].append(k)
        elif step <= max_step + _ROUNDING_S:
            runs[-1][0].append(k)
        else:
            runs.append(([k], []))
    return [
        np.array(members)
        for members, echoes in runs
        if len(members) > 1 and len(echoes) <= OUTLIER_SHARE * len(members)
    ]


def regular_members(times: Floats, max_cv: float) -> Ints:
    """Return the members of a run that keep its rhythm.

    The coefficient of variation is the standard deviation of the intervals over their
    mean. Of at least `MIN_INTERVALS_FOR_OUTLIERS` intervals, the `OUTLIER_SHARE`
    farthest from the median are left out of it.

    Parameters
    ----------
    times : ndarray of float64
        Onsets of the run, s.
    max_cv : float
        Largest coefficient of variation.

    Returns
    -------
    ndarray of int64
        Indices into `times`; empty without a rhythm.
    """
    step = np.diff(times)
    if len(step) < 2:
        return np.empty(0, np.int64)
    median = float(np.median(step))
    deviation = np.abs(step - median)
    n_outliers = int(OUTLIER_SHARE * len(step)) if len(step) >= MIN_INTERVALS_FOR_OUTLIERS else 0
    kept = step[np.argsort(deviation, kind="stable")[: len(step) - n_outliers]]
    if float(kept.std(ddof=1)) > max_cv * float(kept.mean()) + _ROUNDING_S:
        return np.empty(0, np.int64)
    regular = deviation <= INTERVAL_TOLERANCE * median
    member = np.concatenate([[False], regular]) | np.concatenate([regular, [False]])
    return np.flatnonzero(member if n_outliers else np.ones(len(times), bool))


@dataclass(frozen=True, slots=True, eq=False)
class LegBursts:
    """Bursts of one leg in order of onset.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        Row of the event table; -1 for a rejected candidate.
    onset, duration : ndarray of float64, shape (n,)
        Seconds.
    within_event : ndarray of bool, shape (n,)
        Whether the burst is one of several within a long event.
    """

    row: Ints
    onset: Floats
    duration: Floats
    within_event: Bools


def collect_bursts(
    events: pd.DataFrame, rejected: pd.DataFrame, movement_bursts: MovementBursts, leg: str
) -> LegBursts:
    """Collect the bursts of a leg.

    Parameters
    ----------
    events, rejected : DataFrame
        Tables of the detector.
    movement_bursts : MovementBursts
        Bursts within the long events.
    leg : str
        Value of the column ``leg``.

    Returns
    -------
    LegBursts
        Short events, bursts within long events, and rejected candidates of
        `REJECTED_BURST_REASONS`, except inside a long event of several bursts.
    """
    on_leg = (events["leg"] == leg).to_numpy()
    bursts = movement_bursts.bursts
    within = bursts[on_leg[bursts["event"]]] if len(events) else bursts
    n_bursts = within.groupby("event").size()
    is_split = np.zeros(len(events), bool)
    is_split[n_bursts.index[n_bursts > 1].to_numpy(np.int64)] = True
    within = within[is_split[within["event"]]]
    start = events["onset"].to_numpy(np.float64)
    length = events["duration"].fillna(0.0).to_numpy(np.float64)
    stop = start + length
    has_emg = events["amplitude_uv"].notna().to_numpy()
    muscle = has_emg & events["trial_type"].isin(_BURST_KINDS).to_numpy()
    split_start, split_stop = start[on_leg & is_split], stop[on_leg & is_split]
    single = np.flatnonzero(on_leg & muscle & ~is_split)
    single = single[~in_intervals(start[single], split_start, split_stop)]
    extra = rejected[
        (rejected["leg"] == leg)
        & rejected["reason"].isin(REJECTED_BURST_REASONS)
        & rejected["amplitude_uv"].notna()
    ]
    extra = extra[~in_intervals(extra["onset"].to_numpy(np.float64), split_start, split_stop)]
    n_other = len(single) + len(extra)
    row = np.concatenate([within["event"], single, np.full(len(extra), -1)]).astype(np.int64)
    onset = np.concatenate([within["onset"], start[single], extra["onset"]]).astype(np.float64)
    duration = np.concatenate([within["duration"], length[single], extra["duration"]])
    within_event = np.concatenate([np.ones(len(within), bool), np.zeros(n_other, bool)])
    order = np.argsort(onset, kind="stable")
    return LegBursts(
        row[order], onset[order], duration.astype(np.float64)[order], within_event[order]
    )


def find_trains(
    events: pd.DataFrame,
    rejected: pd.DataFrame,
    movement_bursts: MovementBursts,
    rule: TrainSettings,
) -> list[Train]:
    """Find all trains of bursts, and rhythmic swinging of a leg.

    Parameters
    ----------
    events, rejected : DataFrame
        Tables of the detector.
    movement_bursts : MovementBursts
        Bursts and swings within the long events.
    rule : TrainSettings
        Limits of the patterns.

    Returns
    -------
    list of Train
        Patterns ``tremor``, ``foot``, ``fast``, ``alma`` and ``rock``; an event may be
        in several.
    """
    trains: list[Train] = []
    legs = sorted(set(events["leg"].to_numpy(object)))
    by_leg = [collect_bursts(events, rejected, movement_bursts, str(leg)) for leg in legs]
    moving = events["peak_g"].to_numpy(np.float64) > rule.fast_g
    for bursts in by_leg:
        trains += _tremor_trains(events, bursts, rule)
        trains += _fast_trains(events, bursts, moving, rule)
    if len(by_leg) == 2:
        trains += _alternating_trains(events, by_leg, rule)
    large = (events["trial_type"] == "gross_movement") & (events["peak_g"] >= rule.rock_g)
    swings = np.isfinite(movement_bursts.swing_hz) & large.to_numpy()
    for row in np.flatnonzero(swings).tolist():
        cycles = int(float(movement_bursts.swing_hz[row]) * float(events["duration"].iloc[row]))
        trains.append(Train("rock", (row,), cycles, rule.rock_least))
    return trains


def _tremor_trains(events: pd.DataFrame, bursts: LegBursts, rule: TrainSettings) -> list[Train]:
    """Return the trains at the rates of tremor."""
    trains: list[Train] = []
    low, high = rule.tremor_hz
    for run in find_runs(bursts.onset, 1 / high, 1 / low):
        kept = run[regular_members(bursts.onset[run], _max_cv(bursts, run, rule))]
        if len(kept) < rule.tremor_cycles:
            continue
        length_s = bursts.onset[kept[-1]] + bursts.duration[kept[-1]] - bursts.onset[kept[0]]
        if length_s >= rule.tremor_s:
            trains += _make_train("tremor", events, bursts, kept, rule.tremor_cycles)
    return trains


def _fast_trains(
    events: pd.DataFrame, bursts: LegBursts, moving: Bools, rule: TrainSettings
) -> list[Train]:
    """Return the trains of foot tremor and of other high-frequency leg movements."""
    trains: list[Train] = []
    calm = bursts.row < 0
    if len(moving):
        calm |= ~moving[np.maximum(bursts.row, 0)]
    slow = np.flatnonzero((bursts.duration >= rule.fast_ms / 1000) & calm)
    low, high = rule.fast_hz
    for run in find_runs(bursts.onset[slow], 1 / high, 1 / low):
        members = slow[run]
        kept = members[regular_members(bursts.onset[members], _max_cv(bursts, members, rule))]
        if len(kept) >= rule.fast_least:
            median_ms = 1000 * float(np.median(bursts.duration[kept]))
            pattern = "foot" if rule.foot_ms[0] <= median_ms <= rule.foot_ms[1] else "fast"
            trains += _make_train(pattern, events, bursts, kept, rule.fast_least)
    return trains


def _max_cv(bursts: LegBursts, run: Ints, rule: TrainSettings) -> float:
    """Return the largest coefficient of variation of a run: stricter within one event."""
    within = bursts.within_event[run]
    single_event = len(set(bursts.row[run[within]].tolist())) == 1
    return WITHIN_EVENT_CV if within.mean() > 0.5 and single_event else rule.fast_cv


def _alternating_trains(
    events: pd.DataFrame, legs: Sequence[LegBursts], rule: TrainSettings
) -> list[Train]:
    """Return the trains of bursts that alternate between the legs."""
    onset = np.concatenate([b.onset for b in legs])
    order = np.argsort(onset, kind="stable")
    side = np.repeat([0, 1], [len(b.onset) for b in legs])[order]
    both = LegBursts(
        np.concatenate([b.row for b in legs])[order],
        onset[order],
        np.concatenate([b.duration for b in legs])[order],
        np.concatenate([b.within_event for b in legs])[order],
    )
    duration_ms = both.duration * 1000
    fits = np.flatnonzero((duration_ms >= rule.alma_ms[0]) & (duration_ms <= rule.alma_ms[1]))
    low, high = rule.alma_hz
    trains: list[Train] = []
    for run in find_runs(both.onset[fits], 0.0, 1 / low):
        kept = fits[run]
        changes = np.diff(side[kept]) != 0
        median = float(np.median(np.diff(both.onset[kept])))
        in_range = low <= 1 / max(median, 1e-9) <= high
        if len(kept) >= rule.alma_least and changes.mean() >= rule.alma_share and in_range:
            trains += _make_train("alma", events, both, kept, rule.alma_least)
    return trains


def _make_train(
    pattern: str, events: pd.DataFrame, bursts: LegBursts, kept: Ints, min_count: int
) -> list[Train]:
    """Return the train of some bursts in a list; empty if no event is a member."""
    first = float(bursts.onset[kept[0]])
    last = float(bursts.onset[kept[-1]] + bursts.duration[kept[-1]])
    start = events["onset"].to_numpy(np.float64)
    stop = start + events["duration"].fillna(0.0).to_numpy(np.float64)
    overlap = np.minimum(stop, last) - np.maximum(start, first)
    is_covered = overlap >= MIN_COVERED_SHARE * (stop - start)
    members = sorted({int(r) for r in bursts.row[kept] if r >= 0 and is_covered[r]})
    legs = events["leg"].to_numpy(object)
    long = [r for r in members if bursts.within_event[kept][bursts.row[kept] == r].any()]
    # short events that the detector found within a long member belong to the train
    contained = [
        int(k)
        for r in long
        for k in np.flatnonzero((start > start[r]) & (stop <= stop[r]) & (legs == legs[r]))
    ]
    rows = tuple(sorted({*members, *contained}))
    if not rows:
        return []
    return [Train(pattern, rows, len(kept), min_count)]
