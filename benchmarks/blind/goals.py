"""The goals set for the kits, and what is measured on the kits that taught nothing and on all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: Kits from which nothing was learned.
UNSEEN: tuple[str, ...] = ("kit_h", "kit_i")


class Goal(NamedTuple):
    """Least sensitivity of a class, with at least this precision; least of the worst family."""

    sensitivity: float
    precision: float
    worst: float | None = None


WANTED = {
    "twitch, from 15 times the noise": Goal(0.98, 0.98, 0.93),
    "twitch, all from 50 µV": Goal(0.95, 0.97, 0.88),
    "jerk": Goal(0.96, 0.97, 0.90),
    "jerk of 5 to 10 bursts": Goal(0.95, 0.97),
    "leg movement": Goal(0.97, 0.97),
}
#: Least precision of a kind, and most false alarms an hour of a kind.
PRECISION = {"twitch": 0.97, "jerk": 0.97, "movement": 0.97}
FALSE_PER_H = {"twitch": 1.0, "jerk": 0.1, "movement": 0.1}
SWAPPED = 0.01
EMPTY_PER_H = 5.0


def section(found: Mapping[str, Any], kits: Sequence[str]) -> list[str]:
    """Return the section of the page."""
    unseen = [k for k in kits if k in UNSEEN]
    groups: dict[str, Sequence[str]] = {"all kits": kits}
    if len(kits) > len(unseen) > 0:
        groups = {", ".join(unseen): unseen} | groups
    rows = [_measured(found, g) for g in groups.values()]
    out = [
        "## Goals", "",
        f"| goal | wanted | {' | '.join(f'{g} | reached' for g in groups)} |",
        "|---|---|" + "---|---|" * len(groups),
    ]  # fmt: skip
    for name, wanted, least in _goals():
        cells = []
        for measured in rows:
            value, limit = measured[name], wanted
            if math.isnan(wanted):  # as many as of the smaller ones
                limit = measured["twitch, 15 to 50 times"]
            good = value >= limit if least else value <= limit
            cells.append(f"{value:.3g} | {'yes' if good else 'no'}")
        sign = "≥" if least else "≤"
        shown = "that of 15 to 50 times" if math.isnan(wanted) else f"{wanted:g}"
        out.append(f"| {name} | {sign} {shown} | {' | '.join(cells)} |")
    return [
        *out, "",
        "Precision is that of all twitches, since a false one has no noise of its own to be "
        "measured against. Recordings without a target are storms of artefacts and noise. How well "
        "the onset of sleep is estimated has "
        "[a page of its own](sleep-onset-figures.md).", "",
    ]  # fmt: skip


def _goals() -> list[tuple[str, float, bool]]:
    """Return name, limit, and whether the limit is the least."""
    return [
        *((f"{name}: sensitivity", goal.sensitivity, True) for name, goal in WANTED.items()),
        ("twitch, from 50 times the noise: sensitivity", math.nan, True),
        *((f"{kind}: precision", limit, True) for kind, limit in PRECISION.items()),
        *((f"{kind}: false alarms an hour", limit, False) for kind, limit in FALSE_PER_H.items()),
        ("recordings without a target: false alarms an hour, of any kind", EMPTY_PER_H, False),
        ("twitch called jerk, share", SWAPPED, False),
        ("jerk called twitch, share", SWAPPED, False),
    ]


def _measured(found: Mapping[str, Any], kits: Sequence[str]) -> dict[str, float]:
    """Return every figure, pooled over kits."""

    def share(name: str) -> float:
        rows = [found[k][name] for k in kits]
        whole = sum(row["n"] for row in rows)
        return sum(row["hit"] for row in rows) / whole if whole else math.nan

    hours = sum(found["hours"][k] for k in kits)
    out = {f"{name}: sensitivity": share(name) for name in WANTED}
    out["twitch, from 50 times the noise: sensitivity"] = share("twitch, from 50 times")
    out["twitch, 15 to 50 times"] = share("twitch, 15 to 50 times")
    for kind in PRECISION:
        out[f"{kind}: precision"] = share(f"{kind}: precision")
        false = sum(found[k][f"{kind}: precision"]["false_per_h"] * found["hours"][k] for k in kits)
        out[f"{kind}: false alarms an hour"] = false / hours
    empty = [found["empty"][k] for k in kits]
    out["recordings without a target: false alarms an hour, of any kind"] = sum(
        e["false"] for e in empty
    ) / (sum(e["hours"] for e in empty) or math.nan)
    for a, b in (("twitch", "jerk"), ("jerk", "twitch")):
        out[f"{a} called {b}, share"] = share(f"{a} called {b}")
    return out
