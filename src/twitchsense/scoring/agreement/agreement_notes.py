"""Notes on two lists of events whose kinds, legs or times cannot match.

`find_shift` finds the time that, added to one list, makes most of it match the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.scoring.agreement.matching import DEFAULT_TOLERANCE_S, choose_pairs, find_pairs

#: Maximum number of kinds that a note names.
_MAX_NAMED: Final = 10
#: A shift is named if so many pairs match by it, which are this share of the shorter list, and
#: this many times as many as without it, and as beside it [E].
_SHIFT_PAIRS: Final = 5
_SHIFT_SHARE: Final = 0.6
_SHIFT_GAIN: Final = 2
Floats = NDArray[np.float64]
#: Number of events of the shorter list whose distances to all of the other are compared.
_ANCHORS: Final = 32


def names_kinds(table: pd.DataFrame) -> bool:
    """Return whether any row of a list of events names its kind.

    Parameters
    ----------
    table : DataFrame
        With or without ``trial_type``, empty where a row names none.

    Returns
    -------
    bool
        True for an empty table with the column.
    """
    if "trial_type" not in table:
        return False
    return table.empty or bool((table["trial_type"] != "").any())


def notes_on_tables(events: pd.DataFrame, truth: pd.DataFrame) -> tuple[str, ...]:
    """Return why pairs of two lists of events cannot match, as far as columns tell it.

    Parameters
    ----------
    events, truth : DataFrame
        ``trial_type`` and ``leg`` (``left``, ``right`` or empty), as far as they have them.

    Returns
    -------
    tuple of str
        On kinds that only one list names, and on lists of different legs.
    """
    both = (("events", events, truth), ("truth", truth, events))
    notes = [note for name, table, other in both for note in _notes_on_kinds(name, table, other)]
    return tuple(notes + _notes_on_legs(events, truth))


def notes_on_times(
    events: pd.DataFrame,
    truth: pd.DataFrame,
    tolerance_s: Mapping[str, float],
    pairs: pd.DataFrame,
    *,
    explained: bool = False,
) -> tuple[str, ...]:
    """Return why few events of two lists match, as far as their times tell it.

    Parameters
    ----------
    events, truth : DataFrame
        ``onset``, ``duration`` (s), ``trial_type`` and, optionally, ``leg``.
    tolerance_s : mapping of kind to float
        As for `twitchsense.scoring.agreement.matching.find_pairs`.
    pairs : DataFrame
        The matched pairs, with ``truth_kind`` and ``found_kind``.
    explained : bool
        Whether another note says why there may be no pair.

    Returns
    -------
    tuple of str
        On lists that do not overlap in time, on a constant shift by which most of the shorter
        list would match, and otherwise on the distances if nothing matches.
    """
    if events.empty or truth.empty:
        return ()
    notes = []
    shift = ""
    if _SHIFT_GAIN * len(pairs) <= min(len(events), len(truth)):
        notes = _note_on_spans(events, truth, tolerance_s)
        shift = _note_on_shift(events, truth, tolerance_s, len(pairs))
        if not (len(pairs) or notes or shift or explained):
            onsets = [t["onset"].to_numpy(np.float64) for t in (truth, events)]
            apart = np.median(np.abs(nearest_differences(onsets[0], np.sort(onsets[1]))))
            notes.append(
                f"nothing matches: from a row of truth to the nearest event are {apart:.2f} s "
                "(median)"
            )
    if shift:
        return (*notes, shift)
    # long rows overlap in spite of a shift by which short ones of another kind do not match
    equal = Counter(pairs["truth_kind"][pairs["truth_kind"] == pairs["found_kind"]])
    for kind, _ in Counter(truth["trial_type"]).most_common(_MAX_NAMED):
        of_kind = [table[table["trial_type"] == kind] for table in (events, truth)]
        if of_kind[0].empty or len(of_kind[1]) == len(truth):
            continue
        note = _note_on_shift(of_kind[0], of_kind[1], tolerance_s, equal[kind])
        if note:
            notes.append(f"{kind}: {note}")
    return tuple(notes)


def _note_on_spans(
    events: pd.DataFrame, truth: pd.DataFrame, tolerance_s: Mapping[str, float]
) -> list[str]:
    """Return a note if one list ends before the other begins."""
    spans = []
    for table in (events, truth):
        end = table["onset"] + table["duration"].fillna(0.0)
        spans.append((float(table["onset"].min()), float(end.max())))
    gap = max(spans[0][0], spans[1][0]) - min(spans[0][1], spans[1][1])
    if gap <= _widest(events, truth, tolerance_s):
        return []
    shown = [f"{low:.1f} to {high:.1f} s" for low, high in spans]
    return [
        f"the lists do not overlap in time: events {shown[0]}, truth {shown[1]}; give both in "
        "seconds from the start of the same recording, or clock times with --start"
    ]


def _note_on_shift(
    events: pd.DataFrame, truth: pd.DataFrame, tolerance_s: Mapping[str, float], n_pairs: int
) -> str:
    """Return a note if a constant shift makes most rows match; otherwise an empty text."""
    fewer = min(len(events), len(truth))
    least = max(_SHIFT_PAIRS, _SHIFT_SHARE * fewer, _SHIFT_GAIN * n_pairs)
    if fewer < least:
        return ""
    onset, other = (t["onset"].to_numpy(np.float64) for t in (truth, events))
    widest = _widest(events, truth, tolerance_s)
    shift = find_shift(onset, other, min(widest, DEFAULT_TOLERANCE_S))
    moved = _count_pairs(events, truth.assign(onset=onset + shift), tolerance_s)
    control = onset + shift + 7.3 * widest  # no shift fits by more than chance there
    if moved < least or moved < _SHIFT_GAIN * _count_pairs(
        events, truth.assign(onset=control), tolerance_s
    ):
        return ""
    cure = "correct the onsets" + (", or give --tolerance" if abs(shift) <= 2 * widest else "")
    return (
        f"with {shift:+.2f} s added to every onset of truth, {moved} of {len(truth)} rows would "
        f"match, now {n_pairs}: {cure}"
    )


def _widest(events: pd.DataFrame, truth: pd.DataFrame, tolerance_s: Mapping[str, float]) -> float:
    """Return the largest tolerance (s) of the kinds of two lists."""
    default = tolerance_s.get("", DEFAULT_TOLERANCE_S)
    kinds = {*truth["trial_type"], *events["trial_type"]}
    return max(tolerance_s.get(kind, default) for kind in kinds)


def _count_pairs(
    events: pd.DataFrame, truth: pd.DataFrame, tolerance_s: Mapping[str, float]
) -> int:
    """Return the number of pairs of any kind of the best matching."""
    i, j = find_pairs(events, truth, tolerance_s)
    nothing = np.zeros(len(i), np.int64)
    return len(choose_pairs(i, j, nothing.astype(bool), nothing, len(truth), len(events))[0])


def _notes_on_kinds(name: str, table: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Return a note if a list names no kind, or kinds that nothing else has."""
    if not names_kinds(other):
        return []
    others = set(other["trial_type"]) - {""}
    ordered = [*(k for k in TRIAL_TYPES if k in others), *sorted(others - set(TRIAL_TYPES))]
    known = list_words(ordered)
    if not names_kinds(table):
        if len(others) < 2:
            return []
        return [
            f"{name}: names no kind and is compared with rows of all kinds ({known}); name the "
            "kind in a column trial_type, such as movement, or give a table of one kind"
        ]
    counts = Counter(table["trial_type"])
    unknown = sorted(k for k in counts if k and k not in others and k not in TRIAL_TYPES)
    if not unknown or not others:
        return []
    n = sum(counts[kind] for kind in unknown)
    likely = "movement" if "movement" in others else ordered[0]
    return [
        f"{name}: {n} of {len(table)} rows are of a kind that is unknown and not in the other "
        f"table ({list_words(unknown)}), so they match no row of their kind; that table has "
        f"{known}: use its words in trial_type, or say what they mean, such as "
        f"--kinds '{unknown[0]}={likely}'"
    ]


