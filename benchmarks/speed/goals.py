"""The goals of the speed benchmark, and their rows on docs/speed.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """One goal: a measured value with an upper (or lower) limit.

    Attributes
    ----------
    what : str
        Description, for the table.
    part : str
        Part of the benchmark that measures it.
    limit : float
    unit : str
    value : callable
        From the figures of the part to the value.
    at_least : bool
        Whether `limit` is a lower limit.
    """

    what: str
    part: str
    limit: float
    unit: str
    value: Callable[[Any], float]
    at_least: bool = False

    def row(self, measured: Figures) -> str:
        """Return the table row: description, goal, measured value, whether it is met."""
        sign = "≥" if self.at_least else "≤"
        goal = f"{sign} {self.limit:g} {self.unit}".rstrip()
        try:
            value = self.value(measured[self.part]["figures"])
        except (KeyError, StopIteration, TypeError):
            return f"{self.what} | {goal} | not measured | "
        met = value >= self.limit if self.at_least else value <= self.limit
        return f"{self.what} | {goal} | {digits(value)} {self.unit} | {'yes' if met else 'no'}"


def digits(value: float) -> str:
    """Format a number with three significant digits, without exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def relative_time(program: str) -> Callable[[Any], float]:
    """Return a function that gives the time of another program relative to twitchsense."""
    return lambda f: next(r["times twitchsense"] for r in f["rows"] if r["who"] == program)


def week_over_8_h(rows: list[Figures]) -> float:
    """Return the time for seven days relative to that for eight hours."""
    seconds = {row["hours"]: row["seconds"] for row in rows}
    return float(seconds[168] / seconds[8])


def delay_ms(kind: str) -> Callable[[Any], float]:
    """Return a function that gives the 95th percentile (ms) of the delay of a kind's rows.

    Measured until a row is first shown, in packets of 20 ms.
    """
    return lambda f: 1000 * f["20 ms"]["shown_s"][kind]["p95"]


def night_seconds_8_h(f: Figures) -> float:
    """Return the time from an 8-h night file to the result files, s."""
    return float(f["night"]["once_s"] * 8 / f["hours"])


GOALS = (
    Goal("arrays of a night → event table, relative to `numpy.sum`", "night", 20, "×",
         lambda f: f["times_sum"]),
    Goal("time of the script relative to twitchsense", "others", 25, "×",
         relative_time("script"), True),
    Goal("time of NeuroKit2 relative to twitchsense", "others", 1000, "×",
         relative_time("neurokit2"), True),
    Goal("CSV of a night → result files, relative to pandas' parser alone", "files", 1.5, "×",
         lambda f: f["csv"]["times_parse"]),
    Goal("night file of 8 h → result files", "files", 3, "s", night_seconds_8_h),
    Goal("— or its share of the time for CSV", "files", 25, "%",
         lambda f: 100 * f["night"]["once_s"] / f["csv"]["once_s"]),
    Goal("peak memory at any length, above the interpreter with numpy, scipy, pandas", "length",
         250, "MB", lambda rows: max(row["above_mb"] for row in rows)),
    Goal("— from CSV", "files", 250, "MB", lambda f: f["csv"]["above_mb"]),
    Goal("— from a night file", "files", 250, "MB", lambda f: f["night"]["above_mb"]),
    Goal("seven days relative to 8 h", "length", 22, "×", week_over_8_h),
    Goal("live: share of one core", "live", 1, "%",
         lambda f: 100 * f["wearable"]["share_of_core"]),
    Goal("live: computing time per packet, 99th percentile", "live", 2, "ms",
         lambda f: f["wearable"]["p99_ms"]),
    Goal("live, packets of 20 ms: from the end of a twitch to its row, 95th percentile", "live",
         300, "ms", delay_ms("twitch")),
    Goal("— the same for a jerk", "live", 700, "ms", delay_ms("jerk")),
    Goal("`twitchsense --help`", "start", 0.25, "s", lambda f: f["help_s"]),
    Goal("`import twitchsense` in addition to numpy", "start", 0.15, "s", lambda f: f["import_s"]),
)  # fmt: skip
