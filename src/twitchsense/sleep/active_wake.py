"""Active wake: times at which the leg is in use, so that bursts are not twitches at rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import prefix_sums
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Half the width of the window around each time, s.
HALF_WINDOW_S: Final = 30.0


def is_active_wake(
    events: pd.DataFrame, context: Context, settings: Settings, seconds: Mapping[str, PerSecond]
) -> Bools:
    """Return whether the leg is in use around each event.

    The leg is in use if its epoch's activity, with leg events masked, reaches
    ``context.quiet_g``, or if muscle activity fills more than ``labels.active_share``
    of the valid minute around the event. The EMG channel of the event decides; for
    events of an accelerometer, the most active EMG channel does.

    Parameters
    ----------
    events : DataFrame
        Columns ``onset`` (s) and ``channel``.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        The thresholds.
    seconds : mapping of channel name to PerSecond
        Per-second statistics.

    Returns
    -------
    ndarray of bool, shape (events,)
    """
    times = events["onset"].to_numpy(np.float64)
    moving = context.activity_at(times) >= settings.context.quiet_g
    share = np.zeros(len(events))
    channel = events["channel"].to_numpy(object)
    emg = {name: s for name, s in seconds.items() if s.kind == "emg"}
    for name, table in emg.items():
        rows = (channel == name) | ~np.isin(channel, list(emg))
        share[rows] = np.maximum(share[rows], _active_share_around(table, times[rows]))
    return np.asarray(moving | (share > settings.labels.active_share))


def resting_seconds(table: PerSecond, context: Context, settings: Settings) -> Bools:
    """Return the valid seconds of an EMG channel in which the leg is not in use.

    Parameters
    ----------
    table : PerSecond
        Per-second statistics of the channel.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        The thresholds; see `is_active_wake`.

    Returns
    -------
    ndarray of bool, shape (seconds,)
    """
    middle = table.middle_s
    active = _active_share_around(table, middle) > settings.labels.active_share
    moving = context.activity_at(middle) >= settings.context.quiet_g
    return np.asarray(table.valid & ~active & ~moving)


def _active_share_around(table: PerSecond, times: Floats) -> Floats:
    """Return the share of muscle activity in the valid signal within ±30 s of each time."""
    valid_s = table.length_s.astype(np.float64) * table.valid
    middle = table.middle_s
    total = prefix_sums(valid_s)
    active = prefix_sums(valid_s * table.active_fraction)
    first = np.searchsorted(middle, times - HALF_WINDOW_S)
    after = np.searchsorted(middle, times + HALF_WINDOW_S)
    window_s = total[after] - total[first]
    share: Floats = np.divide(
        active[after] - active[first], window_s, out=np.zeros(len(times)), where=window_s > 0
    )
    return share