def _notes_on_legs(events: pd.DataFrame, truth: pd.DataFrame) -> list[str]:
    """Return a note if every row names a leg, and the lists have no leg in common."""
    if "leg" not in events or "leg" not in truth:
        return []
    found, real = set(events["leg"]), set(truth["leg"])
    if "" in found | real or not found or not real or found & real:
        return []
    return [
        f"truth: every row is on the {real.pop()} leg and every event on the {found.pop()} leg, so "
        "nothing matches; correct the column leg, or leave it out"
    ]


def list_words(words: list[str]) -> str:
    """Return words separated by commas, the first ten of them.

    Parameters
    ----------
    words : list of str

    Returns
    -------
    str
    """
    more = [f"{len(words) - _MAX_NAMED} more"] if len(words) > _MAX_NAMED else []
    return ", ".join(words[:_MAX_NAMED] + more)


def find_shift(onsets: Floats, others: Floats, tolerance_s: float) -> float:
    """Return the most frequent difference of the onsets of two lists.

    Parameters
    ----------
    onsets, others : ndarray of float64, shape (n,), (m,)
        Onsets, s, in any order; at least one each.
    tolerance_s : float
        Differences that are apart by at most twice this are taken as one, s.

    Returns
    -------
    float
        Time (s) to be added to `onsets`. Of equally frequent ones the smallest.

    Notes
    -----
    Some events of the shorter list, evenly spread over it, are compared with all events of the
    longer one. The shift is in the densest window of these differences; its value is the
    median of the differences of all events to the nearest one within the tolerance.
    The time is that of sorting: ``O((n + m) log(n + m))``.
    """
    shorter, longer = np.sort(onsets), np.sort(others)
    sign = 1.0
    if len(shorter) > len(longer):
        shorter, longer, sign = longer, shorter, -1.0
    rows = np.unique(np.linspace(0, len(shorter) - 1, _ANCHORS).round().astype(np.int64))
    differences = np.sort((longer[None, :] - shorter[rows, None]).ravel())
    # half a microsecond for rounding
    after = np.searchsorted(differences, differences + 2 * tolerance_s + 5e-7, side="right")
    count = after - np.arange(len(differences))
    densest = np.flatnonzero(count == count.max())
    first = densest[np.argmin(np.abs(differences[densest]))]
    shift = float(np.median(differences[first : after[first]]))
    error = nearest_differences(shorter + shift, longer)
    near = error[np.abs(error) <= tolerance_s]
    return sign * (shift + (float(np.median(near)) if len(near) else 0.0))


def nearest_differences(onsets: Floats, others: Floats) -> Floats:
    """Return the difference from each onset to the nearest of another list.

    Parameters
    ----------
    onsets : ndarray of float64, shape (n,)
    others : ndarray of float64, shape (m,)
        Sorted, at least one.

    Returns
    -------
    ndarray of float64, shape (n,)
        Other minus own, s.
    """
    after = np.minimum(np.searchsorted(others, onsets), len(others) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(others[before] - onsets) <= np.abs(others[after] - onsets)
    return np.asarray(others[np.where(nearer, before, after)] - onsets, np.float64)
