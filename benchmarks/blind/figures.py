"""Figures of one kit: sensitivity, precision, false alarms, swaps, and the worst family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy.score import KINDS, Score

#: Fewest targets of a family for it to count as the worst.
LEAST = 10
#: Classes of targets: name, kind, and which of them.
CLASSES: dict[str, tuple[str, Callable[[pd.DataFrame], Any]]] = {
    "twitch, from 15 times the noise": ("twitch", lambda t: t.snr >= 15),
    "twitch, 15 to 50 times": ("twitch", lambda t: t.snr.between(15, 50)),
    "twitch, from 50 times": ("twitch", lambda t: t.snr >= 50),
    "twitch, all from 50 µV": ("twitch", lambda t: t.amplitude_uv >= 50),
    "jerk": ("jerk", lambda t: t.onset >= 0),
    "jerk of one burst": ("jerk", lambda t: t.n_bursts < 2),
    "jerk of 2 to 4 bursts": ("jerk", lambda t: t.n_bursts.between(2, 4)),
    "jerk of 5 to 10 bursts": ("jerk", lambda t: t.n_bursts >= 5),
    "leg movement": ("movement", lambda t: t.onset >= 0),
}


def figures(score: Score) -> dict[str, dict[str, Any]]:
    """Return all figures of a kit as plain numbers, by name."""
    targets, events = score.targets, score.events
    hours = sum(score.hours.values())
    found: dict[str, dict[str, Any]] = {}
    for name, (kind, which) in CLASSES.items():
        rows = targets[(targets.trial_type == kind) & targets.needed.astype(bool)]
        rows = rows[which(rows)]
        found[name] = {"hit": int(rows.hit.sum()), "n": len(rows), **_worst(rows)}
    for kind in KINDS:
        own = events[events.trial_type == kind]
        hit, false = int((own.verdict == "hit").sum()), own[own.verdict == "false"]
        by_family = false.groupby("family").size()
        found[f"{kind}: precision"] = {
            "hit": hit,
            "n": hit + len(false),
            "false_per_h": len(false) / hours,
            "worst": str(by_family.idxmax()) if len(by_family) else "",
            "worst_false": int(by_family.max()) if len(by_family) else 0,
        }
    for truth, called in (("twitch", "jerk"), ("jerk", "twitch")):
        rows = targets[targets.trial_type == truth]
        found[f"{truth} called {called}"] = {
            "hit": int((rows.called == called).sum()),
            "n": len(rows),
        }
    active = targets[(targets.trial_type == "twitch") & targets.in_activity.astype(bool)]
    found["twitch within activity"] = {"hit": int(active.hit.sum()), "n": len(active)}
    return found


def by_rate_and_size(score: Score) -> pd.DataFrame:
    """Return the sensitivity to clear twitches and to jerks by sampling rate and decade of size."""
    targets = score.targets[score.targets.needed.astype(bool)]
    targets = targets[(targets.trial_type == "jerk") | (targets.snr >= 15)]
    targets = targets[targets.trial_type.isin(["twitch", "jerk"])]
    size = pd.cut(targets.amplitude_uv, [0, 100, 300, 1000, 3000, np.inf], right=False)
    rows = []
    for kind, own in targets.groupby("trial_type"):
        for name, group in (("EMG rate, Hz", own.fs.round()), ("size, µV", size)):
            for value, part in own.groupby(group, observed=True):
                rows.append((kind, name, str(value), int(part.hit.sum()), len(part)))
    return pd.DataFrame(rows, columns=["kind", "by", "value", "hit", "n"])


def _worst(rows: pd.DataFrame) -> dict[str, Any]:
    families = rows.groupby("family").hit.agg(["mean", "size"])
    families = families[families["size"] >= LEAST]
    if not len(families):
        return {"worst": "", "worst_hit": np.nan}
    worst = families["mean"].idxmin()
    return {"worst": str(worst), "worst_hit": float(families["mean"].min())}
