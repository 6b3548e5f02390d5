"""What other methods say of sleep onset: Cole-Kripke, Sadeh, HDCZA, muscle tone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.settings import ContextSettings
from twitchsense.sleep.actigraphy import (
    MINUTE_S,
    cole_kripke_asleep,
    first_run,
    hdcza,
    sadeh_asleep,
)
from twitchsense.sleep.activity_counts import Counts
from twitchsense.sleep.inactivity import (
    ASLEEP,
    BIN_S,
    BINS,
    EPOCH_S,
    Stillness,
    find_still,
    mask_events,
)

Floats = NDArray[np.float64]

#: A minute of counts needs this many seconds that are not masked [E].
_LEAST_S: Final = 30.0


def ask_others(
    still: Stillness,
    counts: Mapping[str, Counts],
    tone: Floats,
    events: pd.DataFrame,
    settings: ContextSettings,
) -> dict[str, float | None]:
    """Return the sleep onset (s) by each method, None where it finds no sleep.

    Cole-Kripke and Sadeh: the first minute of `still_min` minutes scored as sleep.
    HDCZA: the start of the sleep period. Tone: the first stillness in which the
    muscle is relaxed as well. A method without its signal is left out.
    """
    found: dict[str, float | None] = {}
    if counts:
        first, minutes = count_minutes(counts, events, still, settings)
        least = round(settings.still_min)
        for name, asleep in (
            ("cole_kripke", cole_kripke_asleep(minutes)),
            ("sadeh", sadeh_asleep(minutes)),
        ):
            at = first_run(asleep, least)
            found[name] = None if at is None else float((first + at) * MINUTE_S)
    if still.seen.any():
        period = hdcza(still.turn_deg, BIN_S)
        found["hdcza"] = None if period is None else float(still.grid.bins_s[period[0]])
    if not np.isnan(tone).all() and still.seen.any():
        found["tone"] = _relaxed(still, tone, settings)
    return found


def count_minutes(
    counts: Mapping[str, Counts],
    events: pd.DataFrame,
    still: Stillness,
    settings: ContextSettings,
) -> tuple[int, Floats]:
    """Return the index of the first minute, and counts per minute (vector magnitude).

    Seconds that hold a leg event, or in which the sensor was not worn, are left
    out and the rest stands for the minute; NaN if less than half of it is left.
    Of several sensors the busiest counts.
    """
    first = still.grid.first * EPOCH_S // MINUTE_S
    n = -(-(still.grid.first + still.grid.n) * EPOCH_S // MINUTE_S) - first
    out = np.full(max(n, 0), np.nan)
    for table in counts.values():
        middle = table.time_ns / 1e9 + table.length_s / 2
        bins = np.floor(middle / BIN_S).astype(np.int64) - still.grid.first * BINS
        known = (bins >= 0) & (bins < len(still.seen))
        known[known] = still.seen[bins[known]]
        known &= ~mask_events(table, events, settings)
        at = np.floor(middle / MINUTE_S).astype(np.int64) - first
        seconds = np.bincount(at[known], table.length_s[known], minlength=n)[:n]
        axes = [np.bincount(at[known], c[known], minlength=n)[:n] for c in table.counts.T]
        magnitude = np.sqrt(np.sum(np.square(axes), axis=0))
        with np.errstate(invalid="ignore", divide="ignore"):
            minute = np.where(seconds >= _LEAST_S, magnitude * MINUTE_S / seconds, np.nan)
        out = np.fmax(out, minute)
    return first, out


def _relaxed(still: Stillness, tone: Floats, settings: ContextSettings) -> float | None:
    tense = np.repeat(tone >= settings.tone_uv, BINS)
    asleep = (find_still(still, settings) == ASLEEP) & ~tense
    at = first_run(asleep.astype(np.float64), round(settings.still_min * 60 / BIN_S))
    return None if at is None else float(still.grid.bins_s[at])
