"""What a leg did in the night: twitches, jerks and movements from EMG and acceleration.

>>> import twitchsense as ts
>>> night = ts.analyze(ts.read("night.csv"))     # doctest: +SKIP
>>> night.summary(by=("label", "context"))       # doctest: +SKIP

Names are imported when first used, so that ``import twitchsense`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twitchsense.detect.detector import Detector as Detector
    from twitchsense.errors import InputError as InputError
    from twitchsense.errors import MissingExtraError as MissingExtraError
    from twitchsense.errors import TwitchsenseError as TwitchsenseError
    from twitchsense.io.read import read as read
    from twitchsense.model.channels import Channel as Channel
    from twitchsense.model.channels import Chunk as Chunk
    from twitchsense.model.channels import Segment as Segment
    from twitchsense.model.recording import Recording as Recording
    from twitchsense.report.interval_histogram import plot_intervals as plot_intervals
    from twitchsense.report.overview import plot_events as plot_events
    from twitchsense.report.overview import plot_night as plot_night
    from twitchsense.report.trend_page import plot_trend as plot_trend
    from twitchsense.report.waveforms import plot_average as plot_average
    from twitchsense.results.night import Night as Night
    from twitchsense.results.night import analyze as analyze
    from twitchsense.scoring.leg_movements.score import LimbScore as LimbScore
    from twitchsense.scoring.leg_movements.score import score_limb as score_limb
    from twitchsense.settings import Settings as Settings
    from twitchsense.settings import get_profile as get_profile
    from twitchsense.settings import load_settings as load_settings
    from twitchsense.trend.weeks import read_weeks as read_weeks

    __version__: str

_HOMES = {
    "Channel": "twitchsense.model.recording",
    "Chunk": "twitchsense.model.recording",
    "Detector": "twitchsense.detect.detector",
    "InputError": "twitchsense.errors",
    "LimbScore": "twitchsense.scoring.leg_movements.score",
    "MissingExtraError": "twitchsense.errors",
    "Night": "twitchsense.results.night",
    "Recording": "twitchsense.model.recording",
    "Segment": "twitchsense.model.recording",
    "Settings": "twitchsense.settings",
    "TwitchsenseError": "twitchsense.errors",
    "analyze": "twitchsense.results.night",
    "get_profile": "twitchsense.settings",
    "load_settings": "twitchsense.settings",
    "plot_average": "twitchsense.report.waveforms",
    "plot_events": "twitchsense.report.overview",
    "plot_intervals": "twitchsense.report.interval_histogram",
    "plot_night": "twitchsense.report.overview",
    "plot_trend": "twitchsense.report.trend_page",
    "read": "twitchsense.io.read",
    "read_weeks": "twitchsense.trend.weeks",
    "score_limb": "twitchsense.scoring.leg_movements.score",
}

__all__ = [
    "Channel",
    "Chunk",
    "Detector",
    "InputError",
    "LimbScore",
    "MissingExtraError",
    "Night",
    "Recording",
    "Segment",
    "Settings",
    "TwitchsenseError",
    "__version__",
    "analyze",
    "get_profile",
    "load_settings",
    "plot_average",
    "plot_events",
    "plot_intervals",
    "plot_night",
    "plot_trend",
    "read",
    "read_weeks",
    "score_limb",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("twitchsense")
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what can be imported, imported yet or not."""
    return sorted({*globals(), *__all__})
