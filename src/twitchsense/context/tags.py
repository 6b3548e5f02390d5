"""Where each event stands: awake, falling asleep, asleep, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.context.coverage import Coverage, cover
from twitchsense.context.hypnogram import Hypnogram
from twitchsense.context.onset import SleepOnset, onset_of_stages, onset_of_stillness
from twitchsense.context.sleepwake import (
    EPOCH_S,
    Grid,
    Stillness,
    find_still,
    measure_stillness,
)
from twitchsense.context.spans import (
    Spans,
    find_spans,
    timeline_of_stages,
    timeline_of_stillness,
)
from twitchsense.detect.detection import Detections, Seconds
from twitchsense.recording import Recording
from twitchsense.settings import Settings

EPOCH_COLUMNS: Final = ("onset", "duration", "context", "stage", "activity", "valid")

NOTE_STILL: Final = (
    "sleep is guessed from stillness of the leg: still is not asleep, and methods like this "
    "one call sleep 9-20 min too early; give a hypnogram to do better"
)
NOTE_NO_SLEEP: Final = "no sleep was found, so no event can be placed relative to its onset"
NOTE_NO_SOURCE: Final = (
    "no hypnogram and no accelerometer: context is unknown and labels don't depend on sleep"
)
NOTE_ELSEWHERE: Final = (
    "the hypnogram and the recording share no time; "
    "its onsets should be seconds from the start of the recording"
)
NOTE_VALID: Final = "valid in the epoch table is the share of 30 s in which {} has usable signal"


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What is known of sleep and wake in a recording.

    Attributes
    ----------
    epochs : DataFrame
        One row per 30-s epoch of the recording, from the last whole 30 s before
        its first sample: ``onset``, ``duration`` (s), ``context`` and ``stage``
        in the middle of the epoch, ``activity`` (mean dynamic acceleration in
        g, leg events masked; NaN unknown), ``valid`` (0 to 1).
    onset : SleepOnset
        Its times are None and its source ``none`` if no sleep was found.
    notes : tuple of str
        What the user should know about how this came about.
    spans : Spans
        The contexts with their exact borders.
    hypnogram : Hypnogram or None
        As given.
    """

    epochs: pd.DataFrame
    onset: SleepOnset
    notes: tuple[str, ...]
    spans: Spans
    hypnogram: Hypnogram | None = None

    def at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the context at each time (s)."""
        return self.spans.at(times_s)

    def stage_at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the sleep stage at each time (s); ``""`` without a hypnogram."""
        if self.hypnogram is None:
            return np.full(np.shape(times_s), "", "U2")
        return self.hypnogram.stage_at(times_s)

    def activity_at(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Return the activity (g) of the epoch that holds each time; NaN unknown."""
        times = np.asarray(times_s, np.float64)
        if self.epochs.empty:
            return np.full(times.shape, np.nan)
        index = np.floor(times / EPOCH_S - self.epochs["onset"].iloc[0] / EPOCH_S).astype(np.int64)
        inside = (index >= 0) & (index < len(self.epochs))
        activity = self.epochs["activity"].to_numpy(np.float64)
        return np.where(inside, activity[np.clip(index, 0, len(activity) - 1)], np.nan)


def find_context(
    recording: Recording,
    detections: Detections,
    settings: Settings,
    hypnogram: Hypnogram | None = None,
) -> Context:
    """Find sleep onset and the context of every moment of a recording.

    A pure function of the event table, the per-second table and the hypnogram.

    Parameters
    ----------
    recording : Recording
        For its channels and its extent; no samples are read.
    detections : Detections
    settings : Settings
    hypnogram : Hypnogram, optional
        Preferred to the accelerometer. Where it says nothing, context is
        ``unknown``: two sources are never mixed in one night.
    """
    grid = Grid.over(recording.start_ns, recording.end_ns)
    acc = [detections.seconds[c.name] for c in recording.channels if c.kind == "acc"]
    still = measure_stillness(acc, detections.events, grid, settings.context)
    notes: list[str] = []
    if hypnogram is not None:
        onset = onset_of_stages(hypnogram, settings.context.definition)
        timeline = timeline_of_stages(hypnogram)
        start_us, end_us = _extent(recording)
        if timeline.edge_us[0] >= end_us or timeline.edge_us[-1] <= start_us:
            notes.append(NOTE_ELSEWHERE)
    else:
        bins = find_still(still, settings.context)
        onset = onset_of_stillness(still, settings.context)
        timeline = timeline_of_stillness(still, bins, onset.time_s)
        notes.append(NOTE_STILL if still.seen.any() else NOTE_NO_SOURCE)
    if onset.time_s is None and NOTE_NO_SOURCE not in notes:
        notes.append(NOTE_NO_SLEEP)
    spans = find_spans(timeline, onset.time_s, settings.context).widen(*_extent(recording))
    sensor, name = _judge_by(recording)
    notes.append(NOTE_VALID.format(name))
    valid = cover(_of_kind(recording, detections.seconds, sensor))
    epochs = _make_epochs(grid, still, spans, hypnogram, valid)
    return Context(epochs, onset, tuple(notes), spans, hypnogram)


def tag(events: pd.DataFrame, context: Context, settings: Settings) -> pd.DataFrame:
    """Fill ``context``, ``stage`` and ``min_from_onset`` of an event table.

    Decided by the event's onset alone. Works on rejected candidates as well.

    Parameters
    ----------
    events : DataFrame
        Needs ``onset`` (s).
    context : Context
    settings : Settings
        Not used so far: the windows are in the context already.
    """
    times = events["onset"].to_numpy(np.float64)
    start = context.onset.time_s
    minutes = np.full(len(times), np.nan) if start is None else (times - start) / 60
    return events.assign(
        context=pd.Series(context.at(times), index=events.index, dtype="object"),
        stage=pd.Series(context.stage_at(times), index=events.index, dtype="object"),
        min_from_onset=minutes,
    )


def _extent(recording: Recording) -> tuple[int, int]:
    return recording.start_ns // 1000, -(-recording.end_ns // 1000)


def _judge_by(recording: Recording) -> tuple[str, str]:
    if any(c.kind == "emg" for c in recording.channels):
        return "emg", "an EMG channel"
    return "acc", "an accelerometer"


def _of_kind(recording: Recording, seconds: Mapping[str, Seconds], kind: str) -> list[Seconds]:
    return [seconds[c.name] for c in recording.channels if c.kind == kind]


def _make_epochs(
    grid: Grid, still: Stillness, spans: Spans, hypnogram: Hypnogram | None, valid: Coverage
) -> pd.DataFrame:
    start = grid.epochs_s
    middle = start + EPOCH_S / 2
    stage = np.full(grid.n, "") if hypnogram is None else hypnogram.stage_at(middle)
    return pd.DataFrame(
        {
            "onset": start,
            "duration": np.full(grid.n, float(EPOCH_S)),
            "context": pd.Series(spans.at(middle), dtype="object"),
            "stage": pd.Series(stage, dtype="object"),
            "activity": still.activity,
            "valid": valid.between(start, start + EPOCH_S) / EPOCH_S,
        },
        columns=list(EPOCH_COLUMNS),
    )
