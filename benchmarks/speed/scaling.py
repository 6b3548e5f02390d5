"""Time and memory as a function of length, number of channels and number of events."""

from __future__ import annotations

from typing import Any

from twitchsense.bench.process import measure_cost, measure_memory
from twitchsense.bench.synthetic import Arrays, make_tile, tile_recording
from twitchsense.results.night import analyze


def by_length(hours: tuple[float, ...]) -> list[dict[str, Any]]:
    """Measure nights of several lengths (h), each in a fresh process.

    The signal repeats a tile, so that the memory is that of the analysis.
    """
    tile = make_tile()
    return [measure_memory(tile, 3600 * h) for h in hours]


def by_channels(counts: tuple[int, ...], hours: float) -> list[dict[str, Any]]:
    """Measure several numbers of EMG channels on one leg, with one accelerometer."""
    return [{"channels": n, **_time(make_tile(n_emg=n), hours)} for n in counts]


def by_events(counts: tuple[int, ...], hours: float) -> list[dict[str, Any]]:
    """Measure nights with several numbers of movements in the signal."""
    return [{"put_in": n, **_time(make_tile(events_per_h=n / hours), hours)} for n in counts]


def _time(tile: Arrays, hours: float) -> dict[str, Any]:
    recording = tile_recording(tile, 3600 * hours)
    found = {}

    def job() -> None:
        night = analyze(recording)
        found.update(events=len(night.events), rejected=len(night.rejected))

    return {"seconds": measure_cost(job).seconds, **found}
