"""Trains of bursts: tremor, foot tremor, alternating legs, high-frequency movements.

Each is a row of bursts at a rhythm (docs/definitions.md, Rhythmic movements).
A burst is a short event, a
piece of a long one (`rhythm`), or a candidate that the detector gave up because
it stood in a dense row. One burst missed or one too many must not make or break
a train, so of eight intervals and more, a quarter may be out of step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import in_intervals
from twitchsense.scoring.movement_bursts import Rhythms
from twitchsense.settings import TrainSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Of so many intervals, this share may be out of step [E].
FORGIVE_FROM, FORGIVEN = 8, 0.25
#: A member's interval is within this share of the usual one.
IN_STEP: Final = 0.6
#: Rejected candidates that may be bursts of a train.
DRIVEN: Final = ("rhythmic_train", "active_wake")
#: A long event belongs to a train that fills this share of it [E].
FILLS: Final = 0.6
#: Bursts read inside one event are held to a stricter rhythm: a movement wavers [E].
INSIDE_CV: Final = 0.25
#: Of times in seconds.
_ROUNDING: Final = 1e-9
_SHORT: Final = ("twitch", "jerk", "brief_contraction", "movement")


@dataclass(frozen=True, slots=True)
class Train:
    """One train or series.

    Attributes
    ----------
    pattern : str
        ``tremor``, ``foot``, ``fast``, ``alma``, ``rock``, ``hiccup``, ``jerks``.
    rows : tuple of int
        Its events, rows of the event table.
    count : int
        Its bursts, whether events of their own or not.
    rate_hz : float
        One over the median interval.
    least : int
        The fewest that make such a train.
    """

    pattern: str
    rows: tuple[int, ...]
    count: int
    rate_hz: float
    least: int

    @property
    def robust(self) -> bool:
        """Whether it would stand with any one member less."""
        return self.count > self.least


def find_rows(times: Floats, low: float, high: float) -> list[Ints]:
    """Return the runs of times whose steps are all within ``[low, high]``; two or more.

    A time that follows too soon is left out as an echo of the one before; a run in
    which that is more than an exception is too fast, and no run.
    """
    runs: list[tuple[list[int], list[int]]] = []
    for k, time in enumerate(times.tolist()):
        step = time - times[runs[-1][0][-1]] if runs else np.inf
        if step < low - _ROUNDING:
            runs[-1][1].append(k)
        elif step <= high + _ROUNDING:
            runs[-1][0].append(k)
        else:
            runs.append(([k], []))
    return [
        np.array(kept)
        for kept, echoes in runs
        if len(kept) > 1 and len(echoes) <= FORGIVEN * len(kept)
    ]


def in_step(times: Floats, cv: float) -> Ints:
    """Return which times of a run keep its rhythm; none if there is no rhythm.

    The spread is the standard deviation of the intervals over their mean. Of eight
    and more intervals the quarter farthest from the median may be left out of it.
    """
    step = np.diff(times)
    if len(step) < 2:
        return np.empty(0, np.int64)
    usual = float(np.median(step))
    off = np.abs(step - usual)
    drop = int(FORGIVEN * len(step)) if len(step) >= FORGIVE_FROM else 0
    kept = step[np.argsort(off, kind="stable")[: len(step) - drop]]
    if float(kept.std(ddof=1)) > cv * float(kept.mean()) + _ROUNDING:
        return np.empty(0, np.int64)
    fine = off <= IN_STEP * usual
    member = np.concatenate([[False], fine]) | np.concatenate([fine, [False]])
    return np.flatnonzero(member if drop else np.ones(len(times), bool))


@dataclass(frozen=True, slots=True, eq=False)
class Bursts:
    """Bursts of one leg in order of onset; `row` is -1 for a rejected candidate."""

    row: Ints
    onset: Floats
    length: Floats
    inside: Bools


def collect_bursts(
    events: pd.DataFrame, rejected: pd.DataFrame, rhythms: Rhythms, leg: str
) -> Bursts:
    """Gather the bursts of a leg: short events, pieces of long ones, driven candidates."""
    mine = (events["leg"] == leg).to_numpy()
    pieces = rhythms.bursts[mine[rhythms.bursts["event"]]] if len(events) else rhythms.bursts
    many = pieces.groupby("event").size()
    split = np.zeros(len(events), bool)
    split[many.index[many > 1].to_numpy(np.int64)] = True
    pieces = pieces[split[pieces["event"]]]
    start = events["onset"].to_numpy(np.float64)
    stop = start + events["duration"].fillna(0.0).to_numpy(np.float64)
    muscle = (
        events["amplitude_uv"].notna().to_numpy() & events["trial_type"].isin(_SHORT).to_numpy()
    )
    alone = np.flatnonzero(mine & muscle & ~split)
    hidden = in_intervals(start[alone], start[mine & split], stop[mine & split])
    alone = alone[~hidden]
    length_s = events["duration"].fillna(0.0).to_numpy(np.float64)
    driven = rejected[
        (rejected["leg"] == leg)
        & rejected["reason"].isin(DRIVEN)
        & rejected["amplitude_uv"].notna()
    ]
    driven = driven[
        ~in_intervals(driven["onset"].to_numpy(np.float64), start[mine & split], stop[mine & split])
    ]
    row = np.concatenate([pieces["event"], alone, np.full(len(driven), -1)]).astype(np.int64)
    onset = np.concatenate([pieces["onset"], start[alone], driven["onset"]]).astype(np.float64)
    length = np.concatenate([pieces["duration"], length_s[alone], driven["duration"]]).astype(
        np.float64
    )
    inside = np.concatenate([np.ones(len(pieces), bool), np.zeros(len(alone) + len(driven), bool)])
    order = np.argsort(onset, kind="stable")
    return Bursts(row[order], onset[order], length[order], inside[order])


def find_trains(
    events: pd.DataFrame, rejected: pd.DataFrame, rhythms: Rhythms, rule: TrainSettings
) -> list[Train]:
    """Find all trains of bursts, and the swinging of a leg."""
    trains: list[Train] = []
    legs = sorted(set(events["leg"].to_numpy(object)))
    bursts = {str(leg): collect_bursts(events, rejected, rhythms, str(leg)) for leg in legs}
    shaken = events["peak_g"].to_numpy(np.float64) > rule.fast_g
    for mine in bursts.values():
        low, high = rule.tremor_hz
        for run in find_rows(mine.onset, 1 / high, 1 / low):
            kept = run[in_step(mine.onset[run], _cv(mine, run, rule))]
            lasts = len(kept) and mine.onset[kept[-1]] + mine.length[kept[-1]] - mine.onset[kept[0]]
            if len(kept) >= rule.tremor_cycles and lasts >= rule.tremor_s:
                trains += _train("tremor", events, mine, kept, rule.tremor_cycles)
        calm = (mine.row < 0) | ~shaken[np.maximum(mine.row, 0)] if len(shaken) else mine.row < 0
        slow = np.flatnonzero((mine.length >= rule.fast_ms / 1000) & calm)
        low, high = rule.fast_hz
        for run in find_rows(mine.onset[slow], 1 / high, 1 / low):
            kept = slow[run][in_step(mine.onset[slow[run]], _cv(mine, slow[run], rule))]
            if len(kept) >= rule.fast_least:
                usual = 1000 * float(np.median(mine.length[kept]))
                foot = rule.foot_ms[0] <= usual <= rule.foot_ms[1]
                name = "foot" if foot else "fast"
                trains += _train(name, events, mine, kept, rule.fast_least)
    if len(bursts) == 2:
        trains += _alternations(events, list(bursts.values()), rule)
    large = (events["trial_type"] == "gross_movement") & (events["peak_g"] >= rule.rock_g)
    for row in np.flatnonzero(np.isfinite(rhythms.swing_hz) & large.to_numpy()).tolist():
        rate = float(rhythms.swing_hz[row])
        cycles = int(rate * float(events["duration"].iloc[row]))
        trains.append(Train("rock", (row,), cycles, rate, rule.rock_least))
    return trains


def _cv(bursts: Bursts, run: Ints, rule: TrainSettings) -> float:
    pieces = bursts.inside[run]
    one = len(set(bursts.row[run[pieces]].tolist())) == 1
    return INSIDE_CV if pieces.mean() > 0.5 and one else rule.fast_cv


def _alternations(events: pd.DataFrame, legs: Sequence[Bursts], rule: TrainSettings) -> list[Train]:
    onset = np.concatenate([b.onset for b in legs])
    order = np.argsort(onset, kind="stable")
    side = np.repeat([0, 1], [len(b.onset) for b in legs])[order]
    both = Bursts(
        np.concatenate([b.row for b in legs])[order],
        onset[order],
        np.concatenate([b.length for b in legs])[order],
        np.concatenate([b.inside for b in legs])[order],
    )
    fits = (both.length * 1000 >= rule.alma_ms[0]) & (both.length * 1000 <= rule.alma_ms[1])
    short = np.flatnonzero(fits)
    low, high = rule.alma_hz
    trains: list[Train] = []
    for run in find_rows(both.onset[short], 0.0, 1 / low):
        kept = short[run]
        changes = np.diff(side[kept]) != 0
        usual = float(np.median(np.diff(both.onset[kept])))
        steady = changes.mean() >= rule.alma_share and low <= 1 / max(usual, 1e-9) <= high
        if len(kept) >= rule.alma_least and steady:
            trains += _train("alma", events, both, kept, rule.alma_least)
    return trains


def _train(name: str, events: pd.DataFrame, bursts: Bursts, kept: Ints, least: int) -> list[Train]:
    """Return the train of some bursts, unless no event is a member of it."""
    first = float(bursts.onset[kept[0]])
    last = float(bursts.onset[kept[-1]] + bursts.length[kept[-1]])
    start = events["onset"].to_numpy(np.float64)
    stop = start + events["duration"].fillna(0.0).to_numpy(np.float64)
    filled = np.minimum(stop, last) - np.maximum(start, first) >= FILLS * (stop - start)
    whole = sorted({int(r) for r in bursts.row[kept] if r >= 0 and filled[r]})
    legs = events["leg"].to_numpy(object)
    long = [r for r in whole if bursts.inside[kept][bursts.row[kept] == r].any()]
    # twitches and the like that the detector saw within a long member belong to it
    within = [
        int(k)
        for r in long
        for k in np.flatnonzero((start > start[r]) & (stop <= stop[r]) & (legs == legs[r]))
    ]
    rows = tuple(sorted({*whole, *within}))
    if not rows:
        return []
    usual = float(np.median(np.diff(bursts.onset[kept])))
    return [Train(name, rows, len(kept), 1 / usual, least)]
