"""Leg-movement rules on an event list: what is one movement, and which are periodic.

Every time in here is an integer number of microseconds: a rhythm of exactly
10 s that begins at 100.2 s has intervals of exactly 10 s, and a comparison with
a limit means what it says.

Sources: WASM 2016 is Ferri et al. 2016, Sleep Med 26:86-95; AASM is the manual
of the American Academy of Sleep Medicine, chapter on limb movements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.intervals import overlap_any

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: A second, in the unit of this module.
S: Final = 1_000_000
#: Nearer than this (offset to onset) is one movement.
GAP: Final = S // 2
MIN_DURATION: Final = S // 2
#: Longest movement of one leg that is a candidate.
MAX_DURATION: Final = 10 * S
#: Longest movement of both legs that is a candidate, and its most parts.
MAX_BILATERAL: Final = 15 * S
MAX_PARTS: Final = 4
#: Fewest movements in a periodic series.
MIN_SERIES: Final = 4
#: AASM: two legs that begin nearer than this are one movement.
AASM_TOGETHER: Final = 5 * S
LEFT, RIGHT, BOTH = 0, 1, 2
BOTH_SIDES: Final = 1 << LEFT | 1 << RIGHT
#: An interval that is not defined.
UNDEFINED: Final = -1


@dataclass(frozen=True, slots=True)
class LimbRules:
    """One published set of rules.

    Attributes
    ----------
    name : str
    title : str
        For people.
    min_imi, max_imi : int
        Onset-to-onset interval within a series, both ends included.
    short_may_start : bool
        Whether a movement after too short an interval may begin a series.
    respiratory : tuple of int
        A movement is respiratory if it touches this closed window: from so
        much after `anchor` to so much after the end of a respiratory event.
    anchor : {"onset", "end"}
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
        """Whether legs are combined, and long movements dropped, as the AASM does."""
        return self.anchor == "onset"


_WASM_WINDOW: Final = (-2 * S, 10 * S + S // 4)
RULES: Final[dict[str, LimbRules]] = {
    rule.name: rule
    for rule in (
        LimbRules("wasm2016", "WASM/IRLSSG 2016", 10 * S, 90 * S, True, _WASM_WINDOW, "end"),
        LimbRules(
            "wasm2016-strict",
            "WASM/IRLSSG 2016, no series begins after an interval below 10 s",
            10 * S,
            90 * S,
            False,
            _WASM_WINDOW,
            "end",
        ),
        LimbRules("aasm", "AASM", 5 * S, 90 * S, True, (-GAP, GAP), "onset"),
    )
}


def get_rules(name: str) -> LimbRules:
    """Return a set of rules by its name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in RULES:
        raise InputError("rules", f"no rules called {name!r}", f"use one of {', '.join(RULES)}")
    return RULES[name]


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Movements in order of onset; all arrays of shape (n,).

    Attributes
    ----------
    onset, stop : ndarray of int64
        Microseconds.
    leg : ndarray of int64
        `LEFT`, `RIGHT` or `BOTH`.
    parts : ndarray of int64
        Movements of one leg that it is made of.
    clm : ndarray of bool
        Whether it is a candidate for a series.
    """

    onset: Ints
    stop: Ints
    leg: Ints
    parts: Ints
    clm: Bools

    def __len__(self) -> int:
        return len(self.onset)


def find_movements(onset: Ints, stop: Ints, leg: Ints, rules: LimbRules) -> Moves:
    """Make movements from marks: join, drop what is too short, combine the legs.

    Parameters
    ----------
    onset, stop : ndarray of int64, shape (n,)
        Marks in any order, microseconds; those of a leg may overlap.
    leg : ndarray of int64, shape (n,)
        `LEFT` or `RIGHT`.
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
    new = _together(onset, leg) if rules.aasm else _apart(onset, stop)
    return _merge(onset, stop, leg, new, rules)


def find_intervals(onset: Ints, clm: Bools) -> Ints:
    """Return the interval before each movement, onset to onset.

    It is `UNDEFINED` before the first, and where one of the two is no candidate.
    """
    interval = np.full(len(onset), UNDEFINED, np.int64)
    interval[1:] = np.where(clm[1:] & clm[:-1], np.diff(onset), UNDEFINED)
    return interval


def find_short(interval: Ints, rules: LimbRules) -> Bools:
    """Return which movements come too soon after the one before."""
    return np.asarray((interval != UNDEFINED) & (interval < rules.min_imi), np.bool_)


def find_series(interval: Ints, rules: LimbRules) -> Ints:
    """Return the number of the periodic series of each movement, from 1; 0 for none."""
    linked = (interval >= rules.min_imi) & (interval <= rules.max_imi)
    if not rules.short_may_start:
        linked[1:] &= ~find_short(interval, rules)[:-1]
    run = np.cumsum(~linked) - 1  # the first is never linked
    periodic = np.bincount(run) >= MIN_SERIES if len(run) else np.empty(0, np.bool_)
    number = np.where(periodic, np.cumsum(periodic), 0)
    return np.asarray(number[run], np.int64)


def find_respiratory(moves: Moves, onset: Ints, stop: Ints, rules: LimbRules) -> Bools:
    """Return which movements touch the window of any respiratory event.

    Parameters
    ----------
    onset, stop : ndarray of int64, shape (m,)
        The events, microseconds, in any order.
    """
    before, after = rules.respiratory
    start = (onset if rules.anchor == "onset" else stop) + before
    return overlap_any(moves.onset, moves.stop, start, stop + after, closed="both")


def _join(onset: Ints, stop: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(onset, kind="stable")
    onset, stop = onset[order], stop[order]
    first = np.flatnonzero(_apart(onset, stop))
    return onset[first], np.maximum.reduceat(stop, first) if len(first) else stop


def _apart(onset: Ints, stop: Ints) -> Bools:
    """Return which begin 0.5 s or more after all before them have ended."""
    apart = np.ones(len(onset), np.bool_)
    apart[1:] = onset[1:] - np.maximum.accumulate(stop)[:-1] >= GAP
    return apart


def _together(onset: Ints, leg: Ints) -> Bools:
    """Return which begin a new movement by the AASM's rule.

    A movement joins the one in hand if it begins less than 5 s after its onset
    and less than 5 s after a part of it on the other leg. Where both legs begin at one
    time, both do if either does: neither comes first.
    """
    new = np.ones(len(onset), np.bool_)
    both = np.append(onset[1:] == onset[:-1], False)  # with the next one
    opened, sides = 0, 0
    for i, (time, side) in enumerate(zip(onset.tolist(), leg.tolist(), strict=True)):
        partners = BOTH_SIDES if both[i] else 1 << (1 - side)
        if i and time - opened < AASM_TOGETHER and sides & partners:
            new[i] = False
            sides |= 1 << side
        else:
            opened, sides = time, 1 << side
    return new


def _merge(onset: Ints, stop: Ints, leg: Ints, new: Bools, rules: LimbRules) -> Moves:
    first = np.flatnonzero(new)
    if len(first) == 0:
        return Moves(onset, stop, leg, np.empty(0, np.int64), np.empty(0, np.bool_))
    end = np.maximum.reduceat(stop, first)
    longest = np.maximum.reduceat(stop - onset, first)
    parts = np.diff(np.append(first, len(onset)))
    least, most = np.minimum.reduceat(leg, first), np.maximum.reduceat(leg, first)
    both = least != most
    clm = longest <= MAX_DURATION
    if not rules.aasm:
        clm &= (parts <= MAX_PARTS) & (end - onset[first] <= MAX_BILATERAL)
    return Moves(onset[first], end, np.where(both, BOTH, least), parts, clm)
