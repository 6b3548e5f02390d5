"""Nights with and without something: what differs, and whether that could be chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.trend.diary import Diary
from twitchsense.trend.effect import Floats, false_discovery, measure, shuffles
from twitchsense.trend.exposure import Exposure
from twitchsense.trend.nights import LEAST_HOURS, OUTCOMES

#: Nights asked for in all, and on each side.
LEAST_NIGHTS: Final = 14
LEAST_SIDE: Final = 5
LAGS: Final = (0, 1)
#: Share of false findings that is borne among the findings of one look.
FALSE_SHARE: Final = 0.05

#: What each column of the table means.
COLUMNS: Final[dict[str, str]] = {
    "exposure": "what was chosen: a column of the diary, with its limit",
    "outcome": "`twitch`, `jerk` or `movement`",
    "lag": "0: the night of that evening; 1: the night after",
    "n_exposed": "nights with it",
    "n_other": "nights without it",
    "usual": "events per hour on nights without it",
    "difference": "more events per hour on nights with it",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "ratio": "the difference as a factor on 1 + rate",
    "ratio_low": "lower end of its 95 % interval",
    "ratio_high": "upper end of its 95 % interval",
    "p": "how often shuffled nights differ as much; empty with too few nights",
    "q": "p after false-discovery control over all rows",
    "answer": "`not enough nights yet`, `no clear difference`, `more` or `fewer`",
    "text": "the answer in words",
}

CANNOT_SHOW_CAUSE: Final = "This cannot show cause."


@dataclass(frozen=True, slots=True)
class Association:
    """One exposure, one outcome, one lag.

    Attributes
    ----------
    exposure, outcome : str
    lag : int
        0: the evening itself; 1: the evening before it.
    n_exposed, n_other : int
        Nights on each side.
    usual : float
        Events per hour on the other nights (geometric mean of 1 + rate, less 1).
    difference, low, high : float
        More events per hour on exposed nights, with its 95 % interval; NaN with
        too few nights.
    ratio, ratio_low, ratio_high : float
        The same as a factor on 1 + rate.
    p, q : float
        Of no difference; q after false-discovery control over all that was looked at.
    answer : str
        ``not enough nights yet``, ``no clear difference``, ``more`` or ``fewer``.
    text : str
        The answer in words.
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


def associate(
    nights: pd.DataFrame, diary: Diary, exposures: Sequence[Exposure]
) -> list[Association]:
    """Compare nights with and without each exposure, for each outcome and lag.

    Parameters
    ----------
    nights : DataFrame
        From `read_nights`.
    diary : Diary
    exposures : sequence of Exposure
        At most three, chosen before looking.

    Returns
    -------
    list of Association
        False discoveries are controlled over all of them together.
    """
    drafts = [
        _compare(nights, diary, exposure, outcome, lag)
        for exposure in exposures
        for outcome in OUTCOMES
        for lag in LAGS
    ]
    asked = [d for d in drafts if math.isfinite(d["p"])]
    for draft, q in zip(asked, false_discovery(np.array([d["p"] for d in asked])), strict=True):
        draft["q"] = float(q)
    return [_answered(d) for d in drafts]


def to_table(found: Sequence[Association]) -> pd.DataFrame:
    """Return associations as a table, one row each; no rows give an empty table."""
    return pd.DataFrame([asdict(a) for a in found], columns=list(Association.__dataclass_fields__))


def _compare(
    nights: pd.DataFrame, diary: Diary, exposure: Exposure, outcome: str, lag: int
) -> dict[str, Any]:
    known = nights[(nights[f"{outcome}_hours"] >= LEAST_HOURS) & nights["evening"].notna()]
    evenings = list(known["evening"])
    exposed = np.array([exposure.of(diary, e, lag) for e in evenings], dtype=np.float64)
    other = np.array([exposure.of(diary, e, 1 - lag) for e in evenings], dtype=np.float64)
    y = np.log1p(known[f"{outcome}_rate"].to_numpy(np.float64))
    day = np.array([e.toordinal() for e in evenings], dtype=np.float64)
    use = np.isfinite(exposed) & np.isfinite(y)
    with_, without = int((exposed[use] == 1).sum()), int((exposed[use] == 0).sum())
    draft: dict[str, Any] = {
        "exposure": exposure.name,
        "words": exposure.words,
        "outcome": outcome,
        "lag": lag,
        "n_exposed": with_,
        "n_other": without,
        "p": math.nan,
        "q": math.nan,
        "effect": (math.nan,) * 3,
        "mean": math.nan,
    }
    if with_ + without < LEAST_NIGHTS or min(with_, without) < LEAST_SIDE:
        return draft
    y, x, other, day = y[use], exposed[use], other[use], day[use]
    effect = measure(y, x, _beside(other, day), shuffles(len(y)))
    if not math.isfinite(effect.estimate):
        return draft
    mean = float(y[x == 0].mean())
    return {
        **draft,
        "p": effect.p,
        "mean": mean,
        "effect": (effect.estimate, effect.low, effect.high),
    }


def _beside(other: Floats, day: Floats) -> Floats:
    """Return what the regression holds beside the exposure: constant, time, the other lag."""
    columns = [np.ones(len(day)), day - day.mean()]
    seen = np.isfinite(other)
    # where the other evening is not known, its mean neither adds nor takes away
    if seen.sum() >= LEAST_SIDE and np.ptp(other[seen]) > 0:
        columns.append(np.where(seen, other, other[seen].mean()))
    return np.column_stack(columns)


def _answered(draft: dict[str, Any]) -> Association:
    estimate, low, high = draft["effect"]
    mean = draft["mean"]
    more, least, most = (
        math.exp(mean + d) - math.exp(mean) if math.isfinite(d) else d
        for d in (estimate, low, high)
    )
    if not math.isfinite(draft["p"]):
        answer = "not enough nights yet"
    elif draft["q"] <= FALSE_SHARE:
        answer = "more" if estimate > 0 else "fewer"
    else:
        answer = "no clear difference"
    keys = ("exposure", "outcome", "lag", "n_exposed", "n_other", "p", "q")
    return Association(
        **{k: draft[k] for k in keys},
        usual=math.expm1(mean),
        difference=more,
        low=least,
        high=most,
        ratio=math.exp(estimate),
        ratio_low=math.exp(low),
        ratio_high=math.exp(high),
        answer=answer,
        text=_say(draft, answer, more, least, most),
    )


def _say(draft: dict[str, Any], answer: str, more: float, low: float, high: float) -> str:
    when = "evenings" if draft["lag"] == 0 else "the day after evenings"
    what = {"twitch": "twitches", "jerk": "jerks", "movement": "leg movements"}[draft["outcome"]]
    sides = f"{draft['n_exposed']} nights with, {draft['n_other']} without"
    if answer == "not enough nights yet":
        return (
            f"Not enough nights yet for {draft['words']} and {what}: {sides}; "
            f"at least {LEAST_NIGHTS} in all and {LEAST_SIDE} on each side are needed."
        )
    span = f"from {_signed(low)} to {_signed(high)} per hour"
    if answer == "no clear difference":
        return (
            f"On {when} with {draft['words']}, no clear difference in {what} ({sides}): "
            f"{span} fits the nights. {CANNOT_SHOW_CAUSE}"
        )
    return (
        f"On {when} with {draft['words']} you had about {abs(more):.1f} {answer} {what} per hour "
        f"({span}; {sides}). {CANNOT_SHOW_CAUSE}"
    )


def _signed(value: float) -> str:
    if not math.isfinite(value):
        return "no limit"
    return f"{value:+.1f}".replace("-", "−")
