"""Compare nights with and without an exposure, and test whether they differ by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.trend.diary import Diary
from twitchsense.trend.exposure import Exposure
from twitchsense.trend.nights import MIN_VALID_HOURS, OUTCOMES
from twitchsense.trend.permutation_test import (
    Floats,
    benjamini_hochberg,
    block_permutations,
    estimate_effect,
)

#: Minimum number of nights in all.
MIN_NIGHTS: Final = 14
#: Minimum number of exposed, and of unexposed nights.
MIN_NIGHTS_PER_GROUP: Final = 5
#: Days from the exposure to the night: the same evening, and the evening before.
LAGS: Final = (0, 1)
#: Expected share of false findings among all differences reported.
FALSE_DISCOVERY_RATE: Final = 0.05

#: Definition of each column of ``associations.csv``.
ASSOCIATION_COLUMNS: Final[dict[str, str]] = {
    "exposure": "the exposure: a column of the diary, with its threshold if it has one",
    "outcome": "`twitch`, `jerk` or `movement`",
    "lag": "0: the night of that evening; 1: the night after",
    "n_exposed": "number of exposed nights",
    "n_other": "number of unexposed nights",
    "usual": "events per hour on unexposed nights",
    "difference": "additional events per hour on exposed nights",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "ratio": "the difference as a factor on 1 + rate",
    "ratio_low": "lower end of its 95 % interval",
    "ratio_high": "upper end of its 95 % interval",
    "p": "two-sided p-value of the permutation test; empty with too few nights, or without an "
    "event in any night",
    "q": "p adjusted for the false discovery rate over all rows that have one",
    "answer": "`not enough nights yet`, `none in any night`, `no clear difference`, `more` or "
    "`fewer`",
    "text": "the answer in words",
}

CAUSE_DISCLAIMER: Final = "This cannot show cause."


@dataclass(frozen=True, slots=True)
class Association:
    """The comparison of one outcome by one exposure at one lag: a row of ``associations.csv``.

    Attributes
    ----------
    exposure : str
        Name of the exposure, as the user wrote it.
    outcome : {'twitch', 'jerk', 'movement'}
    lag : int
        Days from the exposure to the night: 0 for the same evening, 1 for the one before.
    n_exposed, n_other : int
        Number of exposed and of unexposed nights.
    usual : float
        Events per hour on unexposed nights (geometric mean of 1 + rate, less 1).
    difference, low, high : float
        Additional events per hour on exposed nights, with the 95 % interval; NaN with too
        few nights.
    ratio, ratio_low, ratio_high : float
        The same difference as a factor on 1 + rate.
    p : float
        Two-sided p-value of no difference.
    q : float
        `p`, adjusted for the false discovery rate over all comparisons that have one.
    answer : str
        ``not enough nights yet``, ``none in any night``, ``no clear difference``, ``more`` or
        ``fewer``.
    text : str
        The answer in a sentence.
    """

    exposure: str
    outcome: str
    lag: int
    n_exposed: int
    n_other: int
    usual: float
    difference: float
    low: float
    high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    p: float
    q: float
    answer: str
    text: str


def compare_nights(
    nights: pd.DataFrame, diary: Diary, exposures: Sequence[Exposure]
) -> list[Association]:
    """Compare nights with and without each exposure, for each outcome and lag.

    Parameters
    ----------
    nights : DataFrame
        From `twitchsense.trend.nights.read_nights`.
    diary : Diary
    exposures : sequence of Exposure
        At most three, chosen before the result is known.

    Returns
    -------
    list of Association
        The false discovery rate is controlled over all of them together.
    """
    comparisons = [
        _compare(nights, diary, exposure, outcome, lag)
        for exposure in exposures
        for outcome in OUTCOMES
        for lag in LAGS
    ]
    tested = [c for c in comparisons if math.isfinite(c["p"])]
    adjusted = benjamini_hochberg(np.array([c["p"] for c in tested]))
    for comparison, q in zip(tested, adjusted, strict=True):
        comparison["q"], comparison["n_tests"] = float(q), len(tested)
    return [_to_association(c) for c in comparisons]


def to_table(associations: Sequence[Association]) -> pd.DataFrame:
    """Return associations as a table.

    Parameters
    ----------
    associations : sequence of Association

    Returns
    -------
    DataFrame
        One row each, with the columns `ASSOCIATION_COLUMNS`.
    """
    columns = list(Association.__dataclass_fields__)
    return pd.DataFrame([asdict(a) for a in associations], columns=columns)


def _compare(
    nights: pd.DataFrame, diary: Diary, exposure: Exposure, outcome: str, lag: int
) -> dict[str, Any]:
    """Return counts, p-value, effect and mean of one comparison; NaN with too few nights."""
    known = nights[(nights[f"{outcome}_hours"] >= MIN_VALID_HOURS) & nights["evening"].notna()]
    evenings = list(known["evening"])
    exposed = np.array([exposure.status(diary, e, lag) for e in evenings], dtype=np.float64)
    other_lag = np.array([exposure.status(diary, e, 1 - lag) for e in evenings], dtype=np.float64)
    log_rate = np.log1p(known[f"{outcome}_rate"].to_numpy(np.float64))
    day = np.array([e.toordinal() for e in evenings], dtype=np.float64)
    use = np.isfinite(exposed) & np.isfinite(log_rate)
    n_exposed, n_other = int((exposed[use] == 1).sum()), int((exposed[use] == 0).sum())
    comparison: dict[str, Any] = {
        "exposure": exposure.name,
        "description": exposure.description,
        "outcome": outcome,
        "lag": lag,
        "n_exposed": n_exposed,
        "n_other": n_other,
        "p": math.nan,
        "q": math.nan,
        "effect": (math.nan,) * 3,
        "mean": math.nan,
    }
    if n_exposed + n_other < MIN_NIGHTS or min(n_exposed, n_other) < MIN_NIGHTS_PER_GROUP:
        return comparison
    y, x = log_rate[use], exposed[use]
    if not y.any():  # it cannot differ, and must not make the other comparisons stricter
        return {**comparison, "mean": 0.0, "effect": (0.0, math.nan, math.nan)}
    covariates = _covariates(other_lag[use], day[use])
    effect = estimate_effect(y, x, covariates, block_permutations(len(y)))
    if not math.isfinite(effect.estimate):
        return comparison
    return {
        **comparison,
        "p": effect.p,
        "mean": float(y[x == 0].mean()),
        "effect": (effect.estimate, effect.low, effect.high),
    }


def _covariates(other_lag: Floats, day: Floats) -> Floats:
    """Return the columns of the regression beside the exposure: intercept, time, other lag."""
    columns = [np.ones(len(day)), day - day.mean()]
    known = np.isfinite(other_lag)
    # unknown values are replaced by the mean, which leaves the slope unchanged
    if known.sum() >= MIN_NIGHTS_PER_GROUP and np.ptp(other_lag[known]) > 0:
        columns.append(np.where(known, other_lag, other_lag[known].mean()))
    return np.column_stack(columns)


def _to_association(comparison: dict[str, Any]) -> Association:
    estimate, low, high = comparison["effect"]
    mean = comparison["mean"]
    # from the log scale to events per hour
    difference, difference_low, difference_high = (
        math.exp(mean + d) - math.exp(mean) if math.isfinite(d) else d
        for d in (estimate, low, high)
    )
    if not math.isfinite(comparison["p"]):
        answer = "none in any night" if mean == 0 else "not enough nights yet"
    elif comparison["q"] <= FALSE_DISCOVERY_RATE:
        answer = "more" if estimate > 0 else "fewer"
    else:
        answer = "no clear difference"
    keys = ("exposure", "outcome", "lag", "n_exposed", "n_other", "p", "q")
    return Association(
        **{k: comparison[k] for k in keys},
        usual=math.expm1(mean),
        difference=difference,
        low=difference_low,
        high=difference_high,
        ratio=math.exp(estimate),
        ratio_low=math.exp(low),
        ratio_high=math.exp(high),
        answer=answer,
        text=_answer_sentence(comparison, answer, difference, difference_low, difference_high),
    )


def _answer_sentence(
    comparison: dict[str, Any], answer: str, difference: float, low: float, high: float
) -> str:
    when = "evenings" if comparison["lag"] == 0 else "the day after evenings"
    names = {"twitch": "twitches", "jerk": "jerks", "movement": "leg movements"}
    outcome, exposure = names[comparison["outcome"]], comparison["description"]
    groups = f"{comparison['n_exposed']} nights with, {comparison['n_other']} without"
    if answer == "not enough nights yet":
        return (
            f"Not enough nights yet for {exposure} and {outcome}: {groups}; "
            f"at least {MIN_NIGHTS} in all and {MIN_NIGHTS_PER_GROUP} on each side are needed."
        )
    if answer == "none in any night":
        return f"On {when} with {exposure}: no {outcome} in any night ({groups})."
    interval = f"from {_signed(low)} to {_signed(high)} per hour"
    if answer == "no clear difference" and (low > 0 or high < 0):
        return (
            f"On {when} with {exposure}, a difference in {outcome} is suggested ({interval}; "
            f"{groups}), but among {comparison['n_tests']} comparisons it is not clear. "
            f"{CAUSE_DISCLAIMER}"
        )
    if answer == "no clear difference":
        return (
            f"On {when} with {exposure}, no clear difference in {outcome} ({groups}): "
            f"a difference {interval} is consistent with the data. {CAUSE_DISCLAIMER}"
        )
    return (
        f"On {when} with {exposure} you had about {abs(difference):.1f} {answer} {outcome} "
        f"per hour ({interval}; {groups}). {CAUSE_DISCLAIMER}"
    )


def _signed(value: float) -> str:
    if not math.isfinite(value):
        return "no limit"
    return f"{value:+.1f}".replace("-", "−")
