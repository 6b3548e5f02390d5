"""Series of single events: hiccups, jerks in succession, periodic leg movements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS
from twitchsense.scoring.burst_trains import Train, find_rows, in_step
from twitchsense.scoring.leg_movements.rules import (
    LEFT,
    RIGHT,
    LimbRules,
    Moves,
    find_intervals,
    find_movements,
    find_series,
    find_short,
    get_rules,
)
from twitchsense.settings import TrainSettings
from twitchsense.sleep.hypnogram.hypnogram import to_us

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Candidates without muscle activity that may be jolts of a hiccup.
SILENT: Final = ("bump", "acc_micro_event")
#: Columns of an event that a rejected candidate lacks.
_WORDS: Final = tuple({c.name for c in EVENT_COLUMNS} - {c.name for c in REJECTED_COLUMNS})
#: Rhythm alone, seen at the leg, is weak evidence (docs/definitions.md, Hiccups: confidence low).
HICCUP_CONFIDENCE: Final = 0.4
#: Jerks of two legs whose onsets are this near are one moment, as leg movements are.
BILATERAL_S: Final = 0.5
#: Kinds that are leg movements; of these, those that are never candidates.
LM_KINDS, LARGE_KINDS = (
    ("movement", "gross_movement", "posture_change"),
    (
        "gross_movement",
        "posture_change",
    ),
)


def find_hiccups(
    events: pd.DataFrame, rejected: pd.DataFrame, rule: TrainSettings
) -> tuple[pd.DataFrame, pd.DataFrame, list[Train]]:
    """Find trains of jolts, and make events of those that were rejected.

    A jolt is a short acceleration where the leg's EMG is silent or below
    `hiccup_uv`, or where there is none. One alone is a knock at the bed; five and
    more at a steady rhythm and of like size are hiccup-like.

    Returns
    -------
    events, rejected : DataFrame
        The jolts of trains moved from the second to the first; no row is lost.
    trains : list of Train
        Rows of the new event table.
    """
    short = rule.hiccup_ms / 1000
    silent = rejected["reason"].isin(SILENT) & (rejected["duration"] < short)
    quiet = ~(events["amplitude_uv"] >= rule.hiccup_uv)
    jerks = (events["trial_type"] == "jerk") & quiet & (events["duration"] < short)
    pool = pd.concat(
        [
            rejected[silent].assign(old=np.flatnonzero(silent), known=False),
            events[jerks].assign(old=np.flatnonzero(jerks), known=True),
        ]
    ).sort_values(["onset", "channel"], kind="stable", ignore_index=True)
    found: list[tuple[Ints, Floats]] = []
    # both legs feel the same jolt: a body has one train of hiccups
    first = _first_of_each(pool["onset"].to_numpy(np.float64), rule.hiccup_s[0])
    times = pool["onset"].to_numpy(np.float64)[first]
    size = np.log(np.maximum(pool["peak_g"].to_numpy(np.float64)[first], 1e-6))
    for run in find_rows(times, *rule.hiccup_s):
        kept = run[in_step(times[run], rule.hiccup_cv)]
        # knocks at a bed are of all sizes, hiccups of one person are alike
        if len(kept) >= rule.hiccup_least and size[kept].std(ddof=1) <= rule.hiccup_size:
            found.append((first[kept], times[kept]))
    if not found:
        return events, rejected, []
    member = np.concatenate([rows for rows, _ in found])
    rows = pool.iloc[member]
    risen = rows[~rows["known"].to_numpy(bool)]
    names = [c.name for c in EVENT_COLUMNS]
    jolts = risen.assign(trial_type="jolt", confidence=HICCUP_CONFIDENCE)
    jolts = jolts.reindex(columns=names).fillna(dict.fromkeys(_WORDS, ""))
    gone = np.zeros(len(rejected), bool)
    gone[risen["old"].to_numpy(np.int64)] = True
    keys = ["onset", "channel", "trial_type", "duration"]
    joined = jolts if events.empty else pd.concat([events, jolts])
    joined = joined.sort_values(keys, kind="stable", ignore_index=True)
    onset = joined["onset"].to_numpy(np.float64)
    kind = joined["trial_type"].to_numpy(object)
    trains = []
    for _, at in found:
        here = np.isin(onset, at) & np.isin(kind, ("jolt", "jerk"))
        rate = 1 / float(np.median(np.diff(at)))
        which = tuple(np.flatnonzero(here).tolist())
        trains.append(Train("hiccup", which, len(at), rate, rule.hiccup_least))
    return joined, rejected[~gone].reset_index(drop=True), trains


def _first_of_each(times: Floats, apart: float) -> Ints:
    kept: list[int] = []
    for k, time in enumerate(times.tolist()):
        if not kept or time - times[kept[-1]] >= apart - 1e-9:
            kept.append(k)
    return np.array(kept, np.int64)


def find_jerks(events: pd.DataFrame, rule: TrainSettings, taken: Bools) -> list[Train]:
    """Find jerks in quick succession: three in a minute, or ten in an hour.

    Counted are jerks that are at least moderate and in no other train; for the ten
    in an hour, those in no volley, so that one volley does not give its name to
    single jerks an hour away. What both legs do at once counts once. `Train.pattern` is
    ``violent`` where enough of them are violent, else ``jerks``.
    """
    strong = (events["trial_type"] == "jerk") & events["grade"].isin(("moderate", "violent"))
    rows = np.flatnonzero(strong.to_numpy() & ~taken)
    trains: list[Train] = []
    for least, span in ((rule.jerks_least, rule.jerks_s), (rule.jerks_per_h, 3600.0)):
        onset = events["onset"].to_numpy(np.float64)[rows]
        violent = (events["grade"] == "violent").to_numpy()[rows]
        moment = _moments(onset, events["leg"].to_numpy(object)[rows])
        after = np.searchsorted(onset, onset + span + 1e-9, side="right")
        full = np.flatnonzero(moment[after - 1] - moment >= least - 1)
        member, named = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        for k in full.tolist():
            member[k : after[k]] = True
            fierce = np.unique(moment[k : after[k]][violent[k : after[k]]])
            named[k : after[k]] |= len(fierce) >= rule.jerks_violent
        for name, those in (("violent", named), ("jerks", member & ~named)):
            inside = np.flatnonzero(those)
            apart = np.flatnonzero(np.diff(onset[inside]) > span)
            for group in np.split(inside, apart + 1) if len(inside) else []:
                begun = onset[group][np.diff(moment[group], prepend=-1) > 0]
                steps = np.diff(begun)
                rate = 1 / float(np.median(steps)) if len(steps) else float("nan")
                which = tuple(rows[group].tolist())
                trains.append(Train(name, which, len(begun), rate, least))
        rows = rows[~member]
    return trains


def _moments(onset: Floats, leg: NDArray[np.object_]) -> Ints:
    """Return the moment of each jerk: those of different legs within 0.5 s are one (WASM 2016)."""
    numbers = np.zeros(len(onset), np.int64)
    begun, legs, now = -np.inf, set[object](), -1
    for i, (at, side) in enumerate(zip(onset.tolist(), leg.tolist(), strict=True)):
        if at - begun > BILATERAL_S or side in legs:
            begun, legs, now = at, set(), now + 1
        legs.add(side)
        numbers[i] = now
    return numbers


@dataclass(frozen=True, slots=True, eq=False)
class LegMoves:
    """The leg movements of an event table, by one set of rules.

    Attributes
    ----------
    rules : LimbRules
    moves : Moves
        After joining and combining legs.
    series : ndarray of int64, shape (moves,)
        Number of the periodic series, from 1; 0 for none.
    short : ndarray of bool, shape (moves,)
        Too soon after the one before.
    of_event : ndarray of int64, shape (events,)
        Movement that holds each event; -1 for none.
    """

    rules: LimbRules
    moves: Moves
    series: Ints
    short: Bools
    of_event: Ints


def find_leg_moves(events: pd.DataFrame, rules: str, taken: Bools) -> LegMoves:
    """Apply leg-movement rules to an event table.

    Marks are events of kind `movement`, by EMG on the 10-100 Hz band (+8/+2 µV)
    where there is EMG. A large movement or a change of posture is a movement that
    is no candidate: it ends a series. Events of another train (`taken`) are no
    leg movements. An unnamed leg counts as one leg.
    """
    rule = get_rules(rules)
    kind = events["trial_type"].to_numpy(object)
    rows = np.flatnonzero(np.isin(kind, LM_KINDS) & ~taken)
    start = to_us(events["onset"].to_numpy(np.float64)[rows])
    length = to_us(events["duration"].fillna(0.0).to_numpy(np.float64)[rows])
    large = np.isin(kind[rows], LARGE_KINDS)
    leg = np.where(events["leg"].to_numpy(object)[rows] == "right", RIGHT, LEFT)
    moves = find_movements(start, start + length, leg, rule)
    of_event = np.full(len(events), -1, np.int64)
    of_event[rows] = _holder(moves, start, start + length)
    clm = moves.clm.copy()
    held = of_event[rows[large]]
    clm[held[held >= 0]] = False
    moves = Moves(moves.onset, moves.stop, moves.leg, moves.parts, clm)
    interval = find_intervals(moves.onset, moves.clm)
    return LegMoves(rule, moves, find_series(interval, rule), find_short(interval, rule), of_event)


def _holder(moves: Moves, start: Ints, stop: Ints) -> Ints:
    """Return the movement that each mark became part of; -1 if it was dropped."""
    at = np.searchsorted(moves.onset, start, side="right") - 1
    inside = (at >= 0) & (len(moves) > 0)
    inside[inside] = stop[inside] <= moves.stop[at[inside]]
    return np.where(inside, at, -1)
