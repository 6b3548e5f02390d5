"""Agreement of matched events on a category, such as kind or label: share and Cohen's kappa."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.scoring.confidence_intervals import binomial_interval

#: Resamples of the pairs for the interval of kappa, and their seed.
_RESAMPLES: Final = 1000
_SEED: Final = 0


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
        Cohen's kappa: 1 is full agreement, 0 what chance gives. 95 % interval by resampling
        of the pairs. NaN without pairs, or if both scorings use a single category.
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
        ``pairs`` of `twitchsense.scoring.agreement.match`: ``truth`` and ``found`` are row
        numbers.
    events, truth : DataFrame
        The tables that were matched.

    Returns
    -------
    dict of str to CategoryAgreement
        ``trial_type`` and ``label``, as far as both tables have them.
    """
    rows = {side: pairs[side].to_numpy(np.int64) for side in ("truth", "found")}
    return {
        name: compare_categories(truth[name].iloc[rows["truth"]], events[name].iloc[rows["found"]])
        for name in ("trial_type", "label")
        if name in truth and name in events
    }


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
    rows = np.random.default_rng(_SEED).integers(0, n, (_RESAMPLES, n)) if n else np.zeros((0, 0))
    sampled = np.array([_kappa(first[r], second[r]) for r in rows.astype(np.int64)])
    # a sample of one category has no kappa
    known = sampled[np.isfinite(sampled)]
    interval = np.quantile(known, [0.025, 0.975]).tolist() if len(known) else [math.nan] * 2
    return CategoryAgreement(
        n,
        n_equal,
        n_equal / n if n else math.nan,
        float(low),
        float(high),
        _kappa(first, second),
        *interval,
    )


def _kappa(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return Cohen's kappa of two codings; NaN if chance alone agrees fully."""
    n = len(first)
    size = 1 + max(first.max(initial=0), second.max(initial=0))
    shares = [np.bincount(codes, minlength=size) / max(n, 1) for codes in (first, second)]
    by_chance = float(shares[0] @ shares[1])
    if not n or by_chance >= 1:
        return math.nan
    return (float((first == second).mean()) - by_chance) / (1 - by_chance)
