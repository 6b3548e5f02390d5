"""Plot a trend over many nights, and render it as one HTML page without scripts."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, date2num, num2date
from matplotlib.ticker import FuncFormatter

from twitchsense.report import palette, static_text
from twitchsense.report.figures import (
    SMALL_TEXT,
    new_axes,
    new_figure,
    own_settings,
    style_axes,
    svg_data_uri,
)
from twitchsense.report.number_text import format_interval
from twitchsense.report.page import PageFigure, make_environment
from twitchsense.report.palette import (
    GRID_COLOR,
    MUTED_COLOR,
    TEXT_COLOR,
    kind_color,
    kind_name,
)
from twitchsense.trend.association import MIN_NIGHTS, MIN_NIGHTS_PER_GROUP
from twitchsense.trend.nights import MIN_NIGHTS_FOR_TYPICAL, OUTCOMES
from twitchsense.trend.weeks import Weeks

#: Width (days) of the running median.
_MEDIAN_DAYS: Final = 7


def plot_trend(weeks: Weeks, kind: str = "twitch", ax: Axes | None = None) -> Axes:
    """Draw the rate of each night with its 95 % interval, and the running median of 7 days.

    The band holds the middle half of the nights; it is drawn from five nights on.

    Parameters
    ----------
    weeks : Weeks
        From `twitchsense.read_weeks`.
    kind : {'twitch', 'jerk', 'movement'}
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(9, 2.4)
    table = weeks.nights
    table = table[table["evening"].notna() & table[f"{kind}_rate"].notna()]
    color = kind_color(kind)
    ax.set_ylabel(f"{kind_name(kind, 2)} per hour", fontsize=SMALL_TEXT, color=TEXT_COLOR)
    style_axes(ax)
    ax.grid(axis="y", color=GRID_COLOR, lw=0.6)
    ax.set_axisbelow(True)
    if table.empty:
        ax.set_xticks([])
        text = "no night with a date and valid signal"
        ax.text(
            0.5,
            0.5,
            text,
            transform=ax.transAxes,
            ha="center",
            fontsize=SMALL_TEXT,
            color=MUTED_COLOR,
        )
        return ax
    day = np.asarray(date2num(list(table["evening"])), np.float64)  # type: ignore[no-untyped-call]
    rate, low, high = (
        table[f"{kind}_{part}"].to_numpy(np.float64) for part in ("rate", "low", "high")
    )
    typical = weeks.typical[kind]
    if np.isfinite(typical.lower_quartile):
        ax.axhspan(typical.lower_quartile, typical.upper_quartile, color=color, alpha=0.10, lw=0)
    ax.vlines(day, low, high, color=color, lw=1.0, alpha=0.55)
    ax.plot(day, rate, ls="none", marker="o", ms=3.5, color=color)
    if len(day) >= _MEDIAN_DAYS:
        medians = [float(np.median(rate[np.abs(day - d) <= _MEDIAN_DAYS // 2])) for d in day]
        ax.plot(day, medians, color=TEXT_COLOR, lw=1.2)
    # the scale ignores the widest tenth of the intervals, which would flatten all others
    top = float(np.quantile(high, 0.9)) * 1.15
    ax.set_ylim(0, max(top, float(rate.max()) * 1.1, 1.0))
    ax.set_xlim(day[0] - 0.7, day[-1] + 0.7)
    locator = AutoDateLocator(minticks=2, maxticks=8)  # type: ignore[no-untyped-call]
    locator.intervald[3] = [1, 2, 3, 7, 14]  # whole days at least
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(FuncFormatter(_day_label))
    return ax


def _day_label(day: float, _: int | None = None) -> str:
    """Return the label of a day on the time axis, such as ``3 Mar``."""
    date = num2date(day)  # type: ignore[no-untyped-call]
    return f"{date.day} {date:%b}"


@own_settings()
def render_weeks(weeks: Weeks) -> str:
    """Return the page of many nights as HTML.

    Parameters
    ----------
    weeks : Weeks

    Returns
    -------
    str
    """
    template = make_environment().get_template("trend.html.j2")
    return template.render(
        title=_title(weeks),
        sentences=trend_sentences(weeks),
        figures=[_trend_figure(weeks, kind) for kind in OUTCOMES],
        nights=[_night_row(night) for night in weeks.nights.to_dict(orient="records")],
        comparisons=weeks.comparisons,
        notes=weeks.notes,
        static_text=static_text,
        palette=palette,
        has_band=any(math.isfinite(weeks.typical[k].lower_quartile) for k in OUTCOMES),
        has_median=any(_dated_rates(weeks, k) >= _MEDIAN_DAYS for k in OUTCOMES),
        min_nights=MIN_NIGHTS,
        min_nights_per_group=MIN_NIGHTS_PER_GROUP,
    )


def _dated_rates(weeks: Weeks, kind: str) -> int:
    """Return the number of nights that the plot of a kind shows."""
    table = weeks.nights
    return int((table["evening"].notna() & table[f"{kind}_rate"].notna()).sum())


def trend_sentences(weeks: Weeks) -> list[str]:
    """Return the typical rates, and the result of the diary, in a few sentences.

    Parameters
    ----------
    weeks : Weeks

    Returns
    -------
    list of str
    """
    n = len(weeks.nights)
    nights = "night" if n == 1 else "nights"
    if n < MIN_NIGHTS_FOR_TYPICAL:
        out = [
            f"{n} {nights} so far. From {MIN_NIGHTS_FOR_TYPICAL} nights on, this page says what is "
            "usual for you: single nights differ much from each other."
        ]
    else:
        out = [f"{n} {nights}."]
        for kind in OUTCOMES:
            typical = weeks.typical[kind]
            if math.isfinite(typical.median):
                out.append(
                    f"{kind_name(kind, 2).capitalize()}: median {typical.median:.1f} per hour "
                    f"(half of the nights {typical.lower_quartile:.1f}–"
                    f"{typical.upper_quartile:.1f}); mean {typical.mean:.1f} per hour "
                    f"(95 % interval {typical.mean_low:.1f}–{typical.mean_high:.1f})."
                )
    if weeks.comparisons:
        clear = [c for c in weeks.comparisons if c.answer in ("more", "fewer")]
        n_too_few = sum(c.answer == "not enough nights yet" for c in weeks.comparisons)
        if clear:
            out += [c.text for c in clear]
        elif n_too_few == len(weeks.comparisons):
            out.append(
                f"The diary cannot be compared yet: at least {MIN_NIGHTS} nights, and "
                f"{MIN_NIGHTS_PER_GROUP} on each side, are needed. "
                "This is a normal result in the first weeks."
            )
        else:
            out.append("Nothing in the diary makes a clear difference so far.")
    return out


def _title(weeks: Weeks) -> str:
    days = [d for d in weeks.nights["evening"] if hasattr(d, "isoformat")]
    if not days:
        return "All nights"
    first, last = min(days), max(days)
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


def _trend_figure(weeks: Weeks, kind: str) -> PageFigure:
    figure = new_figure(10.0, 2.3)
    plot_trend(weeks, kind, figure.add_subplot())
    name = kind_name(kind, 2).capitalize()
    typical = weeks.typical[kind]
    alt = f"{name} per hour of valid signal, night by night"
    if math.isfinite(typical.median):
        alt += f": median {typical.median:.1f}"
    return PageFigure(svg_data_uri(figure), alt, name)


def _night_row(night: dict[Any, Any]) -> dict[str, str]:
    """Return the cells of one night's row in the table of nights."""
    evening = night["evening"]
    cells = {"evening": evening.isoformat() if hasattr(evening, "isoformat") else "unknown"}
    for kind in OUTCOMES:
        rate, low, high = (night[f"{kind}_{part}"] for part in ("rate", "low", "high"))
        cells[kind] = format_interval(rate, low, high) if math.isfinite(rate) else "no valid signal"
    cells["hours"] = f"{max(night[f'{k}_hours'] for k in OUTCOMES):.1f}"
    cells["source"] = str(night["source"])
    return cells
