"""One outcome over the weeks, as a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from twitchsense.report.palette import GRID, INK, MUTED, kind_color, kind_name
from twitchsense.report.svg import own_axes, tidy
from twitchsense.trend.weeks import Weeks

_DAYS: int = 7  # of the running median


def plot_trend(weeks: Weeks, kind: str = "twitch", ax: Axes | None = None) -> Axes:
    """Draw the rate of each night with its 95 % interval, and the median of a week.

    Parameters
    ----------
    weeks : Weeks
        From `read_weeks`.
    kind : {'twitch', 'jerk', 'movement'}
    ax : Axes, optional
        Where to draw; a new pyplot figure unless given.

    Returns
    -------
    Axes
    """
    ax = ax or own_axes(9, 2.4)
    table = weeks.nights
    table = table[table["evening"].notna() & table[f"{kind}_rate"].notna()]
    color = kind_color(kind)
    ax.set_ylabel(f"{kind_name(kind, 2)} per hour", fontsize=8, color=INK)
    tidy(ax)
    ax.grid(axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    if table.empty:
        ax.set_xticks([])
        ax.text(0.5, 0.5, "no night with a date and valid signal", transform=ax.transAxes,
                ha="center", fontsize=8, color=MUTED)  # fmt: skip
        return ax
    day = np.asarray(date2num(list(table["evening"])), np.float64)  # type: ignore[no-untyped-call]
    rate, low, high = (
        table[f"{kind}_{part}"].to_numpy(np.float64) for part in ("rate", "low", "high")
    )
    usual = weeks.usual[kind]
    if np.isfinite(usual.quarter):
        ax.axhspan(usual.quarter, usual.three_quarters, color=color, alpha=0.10, lw=0)
    ax.vlines(day, low, high, color=color, lw=1.0, alpha=0.55)
    ax.plot(day, rate, ls="none", marker="o", ms=3.5, color=color)
    around = [rate[np.abs(day - d) <= _DAYS // 2] for d in day]
    if len(day) >= _DAYS:
        ax.plot(day, [float(np.median(r)) for r in around], color=INK, lw=1.2)
    # one wild interval must not press the others flat
    top = float(np.quantile(high, 0.9)) * 1.15
    ax.set_ylim(0, max(top, float(rate.max()) * 1.1, 1.0))
    ax.set_xlim(day[0] - 0.7, day[-1] + 0.7)
    locator = AutoDateLocator(minticks=2, maxticks=8)  # type: ignore[no-untyped-call]
    locator.intervald[3] = [1, 2, 3, 7, 14]  # whole days at the least
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    return ax
