"""The weeks as one HTML page that works offline, without scripts."""

from __future__ import annotations

import math
from typing import Any

from twitchsense.report import palette, static_text
from twitchsense.report.page import Picture, make_environment
from twitchsense.report.palette import kind_name
from twitchsense.report.svg import data_uri, new_figure
from twitchsense.report.trend_plot import plot_trend
from twitchsense.trend.association import LEAST_NIGHTS, LEAST_SIDE
from twitchsense.trend.nights import OUTCOMES
from twitchsense.trend.weeks import LEAST_FOR_USUAL, Weeks


def render_weeks(weeks: Weeks) -> str:
    """Return the page of many nights as HTML."""
    return (
        make_environment()
        .get_template("trend.html.j2")
        .render(
            title=_title(weeks),
            sentences=sentences(weeks),
            pictures=[_picture(weeks, kind) for kind in OUTCOMES],
            nights=[_night(row) for row in weeks.nights.to_dict(orient="records")],
            found=weeks.found,
            notes=weeks.notes,
            static_text=static_text,
            palette=palette,
            least_nights=LEAST_NIGHTS,
            least_side=LEAST_SIDE,
        )
    )


def sentences(weeks: Weeks) -> list[str]:
    """Return the weeks in a few plain sentences."""
    n = len(weeks.nights)
    nights = "night" if n == 1 else "nights"
    if n < LEAST_FOR_USUAL:
        out = [
            f"{n} {nights} so far. From {LEAST_FOR_USUAL} nights on, this page says what is "
            "usual for you: single nights differ much from each other."
        ]
    else:
        out = [f"{n} {nights}."]
        for kind in OUTCOMES:
            usual = weeks.usual[kind]
            if math.isfinite(usual.median):
                out.append(
                    f"{kind_name(kind, 2).capitalize()}: in half of the nights between "
                    f"{usual.quarter:.1f} and {usual.three_quarters:.1f} per hour "
                    f"(median {usual.median:.1f}); over all nights {usual.mean:.1f} per hour, "
                    f"95 % interval {usual.low:.1f}–{usual.high:.1f}."
                )
    if weeks.found:
        clear = [a for a in weeks.found if a.answer in ("more", "fewer")]
        waiting = sum(a.answer == "not enough nights yet" for a in weeks.found)
        if clear:
            out += [a.text for a in clear]
        elif waiting == len(weeks.found):
            out.append(
                f"The diary cannot be compared yet: at least {LEAST_NIGHTS} nights, and "
                f"{LEAST_SIDE} on each side, are needed. That is a normal answer."
            )
        else:
            out.append("Nothing in the diary makes a clear difference so far.")
    return out


def _title(weeks: Weeks) -> str:
    days = [d for d in weeks.nights["evening"] if hasattr(d, "isoformat")]
    if not days:
        return "The nights together"
    first, last = min(days), max(days)
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


def _picture(weeks: Weeks, kind: str) -> Picture:
    figure = new_figure(10.0, 2.3)
    plot_trend(weeks, kind, figure.add_subplot())
    many = kind_name(kind, 2)
    usual = weeks.usual[kind]
    alt = f"{many.capitalize()} per hour of valid signal, night by night"
    if math.isfinite(usual.median):
        alt += f": median {usual.median:.1f}"
    return Picture(data_uri(figure), alt, many.capitalize())


def _night(row: dict[Any, Any]) -> dict[str, str]:
    evening = row["evening"]
    cells = {"evening": evening.isoformat() if hasattr(evening, "isoformat") else "unknown"}
    for kind in OUTCOMES:
        if math.isfinite(row[f"{kind}_rate"]):
            cells[kind] = (
                f"{row[f'{kind}_rate']:.1f} ({row[f'{kind}_low']:.1f}–{row[f'{kind}_high']:.1f})"
            )
        else:
            cells[kind] = "no valid signal"
    cells["hours"] = f"{max(row[f'{k}_hours'] for k in OUTCOMES):.1f}"
    cells["source"] = str(row["source"])
    return cells
