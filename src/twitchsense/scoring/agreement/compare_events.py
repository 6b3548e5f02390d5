"""Agreement of two scorings of a night: events against annotations, matched one to one.

`match` prepares both tables, matches them (`scoring.agreement.matching`) and scores them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.scoring.agreement.agreement_input import (
    ANY,
    UNMATCHED,
    kind_tolerances,
    prepare_lists,
)
from twitchsense.scoring.agreement.agreement_notes import (
    names_kinds,
    notes_on_tables,
    notes_on_times,
)
from twitchsense.scoring.agreement.matching import (
    DEFAULT_TOLERANCE_S,
    choose_pairs,
    find_pairs,
    overlaps_any,
)
from twitchsense.scoring.event_lists.mark_files import read_events as read_events
from twitchsense.scoring.indices.confidence_intervals import binomial_interval
from twitchsense.scoring.indices.rates import rate

#: Kinds that are not events of the leg and are ignored by default.
IGNORED_KINDS: Final = ("artifact",)
#: Maximum number of kinds: the confusion table has a cell for each two.
MAX_KINDS: Final = 1000
#: Kind of all events where a table has no kinds.
_UNNAMED_KIND: Final = "event"
#: Key of the overlaps with events of the same kind.
_OWN: Final = "own"

SCORE_COLUMNS: Final = (
    "kind",
    "n_truth",
    "n_found",
    "tp",
    "sensitivity",
    "sensitivity_low",
    "sensitivity_high",
    "precision",
    "precision_low",
    "precision_high",
    "f1",
    "f1_low",
    "f1_high",
    "false_alarms_per_h",
    "false_alarms_per_h_low",
    "false_alarms_per_h_high",
    "onset_error_s",
    "onset_error_q25_s",
    "onset_error_q75_s",
    "duration_error_s",
    "duration_error_q25_s",
    "duration_error_q75_s",
    "overlap_sensitivity",
    "overlap_sensitivity_low",
    "overlap_sensitivity_high",
    "overlap_precision",
    "overlap_precision_low",
    "overlap_precision_high",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Agreement:
    """Result of `match`.

    Attributes
    ----------
    scores : DataFrame
        One row per kind and one for ``any``; see `table`.
    pairs : DataFrame
        One row per matched pair: ``truth`` and ``found`` (row numbers in the
        tables given), ``truth_kind``, ``found_kind``, ``onset_error_s`` and
        ``duration_error_s`` (found minus truth).
    confusion : DataFrame
        Counts of pairs, kinds of the truth by kinds found; ``(none)`` holds misses
        (last column) and false alarms (last row).
    misses : DataFrame
        Rows of the truth without a partner of their kind; ``taken_for``: kind of another partner.
    false_alarms : DataFrame
        Events without a partner of their kind, with ``taken_for`` likewise.
    hours : float or None
        Hours of valid signal, if given.
    notes : tuple of str
        What makes the comparison less than it seems (`scoring.agreement.agreement_notes`).
    tolerance_s : mapping of str to float
        By kind, the largest onset difference (s) of a pair that does not overlap.
    """

    scores: pd.DataFrame
    pairs: pd.DataFrame
    confusion: pd.DataFrame
    misses: pd.DataFrame
    false_alarms: pd.DataFrame
    hours: float | None
    notes: tuple[str, ...] = ()
    tolerance_s: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = self.scores.iloc[-1][["n_truth", "n_found", "tp", "sensitivity", "precision", "f1"]]
        return f"<Agreement: {', '.join(f'{k} {v:.4g}' for k, v in parts.items())}>"

    def table(self) -> pd.DataFrame:
        """Return the scores: one row per kind, and ``any`` for all kinds together.

        Returns
        -------
        DataFrame
            Columns `SCORE_COLUMNS`; NaN where undefined.

        Notes
        -----
        ``tp`` counts pairs of equal kind (of any kinds in the row ``any``). Sensitivity and
        precision have exact (Clopper-Pearson) 95 % intervals. The interval of F1 = 2J/(1 + J)
        follows from the exact interval of the Jaccard index J = tp / (tp + misses + false alarms).
        False alarms per hour have an exact Poisson interval. Errors are found minus truth: median
        and quartiles.

        ``overlap_sensitivity`` and ``overlap_precision`` are less strict: the share of annotations,
        and of events, that overlap any event of their kind (and leg) in the other table, which may
        be used several times. Scorers who divide one activity into different pieces agree more by
        these.
        """
        return self.scores.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return scores, confusion and counts for JSON.

        Returns
        -------
        dict
            Without the tables of rows; undefined numbers are None.
        """
        kinds: dict[str, dict[str, Any]] = {}
        for row in self.scores.to_dict("records"):
            kind = str(row.pop("kind"))
            kinds[kind] = {str(k): _json_value(v) for k, v in row.items()}
        return {
            "hours": _json_value(self.hours),
            "tolerance_s": dict(self.tolerance_s),
            "kinds": kinds,
            "confusion": {
                str(truth): {str(found): int(n) for found, n in row.items()}
                for truth, row in self.confusion.to_dict("index").items()
            },
            "n_misses": len(self.misses),
            "n_false_alarms": len(self.false_alarms),
            "notes": list(self.notes),
        }


