"""`analyze` and its result, `Night`.

>>> night = analyze(read("night.csv"))      # doctest: +SKIP
>>> night.events                            # doctest: +SKIP
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from twitchsense.detect.detector import Detector
from twitchsense.detect.sensors.emg_quality import unusable_notes
from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.model.detections import Detections
from twitchsense.model.notes import Note, join_channels, main_notes, without_folders
from twitchsense.model.per_second import PerSecond
from twitchsense.model.rate_limits import rate_notes
from twitchsense.model.recording import Recording
from twitchsense.results.inputs import (
    HypnogramInput,
    to_hypnogram,
    to_recording,
    to_respiratory,
    to_settings,
    unused_stages_notes,
)
from twitchsense.results.outputs import NightOutputs
from twitchsense.scoring.indices.valid_hours import measure_valid_hours
from twitchsense.scoring.labels.label_events import label_detections
from twitchsense.scoring.summary import build_summary
from twitchsense.settings import Settings
from twitchsense.sleep.activity_counts import ActivityCounter, ActivityCounts
from twitchsense.sleep.context import Context, find_context
from twitchsense.sleep.onset import SleepOnset

if TYPE_CHECKING:
    from twitchsense.results.inputs import RecordingInput

log = logging.getLogger(__name__)

#: Longest recording (days). A longer one has a wrong timestamp, and would fill the memory.
MAX_DAYS: Final = 31

#: Called with the seconds of signal analysed so far and the seconds in all.
ProgressCallback = Callable[[float, float], None]


@dataclass(frozen=True, slots=True, repr=False)
class Night(NightOutputs):
    """An analysed recording: its events, their context, and the hours of valid signal.

    Attributes
    ----------
    recording : Recording
    settings : Settings
    detections : Detections
        Labelled events and rejected candidates, and per-second statistics of each channel.
    context : Context
        Epochs, sleep onset, and notes on how they were determined.
    respiratory : DataFrame or None
        Respiratory events as given: ``onset`` and ``duration`` in seconds.
    """

    recording: Recording
    settings: Settings
    detections: Detections
    context: Context
    respiratory: pd.DataFrame | None = None

    @property
    def events(self) -> pd.DataFrame:
        """One row per event; columns as in `twitchsense.model.event_table.EVENT_COLUMNS`.

        Missing text is empty; `twitchsense.to_categories` makes it a missing value, and columns
        with levels categorical.
        """
        return self.detections.events

    @property
    def rejected(self) -> pd.DataFrame:
        """Candidates that did not become events, with the reason."""
        return self.detections.rejected

    @property
    def seconds(self) -> Mapping[str, PerSecond]:
        """Per-second statistics of each channel, by channel name."""
        return self.detections.seconds

    @property
    def epochs(self) -> pd.DataFrame:
        """Context, stage, activity and validity of each 30-s epoch."""
        return self.context.epochs

    @property
    def onset(self) -> SleepOnset:
        """Sleep onset: ``time_s``, ``low_s``, ``high_s``, ``source``."""
        return self.context.onset

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the reader and of the analysis."""
        return (*self.recording.notes, *self.context.notes)

    @property
    def main_notes(self) -> list[Note]:
        """The notes that question the result, each with its cure; the most important first."""
        return main_notes(self.notes)

    @property
    def valid_s(self) -> dict[str, float]:
        """Seconds of valid signal per channel."""
        return self.detections.valid_s

    def summary_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        return build_summary(
            self.recording,
            self.detections,
            self.context,
            self.settings,
            self.context.hypnogram is not None,
            self.respiratory,
        )

    def valid_hours(self) -> pd.DataFrame:
        """Return the hours of valid signal by sensor, leg, context and stage.

        Returns
        -------
        DataFrame
            As `ValidHours.table`: ``sensor``, ``leg``, ``context``, ``stage``, ``hours``.
        """
        channels, legs = self.recording.channels, self.settings.legs
        return measure_valid_hours(channels, self.seconds, self.context, legs).table

    def __repr__(self) -> str:
        hours = (self.recording.end_ns - self.recording.start_ns) / NS / 3600
        return f"<Night {self.recording.source}: {hours:.2f} h, {len(self.events)} events>"


