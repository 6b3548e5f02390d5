"""The histogram of intervals between successive leg movements."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twitchsense.model.intervals import prefix_sums
from twitchsense.report.figures import new_axes, style_axes
from twitchsense.report.palette import GRID_COLOR, MUTED_COLOR, TEXT_COLOR, kind_color
from twitchsense.report.protocols import NightLike

#: Interval (s) from onset to onset in a periodic series, both limits included (WASM 2016;
#: docs/definitions.md, Leg movements).
PERIODIC_INTERVAL_S: Final = (10.0, 90.0)
#: Minimum valid share of an interval; in a shorter one a movement could have been missed.
_MIN_VALID_SHARE: Final = 0.9


def movement_intervals(night: NightLike) -> NDArray[np.float64]:
    """Return the intervals between successive leg movements, onset to onset.

    Parameters
    ----------
    night : Night

    Returns
    -------
    ndarray of float64, shape (n,)
        Seconds, in the order of the night, both legs together. Intervals of which more than
        a tenth was not valid are left out: a movement in them would have been missed.
    """
    events = night.events
    onset = np.sort(events.loc[events["trial_type"] == "movement", "onset"].to_numpy(np.float64))
    if len(onset) < 2:
        return np.empty(0)
    valid = np.zeros(len(onset) - 1)
    for table in night.seconds.values():
        start = table.time_ns / 1e9
        total = prefix_sums(table.length_s * table.valid)
        before = total[np.searchsorted(start, onset)]
        valid = np.maximum(valid, before[1:] - before[:-1])
    interval = np.diff(onset)
    # whole seconds are counted: a fully valid interval may miss up to one second in all
    keep = (valid + 1.0 >= _MIN_VALID_SHARE * interval) | (interval < 2.0)
    return np.asarray(interval[keep])


def plot_intervals(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the histogram of the intervals between leg movements, 2-s bins up to 90 s.

    The range of periodic series (10 to 90 s) is shaded.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(6, 2.6)
    interval = movement_intervals(night)
    ax.axvspan(*PERIODIC_INTERVAL_S, color=GRID_COLOR, alpha=0.35, lw=0)
    ax.hist(interval, bins=np.arange(0, 92, 2).tolist(), color=kind_color("movement"))
    n_longer = int((interval > 90).sum())
    ax.set_xlim(0, 90)
    ax.set_xticks(range(0, 91, 10))
    ax.set_xlabel("seconds from one leg movement to the next", fontsize=8, color=MUTED_COLOR)
    ax.set_ylabel("intervals", fontsize=8, color=TEXT_COLOR)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    style_axes(ax)
    title = f"{len(interval)} intervals" + (f", {n_longer} longer than 90 s" if n_longer else "")
    ax.set_title(title if len(interval) else "fewer than two leg movements", fontsize=8, loc="left")
    return ax
