"""Leg-movement rules on marks: joining marks into movements, and periodic series.

Every time in this module is an integer number of microseconds: a rhythm of exactly 10 s
that begins at 100.2 s has intervals of exactly 10 s, so that limits are compared
exactly.

The numbered clauses below are those of docs/definitions.md, "Leg movements from an
event list".

References
----------
WASM 2016: Ferri et al. 2016, World Association of Sleep Medicine (WASM) 2016 standards
for recording and scoring leg movements in polysomnograms, Sleep Med 26:86-95,
doi:10.1016/j.sleep.2016.10.010.

AASM: The AASM Manual for the Scoring of Sleep and Associated Events, rules for
movements, as quoted in secondary sources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.intervals import overlap_any
from twitchsense.scoring.event_lists.legs import LEFT, RIGHT

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: One second in the unit of this module (µs).
S: Final = 1_000_000
#: Movements with an offset-to-onset gap below this are joined; WASM 2016, clause 1 (one
#: leg) and clause 3 (two legs).
GAP: Final = S // 2
#: Shortest movement, after joining; WASM 2016 and AASM, clause 1.
MIN_DURATION: Final = S // 2
#: Longest candidate on one leg; WASM 2016, clause 2. By the AASM, the longest movement.
MAX_DURATION: Final = 10 * S
#: Longest candidate on both legs; WASM 2016, clause 3.
MAX_BILATERAL: Final = 15 * S
#: Most parts of a candidate on both legs; WASM 2016, clause 3.
MAX_PARTS: Final = 4
#: Fewest candidates of a periodic series; WASM 2016 and AASM, clause 5.
MIN_SERIES: Final = 4
#: Movements of two legs with onsets closer than this are one movement; AASM.
AASM_BILATERAL: Final = 5 * S
#: Value of the leg of a movement of both legs, beside `LEFT` and `RIGHT`.
BOTH: Final = 2
#: Set of both legs, as a bit mask.
_BOTH_LEGS: Final = 1 << LEFT | 1 << RIGHT
#: Value of an undefined interval.
UNDEFINED: Final = -1


@dataclass(frozen=True, slots=True)
class LegMovementRules:
    """One published set of rules.

    Attributes
    ----------
    name : str
        Name in settings and on the command line.
    title : str
        Name in reports.
    min_imi, max_imi : int
        Limits of the inter-movement interval (onset to onset) in a series, both
        included, µs.
    short_may_start : bool
        Whether a movement after too short an interval may be the first of a series.
    respiratory : tuple of int
        A movement is respiratory if it touches this closed window: from
        ``respiratory[0]`` after the `anchor` to ``respiratory[1]`` after the end of a
        respiratory event, µs.
    anchor : {"onset", "end"}
        Time of the respiratory event from which the window starts.
    """

    name: str
    title: str
    min_imi: int
    max_imi: int
    short_may_start: bool
    respiratory: tuple[int, int]
    anchor: str

    @property
    def aasm(self) -> bool:
        """Whether legs are combined and long movements dropped by the AASM rules."""
        return self.anchor == "onset"


#: WASM 2016, clause 7: 2.0 s before to 10.25 s after the end of a respiratory event.
_WASM_RESPIRATORY: Final = (-2 * S, 10 * S + S // 4)
#: The sets of rules by name. Intervals: clause 5 (WASM 2016), 5-90 s (AASM).
RULES: Final[dict[str, LegMovementRules]] = {
    rule.name: rule
    for rule in (
        LegMovementRules(
            "wasm2016", "WASM/IRLSSG 2016", 10 * S, 90 * S, True, _WASM_RESPIRATORY, "end"
        ),
        LegMovementRules(
            "wasm2016-strict",
            "WASM/IRLSSG 2016, no series begins after an interval below 10 s",
            10 * S,
            90 * S,
            False,
            _WASM_RESPIRATORY,
            "end",
        ),
        LegMovementRules("aasm", "AASM", 5 * S, 90 * S, True, (-GAP, GAP), "onset"),
    )
}


def get_rules(name: str) -> LegMovementRules:
    """Return a set of rules by name.

    Parameters
    ----------
    name : str
        ``wasm2016``, ``wasm2016-strict`` or ``aasm``.

    Returns
    -------
    LegMovementRules

    Raises
    ------
    InputError
        If the name is unknown.
    """
    if name not in RULES:
        raise InputError("rules", f"no rules called {name!r}", f"use one of {', '.join(RULES)}")
    return RULES[name]


@dataclass(frozen=True, slots=True, eq=False)
class LegMovements:
    """Leg movements in order of onset.

    Attributes
    ----------
    onset, stop : ndarray of int64, shape (n,)
        Start and end, µs.
    leg : ndarray of int64, shape (n,)
        `LEFT`, `RIGHT` or `BOTH`.
    parts : ndarray of int64, shape (n,)
        Number of movements of one leg that the movement consists of.
    clm : ndarray of bool, shape (n,)
        Whether the movement is a candidate leg movement (CLM).
    """

    onset: Ints
    stop: Ints
    leg: Ints
    parts: Ints
    clm: Bools

    def __len__(self) -> int:
        return len(self.onset)


def combine_leg_movements(
    onset: Ints, stop: Ints, leg: Ints, rules: LegMovementRules
) -> LegMovements:
    """Combine marks to leg movements: join, drop short ones, combine the legs.

    Clauses 1 to 3: marks of one leg with a gap below 0.5 s are joined before the
    minimum duration is applied. By WASM 2016, movements of two legs are combined if
    they overlap or the gap is below 0.5 s; by the AASM, if their onsets are less than
    5 s apart.

    Parameters
    ----------
    onset, stop : ndarray of int64, shape (n,)
        Start and end of the marks, µs, in any order; marks of a leg may overlap.
    leg : ndarray of int64, shape (n,)
        `LEFT` or `RIGHT`.
    rules : LegMovementRules
        The rules to apply.

    Returns
    -------
    LegMovements
    """
    joined = [_join(onset[leg == side], stop[leg == side]) for side in (LEFT, RIGHT)]
    onset = np.concatenate([starts for starts, _ in joined])
    stop = np.concatenate([stops for _, stops in joined])
    leg = np.repeat([LEFT, RIGHT], [len(starts) for starts, _ in joined])
    keep = stop - onset >= MIN_DURATION
    if rules.aasm:
        keep &= stop - onset <= MAX_DURATION
    onset, stop, leg = onset[keep], stop[keep], leg[keep]
    order = np.lexsort((leg, onset))
    onset, stop, leg = onset[order], stop[order], leg[order]
    is_first = _starts_new_aasm(onset, leg) if rules.aasm else _starts_new(onset, stop)
    return _merge_parts(onset, stop, leg, is_first, rules)


def containing_movement(movements: LegMovements, start: Ints, stop: Ints) -> Ints:
    """Return the movement that each mark became part of.

    Parameters
    ----------
    movements : LegMovements
    start, stop : ndarray of int64, shape (marks,)
        Onset and end of each mark, µs.

    Returns
    -------
    ndarray of int64, shape (marks,)
        Index of the movement; -1 if the mark was dropped.
    """
    at = np.searchsorted(movements.onset, start, side="right") - 1
    inside = (at >= 0) & (len(movements) > 0)
    inside[inside] = stop[inside] <= movements.stop[at[inside]]
    return np.where(inside, at, -1)


def without_candidates(movements: LegMovements, indices: Ints) -> LegMovements:
    """Return the movements with some of them not being candidates.

    Parameters
    ----------
    movements : LegMovements
    indices : ndarray of int64
        Movements that are not candidates; -1 stands for none.

    Returns
    -------
    LegMovements
    """
    clm = movements.clm.copy()
    clm[indices[indices >= 0]] = False
    return replace(movements, clm=clm)


def find_intervals(onset: Ints, clm: Bools) -> Ints:
    """Return the inter-movement interval before each movement, onset to onset.

    Clause 4: the interval is defined only between consecutive movements of both legs
    together that are both candidates.

    Parameters
    ----------
    onset : ndarray of int64, shape (n,)
        Onsets in time order, µs.
    clm : ndarray of bool, shape (n,)
        Whether each movement is a candidate.

    Returns
    -------
    ndarray of int64, shape (n,)
        Microseconds; `UNDEFINED` where not defined.
    """
    interval = np.full(len(onset), UNDEFINED, np.int64)
    interval[1:] = np.where(clm[1:] & clm[:-1], np.diff(onset), UNDEFINED)
    return interval


def find_short_intervals(interval: Ints, rules: LegMovementRules) -> Bools:
    """Return which movements follow an interval below the minimum of the rules.

    Parameters
    ----------
    interval : ndarray of int64, shape (n,)
        From `find_intervals`, µs.
    rules : LegMovementRules
        The rules to apply.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.asarray((interval != UNDEFINED) & (interval < rules.min_imi), np.bool_)