def analyze(
    recording: RecordingInput,
    *,
    hypnogram: HypnogramInput | None = None,
    epoch_s: float | None = None,
    stages: str | Mapping[Any, str] | None = None,
    respiratory: str | PathLike[str] | pd.DataFrame | None = None,
    settings: Settings | str | PathLike[str] | None = None,
    profile: str | None = None,
    leg: str | None = None,
    columns: Mapping[str, str] | None = None,
    fs: float | None = None,
    zone: str | None = None,
    time_unit: str | None = None,
    start: str | datetime | None = None,
    gain: float | None = None,
    progress: ProgressCallback | None = None,
) -> Night:
    """Find the events of a recording and place them relative to falling asleep.

    Parameters
    ----------
    recording : path, Recording, DataFrame, mne.io.Raw, mapping, or sequence
        A file or a folder that `twitchsense.read` reads, or what it returned; a DataFrame with
        the columns of a capture; what MNE has read; arrays as `Recording.from_arrays` takes
        them; or several files of one recording.
    hypnogram : path, DataFrame, list, ndarray, Series, Hypnogram or yasa.Hypnogram, optional
        Sleep stages: a table with ``onset`` (s on the axis of the events),
        ``duration`` (s) and ``stage``; one stage per epoch, from the start of the recording;
        or a file of any kind that `twitchsense.sleep.hypnogram.read.read_hypnogram` reads.
        Without it, sleep is estimated from the accelerometer.
    epoch_s : float, optional
        Length of an epoch in seconds, if `hypnogram` is a list of stages; by default 30.
    stages : str or mapping of str to str, optional
        Meaning of numbers and other words in `hypnogram`: ``yasa``, ``nsrr``, or a mapping
        such as ``{"5": "R"}``.
    respiratory : path or DataFrame, optional
        Respiratory events, ``onset`` and ``duration`` (s), or a file of a sleep
        laboratory that holds them. Leg movements that touch them are counted separately.
    settings : Settings or path of a TOML file, optional
    profile : str, optional
        Name of a profile; by default ``default-2026``. A settings file changes its values.
    leg : {'left', 'right'}, optional
        Leg of the channels for which nothing else names one.
    columns, fs, zone, time_unit, start, gain
        As in `twitchsense.read`, for files, DataFrames and MNE objects.
    progress : callable, optional
        Called repeatedly with the seconds of signal analysed so far and the
        seconds in all.

    Returns
    -------
    Night

    Raises
    ------
    InputError
        If an input cannot be read, the recording has no signal or is longer than `MAX_DAYS`,
        or the hypnogram or the respiratory events do not fit it.

    Examples
    --------
    >>> night = analyze("night.csv", hypnogram=["W", "N1", "N2"], epoch_s=30)  # doctest: +SKIP
    """
    settings = to_settings(settings, profile)
    stages_notes = unused_stages_notes(recording) if hypnogram is None else ()
    recording = to_recording(
        recording, settings, leg,
        columns=columns, fs=fs, zone=zone, time_unit=time_unit, start=start,
        gain=gain,
    )  # fmt: skip
    if not recording.segments:
        raise InputError(
            recording.source, "holds no samples", "check that the signal columns have numbers"
        )
    days = (recording.end_ns - recording.start_ns) / NS / 86400
    if days > MAX_DAYS:
        raise InputError(
            recording.source,
            f"lasts {days:,.0f} days from its first row to its last",
            f"correct the time that is far off, or give {MAX_DAYS} days at most at once",
        )
    sleep = to_hypnogram(hypnogram, recording, settings, epoch_s, stages)
    respiratory_events, notes = to_respiratory(respiratory, recording, settings)
    detections, counts = _detect(recording, settings, progress)
    context = find_context(recording, detections, settings, sleep, counts)
    notes = (
        *context.notes,
        *unusable_notes(detections.seconds, settings),
        *rate_notes(recording.channels),
        *stages_notes,
        *notes,
    )
    context = replace(context, notes=tuple(join_channels(map(without_folders, notes))))
    labelled = label_detections(detections, context, settings, recording)
    log.info("%d events, %d rejected", len(labelled.events), len(labelled.rejected))
    return Night(recording, settings, labelled, context, respiratory_events)


def _detect(
    recording: Recording, settings: Settings, progress: ProgressCallback | None
) -> tuple[Detections, dict[str, ActivityCounts]]:
    detector = Detector(settings, recording.channels)
    counters = {c.name: ActivityCounter(c) for c in recording.channels if c.kind == "acc"}
    fs = {c.name: c.fs for c in recording.channels}
    start_ns, total_s = recording.start_ns, (recording.end_ns - recording.start_ns) / NS
    for block in recording.blocks():
        last = block[-1]
        counted = {name: [c for c in block if c.channel == name] for name in counters}
        counting = [partial(counters[name].push, *chunks) for name, chunks in counted.items()]
        detector.push(*block, beside=counting)
        if progress is not None:
            samples = last.first_index + len(last.samples)
            done_s = (last.segment_start_ns - start_ns) / NS + samples / fs[last.channel]
            progress(min(done_s, total_s), total_s)
    return detector.close(), {name: c.close() for name, c in counters.items()}
