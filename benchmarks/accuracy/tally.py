"""Counts of scored rows: shares, rates, confusion, each with its exact interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.accuracy.score import KINDS, Score
from twitchsense.scoring.indices.confidence_intervals import binomial_interval
from twitchsense.scoring.indices.rates import rate

CLEAR_SNR = 15.0
CLEAR = "clear twitch"
#: Edges of the classes of signal to noise (peak to peak over the noise's RMS).
SNR_EDGES = (0.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, np.inf)
NOBODY = "(none)"


@dataclass(frozen=True)
class Count:
    """Of one kind: targets needed and hit, events that count and false ones, hours."""

    truth: int
    hit: int
    right: int
    false: int
    hours: float

    @property
    def found(self) -> int:
        """Events that count."""
        return self.right + self.false

    def sensitivity(self) -> tuple[float, float, float]:
        """Return value and interval."""
        return _share(self.hit, self.truth)

    def precision(self) -> tuple[float, float, float]:
        """Return value and interval."""
        return _share(self.right, self.found)

    def f1(self) -> tuple[float, float, float]:
        """Return F1 with the interval of the Jaccard index, J = F1 / (2 - F1)."""
        j = np.array(_share(self.hit, self.truth + self.false))
        value, low, high = 2 * j / (1 + j)
        return float(value), float(low), float(high)

    def per_hour(self) -> tuple[float, float, float]:
        """Return false alarms per hour and interval."""
        return rate(self.false, self.hours)


def count(score: Score, kind: str, context: str | None = None) -> Count:
    """Count one kind, `clear twitch` too: targets, and events by their own size, from 15 x noise.

    Parameters
    ----------
    score
        Of one or more recordings.
    kind
        `twitch`, `jerk`, `movement`, or `clear twitch`.
    context
        Only rows of this context; all if not given.
    """
    targets, events = score.targets, score.events
    hours = sum(score.hours.values())
    if context is not None:
        targets, events = (t[t.context == context] if len(t) else t for t in (targets, events))
        hours = score.hours.get(context, 0.0)
    hit = needed = right = false = 0
    own = "twitch" if kind == CLEAR else kind
    if len(targets):
        rows = targets[(targets.trial_type == own) & targets.needed]
        if kind == CLEAR:
            rows = rows[rows.snr >= CLEAR_SNR]
        needed, hit = len(rows), int(rows.hit.sum())
    if len(events):
        own_events = events[events.trial_type == own]
        if kind == CLEAR:
            own_events = own_events[own_events["size"] >= CLEAR_SNR]
        verdict = own_events.verdict
        right, false = int((verdict == "hit").sum()), int((verdict == "false").sum())
    return Count(needed, hit, right, false, hours)


def false_alarms(score: Score) -> pd.DataFrame:
    """Return the events of the three kinds that are false."""
    rows = score.events
    if not len(rows):
        return rows
    return rows[(rows.verdict == "false") & rows.trial_type.isin(KINDS)]


def false_of_any_kind(score: Score) -> int:
    """Count false alarms of all kinds, brief contractions and turns too."""
    return int((score.events.verdict == "false").sum()) if len(score.events) else 0


def misses(score: Score) -> pd.DataFrame:
    """Return the needed targets of the three kinds that were not hit."""
    rows = score.targets
    if not len(rows):
        return rows
    return rows[rows.needed & ~rows.hit & rows.trial_type.isin(KINDS)]


def swapped(score: Score, kind: str, taken_for: str) -> tuple[int, int]:
    """Return how many needed targets of `kind` were taken for another kind, of how many."""
    if not len(score.targets):
        return 0, 0
    rows = score.targets[(score.targets.trial_type == kind) & score.targets.needed]
    return int((rows.called == taken_for).sum()), len(rows)


def confusion(score: Score) -> pd.DataFrame:
    """Return needed targets by what they were called; false alarms stand in the last row."""
    rows = score.targets[score.targets.needed] if len(score.targets) else score.targets
    truth = list(rows.trial_type) if len(rows) else []
    called = list(rows.called.replace("", NOBODY)) if len(rows) else []
    alarms = score.events
    if len(alarms):
        alarms = alarms[(alarms.verdict == "false") & (alarms.truth_kind == "")]
        truth += [NOBODY] * len(alarms)
        called += list(alarms.trial_type)
    table = pd.crosstab(pd.Series(truth, dtype=object), pd.Series(called, dtype=object))
    names = [*KINDS, "gross_movement", "posture_change", "brief_contraction", NOBODY]
    return table.reindex(
        index=[n for n in names if n in table.index],
        columns=[n for n in names if n in table.columns], fill_value=0,
    )  # fmt: skip


def by_snr(score: Score, kind: str) -> list[tuple[float, int, int]]:
    """Return (median of signal to noise, hits, targets) of each class that has targets."""
    if not len(score.targets):
        return []
    rows = score.targets[(score.targets.trial_type == kind) & score.targets.needed]
    rows = rows[np.isfinite(rows.snr)]
    part = np.digitize(rows.snr, SNR_EDGES)
    return [
        (float(group.snr.median()), int(group.hit.sum()), len(group))
        for _, group in rows.groupby(part)
    ]


def by_confidence(score: Score) -> list[tuple[float, int, int]]:
    """Return (mean confidence, right, all) in tenths of the confidence."""
    if not len(score.events) or "confidence" not in score.events:
        return []
    rows = score.events[
        score.events.trial_type.isin(KINDS) & score.events.verdict.isin(("hit", "false"))
    ].dropna(subset=["confidence"])
    tenth = np.minimum(np.floor(rows.confidence * 10), 9)
    return [
        (float(group.confidence.mean()), int((group.verdict == "hit").sum()), len(group))
        for _, group in rows.groupby(tenth)
    ]


def causes(score: Score, most: int = 15) -> pd.DataFrame:
    """Return false alarms by cause (down) and kind (across), the commonest first."""
    rows = false_alarms(score)
    if not len(rows):
        return pd.DataFrame(columns=list(KINDS))
    table = pd.crosstab(rows.cause.replace("", "none"), rows.trial_type)
    table = table.reindex(columns=list(KINDS), fill_value=0)
    return table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index[:most]]


def _share(part: int, whole: int) -> tuple[float, float, float]:
    if not whole:
        return (float("nan"),) * 3
    low, high = binomial_interval(part, whole)
    return part / whole, float(low), float(high)
