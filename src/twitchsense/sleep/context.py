"""Context of a night and of its events: awake, falling asleep, asleep, or unknown.

`find_context` determines sleep onset and the context of every moment; `add_context`
fills the context columns of an event table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.detections import Detections
from twitchsense.model.intervals import runs_of
from twitchsense.model.notes import Note
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.settings import ContextSettings, Settings
from twitchsense.sleep.actigraphy import onsets_by_algorithm
from twitchsense.sleep.activity_counts import ActivityCounts
from twitchsense.sleep.context_intervals import (
    ContextIntervals,
    find_context_intervals,
    timeline_from_hypnogram,
    timeline_from_motion,
)
from twitchsense.sleep.epoch_features import epoch_features
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.inactivity import (
    BIN_S,
    BINS_PER_EPOCH,
    EPOCH_S,
    EpochGrid,
    LegMotion,
    measure_motion,
)
from twitchsense.sleep.nonwear import find_nonwear, measure_tone
from twitchsense.sleep.onset import (
    MIN_SIGNAL_MIN,
    SleepOnset,
    classify_bins,
    classify_epochs,
    onset_from_hypnogram,
    onset_from_motion,
    onset_from_probability,
)
from twitchsense.sleep.sleep_probability import sleep_probability
from twitchsense.sleep.valid_time import ValidIntervals, union_of_valid

NOTE_STILL: Final = Note(
    "sleep",
    "sleep was estimated from stillness of the leg, which cannot tell sleep from lying still "
    "awake and places sleep onset 9-20 min early as a rule; give a hypnogram for better accuracy",
)
NOTE_PROBABILITY: Final = Note(
    "sleep",
    "sleep was estimated from movement of the leg, by a model that was trained on composed nights "
    "and can take lying still awake for sleep; give a hypnogram for better accuracy",
)
NOTE_NO_SLEEP: Final = Note(
    "sleep",
    "no sleep was found, so no event can be placed relative to its onset",
    "give a hypnogram if the person slept",
)
NOTE_NO_SOURCE: Final = Note(
    "sleep",
    "no hypnogram and no accelerometer: context is unknown and labels don't depend on sleep",
)
NOTE_ELSEWHERE: Final = Note(
    "stages",
    "the hypnogram and the recording share no time; "
    "its onsets should be seconds from the start of the recording",
)
NOTE_SECOND_ZERO: Final = (
    "the onsets of the hypnogram count from second 0 of the times of the recording, {start:g} s "
    "before its first row"
)
NOTE_PART: Final = (
    "the hypnogram covers {covered:.1f} of {whole:.1f} min of the recording; elsewhere context is "
    "unknown"
)
NOTE_OUTSIDE: Final = (
    "the hypnogram lasts {scored:.1f} min, {outside:.1f} of them before or after the recording of "
    "{whole:.1f} min; check that both are of the same night and begin at the times stated"
)
NOTE_UNWORN: Final = (
    "for {minutes:.0f} min, first at {first:.0f} min, no electrode had contact and the leg never "
    "turned: the sensor was probably not worn, and this counts as no signal"
)
NOTE_MOTIONLESS: Final = (
    "nothing moved for {minutes:.0f} min from {first:.0f} min on: deep sleep, lying very still "
    "and a sensor that is not worn look the same"
)
NOTE_IMMOBILE: Final = (
    "immobile_5min uses the accelerometer alone; with a hypnogram, sleep onset is its "
    "first epoch of sleep"
)
#: Scored time outside the recording from which the hypnogram is questioned, min [E].
MAX_OUTSIDE_MIN: Final = 10.0
#: If a recording begins this late (µs) on its time axis, the onsets of a hypnogram may count
#: from its first row.
_LATE_US: Final = 1_000_000
#: A worn leg turns within this time, asleep or not, min [E].
MOTIONLESS_MIN: Final = 90.0
#: Change of orientation that counts as turning for `MOTIONLESS_MIN`, degrees [E].
MOTIONLESS_DEG: Final = 0.5
NOTE_VALID: Final = "valid in the epoch table is the share of 30 s in which {} has usable signal"


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """Sleep and wake of a recording.

    Attributes
    ----------
    epochs : DataFrame
        One row per 30-s epoch of the recording, starting at the last multiple of 30 s
        before its first sample: ``onset``, ``duration`` (s), ``context`` and ``stage``
        in the middle of the epoch, ``activity`` (mean dynamic acceleration in g, leg
        events masked; NaN unknown), ``valid`` (0 to 1).
    onset : SleepOnset
        Its times are None and its source is ``none`` if no sleep was found.
    notes : tuple of str
        Notes for the user on sources, assumptions and limits.
    intervals : ContextIntervals
        The contexts with their exact limits.
    hypnogram : Hypnogram or None
        As given.
    tone_uv : ndarray of float64, shape (epochs,)
        Muscle tone above the electrode noise, µV RMS; NaN unknown.
    sleep_probability : ndarray of float64, shape (epochs,)
        Probability of sleep; NaN unknown, and throughout where it was not estimated.
    """

    epochs: pd.DataFrame
    onset: SleepOnset
    notes: tuple[str, ...]
    intervals: ContextIntervals
    hypnogram: Hypnogram | None = None
    tone_uv: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    sleep_probability: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the context at each time.

        Parameters
        ----------
        times_s : array_like of float
            Seconds from the start of the recording.

        Returns
        -------
        ndarray of str
            ``wake``, ``drowsy``, ``sleep_onset``, ``asleep`` or ``unknown``.
        """
        return self.intervals.at(times_s)

    def stage_at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the sleep stage at each time.

        Parameters
        ----------
        times_s : array_like of float
            Seconds from the start of the recording.

        Returns
        -------
        ndarray of str
            ``""`` in unscored epochs and without a hypnogram.
        """
        if self.hypnogram is None:
            return np.full(np.shape(times_s), "", "U2")
        return self.hypnogram.stage_at(times_s)

    def activity_at(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Return the activity of the epoch that contains each time.

        Parameters
        ----------
        times_s : array_like of float
            Seconds from the start of the recording.

        Returns
        -------
        ndarray of float64
            Mean dynamic acceleration in g; NaN unknown.
        """
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
    counts: Mapping[str, ActivityCounts] | None = None,
) -> Context:
    """Determine sleep onset and the context of every moment of a recording.

    A pure function of the event table, the per-second statistics and the hypnogram.

    Parameters
    ----------
    recording : Recording
        Its channels and its extent; no samples are read.
    detections : Detections
        Events and per-second statistics.
    settings : Settings
        Settings under ``context``.
    hypnogram : Hypnogram, optional
        Takes precedence over the accelerometer. Where it has no epochs, the context is
        ``unknown``: the two sources are never mixed in one night.
    counts : mapping of channel name to ActivityCounts, optional
        Activity counts, for the onsets by Cole-Kripke and Sadeh.

    Returns
    -------
    Context
    """
    rules = settings.context
    grid = EpochGrid.over(recording.start_ns, recording.end_ns)
    acc, emg = (_of_kind(recording, detections.seconds, kind) for kind in ("acc", "emg"))
    motion = measure_motion(acc, detections.events, grid, rules)
    tone = measure_tone(emg, grid)
    notes: list[str] = []
    probability = np.full(grid.n, np.nan)
    if hypnogram is not None:
        notes += hypnogram.notes
        onset = onset_from_hypnogram(hypnogram, rules.definition)
        timeline = timeline_from_hypnogram(hypnogram)
        notes += _hypnogram_notes(hypnogram, _extent_us(recording))
        if rules.definition == "immobile_5min":
            notes.append(NOTE_IMMOBILE)
    else:
        nonwear = find_nonwear(emg, motion, rules)
        notes += _nonwear_notes(motion, nonwear)
        motion = replace(motion, valid=motion.valid & ~nonwear)
        others = onsets_by_algorithm(motion, counts or {}, tone, detections.events, rules)
        onset = onset_from_motion(motion, rules, others)
        bins = classify_bins(motion, rules)
        note = NOTE_STILL
        if _uses_probability(motion, rules):
            features = epoch_features(motion, detections.events, rules)
            worn = motion.valid.reshape(-1, BINS_PER_EPOCH).any(axis=1)
            probability = np.where(worn, sleep_probability(features), np.nan)
            onset = onset_from_probability(motion, probability, rules, onset)
            bins = classify_epochs(motion, probability)
            note = NOTE_PROBABILITY
        timeline = timeline_from_motion(motion, bins, onset.time_s)
        notes.append(note if motion.valid.any() else NOTE_NO_SOURCE)
    if onset.time_s is None and NOTE_NO_SOURCE not in notes:
        notes.append(NOTE_NO_SLEEP)
    intervals = find_context_intervals(timeline, onset.time_s, rules)
    intervals = intervals.extend(*_extent_us(recording))
    has_emg = any(c.kind == "emg" for c in recording.channels)
    notes.append(NOTE_VALID.format("an EMG channel" if has_emg else "an accelerometer"))
    valid = union_of_valid(emg if has_emg else acc)
    epochs = _make_epochs(grid, motion, intervals, hypnogram, valid)
    return Context(epochs, onset, tuple(notes), intervals, hypnogram, tone, probability)


