"""Plots of a night and of many nights, drawn with matplotlib.

Each function takes ``ax``, the axes to draw on, and returns it; without it, a new pyplot
figure is made.

>>> from twitchsense.plot import plot_night
>>> plot_night(night)                            # doctest: +SKIP

Names are imported when they are first used (PEP 562), as matplotlib takes a while to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twitchsense.report.interval_histogram import plot_intervals as plot_intervals
    from twitchsense.report.overview import plot_events as plot_events
    from twitchsense.report.overview import plot_night as plot_night
    from twitchsense.report.protocols import NightLike as NightLike
    from twitchsense.report.protocols import SleepOnsetLike as SleepOnsetLike
    from twitchsense.report.trend_page import plot_trend as plot_trend
    from twitchsense.report.waveforms import plot_average as plot_average
    from twitchsense.report.waveforms import plot_event as plot_event

_MODULES: Final = {
    "NightLike": "twitchsense.report.protocols",
    "SleepOnsetLike": "twitchsense.report.protocols",
    "plot_average": "twitchsense.report.waveforms",
    "plot_event": "twitchsense.report.waveforms",
    "plot_events": "twitchsense.report.overview",
    "plot_intervals": "twitchsense.report.interval_histogram",
    "plot_night": "twitchsense.report.overview",
    "plot_trend": "twitchsense.report.trend_page",
}

__all__ = [
    "NightLike",
    "SleepOnsetLike",
    "plot_average",
    "plot_event",
    "plot_events",
    "plot_intervals",
    "plot_night",
    "plot_trend",
]


def __getattr__(name: str) -> object:
    """Import a plot when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, whether they are imported yet or not."""
    return sorted({*globals(), *__all__})
