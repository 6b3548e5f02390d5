"""Plot the sleep stages of a hypnogram on the time axis of the night."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from twitchsense.model.intervals import runs_of
from twitchsense.report.figures import new_axes, remove_frame
from twitchsense.report.palette import GRID_COLOR, TEXT_COLOR
from twitchsense.report.protocols import NightLike
from twitchsense.report.sleep_statistics import STAGE_NAMES, stages_of_epochs


def plot_hypnogram(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the sleep stages of a hypnogram as steps, with their scale; REM sleep as a bar.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(10, 1.2)
    table = night.epochs
    stage = stages_of_epochs(night)
    names = [s for s in STAGE_NAMES if s != "S" or (stage == "S").any()]
    level = np.array([names.index(s) if s in names else math.nan for s in stage], np.float64)
    start, length = (table[c].to_numpy(np.float64) for c in ("onset", "duration"))
    x = np.column_stack([start, start + length]).ravel()
    ax.plot(x, np.repeat(level, 2), color=TEXT_COLOR, lw=0.9, rasterized=len(x) > 6000)
    rem = [(start[a], start[b - 1] + length[b - 1] - start[a]) for a, b in runs_of(stage == "R")]
    ax.broken_barh(rem, (names.index("R") - 0.15, 0.3), facecolors=TEXT_COLOR, lw=0)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), names)
    ax.grid(axis="y", color=GRID_COLOR, lw=0.6)
    remove_frame(ax)
    return ax