def add_context(events: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Fill ``context``, ``stage`` and ``min_from_onset`` of an event table.

    Only the onset of an event counts. Works on rejected candidates as well.

    Parameters
    ----------
    events : DataFrame
        Needs the column ``onset`` (s).
    context : Context
        Sleep and wake of the recording.

    Returns
    -------
    DataFrame
        A new table with the same rows.
    """
    times = events["onset"].to_numpy(np.float64)
    start = context.onset.time_s
    minutes = np.full(len(times), np.nan) if start is None else (times - start) / 60
    return events.assign(
        context=pd.Series(context.at(times), index=events.index, dtype="object"),
        stage=pd.Series(context.stage_at(times), index=events.index, dtype="object"),
        min_from_onset=minutes,
    )


def _uses_probability(motion: LegMotion, rules: ContextSettings) -> bool:
    """Return whether sleep is estimated by the probability of each epoch."""
    minutes = motion.valid.sum() * BIN_S / 60
    by_probability = rules.estimate_by == "probability" and rules.definition != "immobile_5min"
    return bool(by_probability and minutes >= MIN_SIGNAL_MIN)


def _hypnogram_notes(hypnogram: Hypnogram, extent_us: tuple[int, int]) -> list[str]:
    """Report scored time outside the recording, and time of the recording without stages."""
    start, stop = hypnogram.bounds_us
    scored = hypnogram.stage != ""
    notes: list[str] = []
    if scored.any() and 0 <= int(start[scored][0]) <= extent_us[0] - _LATE_US:
        late_s = extent_us[0] / 1e6
        cure = f"add {late_s:g} to onsets that count from the first row"
        notes.append(Note("stages", NOTE_SECOND_ZERO.format(start=late_s), cure))
    overlap = np.maximum(np.minimum(stop, extent_us[1]) - np.maximum(start, extent_us[0]), 0)
    covered = int(overlap[scored].sum())
    if covered == 0:
        return [NOTE_ELSEWHERE, *notes]
    whole, total = extent_us[1] - extent_us[0], int((stop - start)[scored].sum())
    if total - covered > MAX_OUTSIDE_MIN * 60_000_000:
        outside = (total - covered) / 60e6
        text = NOTE_OUTSIDE.format(scored=total / 60e6, outside=outside, whole=whole / 60e6)
        notes.append(Note("stages", text))
    if whole - covered > EPOCH_S * 1_000_000:
        text = NOTE_PART.format(covered=covered / 60e6, whole=whole / 60e6)
        notes.append(Note("stages", text, "give the stages of the whole recording"))
    return notes


def _nonwear_notes(motion: LegMotion, nonwear: NDArray[np.bool_]) -> list[str]:
    """Report non-wear, and a long time without any motion."""
    notes: list[str] = []
    start = motion.grid.bins_s
    if nonwear.any():
        first = (start[int(np.argmax(nonwear))] - start[0]) / 60
        minutes = nonwear.sum() * BIN_S / 60
        notes.append(Note("wear", NOTE_UNWORN.format(minutes=minutes, first=first)))
    motionless = motion.valid & ~nonwear & ~(motion.angle_change_deg > MOTIONLESS_DEG)
    longest = max(runs_of(motionless), key=lambda r: r[1] - r[0], default=(0, 0))
    minutes = (longest[1] - longest[0]) * BIN_S / 60
    if minutes >= MOTIONLESS_MIN:
        first = (start[longest[0]] - start[0]) / 60
        notes.append(Note("wear", NOTE_MOTIONLESS.format(minutes=minutes, first=first)))
    return notes


def _extent_us(recording: Recording) -> tuple[int, int]:
    """Return start and end of the recording in microseconds, rounded outwards."""
    return recording.start_ns // 1000, -(-recording.end_ns // 1000)


def _of_kind(recording: Recording, seconds: Mapping[str, PerSecond], kind: str) -> list[PerSecond]:
    return [seconds[c.name] for c in recording.channels if c.kind == kind]


def _make_epochs(
    grid: EpochGrid,
    motion: LegMotion,
    intervals: ContextIntervals,
    hypnogram: Hypnogram | None,
    valid: ValidIntervals,
) -> pd.DataFrame:
    """Build the table of epochs."""
    start = grid.epochs_s
    middle = start + EPOCH_S / 2
    stage = np.full(grid.n, "") if hypnogram is None else hypnogram.stage_at(middle)
    return pd.DataFrame(
        {
            "onset": start,
            "duration": np.full(grid.n, float(EPOCH_S)),
            "context": pd.Series(intervals.at(middle), dtype="object"),
            "stage": pd.Series(stage, dtype="object"),
            "activity": motion.activity,
            "valid": valid.seconds_between(start, start + EPOCH_S) / EPOCH_S,
        }
    )
