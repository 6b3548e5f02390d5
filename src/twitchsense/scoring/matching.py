"""One-to-one matching of two event lists: which pairs may match, and the best choice.

The best choice is exact, not greedy: first as many pairs of the same kind as
can be, then as many other pairs as can be, then the least sum of squared onset
errors (squared, because plain distances leave crossed pairs undecided).
So the number of pairs, overall and of each kind, does not depend on the order
of the lists nor on which of them is the truth. Only where two choices are equal
in all three respects, which row or which other kind is taken is arbitrary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from twitchsense.sleep.hypnogram.hypnogram import to_us

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Onsets this near (s, both sides) match even without overlap, by kind [E].
TOLERANCE_S: Final[dict[str, float]] = {
    "twitch": 0.1,
    "jerk": 0.1,
    "brief_contraction": 0.1,
    "jolt": 0.1,
    "movement": 0.5,
    "gross_movement": 0.5,
    "posture_change": 5.0,  # seen in medians of 10 s
}
#: For a kind not in the list.
OTHER_S: Final = 0.5
#: Pairs solved at a time: enough to be quick, few enough to stay so.
_PARCEL: Final = 500


def find_pairs(
    events: pd.DataFrame, truth: pd.DataFrame, tolerance_s: Mapping[str, float]
) -> tuple[Ints, Ints]:
    """Return all pairs (rows of truth, rows of events) that may match.

    A pair may match if the two overlap, or if their onsets are no further apart
    than the tolerance of either kind, both ends included; and if their legs are
    the same where both tables name one. Times are compared in microseconds.
    """
    a, b = _times(truth), _times(events)
    tol_a, tol_b = _tolerances(truth, tolerance_s), _tolerances(events, tolerance_s)
    # Widen each by its own tolerance: pairs outside this can't match. A running
    # maximum of the ends bounds the search from below.
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


def choose_pairs(
    i: Ints, j: Ints, same_kind: Bools, error_us: Ints, n_truth: int, n_events: int
) -> tuple[Ints, Ints]:
    """Choose among the possible pairs so that no row is used twice.

    Parameters
    ----------
    i, j : ndarray of int
        Possible pairs.
    same_kind : ndarray of bool
        Of each pair.
    error_us : ndarray of int
        Distance of the onsets of each pair.
    n_truth, n_events : int

    Returns
    -------
    i, j : ndarray of int
        The chosen pairs, in order of `i`.

    Notes
    -----
    Pairs that share no row fall into independent groups. A pair that is a group
    of its own is taken at once; the others are solved, a parcel of groups at a
    time, as a sparse assignment (Jonker & Volgenant; scipy), where each truth
    row may also take a private blank at a price above all pairs. The cost counts
    in three scales, each larger than all of the one below can be.
    """
    if len(i) == 0:
        return i, j
    graph = coo_array((np.ones(len(i)), (i, n_truth + j)), shape=(n_truth + n_events,) * 2)
    group = connected_components(graph, directed=False)[1][i]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    alone = np.repeat(sizes == 1, sizes)
    chosen = [order[alone]]
    # whole groups, put together to parcels of about _PARCEL pairs
    parcel = np.repeat((starts // _PARCEL), sizes)[~alone]
    for rows in np.split(order[~alone], np.flatnonzero(np.diff(parcel)) + 1):
        chosen.append(rows[_solve(i[rows], j[rows], same_kind[rows], error_us[rows])])
    best = np.sort(np.concatenate(chosen))
    best = best[np.argsort(i[best], kind="stable")]
    return i[best], j[best]


def _solve(i: Ints, j: Ints, same: Bools, error_us: Ints) -> Ints:
    """Return which pairs of some whole groups to take."""
    if len(i) == 0:
        return i
    truth, row = np.unique(i, return_inverse=True)
    found, column = np.unique(j, return_inverse=True)
    n, m = len(truth), len(found)
    most = min(n, m)
    error = np.square(error_us / max(int(error_us.max()), 1))  # 0 to 1
    pair = 2.0 * most  # more than all errors together
    kind = pair * (2 * most)  # more than all pairs together
    blank = kind + 2 * pair + 2
    cost = blank - pair - kind * same + error
    weights = np.concatenate([cost, np.full(n, blank)])
    rows = np.concatenate([row, np.arange(n)])
    columns = np.concatenate([column, m + np.arange(n)])
    matrix = coo_array((weights, (rows, columns)), shape=(n, m + n)).tocsr()
    take_row, take_column = min_weight_full_bipartite_matching(matrix)
    partner = np.full(n, -1)
    partner[take_row] = take_column
    return np.flatnonzero(partner[row] == column)


def _times(table: pd.DataFrame) -> tuple[Ints, Ints]:
    onset = table["onset"].to_numpy(np.float64)
    return to_us(onset), to_us(onset + np.nan_to_num(table["duration"].to_numpy(np.float64)))


def _tolerances(table: pd.DataFrame, tolerance_s: Mapping[str, float]) -> Ints:
    kinds = table["trial_type"].to_numpy(object)
    return to_us([tolerance_s.get(kind, tolerance_s.get("", OTHER_S)) for kind in kinds])


def _same_leg(truth: pd.DataFrame, events: pd.DataFrame, i: Ints, j: Ints) -> Bools:
    if "leg" not in truth or "leg" not in events:
        return np.ones(len(i), bool)
    a, b = (t["leg"].fillna("").to_numpy(object) for t in (truth, events))
    return np.asarray((a[i] == b[j]) | (a[i] == "") | (b[j] == ""), bool)
