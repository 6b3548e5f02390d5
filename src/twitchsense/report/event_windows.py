"""The waveforms that pictures are drawn from: a window around each event, and no more.

A night holds gigabytes of samples; a page can hold a few megabytes. So each event
keeps its own window, as it was recorded, until a budget is spent: the strongest of
each kind first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS, Channel
from twitchsense.model.recording import Recording
from twitchsense.report.protocols import NightLike

#: What one step of a stored sample is worth: finer than the noise of either sensor.
QUANTUM: Final = {"emg": 0.5, "acc": 0.0005}  # µV, g
#: Stands where there is no sample.
MISSING: Final = -32768
#: Bytes of samples in all: about 3.5 MB once packed and written as text.
BUDGET: Final = 4_000_000
#: No window is longer (s): the rest of a long movement is left to the capture.
LONGEST_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Trace:
    """The window of one event in one channel.

    Attributes
    ----------
    event : int
        Row of the event table.
    channel : str
    start_ns : int
        Time of the first sample on the recording's axis.
    fs : float
        Hz.
    samples : ndarray of int16, shape (n, width)
        In steps of `QUANTUM`, on a regular grid; `MISSING` where no sample exists.
    """

    event: int
    channel: str
    start_ns: int
    fs: float
    samples: NDArray[np.int16]

    def values(self, kind: str) -> NDArray[np.float64]:
        """Return the samples in µV or g; NaN where there is none."""
        out: NDArray[np.float64] = self.samples.astype(np.float64) * QUANTUM[kind]
        out[self.samples == MISSING] = np.nan
        return out


def gather(night: NightLike, budget: int = BUDGET) -> list[Trace]:
    """Return the windows of a night's events, in the order of the table.

    Parameters
    ----------
    night : Night
    budget : int
        Bytes of samples in all. What does not fit is left out.
    """
    found: list[Trace] = []
    spent = 0
    for row in rank(night.events):
        event = night.events.iloc[row]
        mine = [_cut(night.recording, c, event, row) for c in channels_of(night.recording, event)]
        size = sum(t.samples.nbytes for t in mine)
        if spent + size <= budget:
            spent += size
            found += mine
    return sorted(found, key=lambda t: t.event)


def rank(events: pd.DataFrame) -> list[int]:
    """Return row numbers: the strongest of each kind first, kinds taking turns."""
    strength = events["peak_g"].fillna(0).to_numpy(np.float64).copy()
    small = (events["trial_type"] == "twitch").to_numpy()
    strength[small] = events["amplitude_uv"].fillna(0).to_numpy(np.float64)[small]
    order = np.argsort(-strength, kind="stable")
    turn = events["trial_type"].iloc[order].groupby(events["trial_type"].iloc[order]).cumcount()
    return [int(i) for i in order[np.argsort(turn.to_numpy(), kind="stable")]]


def channels_of(recording: Recording, event: pd.Series[Any]) -> list[Channel]:
    """Return the EMG and the accelerometer that tell most about an event."""
    best = next((c for c in recording.channels if c.name == str(event["channel"])), None)
    leg = str(event["leg"]) or (best.leg if best else None)
    out: list[Channel] = []
    for kind in ("emg", "acc"):
        if best is not None and best.kind == kind:
            out.append(best)
            continue
        fitting = [c for c in recording.channels if c.kind == kind]
        same = [c for c in fitting if leg in (None, "") or c.leg in (leg, None)]
        out.extend((same or fitting)[:1])
    return out


def lead(duration: float) -> float:
    """Return the seconds shown before and after an event."""
    return float(min(5.0, max(0.4, 0.5 * duration))) if math.isfinite(duration) else 0.4


def length(event: pd.Series[Any]) -> float:
    """Return the duration of an event in seconds; zero if it has none."""
    duration = float(event["duration"])
    return duration if math.isfinite(duration) else 0.0


def _cut(recording: Recording, channel: Channel, event: pd.Series[Any], row: int) -> Trace:
    span = length(event)
    start = round((float(event["onset"]) - lead(span)) * NS)
    n = round(min(span + 2 * lead(span), LONGEST_S) * channel.fs)
    times, samples = recording.window(channel.name, start, start + round(n * NS / channel.fs))
    if len(times):
        # the grid is that of the samples themselves: a stored window is cut again unchanged
        before = math.floor((int(times[0]) - start) * channel.fs / NS)
        start = int(times[0]) - round(before * NS / channel.fs)
    grid = np.full((n, channel.width), MISSING, np.int16)
    at = np.rint((times - start) * (channel.fs / NS)).astype(np.int64)
    keep = (at >= 0) & (at < n)
    scaled = np.rint(samples[keep].astype(np.float64) / QUANTUM[channel.kind])
    grid[at[keep]] = np.clip(scaled, -32767, 32767).astype(np.int16)
    return Trace(row, channel.name, start, channel.fs, grid)