def match(
    events: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    tolerance_s: float | Mapping[str, float] | None = None,
    hours: float | None = None,
    ignore: Sequence[str] = IGNORED_KINDS,
) -> Agreement:
    """Match events with annotations one to one, optimally.

    Parameters
    ----------
    events, truth : DataFrame
        Columns ``onset`` and ``duration`` (s; NaN is a point in time), and
        ``trial_type``; unless both tables name kinds, kinds are not compared. Where
        both have ``leg``, legs must agree.
    tolerance_s : float or mapping of kind to float, optional
        Largest onset difference of a pair that does not overlap; by default 0.1 s for
        twitches, jerks and brief contractions, 0.5 s for leg and gross
        movements, 5 s for posture changes. A mapping overrides the default by kind.
    hours : float, optional
        Hours of valid signal, for false alarms per hour.
    ignore : sequence of str
        Kinds removed from both tables: an artifact that was not found is not a miss.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        If a table lacks a column, an onset is missing, a duration or a
        tolerance is negative, a time is later than 31 years, a leg is neither left nor right,
        a kind is called ``any`` or ``(none)``, or there are more than `MAX_KINDS`.

    Notes
    -----
    Kinds are compared without regard to case, and to blanks, dashes and underscores.
    """
    found, real = prepare_lists(events, truth, ignore)
    notes = notes_on_tables(found, real)
    if not (names_kinds(found) and names_kinds(real)):
        found, real = found.assign(trial_type=_UNNAMED_KIND), real.assign(trial_type=_UNNAMED_KIND)
    kinds = _kinds(real["trial_type"].to_numpy(object), found["trial_type"].to_numpy(object))
    if len(kinds) > MAX_KINDS:
        problem = f"have {len(kinds)} kinds in trial_type; at most {MAX_KINDS} are compared"
        raise InputError("events and truth", problem, "leave the column out, or correct it")
    tolerances = kind_tolerances(tolerance_s)
    i, j = find_pairs(found, real, tolerances)
    kind_i = real["trial_type"].to_numpy(object)
    kind_j = found["trial_type"].to_numpy(object)
    onset_i, onset_j = real["onset"].to_numpy(np.float64), found["onset"].to_numpy(np.float64)
    apart = np.rint(np.abs(onset_j[j] - onset_i[i]) * 1e6).astype(np.int64)
    i, j = choose_pairs(i, j, kind_i[i] == kind_j[j], apart, len(real), len(found))
    length = found["duration"].to_numpy(np.float64)[j] - real["duration"].to_numpy(np.float64)[i]
    pairs = pd.DataFrame(
        {
            "truth": real.index.to_numpy()[i],
            "found": found.index.to_numpy()[j],
            "truth_kind": kind_i[i],
            "found_kind": kind_j[j],
            "onset_error_s": onset_j[j] - onset_i[i],
            "duration_error_s": length,
        }
    )
    return Agreement(
        scores=_score(kind_i, kind_j, pairs, hours, _overlaps(real, found)),
        pairs=pairs,
        confusion=_confusion(kind_i, kind_j, pairs),
        misses=_unmatched_rows(truth, real, pairs, "truth", "found"),
        false_alarms=_unmatched_rows(events, found, pairs, "found", "truth"),
        hours=None if hours is None else float(hours),
        notes=(*notes, *notes_on_times(found, real, tolerances, pairs, explained=bool(notes))),
        tolerance_s={k: tolerances.get(k, tolerances.get("", DEFAULT_TOLERANCE_S)) for k in kinds},
    )


