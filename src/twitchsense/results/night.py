"""The analysis of one night, from recording to answers.

>>> night = analyze(read("night.csv"))      # doctest: +SKIP
>>> night.events                            # doctest: +SKIP
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from twitchsense.detect.detector import Detector
from twitchsense.errors import InputError
from twitchsense.io import read as read
from twitchsense.model.detections import Detections, Seconds
from twitchsense.model.recording import NS, Recording
from twitchsense.scoring.agreement import Agreement, match, read_events
from twitchsense.scoring.labels import label_detections
from twitchsense.scoring.leg_movements.input import read_respiratory
from twitchsense.scoring.rates import measure_hours, summary_table
from twitchsense.scoring.summary import build_summary
from twitchsense.settings import Settings, get_profile
from twitchsense.sleep.activity_counts import Counter, Counts
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import check_codes
from twitchsense.sleep.onset import SleepOnset
from twitchsense.sleep.tagging import Context, find_context

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mne import Annotations

__all__ = ["Night", "analyze", "read"]

log = logging.getLogger(__name__)

#: More than this is no recording but a clock that was set wrong, and would fill the memory.
MOST_DAYS = 31

#: Called with the seconds done and the seconds in all.
Progress = Callable[[float, float], None]


@dataclass(frozen=True, slots=True, repr=False)
class Night:
    """An analysed recording: what was found, in what context, in how much valid time.

    Attributes
    ----------
    recording : Recording
    settings : Settings
    detections : Detections
        Events and rejected candidates, tagged and labelled, and the night seen
        from far away, one row per second of signal.
    context : Context
        Epochs, sleep onset, and notes on how they came about.
    respiratory : DataFrame or None
        As given.
    """

    recording: Recording
    settings: Settings
    detections: Detections
    context: Context
    respiratory: pd.DataFrame | None = None

    @property
    def events(self) -> pd.DataFrame:
        """One row per event; columns as in `twitchsense.model.event_table.EVENT_COLUMNS`."""
        return self.detections.events

    @property
    def rejected(self) -> pd.DataFrame:
        """Candidates that did not become events, with the reason."""
        return self.detections.rejected

    @property
    def seconds(self) -> Mapping[str, Seconds]:
        """What each channel looked like, second by second."""
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
        """What the reader and the analysis want the user to know."""
        return (*self.recording.notes, *self.context.notes)

    @property
    def valid_s(self) -> dict[str, float]:
        """Seconds of valid signal per channel."""
        return self.detections.valid_s

    def summary(self, by: Sequence[str] = ("label", "context")) -> pd.DataFrame:
        """Return counts, rates per hour of valid signal, and exact 95 % intervals.

        Parameters
        ----------
        by : sequence of str
            Of ``trial_type``, ``label``, ``grade``, ``context``, ``stage``, ``leg``.

        Returns
        -------
        DataFrame
            The columns of `by`, then ``count``, ``hours``, ``rate_per_h``,
            ``low``, ``high``; NaN where there is no valid hour.
        """
        hours = measure_hours(
            self.recording.channels, self.seconds, self.context, self.settings.legs
        )
        return summary_table(self.events, hours, by)

    def summary_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        given = self.context.hypnogram is not None
        return build_summary(
            self.recording,
            self.detections,
            self.context,
            self.settings,
            given,
            self.respiratory,
        )

    def plot_average(self, kind: str, ax: Axes | None = None) -> Axes:
        """Draw the average waveform of one kind of event; see `report.waveforms`."""
        from twitchsense.report.waveforms import plot_average

        return plot_average(self, kind, ax)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the report, one HTML file that works offline.

        Raises
        ------
        InputError
            If the file can't be written.
        """
        from twitchsense.report.page import render
        from twitchsense.results.files import write_file

        return write_file(Path(path), render(self))

    def save(self, directory: str | PathLike[str], *, report: bool = True) -> Path:
        """Write every result into a directory: all files, or on failure none.

        Parameters
        ----------
        directory : path
            Made if it does not exist.
        report : bool
            Whether to make ``report.html`` too.

        Raises
        ------
        InputError
            If the directory is a file or can't be written.
        """
        from twitchsense.results.files import save

        return save(self, Path(directory), report=report)

    def agreement(self, truth: str | PathLike[str] | pd.DataFrame) -> Agreement:
        """Compare the events with annotations, one to one.

        Parameters
        ----------
        truth : path or DataFrame
            Columns ``onset``, ``duration`` and, if known, ``trial_type``, ``leg``.
        """
        table = truth if isinstance(truth, pd.DataFrame) else read_events(truth)
        hours = measure_hours(
            self.recording.channels, self.seconds, self.context, self.settings.legs
        )
        return match(self.events, table, hours=hours.of("emg"))

    def to_annotations(self, description: str = "label") -> Annotations:
        """Return the events as MNE annotations; needs MNE.

        Parameters
        ----------
        description : str
            The column that names them: ``label`` or ``trial_type``.
        """
        from twitchsense.scoring.annotations import to_annotations

        return to_annotations(self.events, self.recording.start_utc_ns, description)

    def to_bids(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Return the events as a BIDS table (text, ``n/a``) and its JSON sidecar."""
        from twitchsense.scoring.annotations import to_bids

        return to_bids(self.events)

    def __repr__(self) -> str:
        hours = (self.recording.end_ns - self.recording.start_ns) / NS / 3600
        return f"<Night {self.recording.source}: {hours:.2f} h, {len(self.events)} events>"


def analyze(
    recording: Recording,
    *,
    hypnogram: str | PathLike[str] | pd.DataFrame | Hypnogram | None = None,
    respiratory: str | PathLike[str] | pd.DataFrame | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Night:
    """Find the events of a recording and place them relative to falling asleep.

    Parameters
    ----------
    recording : Recording
    hypnogram : path, DataFrame or Hypnogram, optional
        Sleep stages: a table with ``onset`` (s from the start of the
        recording), ``duration`` and ``stage``, or a file of any kind that
        `twitchsense.sleep.hypnogram.read.read_hypnogram` reads. Without it, sleep
        is estimated from the accelerometer.
    respiratory : path or DataFrame, optional
        Respiratory events, ``onset`` and ``duration`` (s): leg movements that
        touch them are told apart.
    settings : Settings, optional
    progress : callable, optional
        Called now and then with the seconds done and the seconds in all.

    Returns
    -------
    Night

    Raises
    ------
    InputError
        If the recording has no signal or lasts longer than `MOST_DAYS`, or the hypnogram
        can't be used.
    """
    settings = settings or get_profile("default-2026")
    if not recording.segments:
        raise InputError(
            recording.source, "holds no samples", "check that the signal columns have numbers"
        )
    days = (recording.end_ns - recording.start_ns) / NS / 86400
    if days > MOST_DAYS:
        raise InputError(
            recording.source,
            f"lasts {days:,.0f} days from its first row to its last",
            f"correct the time that is far off, or give {MOST_DAYS} days at most at once",
        )
    stages = _hypnogram(hypnogram, recording, settings)
    breaths = _respiratory(respiratory)
    found, counts = _detect(recording, settings, progress)
    context = find_context(recording, found, settings, stages, counts)
    labelled = label_detections(found, context, settings, recording)
    log.info("%d events, %d rejected", len(labelled.events), len(labelled.rejected))
    return Night(recording, settings, labelled, context, breaths)


def _detect(
    recording: Recording, settings: Settings, progress: Progress | None
) -> tuple[Detections, dict[str, Counts]]:
    detector = Detector(settings, recording.channels)
    counters = {c.name: Counter(c) for c in recording.channels if c.kind == "acc"}
    fs = {c.name: c.fs for c in recording.channels}
    start, total = recording.start_ns, (recording.end_ns - recording.start_ns) / NS
    for chunk in recording.chunks():
        detector.push(chunk)
        if chunk.channel in counters:
            counters[chunk.channel].push(chunk)
        if progress is not None:
            samples = chunk.first_index + len(chunk.samples)
            done = (chunk.segment_start_ns - start) / NS + samples / fs[chunk.channel]
            progress(min(done, total), total)
    return detector.close(), {name: c.close() for name, c in counters.items()}


def _hypnogram(
    given: str | PathLike[str] | pd.DataFrame | Hypnogram | None,
    recording: Recording,
    settings: Settings,
) -> Hypnogram | None:
    if given is None or isinstance(given, Hypnogram):
        return given
    codes = check_codes(settings.stages, "settings")
    if isinstance(given, pd.DataFrame):
        return Hypnogram.from_frame(given, codes=codes)
    return read_hypnogram(Path(given), NightClock.of(recording, settings.zone), codes)


def _respiratory(given: str | PathLike[str] | pd.DataFrame | None) -> pd.DataFrame | None:
    if given is None or isinstance(given, pd.DataFrame):
        return given
    return read_respiratory(Path(given))
