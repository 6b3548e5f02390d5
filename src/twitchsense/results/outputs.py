"""What an analysed night offers, just analysed or reopened: plots, files, comparisons, formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from twitchsense.model.channels import NS
from twitchsense.model.stated_start import check_zone
from twitchsense.output_files import write_file
from twitchsense.report.event_windows import EventWindow, cut_event_windows
from twitchsense.report.protocols import NightLike
from twitchsense.results.save import format_files, report_of, write_results
from twitchsense.results.traces import NightWithHours
from twitchsense.scoring.agreement.compare_events import Agreement, match
from twitchsense.scoring.event_lists.mark_files import read_mark_list
from twitchsense.scoring.event_lists.mark_kinds import check_kinds_used, translate_table
from twitchsense.scoring.indices.rates import summary_table
from twitchsense.scoring.indices.valid_hours import ValidHours
from twitchsense.sleep.hypnogram.clock_times import NightClock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mne import Annotations


class NightOutputs:
    """Base class of `Night` and `SavedNight`, which are `NightLike`."""

    __slots__ = ()

    def summary(
        self: NightWithHours, by: str | Sequence[str] = ("label", "context")
    ) -> pd.DataFrame:
        """Return counts, rates per hour of valid signal, and exact 95 % intervals.

        Parameters
        ----------
        by : str or sequence of str
            Column or columns to group by: ``trial_type``, ``label``, ``grade``, ``context``,
            ``stage``, ``leg``.

        Returns
        -------
        DataFrame
            The columns of `by`, then ``count``, ``hours``, ``rate_per_h`` (events per hour),
            ``low``, ``high``; NaN where there is no valid hour.

        Raises
        ------
        InputError
            If there is no such column to group by.
        """
        return summary_table(self.events, ValidHours(self.valid_hours()), by)

    def plot_average(self: NightLike, kind: str, ax: Axes | None = None) -> Axes:
        """Draw the average waveform of one kind of event.

        Parameters
        ----------
        kind : str
            A `trial_type`: ``twitch``, ``jerk``, ``movement``, …
        ax : Axes, optional
            Axes to draw on; a new figure is made if not given.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            If there is no such kind of event.

        See Also
        --------
        twitchsense.plot.plot_average
        """
        from twitchsense.report.waveforms import plot_average  # imports matplotlib

        return plot_average(self, kind, ax)

    def event_windows(self: NightLike) -> list[EventWindow]:
        """Return the samples around each event, which the report shows.

        Returns
        -------
        list of EventWindow
            In the order of the event table, one for each channel shown.
        """
        return cut_event_windows(self)

    def report(
        self: NightWithHours,
        path: str | PathLike[str],
        *,
        words: str | None = None,
        compare: Sequence[str | PathLike[str]] = (),
    ) -> Path:
        """Write the report: one HTML file that works offline.

        Parameters
        ----------
        path : path
            Name of the file.
        words : str, optional
            Your own words on the night; by default those that were saved with it.
        compare : sequence of path, optional
            Results of your other nights, or folders of them: from five nights on, the report
            compares this night with them.

        Returns
        -------
        Path
            The path given.

        Raises
        ------
        InputError
            If the file cannot be written, or results to compare with cannot be read.
        """
        path = Path(path)
        return write_file(path, report_of(self, path.parent, words, compare)())

    def save(
        self: NightWithHours,
        directory: str | PathLike[str],
        *,
        report: bool = True,
        words: str | None = None,
        compare: Sequence[str | PathLike[str]] = (),
    ) -> Path:
        """Write every result file into a directory: all files, or on failure none.

        Parameters
        ----------
        directory : path
            Created if it does not exist. `twitchsense.open_result` reopens it.
        report : bool
            Whether to write ``report.html``. If not, a report of an earlier analysis is
            removed.
        words : str, optional
            Your own words on the night, for the report and ``summary.json``; of a reopened
            result, by default those that were saved with it.
        compare : sequence of path, optional
            As for `report`.

        Returns
        -------
        Path
            The directory given.

        Raises
        ------
        InputError
            If the directory is a file or cannot be written, or a file of a reopened result is
            missing.
        """
        directory = Path(directory)
        page = report_of(self, directory, words, compare) if report else None
        return write_results(self._result_files(words, page), directory, report=report)

    def _result_files(
        self: NightWithHours, words: str | None, report: Callable[[], str] | None
    ) -> Iterable[tuple[str, str | bytes]]:
        return format_files(self, words, report)

    def agreement(
        self: NightWithHours,
        truth: str | PathLike[str] | pd.DataFrame,
        kinds: Mapping[str, str] | None = None,
        *,
        zone: str | None = None,
    ) -> Agreement:
        """Compare the events with annotations, one to one.

        Parameters
        ----------
        truth : path or DataFrame
            Columns ``onset`` and ``duration`` (s) and, if known, ``trial_type``, ``leg``; or a
            file of other programs (`twitchsense.scoring.event_lists.mark_files.read_mark_list`).
        kinds : mapping of str to str, optional
            Meaning of foreign words: ``{"LM": "movement"}``.
        zone : str, optional
            IANA time zone of the local times of a file, such as ``Europe/Berlin``; by default
            that of the recording.

        Returns
        -------
        Agreement
            Sensitivity, precision, F1 and their intervals by kind.

        Raises
        ------
        InputError
            If the annotations cannot be read, or there is no such zone.
        """
        if zone is not None:
            check_zone(zone)
        hours = ValidHours(self.valid_hours()).total("emg")
        if isinstance(truth, pd.DataFrame):
            return match(self.events, translate_table(truth, kinds or {}), hours=hours)
        zero_ns = self.recording.start_utc_ns
        zero_us = None if zero_ns is None else round(zero_ns / 1000)
        clock = NightClock(0, 0, zero_us, zone or self.recording.zone)
        mark_list = read_mark_list(truth, kinds, clock)
        check_kinds_used(kinds or {}, mark_list.words)
        found = match(self.events, mark_list.frame, hours=hours)
        return replace(found, notes=(*mark_list.notes, *found.notes))

    def to_annotations(self: NightLike, description: str = "label") -> Annotations:
        """Convert the events to MNE annotations.

        Parameters
        ----------
        description : str
            Column used as the description: ``label`` or ``trial_type``.

        Returns
        -------
        mne.Annotations

        Raises
        ------
        MissingExtraError
            If MNE is not installed.
        """
        from twitchsense.scoring.annotations import since, to_annotations  # imports MNE

        recording = self.recording
        columns = {c.name: c.mne_names or c.columns for c in recording.channels}
        events = self.events
        if recording.start_utc_ns is None:  # such annotations count from the first sample
            events = since(events, recording.start_ns / NS)
        return to_annotations(events, recording.start_utc_ns, description, columns)

    def to_bids(self: NightLike) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Convert the events to BIDS.

        Returns
        -------
        DataFrame
            The event table as text; missing values are ``n/a``.
        dict
            The JSON sidecar: description, unit and levels of each column.
        """
        from twitchsense.scoring.annotations import to_bids

        return to_bids(self.events, self.settings)

    def _repr_html_(self: NightLike) -> str:
        return night_html(self)


def night_html(night: NightLike) -> str:
    """Return signal quality, sleep onset and the counts of a night as HTML.

    Parameters
    ----------
    night : Night or SavedNight

    Returns
    -------
    str
        A heading line, a paragraph and a table, without styles of their own.
    """
    from markupsafe import escape

    from twitchsense.report.summary_sentences import (
        quality_word,
        sleep_onset_sentence,
        valid_time_sentences,
    )
    from twitchsense.report.tables import count_events

    title = f"{night.recording.source}: {len(night.events):,} events"
    text = f"{quality_word(night)}. {valid_time_sentences(night)} {sleep_onset_sentence(night)}"
    table = count_events(night.events).to_html(border=0) if len(night.events) else ""
    return f"<div><strong>{escape(title)}</strong><p>{escape(text)}</p>{table}</div>"
