"""The goals, and how the figures stand to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """One line of the table: a figure that may be no more (or no less) than a limit."""

    what: str
    part: str
    limit: float
    unit: str
    value: Callable[[Any], float]
    at_least: bool = False

    def row(self, told: Figures) -> str:
        """Return the line: what, goal, measured, whether it is met."""
        sign = "≥" if self.at_least else "≤"
        goal = f"{sign} {self.limit:g} {self.unit}".rstrip()
        try:
            value = self.value(told[self.part]["figures"])
        except (KeyError, StopIteration, TypeError):
            return f"{self.what} | {goal} | not measured | "
        met = value >= self.limit if self.at_least else value <= self.limit
        return f"{self.what} | {goal} | {digits(value)} {self.unit} | {'yes' if met else 'no'}"


def digits(value: float) -> str:
    """Return three digits that count, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times_ours(who: str) -> Callable[[Any], float]:
    """Return how many times longer than ours another takes, on the same arrays."""
    return lambda f: next(r["times twitchsense"] for r in f["rows"] if r["who"] == who)


def longest_over_8_h(rows: list[Figures]) -> float:
    """Return what seven days cost over what eight hours cost."""
    seconds = {row["hours"]: row["seconds"] for row in rows}
    return float(seconds[168] / seconds[8])


def delay_ms(kind: str) -> Callable[[Any], float]:
    """Return the 95th percentile of the delay until a row is shown, in packets of 20 ms."""
    return lambda f: 1000 * f["20 ms"]["shown_s"][kind]["p95"]


def night_seconds_8_h(f: Figures) -> float:
    """Return night file -> results, for 8 h."""
    return float(f["night"]["once_s"] * 8 / f["hours"])


GOALS = (
    Goal("arrays of a night → event table, over `numpy.sum`", "night", 20, "×",
         lambda f: f["times_sum"]),
    Goal("the script's time over ours", "others", 25, "×", times_ours("script"), True),
    Goal("NeuroKit2's time over ours", "others", 1000, "×", times_ours("neurokit2"), True),
    Goal("CSV of a night → result files, over pandas' parser alone", "files", 1.5, "×",
         lambda f: f["csv"]["times_parse"]),
    Goal("night file of 8 h → result files", "files", 3, "s", night_seconds_8_h),
    Goal("— or its share of the CSV's time", "files", 25, "%",
         lambda f: 100 * f["night"]["once_s"] / f["csv"]["once_s"]),
    Goal("peak memory at any length, above the interpreter with numpy, scipy, pandas", "length",
         250, "MB", lambda rows: max(row["above_mb"] for row in rows)),
    Goal("— from CSV", "files", 250, "MB", lambda f: f["csv"]["above_mb"]),
    Goal("— from a night file", "files", 250, "MB", lambda f: f["night"]["above_mb"]),
    Goal("seven days over 8 h", "length", 22, "×", longest_over_8_h),
    Goal("live: share of one core", "live", 1, "%",
         lambda f: 100 * f["wearable"]["share_of_core"]),
    Goal("live: computing per packet, 99 of 100", "live", 2, "ms",
         lambda f: f["wearable"]["p99_ms"]),
    Goal("live, packets of 20 ms: from the end of a twitch to its row, 95 of 100", "live", 300,
         "ms", delay_ms("twitch")),
    Goal("— of a jerk", "live", 700, "ms", delay_ms("jerk")),
    Goal("`twitchsense --help`", "start", 0.25, "s", lambda f: f["help_s"]),
    Goal("`import twitchsense` beyond numpy", "start", 0.15, "s", lambda f: f["import_s"]),
)  # fmt: skip
