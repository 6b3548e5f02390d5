"""Active wake: where the leg is in use, so that bursts are no twitches at rest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings
from twitchsense.sleep.tagging import Context

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: The minute around a time: this much to either side.
AROUND_S = 30.0


def is_active(
    events: pd.DataFrame, context: Context, settings: Settings, seconds: Mapping[str, PerSecond]
) -> Bools:
    """Return whether the leg is in use around each event, other than by leg events."""
    times = events["onset"].to_numpy(np.float64)
    moving = context.activity_at(times) >= settings.context.quiet_g
    share = np.zeros(len(events))
    channel = events["channel"].to_numpy(object)
    emg = {name: s for name, s in seconds.items() if s.kind == "emg"}
    for name, table in emg.items():
        # the channel that saw it; where that is an accelerometer, the busiest EMG
        rows = (channel == name) | ~np.isin(channel, list(emg))
        share[rows] = np.maximum(share[rows], _busy_around(table, times[rows]))
    return np.asarray(moving | (share > settings.labels.active_share))


def resting_seconds(table: PerSecond, context: Context, settings: Settings) -> Bools:
    """Return the valid seconds of an EMG channel in which the leg is not in use."""
    middle = table.middle_s
    busy = _busy_around(table, middle) > settings.labels.active_share
    moving = context.activity_at(middle) >= settings.context.quiet_g
    return np.asarray(table.valid & ~busy & ~moving)


def _busy_around(table: PerSecond, times: Floats) -> Floats:
    """Return the share of the valid signal within ±30 s that is muscle activity."""
    valid_s = table.length_s.astype(np.float64) * table.valid
    middle = table.middle_s
    total = np.concatenate([[0.0], np.cumsum(valid_s)])
    busy = np.concatenate([[0.0], np.cumsum(valid_s * table.active_fraction)])
    first = np.searchsorted(middle, times - AROUND_S)
    after = np.searchsorted(middle, times + AROUND_S)
    seen = total[after] - total[first]
    share: Floats = np.divide(
        busy[after] - busy[first], seen, out=np.zeros(len(times)), where=seen > 0
    )
    return share
