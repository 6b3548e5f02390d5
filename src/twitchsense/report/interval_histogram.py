"""How long it was from one leg movement to the next."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twitchsense.report.palette import GRID, INK, MUTED, kind_color
from twitchsense.report.protocols import NightLike
from twitchsense.report.svg import own_axes, tidy

#: Onset to onset in a periodic series, both ends included (WASM 2016).
PERIODIC_S = (10.0, 90.0)
#: An interval counts only if at least so much of it could be judged.
_SEEN = 0.9


def movement_intervals(night: NightLike) -> NDArray[np.float64]:
    """Return the intervals between leg movements, onset to onset.

    Parameters
    ----------
    night : Night

    Returns
    -------
    ndarray of float64, shape (n,)
        Seconds, in the order of the night, both legs together. An interval of
        which more than a tenth could not be judged is left out: a movement in
        it would not have been seen.
    """
    events = night.events
    onset = np.sort(events.loc[events["trial_type"] == "movement", "onset"].to_numpy(np.float64))
    if len(onset) < 2:
        return np.empty(0)
    seen = np.zeros(len(onset) - 1)
    for table in night.seconds.values():
        start = table.time_ns / 1e9
        total = np.concatenate([[0.0], np.cumsum(table.length_s * table.valid)])
        part = total[np.searchsorted(start, onset[1:])] - total[np.searchsorted(start, onset[:-1])]
        seen = np.maximum(seen, part)
    gap = np.diff(onset)
    # whole seconds: a valid interval may miss up to one at each end
    return np.asarray(gap[(seen + 1.0 >= _SEEN * gap) | (gap < 2.0)])


def plot_intervals(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the histogram of the intervals between leg movements, 2-s bins to 90 s.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Where to draw; a new pyplot figure unless given.

    Returns
    -------
    Axes
    """
    ax = ax or own_axes(6, 2.6)
    gap = movement_intervals(night)
    ax.axvspan(*PERIODIC_S, color=GRID, alpha=0.35, lw=0)
    ax.hist(gap, bins=np.arange(0, 92, 2).tolist(), color=kind_color("movement"))
    later = int((gap > 90).sum())
    ax.set_xlim(0, 90)
    ax.set_xticks(range(0, 91, 10))
    ax.set_xlabel("seconds from one leg movement to the next", fontsize=8, color=MUTED)
    ax.set_ylabel("intervals", fontsize=8, color=INK)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    tidy(ax)
    note = f"{len(gap)} intervals" + (f", {later} longer than 90 s" if later else "")
    ax.set_title(note if len(gap) else "fewer than two leg movements", fontsize=8, loc="left")
    return ax
