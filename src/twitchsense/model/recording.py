"""Recordings: the output of every reader and the input of every analysis.

A recording is a set of channels, each cut into gap-free segments. Missing samples
are never filled in: where samples are missing, one segment ends and another begins.

Time inside a recording is an ``int`` number of nanoseconds on the recording's
own time axis (the ``time_s`` column of a capture; zero is the first row where
the capture has clock times or times of day). `Recording.start_utc_ns` relates that axis to UTC
if the capture holds clock time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.array_channels import channels_from_arrays
from twitchsense.model.channels import NS, Channel, Chunk, Samples, Segment
from twitchsense.model.stated_start import check_zone, parse_start


class _Part(NamedTuple):
    """A part of a segment: what a chunk is made of, before its samples are read."""

    start_ns: int
    order: int  # of the channel
    segment: Segment
    first: int
    stop: int

    def read(self) -> Chunk:
        samples = self.segment.samples.read(self.first, self.stop)
        return Chunk(self.segment.channel, self.segment.start_ns, self.first, samples)


@dataclass(frozen=True, slots=True, repr=False)
class Recording:
    """Channels of gap-free segments on one time axis.

    Attributes
    ----------
    channels : tuple of Channel
    segments : tuple of Segment
        Sorted by channel order, then by time; the segments of a channel never overlap.
    start_utc_ns : int or None
        UTC (ns since 1970) of the axis' zero, if the capture holds clock time.
    zone : str or None
        IANA time zone of the wearer, for displayed clock times.
    source : str
        File names, for messages and provenance.
    sha256 : str
        Hash of the input bytes.
    notes : tuple of str
        Remarks of the reader for the user (gaps, jitter, sampling rates).
    covers_ns : tuple of int or None
        Start and end of the capture in ns, if it extends beyond its samples: gaps at
        its start and end belong to it.
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
        start: str | datetime | None = None,
        zone: str | None = None,
    ) -> Recording:
        """Create a recording from arrays.

        Parameters
        ----------
        signals : mapping of str to (samples, fs)
            Keys are column names with their unit, as in a capture:
            ``emg1_uv``, ``emg_left_mv``, ``acc_x_g``, ``acc_right_y_ms2``.
            Samples have shape ``(n,)``; `fs` is in Hz. A non-finite sample is a gap,
            also at the start and at the end. The axes of one accelerometer must have
            equal length and rate. EMG that is float32 in µV is not copied: leave it
            unchanged as long as the recording is used.
        start : str or datetime, optional
            Time of the first sample, as for `twitchsense.read`: ISO 8601 if it is text;
            without an offset it is local time of `zone`.
        zone : str, optional
            IANA time zone of the wearer.

        Returns
        -------
        Recording

        Raises
        ------
        InputError
            If a column name or unit is unknown, a rate is not positive or outside the
            supported range, the axes of an accelerometer differ in length or rate, or
            `start` is no date and time or has no time zone, or there is no such zone.
        """
        if zone is not None:
            check_zone(zone)
        start_ns = None if start is None else parse_start(start, zone)
        channels, segments, end_ns = channels_from_arrays(signals)
        return cls(channels, segments, start_ns, zone, covers_ns=(0, end_ns))

    def __repr__(self) -> str:
        hours = (self.end_ns - self.start_ns) / NS / 3600
        channels = ", ".join(f"{c.name} {c.fs:g} Hz" for c in self.channels) or "no channel"
        gaps = len(self.segments) - len({s.channel for s in self.segments})
        return f"<Recording {self.source}: {channels}; {hours:.2f} h, {gaps} gaps>"

    def channel(self, name: str) -> Channel:
        """Return a channel by its name.

        Parameters
        ----------
        name : str

        Returns
        -------
        Channel

        Raises
        ------
        KeyError
            If there is no channel of that name.
        """
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise KeyError(name)

    def segments_of(self, name: str) -> tuple[Segment, ...]:
        """Return the segments of one channel.

        Parameters
        ----------
        name : str
            Name of the channel.

        Returns
        -------
        tuple of Segment
            In order of time; empty if there is no such channel.
        """
        return tuple(s for s in self.segments if s.channel == name)

    @property
    def start_ns(self) -> int:
        """Start of the recording in ns: its first sample, or a gap before it."""
        gap = [] if self.covers_ns is None else [self.covers_ns[0]]
        return min([*gap, *(s.start_ns for s in self.segments)], default=0)

    @property
    def end_ns(self) -> int:
        """End of the recording in ns: just after the last sample of any channel, or a gap."""
        gap = [] if self.covers_ns is None else [self.covers_ns[1]]
        return max([*gap, *(self.segment_end_ns(s) for s in self.segments)], default=0)

    def segment_end_ns(self, segment: Segment) -> int:
        """Return the time just after the last sample of a segment.

        Parameters
        ----------
        segment : Segment
            Of this recording.

        Returns
        -------
        int
            In ns, on the time axis of the recording.
        """
        fs = self.channel(segment.channel).fs
        return segment.start_ns + round(len(segment.samples) * NS / fs)

    def chunks(self, seconds: float = 60.0) -> Iterator[Chunk]:
        """Yield the whole recording as chunks, with the channels interleaved in time.

        Parameters
        ----------
        seconds : float
            Length of a chunk. It bounds the memory used; results do not depend on it.

        Yields
        ------
        Chunk
        """
        # sorted by time and channel, so that a detector that combines channels never
        # holds more than a chunk of one while it waits for another
        for part in sorted(self._parts(seconds), key=lambda p: (p.start_ns, p.order)):
            yield part.read()

    def blocks(self, seconds: float = 120.0) -> Iterator[tuple[Chunk, ...]]:
        """Yield the whole recording in blocks, each a period of all channels.

        Parameters
        ----------
        seconds : float
            Length of a block. It bounds the memory used; results do not depend on it.

        Yields
        ------
        tuple of Chunk
            The chunks that begin in one period, channel by channel; several of a channel, if
            there are gaps in it.
        """
        step_ns = max(1, round(seconds * NS))
        rounding_ns = step_ns // 1000  # the start of a chunk is rounded to a sample
        begin_ns = self.start_ns - rounding_ns

        def block(part: _Part) -> int:
            return (part.start_ns - begin_ns) // step_ns

        parts = sorted(self._parts(seconds), key=lambda p: (block(p), p.order, p.start_ns))
        for _, members in groupby(parts, key=block):
            yield tuple(part.read() for part in members)

    def _parts(self, seconds: float) -> Iterator[_Part]:
        """Yield what the chunks are made of, channel by channel."""
        step_ns = max(1, round(seconds * NS))
        order = {c.name: i for i, c in enumerate(self.channels)}
        begin_ns = self.start_ns  # scans all segments: once
        for segment in self.segments:
            fs = self.channel(segment.channel).fs
            n = len(segment.samples)
            step = max(1, round(seconds * fs))
            # the first chunk ends on a common grid, so that the channels stay aligned
            lead = step_ns - (segment.start_ns - begin_ns) % step_ns
            first = min(n, max(1, round(lead * fs / NS)))
            edges = [0, *range(first, n, step), n]
            for start, stop in pairwise(edges):
                if stop > start:
                    t = segment.start_ns + round(start * NS / fs)
                    yield _Part(t, order[segment.channel], segment, start, stop)

    def window(self, name: str, start_ns: int, stop_ns: int) -> tuple[NDArray[np.int64], Samples]:
        """Return the samples of a channel between two times.

        Parameters
        ----------
        name : str
            Name of the channel.
        start_ns, stop_ns : int
            Bounds ``[start, stop)`` in ns.

        Returns
        -------
        times_ns : ndarray of int64, shape (n,)
        samples : ndarray of float32, shape (n, width)
            A gap inside the window is a jump in `times_ns`.
        """
        fs = self.channel(name).fs
        times: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        blocks: list[Samples] = [np.empty((0, self.channel(name).width), np.float32)]
        segments = self.segments_of(name)
        begin = bisect_right(segments, start_ns, key=lambda s: s.start_ns)
        for segment in segments[max(0, begin - 1) :]:
            if segment.start_ns >= stop_ns:
                break
            first = max(0, int(np.ceil((start_ns - segment.start_ns) * fs / NS)))
            last = min(len(segment.samples), int(np.ceil((stop_ns - segment.start_ns) * fs / NS)))
            if last > first:
                index = np.arange(first, last)
                times.append(segment.start_ns + np.rint(index * (NS / fs)).astype(np.int64))
                blocks.append(segment.samples.read(first, last))
        return np.concatenate(times), np.concatenate(blocks)