def find_series(interval: Ints, rules: LegMovementRules) -> Ints:
    """Return the number of the periodic series of each movement.

    Clause 5: a series is at least four consecutive candidates with intervals within the
    limits of the rules; a shorter or longer interval, or a movement that is not a
    candidate, ends it. Under ``wasm2016-strict``, a candidate after too short an
    interval does not start a series.

    Parameters
    ----------
    interval : ndarray of int64, shape (n,)
        From `find_intervals`.
    rules : LegMovementRules
        The rules to apply.

    Returns
    -------
    ndarray of int64, shape (n,)
        Number of the series of each movement, from 1; 0 outside series.
    """
    linked = (interval >= rules.min_imi) & (interval <= rules.max_imi)
    if not rules.short_may_start:
        linked[1:] &= ~find_short_intervals(interval, rules)[:-1]
    run = np.cumsum(~linked) - 1  # the first movement is never linked
    periodic = np.bincount(run) >= MIN_SERIES if len(run) else np.empty(0, np.bool_)
    number = np.where(periodic, np.cumsum(periodic), 0)
    return np.asarray(number[run], np.int64)


def find_respiratory(
    movements: LegMovements, onset: Ints, stop: Ints, rules: LegMovementRules
) -> Bools:
    """Return which movements touch the window around any respiratory event.

    Clause 7: WASM 2016 uses the window [end - 2.0 s, end + 10.25 s], the AASM rules
    [onset - 0.5 s, end + 0.5 s], both closed.

    Parameters
    ----------
    movements : LegMovements
        The movements.
    onset, stop : ndarray of int64, shape (m,)
        Start and end of the respiratory events, µs, in any order.
    rules : LegMovementRules
        The rules to apply.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    before, after = rules.respiratory
    start = (onset if rules.anchor == "onset" else stop) + before
    return overlap_any(movements.onset, movements.stop, start, stop + after, closed="both")


def _join(onset: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Join the marks of one leg; return onsets and ends in time order."""
    order = np.argsort(onset, kind="stable")
    onset, stop = onset[order], stop[order]
    first = np.flatnonzero(_starts_new(onset, stop))
    return onset[first], np.maximum.reduceat(stop, first) if len(first) else stop


