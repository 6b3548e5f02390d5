"""Channels, gap-free segments, chunks, and access to their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Kind = Literal["emg", "acc"]
Leg = Literal["left", "right"]
#: What the times of a channel come from; see `twitchsense.model.event_table.CLOCKS`.
ClockSource = Literal["device", "counter", "arrival"]
Samples = NDArray[np.float32]

#: Nanoseconds per second.
NS = 1_000_000_000


class SampleReader(Protocol):
    """Random access to the samples of one segment, in memory or on disk."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def read(self, start: int, stop: int) -> Samples:
        """Return a range of samples.

        Parameters
        ----------
        start, stop : int
            Indices ``[start, stop)`` in the segment.

        Returns
        -------
        ndarray of float32, shape (n, width)
        """
        ...


@dataclass(frozen=True, slots=True)
class ArraySamples:
    """Samples held in memory.

    Attributes
    ----------
    array : ndarray of float32, shape (n, width)
    """

    array: Samples

    def __len__(self) -> int:
        return len(self.array)

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, as in `SampleReader`.

        Parameters
        ----------
        start, stop : int

        Returns
        -------
        ndarray of float32, shape (n, width)
        """
        return self.array[start:stop]


@dataclass(frozen=True, slots=True)
class Channel:
    """One sensor: a single EMG lead, or the axes of one accelerometer.

    Attributes
    ----------
    name : str
        For example ``emg1``, ``emg_left``, ``acc`` or ``acc_right``.
    kind : {'emg', 'acc'}
    unit : {'uV', 'g'}
        Always µV for EMG and g for acceleration; readers convert.
    fs : float
        Effective sampling rate in Hz, fitted to the time column of the capture.
    columns : tuple of str
        Names of the columns of a sample block: one for EMG, one to three for
        an accelerometer.
    leg : {'left', 'right'} or None
    fs_error : float
        Standard error of `fs` in Hz; zero if the rate was given.
    clock : {'device', 'counter', 'arrival'} or None
        What the times come from, if the capture tells it.
    clock_error_s : float or None
        Largest uncertainty of the times, s, if the capture tells it.
    clock_errors : tuple of (int, float)
        Uncertainty (s) from a time (ns) on, in order of time: it differs between the runs of a
        device.
    mne_names : tuple of str
        Names of the columns in the ``mne.io.Raw`` that they come from, if any.
    """

    name: str
    kind: Kind
    unit: Literal["uV", "g"]
    fs: float
    columns: tuple[str, ...]
    leg: Leg | None = None
    fs_error: float = 0.0
    clock: ClockSource | None = None
    clock_error_s: float | None = None
    clock_errors: tuple[tuple[int, float], ...] = ()
    mne_names: tuple[str, ...] = field(default=(), compare=False)

    @property
    def width(self) -> int:
        """Number of columns in a sample block."""
        return len(self.columns)


@dataclass(frozen=True, slots=True)
class Segment:
    """A gap-free part of one channel.

    Sample ``i`` of the segment was taken at ``start_ns + i / fs``.

    Attributes
    ----------
    channel : str
    start_ns : int
        Time of the first sample in ns, on the time axis of the recording.
    samples : SampleReader
    """

    channel: str
    start_ns: int
    samples: SampleReader


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive samples of one segment, the input of the detector.

    A new `segment_start_ns`, with a `first_index` of 0, means that a gap lies
    between this chunk and the previous one of the channel.

    Attributes
    ----------
    channel : str
    segment_start_ns : int
        Time of the segment's first sample, in ns.
    first_index : int
        Index in the segment of the first sample of this chunk.
    samples : ndarray of float32, shape (n, width)
    """

    channel: str
    segment_start_ns: int
    first_index: int
    samples: Samples


def leg_by_channel(channels: Sequence[Channel], legs: Mapping[str, str]) -> dict[str, str]:
    """Return the leg of each channel.

    Parameters
    ----------
    channels : sequence of Channel
    legs : mapping of channel name to leg
        Legs of channels that do not name their own (`Settings.legs`).

    Returns
    -------
    dict of str to str
        ``""`` for an unknown leg. If only one leg is named, all channels are on it.
    """
    named = {c.leg or legs.get(c.name) for c in channels} - {None}
    only = next(iter(named)) if len(named) == 1 else None
    return {c.name: c.leg or legs.get(c.name) or only or "" for c in channels}
