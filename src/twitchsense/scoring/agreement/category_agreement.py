"""Agreement of matched events on a category, such as kind or label: share and Cohen's kappa."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.scoring.agreement.agreement_notes import names_kinds
from twitchsense.scoring.indices.confidence_intervals import binomial_interval


@dataclass(frozen=True, slots=True)
class CategoryAgreement:
    """Agreement of two scorings on the category of the events that both have.

    Attributes
    ----------
    n_pairs : int
        Matched pairs in which both events have a category.
    n_equal : int
        Pairs whose categories are equal.
    share, share_low, share_high : float
        Share of equal pairs with its exact 95 % interval; NaN without pairs.
    kappa, kappa_low, kappa_high : float
        Cohen's kappa: 1 is full agreement, 0 what chance gives. The 95 % interval is that of
        `share`, with the chance agreement taken as known (as in Cohen's standard error), so
        that few pairs give a wide one even if all are equal. NaN without pairs, or if both
        scorings use a single category.

    References
    ----------
    Cohen 1960, Educ Psychol Meas 20:37, doi:10.1177/001316446002000104.
    """

    n_pairs: int
    n_equal: int
    share: float
    share_low: float
    share_high: float
    kappa: float
    kappa_low: float
    kappa_high: float

    def to_dict(self) -> dict[str, Any]:
        """Return all values for JSON; undefined ones are None."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }


def compare_pairs(
    pairs: pd.DataFrame, events: pd.DataFrame, truth: pd.DataFrame
) -> dict[str, CategoryAgreement]:
    """Compare kind and label of the matched pairs of two scorings.

    Parameters
    ----------
    pairs : DataFrame
        ``pairs`` of `scoring.agreement.compare_events.match`: ``truth`` and ``found`` are row
        numbers.
    events, truth : DataFrame
        The tables that were matched.

    Returns
    -------
    dict of str to CategoryAgreement
        ``trial_type`` and ``label``, as far as both tables have them.
    """
    out = {}
    if "trial_type" in truth and "trial_type" in events:
        # as they were compared; rows without a kind have none
        named = names_kinds(truth) and names_kinds(events)
        kinds = pairs if named else pairs[:0]
        out["trial_type"] = compare_categories(kinds["truth_kind"], kinds["found_kind"])
    if "label" in truth and "label" in events:
        rows = {side: pairs[side].to_numpy(np.int64) for side in ("truth", "found")}
        labels = [t["label"].iloc[rows[side]].astype("object").fillna("").str.casefold()
                  for t, side in ((truth, "truth"), (events, "found"))]  # fmt: skip
        out["label"] = compare_categories(labels[0], labels[1])
    return out


def compare_categories(truth: pd.Series[Any], found: pd.Series[Any]) -> CategoryAgreement:
    """Compare the categories of matched pairs.

    Parameters
    ----------
    truth, found : Series of str, shape (pairs,)
        Category of each pair in the two scorings; empty or missing if it has none.

    Returns
    -------
    CategoryAgreement
    """
    a, b = (s.astype("object").fillna("").to_numpy(object) for s in (truth, found))
    both = (a != "") & (b != "")
    _, codes = np.unique(np.concatenate([a[both], b[both]]).astype(str), return_inverse=True)
    n = int(both.sum())
    first, second = codes[:n], codes[n:]
    n_equal = int((first == second).sum())
    low, high = binomial_interval(n_equal, n)
    by_chance = _chance(first, second)
    share = n_equal / n if n else math.nan
    kappa = [
        max((p - by_chance) / (1 - by_chance), -1.0) if n and by_chance < 1 else math.nan
        for p in (share, float(low), float(high))
    ]
    return CategoryAgreement(n, n_equal, share, float(low), float(high), *kappa)


def _chance(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return the share of equal pairs that chance gives two codings."""
    n = max(len(first), 1)
    size = 1 + max(first.max(initial=0), second.max(initial=0))
    shares = [np.bincount(codes, minlength=size) / n for codes in (first, second)]
    return float(shares[0] @ shares[1])
