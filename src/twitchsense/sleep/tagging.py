"""Where each event stands: awake, falling asleep, asleep, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.detections import Detections
from twitchsense.model.intervals import runs_of
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings
from twitchsense.sleep.activity_counts import Counts
from twitchsense.sleep.contexts import Spans, find_spans, timeline_of_stages, timeline_of_stillness
from twitchsense.sleep.coverage import Coverage, cover
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram
from twitchsense.sleep.inactivity import BIN_S, EPOCH_S, Grid, Stillness, measure_stillness
from twitchsense.sleep.nonwear import find_unworn, measure_tone
from twitchsense.sleep.onset import SleepOnset, onset_of_stages, onset_of_stillness, still_bins
from twitchsense.sleep.reference_onsets import ask_others

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
NOTE_PART: Final = (
    "the hypnogram covers {covered} of {whole} min of the recording; elsewhere context is unknown"
)
NOTE_UNWORN: Final = (
    "for {minutes} min, first at {first} min, no electrode had contact and the leg never turned: "
    "the sensor was probably not worn, and this counts as no signal"
)
NOTE_MOTIONLESS: Final = (
    "nothing moved for {minutes} min from {first} min on: deep sleep, lying very still "
    "and a sensor that is not worn look the same"
)
NOTE_IMMOBILE: Final = (
    "immobile_5min asks for the accelerometer alone; with a hypnogram, sleep onset is its "
    "first epoch of sleep"
)
#: A worn leg turns a little within this long, asleep or not [E].
MOTIONLESS_MIN: Final = 90.0
MOTIONLESS_DEG: Final = 0.5
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
    tone_uv : ndarray, one per epoch
        Muscle tone over the electrode's own noise (RMS); NaN unknown.
    """

    epochs: pd.DataFrame
    onset: SleepOnset
    notes: tuple[str, ...]
    spans: Spans
    hypnogram: Hypnogram | None = None
    tone_uv: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

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
    counts: Mapping[str, Counts] | None = None,
) -> Context:
    """Find sleep onset and the context of every moment of a recording.

    A pure function of the event table, the per-second tables and the hypnogram.

    Parameters
    ----------
    recording : Recording
        For its channels and its extent; no samples are read.
    detections : Detections
    settings : Settings
    hypnogram : Hypnogram, optional
        Preferred to the accelerometer. Where it says nothing, context is
        ``unknown``: two sources are never mixed in one night.
    counts : mapping of channel name to Counts, optional
        Activity counts, for the second opinions of Cole-Kripke and Sadeh.
    """
    rules = settings.context
    grid = Grid.over(recording.start_ns, recording.end_ns)
    acc, emg = (_of_kind(recording, detections.seconds, kind) for kind in ("acc", "emg"))
    still = measure_stillness(acc, detections.events, grid, rules)
    tone = measure_tone(emg, grid)
    notes: list[str] = []
    if hypnogram is not None:
        notes += hypnogram.notes
        onset = onset_of_stages(hypnogram, rules.definition)
        timeline = timeline_of_stages(hypnogram)
        notes += _coverage_notes(hypnogram, _extent(recording))
        if rules.definition == "immobile_5min":
            notes.append(NOTE_IMMOBILE)
    else:
        unworn = find_unworn(emg, still, rules)
        notes += _wear_notes(still, unworn)
        still = replace(still, seen=still.seen & ~unworn)
        others = ask_others(still, counts or {}, tone, detections.events, rules)
        onset = onset_of_stillness(still, rules, others)
        timeline = timeline_of_stillness(still, still_bins(still, rules), onset.time_s)
        notes.append(NOTE_STILL if still.seen.any() else NOTE_NO_SOURCE)
    if onset.time_s is None and NOTE_NO_SOURCE not in notes:
        notes.append(NOTE_NO_SLEEP)
    spans = find_spans(timeline, onset.time_s, rules).widen(*_extent(recording))
    sensor, name = _judge_by(recording)
    notes.append(NOTE_VALID.format(name))
    valid = cover(_of_kind(recording, detections.seconds, sensor))
    epochs = _make_epochs(grid, still, spans, hypnogram, valid)
    return Context(epochs, onset, tuple(notes), spans, hypnogram, tone)


def _coverage_notes(hypnogram: Hypnogram, extent: tuple[int, int]) -> list[str]:
    """Say how much of the recording the scored epochs cover, unless it is all."""
    start, stop = hypnogram.bounds_us
    told = np.minimum(stop, extent[1]) - np.maximum(start, extent[0])
    covered = int(np.maximum(told, 0)[hypnogram.stage != ""].sum())
    if covered == 0:
        return [NOTE_ELSEWHERE]
    whole = extent[1] - extent[0]
    if whole - covered <= EPOCH_S * 1_000_000:
        return []
    return [NOTE_PART.format(covered=f"{covered / 60e6:.1f}", whole=f"{whole / 60e6:.1f}")]


def _wear_notes(still: Stillness, unworn: NDArray[np.bool_]) -> list[str]:
    start, notes = still.grid.bins_s, []
    if unworn.any():
        first = (start[int(np.argmax(unworn))] - start[0]) / 60
        minutes = unworn.sum() * BIN_S / 60
        notes.append(NOTE_UNWORN.format(minutes=f"{minutes:.0f}", first=f"{first:.0f}"))
    calm = still.seen & ~unworn & ~(still.turn_deg > MOTIONLESS_DEG)
    longest = max(runs_of(calm), key=lambda r: r[1] - r[0], default=(0, 0))
    minutes = (longest[1] - longest[0]) * BIN_S / 60
    if minutes >= MOTIONLESS_MIN:
        first = (start[longest[0]] - start[0]) / 60
        notes.append(NOTE_MOTIONLESS.format(minutes=f"{minutes:.0f}", first=f"{first:.0f}"))
    return notes


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


def _of_kind(recording: Recording, seconds: Mapping[str, PerSecond], kind: str) -> list[PerSecond]:
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
