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
        except (KeyError, StopIteration, TypeError, ZeroDivisionError):
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
    return float(_of_length(rows, 168)["seconds"] / _of_length(rows, 8)["seconds"])


def memory_mb(hours: float) -> Callable[[Any], float]:
    """Return a function that gives the peak memory (MB) of a recording of a length."""
    return lambda rows: _of_length(rows, hours)["above_mb"]


def _of_length(rows: list[Figures], hours: float) -> Figures:
    return next(row for row in rows if row["hours"] == hours)


def engine_ratio(of: str, over: str) -> Callable[[Any], float]:
    """Return a function that gives the ratio of two times, with a heart and hum, one thread."""
    return lambda f: f["rows"][-1][of] / f["rows"][-1][over]


def scipy_seconds_8_h(f: Figures) -> float:
    """Return the time of numpy and scipy for 8 h, s."""
    row = f["rows"][-1]
    return float(row["scipy_s"] * 8 / row["hours"])


def most_movements_s(rows: list[Figures]) -> float:
    """Return the time for 100,000 movements, s."""
    return float(next(row["seconds"] for row in rows if row["put_in"] == 100_000))


def delay_ms(kind: str) -> Callable[[Any], float]:
    """Return a function that gives the 95th percentile (ms) of the delay of a kind's rows.

    Measured until a row is first shown, in packets of 20 ms.
    """
    return lambda f: 1000 * f["20 ms"]["shown_s"][kind]["p95"]


def night_seconds_8_h(f: Figures) -> float:
    """Return the time from an 8-h night file to the result files, s."""
    return float(f["night"]["once_s"] * 8 / f["hours"])


GOALS = (
    Goal("time of the script relative to twitchsense, one thread", "engines", 5, "×",
         engine_ratio("script_s", "native_s"), True),
    Goal("— with as many threads as cores", "others", 7, "×", relative_time("script"), True),
    Goal("twitchsense relative to one `sosfilt` of the EMG, one thread", "engines", 5, "×",
         engine_ratio("native_s", "sosfilt_s")),
    Goal("time of NeuroKit2 relative to twitchsense", "others", 600, "×",
         relative_time("neurokit2"), True),
    Goal("time of BioSPPy relative to twitchsense", "others", 60, "×",
         relative_time("biosppy"), True),
    Goal("time of YASA relative to twitchsense", "others", 16, "×", relative_time("yasa"), True),
    Goal("CSV of a night → result files, relative to pandas' parser alone", "files", 2, "×",
         lambda f: f["csv"]["times_parse"]),
    Goal("night file of 8 h → result files", "files", 3, "s", night_seconds_8_h),
    Goal("processor time of 1000 nights of 8 h from CSV", "files", 0.8, "h",
         lambda f: f["cohort"]["vcpu_hours_per_1000_nights"] * 8 / f["hours"]),
    Goal("100,000 movements in 8 h", "events", 25, "s", most_movements_s),
    Goal("peak memory of 8 h, above the interpreter with numpy, scipy, pandas", "length", 50, "MB",
         memory_mb(8)),
    Goal("— of seven days", "length", 150, "MB", memory_mb(168)),
    Goal("seven days relative to 8 h", "length", 21.5, "×", week_over_8_h),
    Goal("live: share of one core", "live", 0.4, "%",
         lambda f: 100 * f["wearable"]["share_of_core"]),
    Goal("live: computing time per packet, 99th percentile", "live", 0.5, "ms",
         lambda f: f["wearable"]["p99_ms"]),
    Goal("live, packets of 20 ms: from the end of a twitch to its row, 95th percentile", "live",
         300, "ms", delay_ms("twitch")),
    Goal("— the same for a jerk", "live", 500, "ms", delay_ms("jerk")),
    Goal("wearables that one process records and analyses live without loss", "devices", 150, "",
         lambda f: f["most_lossless"], True),
    Goal("numpy and scipy alone, 8 h, one thread", "engines", 6, "s", scipy_seconds_8_h),
    Goal("`twitchsense --help`", "start", 0.25, "s", lambda f: f["help_s"]),
    Goal("`import twitchsense` in addition to numpy", "start", 0.15, "s", lambda f: f["import_s"]),
)  # fmt: skip