def _overlaps(
    real: pd.DataFrame, found: pd.DataFrame
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return which rows overlap any of the other table: of their own kind, and of any kind."""
    out = {}
    of_kind = [_rows_by_kind(t["trial_type"].to_numpy(object)) for t in (real, found)]
    of_any = [{ANY: np.arange(len(t))} for t in (real, found)]
    for name, groups in ((_OWN, of_kind), (ANY, of_any)):
        overlaps = [np.zeros(len(t), bool) for t in (real, found)]
        for key in set(groups[0]) & set(groups[1]):
            a, b = groups[0][key], groups[1][key]
            overlaps[0][a] = overlaps_any(real.iloc[a], found.iloc[b])
            overlaps[1][b] = overlaps_any(found.iloc[b], real.iloc[a])
        out[name] = (overlaps[0], overlaps[1])
    return out


def _score(
    truth: NDArray[np.object_],
    found: NDArray[np.object_],
    pairs: pd.DataFrame,
    hours: float | None,
    overlaps: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> pd.DataFrame:
    """Return the table of scores."""
    rows = []
    truth_rows, found_rows = _rows_by_kind(truth), _rows_by_kind(found)
    same = pairs["truth_kind"] == pairs["found_kind"]
    pairs_by_kind = dict(iter(pairs[same].groupby("truth_kind")))
    nothing: NDArray[np.int64] = np.zeros(0, np.int64)
    for kind in [*_kinds(truth, found), ANY]:
        all_kinds = kind == ANY
        n_truth = len(truth) if all_kinds else len(truth_rows.get(kind, nothing))
        n_found = len(found) if all_kinds else len(found_rows.get(kind, nothing))
        matched = pairs if all_kinds else pairs_by_kind.get(kind, pairs[:0])
        tp = len(matched)
        union = n_truth + n_found - tp
        shares = [_share(tp, n_truth), _share(tp, n_found)]
        jaccard = np.array(_share(tp, union))
        alarms = rate(n_found - tp, float("nan") if hours is None else hours)
        errors = [_quartiles(matched[c]) for c in ("onset_error_s", "duration_error_s")]
        f1 = 2 * jaccard / (1 + jaccard)
        truth_overlaps, found_overlaps = overlaps[ANY if all_kinds else _OWN]
        if not all_kinds:
            truth_overlaps = truth_overlaps[truth_rows.get(kind, nothing)]
            found_overlaps = found_overlaps[found_rows.get(kind, nothing)]
        by_overlap = [
            _share(int(truth_overlaps.sum()), n_truth),
            _share(int(found_overlaps.sum()), n_found),
        ]
        rows.append((kind, n_truth, n_found, tp, *shares[0], *shares[1], *f1, *alarms,
                     *errors[0], *errors[1], *by_overlap[0], *by_overlap[1]))  # fmt: skip
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def _rows_by_kind(kinds: NDArray[np.object_]) -> dict[str, NDArray[np.int64]]:
    """Return the rows of each kind."""
    return {str(k): np.asarray(rows) for k, rows in pd.Series(kinds).groupby(kinds).indices.items()}


def _share(hits: int, n: int) -> tuple[float, float, float]:
    """Return a proportion with its exact interval; NaN for ``n = 0``."""
    low, high = binomial_interval(hits, n)
    return (hits / n if n else float("nan")), float(low), float(high)


def _quartiles(errors: pd.Series[float]) -> tuple[float, float, float]:
    """Return median, lower and upper quartile."""
    values = errors.dropna().to_numpy(np.float64)
    if len(values) == 0:
        return (float("nan"),) * 3
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(middle), float(low), float(high)


def _kinds(truth: NDArray[np.object_], found: NDArray[np.object_]) -> list[str]:
    """Return the kinds that occur, in the order of `TRIAL_TYPES`, then by name."""
    seen = {*truth, *found}
    return [*(k for k in TRIAL_TYPES if k in seen), *sorted(seen - set(TRIAL_TYPES))]


def _confusion(
    truth: NDArray[np.object_], found: NDArray[np.object_], pairs: pd.DataFrame
) -> pd.DataFrame:
    """Return the confusion table."""
    kinds = _kinds(truth, found)
    place = {kind: k for k, kind in enumerate(kinds)}
    n = len(kinds)
    count = np.zeros((n + 1, n + 1), np.int64)
    np.add.at(count, (pairs["truth_kind"].map(place), pairs["found_kind"].map(place)), 1)
    of_truth, of_found = Counter(truth), Counter(found)
    count[:n, n] = [of_truth[kind] for kind in kinds] - count[:n, :n].sum(axis=1)
    count[n, :n] = [of_found[kind] for kind in kinds] - count[:n, :n].sum(axis=0)
    table = pd.DataFrame(count, index=[*kinds, UNMATCHED], columns=[*kinds, UNMATCHED])
    return table.rename_axis(index="truth", columns="found")


def _unmatched_rows(
    table: pd.DataFrame, prepared: pd.DataFrame, pairs: pd.DataFrame, side: str, other_side: str
) -> pd.DataFrame:
    """Return the rows of one table (``truth`` or ``found``) without a partner of their kind."""
    same = pairs["truth_kind"] == pairs["found_kind"]
    rows = prepared.index.difference(pd.Index(pairs[side][same]))
    partner_kind = dict(zip(pairs[side], pairs[f"{other_side}_kind"], strict=True))
    out = table.iloc[rows.to_numpy(np.int64)].reset_index(drop=True)
    return out.assign(taken_for=pd.Series([partner_kind.get(r, "") for r in rows], dtype="object"))


def _json_value(value: Any) -> Any:
    """Return a value for JSON: plain Python numbers, None where not finite."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
