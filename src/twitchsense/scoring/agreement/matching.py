"""Event lists: find the pairs that may match, choose the best matching.

The matching is one to one and exact, not greedy. It maximizes, in this order, the
number of pairs of equal kind, the number of other pairs, and minus the sum of squared
onset errors (squared, because absolute distances leave crossed pairs undecided). The
number of pairs, overall and per kind, therefore depends neither on the order of the
lists nor on which of them is the reference. Which row or which other kind is chosen is
arbitrary only where two matchings are equal in all three respects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from twitchsense.model.intervals import overlap_any
from twitchsense.sleep.hypnogram.model import to_us

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Largest onset difference (s) of a pair that does not overlap, by kind [E].
TOLERANCE_S: Final[dict[str, float]] = {
    "twitch": 0.1,
    "jerk": 0.1,
    "brief_contraction": 0.1,
    "jolt": 0.1,
    "movement": 0.5,
    "gross_movement": 0.5,
    "posture_change": 5.0,  # orientation is a median over 10 s
}
#: Tolerance (s) of any other kind.
DEFAULT_TOLERANCE_S: Final = 0.5
#: Possible pairs per assignment problem; larger batches are slower.
_PAIRS_PER_BATCH: Final = 500


def find_pairs(
    events: pd.DataFrame, truth: pd.DataFrame, tolerance_s: Mapping[str, float]
) -> tuple[Ints, Ints]:
    """Find all pairs that may match.

    A pair may match if the two events overlap or their onsets differ by at most the
    larger tolerance of their kinds, and if their legs are equal where both tables name
    one. Times are compared in microseconds.

    Parameters
    ----------
    events, truth : DataFrame
        Columns ``onset``, ``duration`` (s), ``trial_type`` and, optionally, ``leg``.
    tolerance_s : mapping of kind to float
        Tolerance of each kind, s; the key ``""`` stands for all others.

    Returns
    -------
    i, j : ndarray of int64
        Row in `truth` and row in `events` of each pair.
    """
    a, b = _times(truth), _times(events)
    tol_a, tol_b = _tolerances(truth, tolerance_s), _tolerances(events, tolerance_s)
    # each interval is widened by the largest tolerance; the running maximum of the ends
    # bounds the search from below
    widest = max(tol_a.max(initial=0), tol_b.max(initial=0))
    order = np.argsort(b[0], kind="stable")
    start, stop = b[0][order], b[1][order]
    reach = np.maximum.accumulate(stop + widest) if len(stop) else stop
    first = np.searchsorted(reach, a[0], side="left")
    after = np.searchsorted(start, np.maximum(a[1], a[0] + widest), side="right")
    count = np.maximum(after - first, 0)
    i = np.repeat(np.arange(len(a[0])), count)
    j = order[np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[i]]
    near = np.abs(a[0][i] - b[0][j]) <= np.maximum(tol_a[i], tol_b[j])
    overlap = np.minimum(a[1][i], b[1][j]) > np.maximum(a[0][i], b[0][j])
    keep = (near | overlap) & _same_leg(truth, events, i, j)
    return i[keep], j[keep]


def overlaps_any(rows: pd.DataFrame, others: pd.DataFrame) -> Bools:
    """Return which rows overlap any of the others on their leg, or on an unnamed one.

    An event without duration lasts 1 µs.

    Parameters
    ----------
    rows, others : DataFrame
        Columns ``onset``, ``duration`` (s) and, optionally, ``leg`` (empty if not known).

    Returns
    -------
    ndarray of bool, shape (rows,)
    """
    bounds = []
    for table in (rows, others):
        start = np.rint(table["onset"].to_numpy(np.float64) * 1e6).astype(np.int64)
        length = np.rint(table["duration"].fillna(0.0).to_numpy(np.float64) * 1e6).astype(np.int64)
        bounds.append((start, start + np.maximum(length, 1)))
    (start, stop), (other_start, other_stop) = bounds
    if "leg" not in rows or "leg" not in others:
        return overlap_any(start, stop, other_start, other_stop)
    leg, other_leg = rows["leg"].to_numpy(object), others["leg"].to_numpy(object)
    out = np.zeros(len(rows), bool)
    for side in set(leg):
        mine, theirs = leg == side, (other_leg == side) | (other_leg == "") | (side == "")
        out[mine] = overlap_any(start[mine], stop[mine], other_start[theirs], other_stop[theirs])
    return out


def choose_pairs(
    i: Ints, j: Ints, same_kind: Bools, error_us: Ints, n_truth: int, n_events: int
) -> tuple[Ints, Ints]:
    """Choose the best one-to-one matching among the possible pairs.

    Parameters
    ----------
    i, j : ndarray of int64, shape (pairs,)
        Rows of the possible pairs, from `find_pairs`.
    same_kind : ndarray of bool, shape (pairs,)
        Whether both events are of the same kind.
    error_us : ndarray of int64, shape (pairs,)
        Absolute onset difference, microseconds.
    n_truth, n_events : int
        Number of rows of the tables.

    Returns
    -------
    i, j : ndarray of int64
        The chosen pairs, in order of `i`.

    Notes
    -----
    Pairs without a common row fall into independent groups (connected components). A
    group of a single pair is chosen as it is. The others are solved in batches of
    groups as sparse linear assignment problems
    (`scipy.sparse.csgraph.min_weight_full_bipartite_matching`), in which each row of
    the truth may also be assigned to a dummy column that costs more than any pair. The
    cost has three scales, each larger than the total of the scales below.
    """
    if len(i) == 0:
        return i, j
    graph = coo_array((np.ones(len(i)), (i, n_truth + j)), shape=(n_truth + n_events,) * 2)
    group = connected_components(graph, directed=False)[1][i]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    single = np.repeat(sizes == 1, sizes)
    chosen = [order[single]]
    # whole groups, combined to batches of about _PAIRS_PER_BATCH pairs
    batch = np.repeat((starts // _PAIRS_PER_BATCH), sizes)[~single]
    for rows in np.split(order[~single], np.flatnonzero(np.diff(batch)) + 1):
        chosen.append(rows[_solve(i[rows], j[rows], same_kind[rows], error_us[rows])])
    best = np.sort(np.concatenate(chosen))
    best = best[np.argsort(i[best], kind="stable")]
    return i[best], j[best]


def _solve(i: Ints, j: Ints, same: Bools, error_us: Ints) -> Ints:
    """Return the indices of the best pairs of a batch of groups."""
    if len(i) == 0:
        return i
    truth, row = np.unique(i, return_inverse=True)
    found, column = np.unique(j, return_inverse=True)
    n, m = len(truth), len(found)
    max_pairs = min(n, m)
    error = np.square(error_us / max(int(error_us.max()), 1))  # 0 to 1
    pair = 2.0 * max_pairs  # more than all errors together
    kind = pair * (2 * max_pairs)  # more than all pairs together
    dummy = kind + 2 * pair + 2
    cost = dummy - pair - kind * same + error
    weights = np.concatenate([cost, np.full(n, dummy)])
    rows = np.concatenate([row, np.arange(n)])
    columns = np.concatenate([column, m + np.arange(n)])
    matrix = coo_array((weights, (rows, columns)), shape=(n, m + n)).tocsr()
    chosen_row, chosen_column = min_weight_full_bipartite_matching(matrix)
    partner = np.full(n, -1)
    partner[chosen_row] = chosen_column
    return np.flatnonzero(partner[row] == column)


def _times(table: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return onsets and ends, microseconds."""
    onset = table["onset"].to_numpy(np.float64)
    return to_us(onset), to_us(onset + np.nan_to_num(table["duration"].to_numpy(np.float64)))


def _tolerances(table: pd.DataFrame, tolerance_s: Mapping[str, float]) -> Ints:
    """Return the tolerance of each row, microseconds."""
    kinds = table["trial_type"].to_numpy(object)
    default = tolerance_s.get("", DEFAULT_TOLERANCE_S)
    return to_us([tolerance_s.get(kind, default) for kind in kinds])


def _same_leg(truth: pd.DataFrame, events: pd.DataFrame, i: Ints, j: Ints) -> Bools:
    """Return which pairs are on the same leg, or on an unnamed one."""
    if "leg" not in truth or "leg" not in events:
        return np.ones(len(i), bool)
    a, b = (t["leg"].fillna("").to_numpy(object) for t in (truth, events))
    return np.asarray((a[i] == b[j]) | (a[i] == "") | (b[j] == ""), bool)
