"""Fasciculation-like twitches per minute of wake at rest, for ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond
from twitchsense.scoring.indices.rates import per_minute_block, rate_block
from twitchsense.settings import Settings
from twitchsense.sleep.active_wake import resting_seconds
from twitchsense.sleep.context import Context

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Distance of an isolated twitch from both neighbours (exceeded), s
#: (Sleutjes et al. 2016, Muscle Nerve 53:227, doi:10.1002/mus.24712).
ISOLATED_S: Final = 0.25
#: Reasons why a channel has no rate.
NO_WAKE_AT_REST: Final = "no valid wake at rest"
WAKE_UNKNOWN: Final = "not known when the person was awake"
#: Seconds of rest that a window may lack and still count as complete.
_WINDOW_SLACK_S: Final = 1.5


def fasciculation_block(
    events: pd.DataFrame, context: Context, seconds: Mapping[str, PerSecond], settings: Settings
) -> dict[str, Any]:
    """Count fasciculation-like twitches per minute of wake at rest, by channel.

    Time in active wake is excluded from the denominator, because twitches in active
    wake are not counted. Time of unknown context is not wake: its twitches have the label,
    but no rate here.

    Parameters
    ----------
    events : DataFrame
        Labelled event table.
    context : Context
        Sleep and wake of the recording.
    seconds : mapping of channel name to PerSecond
        Per-second statistics.
    settings : Settings
        Thresholds of active wake.

    Returns
    -------
    dict
        The value of ``fasciculations`` in ``summary.json``.
    """
    out: dict[str, Any] = {
        "rule": "twitches of 50 µV and more (setting) per valid minute of wake at rest",
        "channels": {},
    }
    missing: dict[str, str] = {}
    in_wake = events["context"] == "wake"
    selected = ((events["label"] == "fasciculation_like") & in_wake).to_numpy()
    for name, table in seconds.items():
        if table.kind != "emg":
            continue
        middle = table.middle_s
        rest = resting_seconds(table, context, settings)
        where = context.at(middle)
        is_unknown = bool((rest & (where == "unknown")).any())
        rest &= where == "wake"
        minutes = float(table.length_s[rest].sum(dtype=np.float64)) / 60
        on_channel = selected & (events["channel"] == name).to_numpy()
        onset = events["onset"].to_numpy(np.float64)[on_channel]
        cell = per_minute_block(rate_block(len(onset), minutes))
        for width in (1, 2):
            cell[f"most_in_{width}_min"] = _max_count(onset, table, rest, 60.0 * width)
        cell["n_isolated"] = _count_isolated(onset)
        out["channels"][name] = cell
        if not minutes > 0:
            missing[name] = WAKE_UNKNOWN if is_unknown else NO_WAKE_AT_REST
    if not out["channels"]:
        missing["channels"] = "no muscle signal (EMG)"
    return {**out, "not_computable": missing}


def _count_isolated(onset: Floats) -> int:
    """Return how many onsets are farther than `ISOLATED_S` from both neighbours."""
    if len(onset) == 0:
        return 0
    far = np.diff(onset) > ISOLATED_S
    return int((np.concatenate([[True], far]) & np.concatenate([far, [True]])).sum())


def _max_count(onset: Floats, table: PerSecond, rest: Bools, width_s: float) -> int | None:
    """Return the largest number of twitches in a complete window of rest; None without one."""
    at = np.floor(table.middle_s / width_s).astype(np.int64)
    if not rest.any():
        return None
    first = int(at.min())
    rest_s = np.bincount((at - first)[rest], weights=table.length_s[rest])
    complete = np.flatnonzero(rest_s >= width_s - _WINDOW_SLACK_S) + first
    if len(complete) == 0:
        return None
    count = pd.Series(np.floor(onset / width_s).astype(np.int64)).value_counts()
    return int(count.reindex(complete, fill_value=0).max())