def _starts_new(onset: Ints, stop: Ints) -> Bools:
    """Return which begin at least 0.5 s after all previous ones have ended (WASM 2016)."""
    is_first = np.ones(len(onset), np.bool_)
    is_first[1:] = onset[1:] - np.maximum.accumulate(stop)[:-1] >= GAP
    return is_first


def _starts_new_aasm(onset: Ints, leg: Ints) -> Bools:
    """Return which movements of one leg start a new movement by the AASM rule.

    A movement joins the current one if it begins less than 5 s after its onset and the
    current one has a part on the other leg. Where both legs begin simultaneously, both
    join if either may: neither comes first.
    """
    is_first = np.ones(len(onset), np.bool_)
    simultaneous = np.append(onset[1:] == onset[:-1], False)  # with the next one
    start, legs = 0, 0
    for i, (time, side) in enumerate(zip(onset.tolist(), leg.tolist(), strict=True)):
        partners = _BOTH_LEGS if simultaneous[i] else 1 << (1 - side)
        if i and time - start < AASM_BILATERAL and legs & partners:
            is_first[i] = False
            legs |= 1 << side
        else:
            start, legs = time, 1 << side
    return is_first


def _merge_parts(
    onset: Ints, stop: Ints, leg: Ints, is_first: Bools, rules: LegMovementRules
) -> LegMovements:
    """Merge movements of one leg, given the first part of each combined movement."""
    first = np.flatnonzero(is_first)
    if len(first) == 0:
        return LegMovements(onset, stop, leg, np.empty(0, np.int64), np.empty(0, np.bool_))
    end = np.maximum.reduceat(stop, first)
    longest = np.maximum.reduceat(stop - onset, first)
    parts = np.diff(np.append(first, len(onset)))
    min_leg, max_leg = np.minimum.reduceat(leg, first), np.maximum.reduceat(leg, first)
    bilateral = min_leg != max_leg
    clm = longest <= MAX_DURATION
    if not rules.aasm:
        clm &= (parts <= MAX_PARTS) & (end - onset[first] <= MAX_BILATERAL)
    return LegMovements(onset[first], end, np.where(bilateral, BOTH, min_leg), parts, clm)
