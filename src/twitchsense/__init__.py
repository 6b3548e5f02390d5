"""Twitches, jerks and leg movements in overnight EMG and acceleration of a leg.

>>> import twitchsense as ts
>>> night = ts.analyze(ts.read("night.csv"))     # doctest: +SKIP
>>> night.summary(by=("label", "context"))       # doctest: +SKIP

Plots are in `twitchsense.plot`. Names are imported when they are first used (PEP 562), so
that ``import twitchsense`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twitchsense import plot as plot
    from twitchsense.detect.detector import Detector as Detector
    from twitchsense.errors import InputError as InputError
    from twitchsense.errors import MissingExtraError as MissingExtraError
    from twitchsense.errors import TwitchsenseError as TwitchsenseError
    from twitchsense.io.read import read as read
    from twitchsense.model.candidates import ScoredCandidate as ScoredCandidate
    from twitchsense.model.channels import Channel as Channel
    from twitchsense.model.channels import Chunk as Chunk
    from twitchsense.model.channels import SampleReader as SampleReader
    from twitchsense.model.channels import Segment as Segment
    from twitchsense.model.detections import ClockOffset as ClockOffset
    from twitchsense.model.detections import Detections as Detections
    from twitchsense.model.notes import Note as Note
    from twitchsense.model.per_second import PerSecond as PerSecond
    from twitchsense.model.recording import Recording as Recording
    from twitchsense.report.event_windows import EventWindow as EventWindow
    from twitchsense.results.categories import to_categories as to_categories
    from twitchsense.results.load import SavedNight as SavedNight
    from twitchsense.results.load import open_result as open_result
    from twitchsense.results.night import Night as Night
    from twitchsense.results.night import analyze as analyze
    from twitchsense.scoring.agreement.compare_events import Agreement as Agreement
    from twitchsense.scoring.leg_movements.score_event_list import (
        LegMovementScore as LegMovementScore,
    )
    from twitchsense.scoring.leg_movements.score_event_list import (
        score_leg_movements as score_leg_movements,
    )
    from twitchsense.scoring.leg_movements.score_event_list import score_limb as score_limb
    from twitchsense.settings import Settings as Settings
    from twitchsense.settings import get_profile as get_profile
    from twitchsense.settings import load_settings as load_settings
    from twitchsense.sleep.context import Context as Context
    from twitchsense.sleep.context_intervals import ContextIntervals as ContextIntervals
    from twitchsense.sleep.hypnogram.model import Hypnogram as Hypnogram
    from twitchsense.sleep.hypnogram.yasa import YasaHypnogram as YasaHypnogram
    from twitchsense.sleep.onset import SleepOnset as SleepOnset
    from twitchsense.trend.association import Association as Association
    from twitchsense.trend.diary import Diary as Diary
    from twitchsense.trend.weeks import TypicalRate as TypicalRate
    from twitchsense.trend.weeks import Weeks as Weeks
    from twitchsense.trend.weeks import read_weeks as read_weeks

    __version__: str

#: Module of each public name.
_MODULES: Final = {
    "Agreement": "twitchsense.scoring.agreement.compare_events",
    "Association": "twitchsense.trend.association",
    "Channel": "twitchsense.model.channels",
    "Chunk": "twitchsense.model.channels",
    "ClockOffset": "twitchsense.model.detections",
    "Context": "twitchsense.sleep.context",
    "ContextIntervals": "twitchsense.sleep.context_intervals",
    "Detections": "twitchsense.model.detections",
    "Detector": "twitchsense.detect.detector",
    "Diary": "twitchsense.trend.diary",
    "EventWindow": "twitchsense.report.event_windows",
    "Hypnogram": "twitchsense.sleep.hypnogram.model",
    "InputError": "twitchsense.errors",
    "LegMovementScore": "twitchsense.scoring.leg_movements.score_event_list",
    "MissingExtraError": "twitchsense.errors",
    "Night": "twitchsense.results.night",
    "Note": "twitchsense.model.notes",
    "PerSecond": "twitchsense.model.per_second",
    "Recording": "twitchsense.model.recording",
    "SampleReader": "twitchsense.model.channels",
    "SavedNight": "twitchsense.results.load",
    "ScoredCandidate": "twitchsense.model.candidates",
    "Segment": "twitchsense.model.channels",
    "Settings": "twitchsense.settings",
    "SleepOnset": "twitchsense.sleep.onset",
    "TwitchsenseError": "twitchsense.errors",
    "TypicalRate": "twitchsense.trend.weeks",
    "Weeks": "twitchsense.trend.weeks",
    "YasaHypnogram": "twitchsense.sleep.hypnogram.yasa",
    "analyze": "twitchsense.results.night",
    "get_profile": "twitchsense.settings",
    "load_settings": "twitchsense.settings",
    "open_result": "twitchsense.results.load",
    "read": "twitchsense.io.read",
    "read_weeks": "twitchsense.trend.weeks",
    "score_leg_movements": "twitchsense.scoring.leg_movements.score_event_list",
    "score_limb": "twitchsense.scoring.leg_movements.score_event_list",
    "to_categories": "twitchsense.results.categories",
}

#: Former names at the top level, and where they are now.
_FORMER_NAMES: Final = {
    "LimbScore": ("twitchsense", "LegMovementScore"),
    "plot_average": ("twitchsense.plot", "plot_average"),
    "plot_events": ("twitchsense.plot", "plot_events"),
    "plot_intervals": ("twitchsense.plot", "plot_intervals"),
    "plot_night": ("twitchsense.plot", "plot_night"),
    "plot_trend": ("twitchsense.plot", "plot_trend"),
}

__all__ = [
    "Agreement",
    "Association",
    "Channel",
    "Chunk",
    "ClockOffset",
    "Context",
    "ContextIntervals",
    "Detections",
    "Detector",
    "Diary",
    "EventWindow",
    "Hypnogram",
    "InputError",
    "LegMovementScore",
    "MissingExtraError",
    "Night",
    "Note",
    "PerSecond",
    "Recording",
    "SampleReader",
    "SavedNight",
    "ScoredCandidate",
    "Segment",
    "Settings",
    "SleepOnset",
    "TwitchsenseError",
    "TypicalRate",
    "Weeks",
    "YasaHypnogram",
    "__version__",
    "analyze",
    "get_profile",
    "load_settings",
    "open_result",
    "plot",
    "read",
    "read_weeks",
    "score_leg_movements",
    "score_limb",
    "to_categories",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        value: object = version("twitchsense")
    elif name == "plot":
        value = import_module("twitchsense.plot")
    elif name in _MODULES:
        value = getattr(import_module(_MODULES[name]), name)
    elif name in _FORMER_NAMES:
        module, new_name = _FORMER_NAMES[name]
        value = getattr(import_module(module), new_name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, whether they are imported yet or not."""
    return sorted({*globals(), *__all__})
