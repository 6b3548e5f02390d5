"""Cut the samples around each event, which the report shows and the result files keep.

A night holds gigabytes of samples, a page a few megabytes. Each event therefore keeps a
window of its own samples, the strongest events of each kind first, until a size limit is
reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS, ArraySamples, Channel, Segment
from twitchsense.model.intervals import runs_of
from twitchsense.model.recording import Recording
from twitchsense.report.protocols import NightLike

#: Quantization step of stored samples (µV, g): finer than the noise of either sensor.
RESOLUTION: Final = {"emg": 0.5, "acc": 0.0005}
#: Stored value where there is no sample.
MISSING_SAMPLE: Final = -32768
#: Size limit (bytes) of all windows of a night: about 3.5 MB once compressed and in base64.
MAX_BYTES: Final = 4_000_000
#: Maximum length of a window (s); the rest of a longer movement is only in the capture.
MAX_WINDOW_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class EventWindow:
    """The samples around one event in one channel.

    Attributes
    ----------
    event : int
        Row of the event table.
    channel : str
    start_ns : int
        Time of the first sample, ns on the recording's axis.
    fs : float
        Sampling rate (Hz).
    samples : ndarray of int16, shape (n, width)
        On a regular grid, in units of `RESOLUTION`; `MISSING_SAMPLE` where no sample exists.
    """

    event: int
    channel: str
    start_ns: int
    fs: float
    samples: NDArray[np.int16]

    def to_units(self, kind: str) -> NDArray[np.float64]:
        """Return the samples in µV or g.

        Parameters
        ----------
        kind : {'emg', 'acc'}
            Kind of the channel.

        Returns
        -------
        ndarray of float64, shape (n, width)
            NaN where no sample exists.
        """
        out: NDArray[np.float64] = self.samples.astype(np.float64) * RESOLUTION[kind]
        out[self.samples == MISSING_SAMPLE] = np.nan
        return out


def cut_event_windows(night: NightLike, max_bytes: int = MAX_BYTES) -> list[EventWindow]:
    """Return the windows of a night's events.

    Parameters
    ----------
    night : Night
    max_bytes : int
        Size limit of all samples together. Events that do not fit have no window.

    Returns
    -------
    list of EventWindow
        In the order of the event table, one for each channel shown.
    """
    windows: list[EventWindow] = []
    total_bytes = 0
    kinds = night.events["trial_type"]
    spans = {kind: average_span_s(night.events[kinds == kind]) for kind in kinds.unique()}
    for row in rank_by_strength(night.events):
        event = night.events.iloc[row]
        of_event = [
            _cut(night.recording, channel, event, row, spans[event["trial_type"]])
            for channel in channels_shown(night.recording, event)
        ]
        size = sum(w.samples.nbytes for w in of_event)
        if total_bytes + size <= max_bytes:
            total_bytes += size
            windows += of_event
    return sorted(windows, key=lambda w: w.event)


def join_windows(
    channels: Sequence[Channel], windows: Sequence[EventWindow]
) -> tuple[Segment, ...]:
    """Join the windows of each channel into gap-free segments that don't overlap.

    Parameters
    ----------
    channels : sequence of Channel
    windows : sequence of EventWindow

    Returns
    -------
    tuple of Segment
        In the order of the channels, then of time.
    """
    segments: list[Segment] = []
    for channel in channels:
        own = [w for w in windows if w.channel == channel.name]
        end_ns = -math.inf
        period = NS / channel.fs
        for t in sorted(own, key=lambda w: w.start_ns):
            present = t.samples[:, 0] != MISSING_SAMPLE
            for first, stop in runs_of(present):
                start_ns = t.start_ns + round(first * period)
                if start_ns < end_ns - period / 2:  # overlaps the window before it
                    first += round((end_ns - start_ns) / period)
                    start_ns = t.start_ns + round(first * period)
                if first >= stop:
                    continue
                values = (t.samples[first:stop] * RESOLUTION[channel.kind]).astype(np.float32)
                segments.append(Segment(channel.name, start_ns, ArraySamples(values)))
                end_ns = t.start_ns + round(stop * period)
    return tuple(segments)


def rank_by_strength(events: pd.DataFrame) -> list[int]:
    """Return the rows of an event table from strong to weak, kinds taking turns.

    Twitches are ranked by amplitude, all other kinds by peak acceleration.

    Parameters
    ----------
    events : DataFrame

    Returns
    -------
    list of int
    """
    strength = events["peak_g"].fillna(0).to_numpy(np.float64).copy()
    is_twitch = (events["trial_type"] == "twitch").to_numpy()
    strength[is_twitch] = events["amplitude_uv"].fillna(0).to_numpy(np.float64)[is_twitch]
    order = np.argsort(-strength, kind="stable")
    kinds = events["trial_type"].iloc[order]
    rank_in_kind = kinds.groupby(kinds).cumcount().to_numpy()
    return [int(i) for i in order[np.argsort(rank_in_kind, kind="stable")]]


def channels_shown(recording: Recording, event: pd.Series[Any]) -> list[Channel]:
    """Return the channels in which an event is shown: one EMG and one accelerometer.

    Parameters
    ----------
    recording : Recording
    event : Series
        A row of the event table.

    Returns
    -------
    list of Channel
        The event's own channel, and for the other kind of sensor the first channel of the
        same leg; if the leg has none, the first of any leg.
    """
    own = next((c for c in recording.channels if c.name == str(event["channel"])), None)
    leg = str(event["leg"]) or (own.leg if own else None)
    out: list[Channel] = []
    for kind in ("emg", "acc"):
        if own is not None and own.kind == kind:
            out.append(own)
            continue
        of_kind = [c for c in recording.channels if c.kind == kind]
        of_leg = [c for c in of_kind if leg in (None, "") or c.leg in (leg, None)]
        out.extend((of_leg or of_kind)[:1])
    return out


def margin_s(duration: float) -> float:
    """Return the time (s) shown before and after an event of a duration (s)."""
    return float(min(5.0, max(0.4, 0.5 * duration))) if math.isfinite(duration) else 0.4


def average_span_s(events: pd.DataFrame) -> tuple[float, float]:
    """Return the time from the onset over which the waveforms of events are averaged.

    Parameters
    ----------
    events : DataFrame
        Events of one kind.

    Returns
    -------
    first, last : float
        Seconds.
    """
    duration = float(events["duration"].median()) if len(events) else 0.1
    margin = margin_s(duration)
    return -margin / 2, (duration if math.isfinite(duration) else 0.0) + margin


def duration_s(event: pd.Series[Any]) -> float:
    """Return the duration of an event (s); zero if it has none."""
    duration = float(event["duration"])
    return duration if math.isfinite(duration) else 0.0


def _cut(
    recording: Recording,
    channel: Channel,
    event: pd.Series[Any],
    row: int,
    average: tuple[float, float],
) -> EventWindow:
    """Cut an event with its margins; the average of its kind is made of the windows, too."""
    duration = duration_s(event)
    margin = margin_s(duration)
    before, after = max(margin, -average[0]), max(duration + margin, average[1])
    start = round((float(event["onset"]) - before) * NS)
    n = round(min(before + after, MAX_WINDOW_S) * channel.fs)
    times, samples = recording.window(channel.name, start, start + round(n * NS / channel.fs))
    if len(times):
        # align the grid with the samples, so that cutting a stored window again changes nothing
        before = math.floor((int(times[0]) - start) * channel.fs / NS)
        start = int(times[0]) - round(before * NS / channel.fs)
    grid = np.full((n, channel.width), MISSING_SAMPLE, np.int16)
    index = np.rint((times - start) * (channel.fs / NS)).astype(np.int64)
    keep = (index >= 0) & (index < n)
    scaled = np.rint(samples[keep].astype(np.float64) / RESOLUTION[channel.kind])
    grid[index[keep]] = np.clip(scaled, -32767, 32767).astype(np.int16)
    return EventWindow(row, channel.name, start, channel.fs, grid)
