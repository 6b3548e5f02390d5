"""What every reader makes and every analysis takes: a Recording.

A recording is a set of channels, each cut into gap-free segments. Nothing is
ever filled in: where samples are missing, one segment ends and another begins.

Time inside a recording is an ``int`` number of nanoseconds on the recording's
own axis (the ``time_s`` column of a capture; zero is the first row where
the capture carries clock time). `Recording.start_utc_ns` ties that axis to UTC
when the capture knows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.errors import InputError

Kind = Literal["emg", "acc"]
Leg = Literal["left", "right"]
Samples = NDArray[np.float32]

NS = 1_000_000_000


class SampleReader(Protocol):
    """Random access to the samples of one segment, wherever they are kept."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, shape ``(n, width)``, float32."""
        ...


@dataclass(frozen=True, slots=True)
class ArraySamples:
    """Samples held in memory, shape ``(n, width)``, float32."""

    array: Samples

    def __len__(self) -> int:
        return len(self.array)

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``."""
        return self.array[start:stop]


@dataclass(frozen=True, slots=True)
class Channel:
    """One sensor: a single EMG lead, or the axes of one accelerometer.

    Attributes
    ----------
    name : str
        ``emg1``, ``emg_left``, ``acc``, ``acc_right``.
    kind : {'emg', 'acc'}
    unit : {'uV', 'g'}
        Always µV for EMG and g for acceleration; readers convert.
    fs : float
        Effective sampling rate in Hz, fitted to the capture's time column.
    columns : tuple of str
        Names of the columns of a sample block: one for EMG, one to three for
        an accelerometer.
    leg : {'left', 'right'} or None
    fs_error : float
        Standard error of `fs` in Hz; zero if the rate was given.
    """

    name: str
    kind: Kind
    unit: Literal["uV", "g"]
    fs: float
    columns: tuple[str, ...]
    leg: Leg | None = None
    fs_error: float = 0.0

    @property
    def width(self) -> int:
        """Number of columns in a sample block."""
        return len(self.columns)


@dataclass(frozen=True, slots=True)
class Segment:
    """A gap-free stretch of one channel.

    Sample ``i`` of the segment was taken at ``start_ns + i / fs``.
    """

    channel: str
    start_ns: int
    samples: SampleReader


@dataclass(frozen=True, slots=True)
class Chunk:
    """What flows through the detector: some samples of one segment, in order.

    A new `segment_start_ns` (with ``first_index == 0``) says that a gap lies
    between this chunk and the one before.

    Attributes
    ----------
    channel : str
    segment_start_ns : int
        Time of the segment's first sample.
    first_index : int
        Index in the segment of the first sample of this chunk.
    samples : ndarray of float32, shape (n, width)
    """

    channel: str
    segment_start_ns: int
    first_index: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class Recording:
    """Channels × gap-free segments, and what is known of the clock.

    Attributes
    ----------
    channels : tuple of Channel
    segments : tuple of Segment
        Sorted by channel order, then by time; those of a channel never overlap.
    start_utc_ns : int or None
        UTC (ns since 1970) of the axis' zero, if the capture knows it.
    zone : str or None
        IANA time zone of the wearer, for showing clock times.
    source : str
        File names, for messages and provenance.
    sha256 : str
        Hash of the input bytes.
    notes : tuple of str
        What the reader saw and the user should know (gaps, jitter, rates).
    covers_ns : tuple of int or None
        From when until when the capture reaches, where that is further than its samples:
        silence at its start and end is part of it.
    """

    channels: tuple[Channel, ...]
    segments: tuple[Segment, ...]
    start_utc_ns: int | None = None
    zone: str | None = None
    source: str = "arrays"
    sha256: str = ""
    notes: tuple[str, ...] = field(default=())
    covers_ns: tuple[int, int] | None = None

    @classmethod
    def from_arrays(
        cls,
        signals: Mapping[str, tuple[ArrayLike, float]],
        *,
        start: datetime | None = None,
        zone: str | None = None,
    ) -> Recording:
        """Make a recording from arrays.

        Parameters
        ----------
        signals : mapping of str to (samples, fs)
            Keys are column names with their unit, as in a capture:
            ``emg1_uv``, ``emg_left_mv``, ``acc_x_g``, ``acc_right_y_ms2``.
            A non-finite sample is a gap, also at the start and at the end. The axes
            of one accelerometer must have equal length and rate.
        start : datetime with time zone, optional
            When the first sample was taken.
        zone : str, optional
            IANA time zone of the wearer.

        Raises
        ------
        InputError
            For an unknown column name or unit, a rate that is not positive,
            or axes that don't match.
        """
        from twitchsense.model.column_names import assemble_arrays

        channels, segments, end_ns = assemble_arrays(signals)
        start_ns = None
        if start is not None:
            if start.tzinfo is None:
                raise InputError("start", "has no time zone", "give an aware datetime (tzinfo=...)")
            start_ns = round(start.timestamp() * 1e6) * 1000
        return cls(channels, segments, start_ns, zone, covers_ns=(0, end_ns))

    def channel(self, name: str) -> Channel:
        """Return the channel called `name`."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise KeyError(name)

    def segments_of(self, name: str) -> tuple[Segment, ...]:
        """Return the segments of one channel, in time order."""
        return tuple(s for s in self.segments if s.channel == name)

    @property
    def start_ns(self) -> int:
        """When it began, on the recording's axis: with the first sample, or silent before."""
        silent = [] if self.covers_ns is None else [self.covers_ns[0]]
        return min([*silent, *(s.start_ns for s in self.segments)], default=0)

    @property
    def end_ns(self) -> int:
        """When it was over: just after the last sample of any channel, or silent after."""
        silent = [] if self.covers_ns is None else [self.covers_ns[1]]
        return max([*silent, *(self.segment_end_ns(s) for s in self.segments)], default=0)

    def segment_end_ns(self, segment: Segment) -> int:
        """Return the time just after a segment's last sample."""
        fs = self.channel(segment.channel).fs
        return segment.start_ns + round(len(segment.samples) * NS / fs)

    def chunks(self, seconds: float = 60.0) -> Iterator[Chunk]:
        """Yield the whole recording as chunks, all channels side by side in time.

        Parameters
        ----------
        seconds : float
            Length of a chunk. Memory is bounded by it; results don't depend on it.
        """
        step_ns = max(1, round(seconds * NS))
        # (time of the chunk, order of the channel) sorts channels side by side,
        # so that a detector that joins channels never has to hold much of one
        # while it waits for the other.
        order = {c.name: i for i, c in enumerate(self.channels)}
        begin_ns = self.start_ns  # looks through all segments
        plan: list[tuple[int, int, Segment, int, int]] = []
        for segment in self.segments:
            fs = self.channel(segment.channel).fs
            n = len(segment.samples)
            step = max(1, round(seconds * fs))
            # the first chunk ends on the common clock, so that channels stay in step
            lead = step_ns - (segment.start_ns - begin_ns) % step_ns
            first = min(n, max(1, round(lead * fs / NS)))
            edges = [0, *range(first, n, step), n]
            for start, stop in pairwise(edges):
                if stop > start:
                    t = segment.start_ns + round(start * NS / fs)
                    plan.append((t, order[segment.channel], segment, start, stop))
        plan.sort(key=lambda row: row[:2])
        for _, _, segment, start, stop in plan:
            samples = segment.samples.read(start, stop)
            yield Chunk(segment.channel, segment.start_ns, start, samples)

    def window(self, name: str, start_ns: int, stop_ns: int) -> tuple[NDArray[np.int64], Samples]:
        """Return the samples of a channel between two times.

        Returns
        -------
        times_ns : ndarray of int64, shape (n,)
        samples : ndarray of float32, shape (n, width)
            Samples that exist; a gap inside the window is a jump in `times_ns`.
        """
        fs = self.channel(name).fs
        times: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        blocks: list[Samples] = [np.empty((0, self.channel(name).width), np.float32)]
        for segment in self.segments_of(name):
            first = max(0, int(np.ceil((start_ns - segment.start_ns) * fs / NS)))
            last = min(len(segment.samples), int(np.ceil((stop_ns - segment.start_ns) * fs / NS)))
            if last > first:
                index = np.arange(first, last)
                times.append(segment.start_ns + np.rint(index * (NS / fs)).astype(np.int64))
                blocks.append(segment.samples.read(first, last))
        return np.concatenate(times), np.concatenate(blocks)
