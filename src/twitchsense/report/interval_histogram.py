"""The histogram of intervals between successive leg movements."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twitchsense.model.intervals import prefix_sums
from twitchsense.report.figures import SMALL_TEXT, new_axes, style_axes
from twitchsense.report.palette import MUTED_COLOR, TEXT_COLOR, kind_color
from twitchsense.report.protocols import NightLike
from twitchsense.scoring.leg_movements.recording_indices import find_leg_movements
from twitchsense.scoring.leg_movements.rules import S, get_rules
from twitchsense.settings import Settings

#: Range (s) in which the most frequent interval of periodic series lies (Ferri et al. 2006).
TYPICAL_INTERVAL_S: Final = (15.0, 35.0)
#: Width of a bin of the histogram, s.
_BIN_S: Final = 2.0
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
        Seconds, in the order of the night. A movement of both legs counts once, by the rules
        chosen (``limb.rules``). Intervals of which more than a tenth was not valid are left out:
        a movement in them would have been missed.
    """
    rows = night.events[night.events["trial_type"] == "movement"]
    taken = np.zeros(len(rows), bool)
    found = find_leg_movements(rows, night.settings.limb.rules, taken)
    onset = np.sort(found.movements.onset) / S
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


def periodic_interval_s(settings: Settings) -> tuple[float, float]:
    """Return the limits of the interval in a periodic series, from onset to onset.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    tuple of float
        Shortest and longest interval by the rules chosen (``limb.rules``), both included, s.
    """
    rules = get_rules(settings.limb.rules)
    return rules.min_imi / S, rules.max_imi / S


def plot_intervals(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the histogram of the intervals between leg movements, in 2-s bins.

    It ends at the longest interval of a periodic series; the range of periodic series by the
    rules chosen (``limb.rules``) is shaded.

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
    shortest, longest = periodic_interval_s(night.settings)
    ax.axvspan(shortest, longest, color=kind_color("movement"), alpha=0.1, lw=0)
    ax.hist(
        interval, bins=np.arange(0, longest + _BIN_S, _BIN_S).tolist(), color=kind_color("movement")
    )
    n_longer = int((interval > longest).sum())
    ax.set_xlim(0, longest)
    ax.set_xticks(range(0, int(longest) + 1, 10))
    ax.set_xlabel(
        "seconds from one leg movement to the next", fontsize=SMALL_TEXT, color=MUTED_COLOR
    )
    ax.set_ylabel("intervals", fontsize=SMALL_TEXT, color=TEXT_COLOR)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    style_axes(ax)
    title = f"{len(interval)} intervals"
    if n_longer:
        title += f", {n_longer} longer than {longest:g} s"
    ax.set_title(
        title if len(interval) else "fewer than two leg movements", fontsize=SMALL_TEXT, loc="left"
    )
    return ax
