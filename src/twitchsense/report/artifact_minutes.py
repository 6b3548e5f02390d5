"""Minutes in which disturbances were many: judged, but with less certainty."""

from __future__ import annotations

from typing import Final

import numpy as np

from twitchsense.report.protocols import NightLike

#: What is turned down as no movement of the body and no heart: contact, cable, amplifier, hum.
REASONS: Final = ("electrode_pop", "saturation", "noise_floor", "mains")
#: From so many in a minute on, one every ten seconds, they are many [E].
MANY: Final = 6
_MINUTE_S: Final = 60.0


def disturbed(night: NightLike) -> list[tuple[float, float]]:
    """Return stretches of whole minutes with many disturbances, as start and length in seconds."""
    table = night.rejected
    onset = table.loc[table["reason"].isin(REASONS), "onset"].to_numpy(np.float64)
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    minute, count = np.unique(np.floor((onset - start) / _MINUTE_S), return_counts=True)
    minute = minute[count >= MANY]
    if not len(minute):
        return []
    runs = np.split(minute, np.flatnonzero(np.diff(minute) > 1) + 1)
    edges = [(start + _MINUTE_S * run[0], start + _MINUTE_S * (run[-1] + 1)) for run in runs]
    return [(float(a), float(min(b, stop) - a)) for a, b in edges]
