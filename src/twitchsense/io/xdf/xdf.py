"""XDF captures: what LabRecorder writes of streams of the Lab Streaming Layer.

Timestamps are corrected by the clock offsets of their stream, and one sampling rate is fitted
to each stretch without a gap. They are not smoothed over gaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping, ignored_columns_note
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.channels.labelled_signals import plan_signals
from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.io.xdf.stream_times import RESOLUTION_NS, StreamTimes
from twitchsense.io.xdf.xdf_channels import describe_channels
from twitchsense.io.xdf.xdf_clock import OffsetCorrection
from twitchsense.io.xdf.xdf_file import XdfFile, XdfStream
from twitchsense.model.channels import NS
from twitchsense.model.column_names import ChannelPlan
from twitchsense.model.notes import GIVE_ZONE, Note, with_source

#: Largest time in s: that of the year 2200, in the clocks in use.
_MAX_TIME_S: Final = 7.3e9
_BY_HEADER: Final = "the start is that of the file header, right to a few seconds"
#: Relative distance of the rate by the times from the one stated from which a note is written.
_NOTED_DISTANCE: Final = 0.02
#: Share of samples without a timestamp, below which each sample has its own.
_OWN: Final = 0.5

Floats = NDArray[np.float64]


class XdfCapture:
    """An XDF file as a `Capture`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
        Of the labels of channels.
    zone : str or None
        IANA time zone of the start, if the file does not contain its offset from UTC.

    Raises
    ------
    InputError
        If the file is damaged, holds no usable stream, or time runs backwards in one.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> None:
        self.source = source
        self._file = XdfFile(path, source)
        self._stated_fs = mapping.fs
        streams = list(self._file.streams.values())
        self._places = [(s, i) for s in streams for i in range(s.channels)]
        signals = describe_channels(streams)
        if not signals:
            raise InputError(source, "holds no stream of numbers", "record EMG or acceleration")
        plan = plan_signals(source, signals, mapping)
        self.headers: Sequence[str] = tuple(s.label for s in signals)
        self._index, self._factors = plan.index, plan.factors
        self._plans_of: list[tuple[XdfStream, list[ChannelPlan]]] = []
        for stream in streams:
            own = [p for p in plan.channels if self._stream_of(source, p) is stream]
            if own:
                self._plans_of.append((stream, own))
        self._times = {id(s): self._times_of(s) for s, _ in self._plans_of}
        empty = [s for s, _ in self._plans_of if self._times[id(s)].first_ns is None]
        self._plans_of = [(s, p) for s, p in self._plans_of if s not in empty]
        mapping.times_used |= any(times.in_packets for times in self._times.values())
        self.plans = tuple(p for _, own in self._plans_of for p in own)
        if not self.plans:
            raise InputError(source, "its streams hold no samples", "record for a while first")
        begin = self._first_sample_ns()
        start, note = _file_start(self._file.recorded, zone)
        self.time_axis = "time_s" if start is None else "time_utc"
        self._shift_ns = (0 if start is None else round(start.timestamp()) * NS) - begin
        self.notes = (
            *ignored_columns_note(source, plan.ignored),
            *plan.notes,
            *(f"{source}: stream '{s.text('name')}' has no samples" for s in empty),
            *(n for s, _ in self._plans_of for n in self._rate_note(s)),
            *((with_source(source, note),) if note else ()),
            *(
                (
                    Note(
                        "unread",
                        f"{source}: damaged at {self._file.damaged} places, which are left out",
                    ),
                )
                if self._file.damaged
                else ()
            ),
        )

    def first_time_ns(self) -> int:
        """Return the time of the first sample in ns."""
        return self._first_sample_ns() + self._shift_ns

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        ends: list[int] = []
        for stream, plans in self._plans_of:
            names = [name for plan in plans for name in plan.names]
            for plan in plans:
                builders[plan.name].set_time_resolution(RESOLUTION_NS, 0)
                builders[plan.name].set_least_gap(self._times[id(stream)].least_gap_ns)
            blocks = (
                (timestamps, [self._column(samples, name) for name in names])
                for timestamps, samples in self._samples(stream)
            )
            for placed_ns, columns in self._times[id(stream)].place(blocks):
                if not len(placed_ns):
                    continue
                times_ns = placed_ns + self._shift_ns
                ends += int(times_ns[0]), int(times_ns[-1])
                of_name = dict(zip(names, columns, strict=True))
                for plan in plans:
                    builders[plan.name].append(times_ns, [of_name[n] for n in plan.names])
        return min(ends), max(ends)

    def _column(self, samples: NDArray[np.generic], name: str) -> Floats:
        """Return the values of a channel, shape (n,)."""
        with np.errstate(invalid="ignore"):  # damaged bytes may be a NaN that signals
            values = samples[:, self._places[self._index[name]][1]].astype(np.float64)
        return values * self._factors[name]

    def locate(self, time_ns: int) -> str | None:
        """Return a time as seconds from the first sample, for messages."""
        return f"{(time_ns - self.first_time_ns()) / NS:.3f} s"

    def _stream_of(self, source: str, plan: ChannelPlan) -> XdfStream:
        """Return the stream of a channel, all of whose axes must be in one."""
        streams = [self._places[self._index[n]][0] for n in plan.names]
        if any(s is not streams[0] for s in streams):
            raise InputError(
                source,
                "axes of one accelerometer in different streams",
                "map them to different names (acc1_x, acc2_x)",
                f"signal {plan.names[0]}",
            )
        return streams[0]

    def _first_sample_ns(self) -> int:
        return min(self._times[id(s)].first_ns or 0 for s, _ in self._plans_of)

    def _times_of(self, stream: XdfStream) -> StreamTimes:
        """Return the times of a stream's samples."""
        stored, _ = next(self._file.blocks(stream), (np.empty(0), None))
        return StreamTimes(
            self.source,
            stream.text("name"),
            lambda: (timestamps for timestamps, _ in self._samples(stream)),
            self._stated_fs or stream.nominal_fs,
            own=float(np.isnan(stored).mean() if len(stored) else 0) < _OWN,
        )

    def _rate_note(self, stream: XdfStream) -> list[str]:
        """Return a note if the times give another rate than the description."""
        fs, stated = self._times[id(stream)].fs, stream.nominal_fs
        if not stated or abs(fs / stated - 1) < _NOTED_DISTANCE:
            return []
        return [
            Note(
                "times",
                f"{self.source}: stream '{stream.text('name')}' states {stated:g} Hz, but its "
                f"timestamps are those of {fs:.5g} Hz, which is taken",
            )
        ]

    def _samples(self, stream: XdfStream) -> Iterator[tuple[Floats, NDArray[np.generic]]]:
        """Yield corrected times and values; samples without a time follow the one before."""
        correct = OffsetCorrection(stream.offset_times, stream.offset_values)
        period = 1 / stream.nominal_fs if stream.nominal_fs else 0.0
        last = np.nan
        for timestamps, samples in self._file.blocks(stream):
            known = ~np.isnan(timestamps)
            if not known.all():
                index = np.arange(len(timestamps))
                source = np.maximum.accumulate(np.where(known, index, -1))
                before = np.where(source < 0, last, timestamps[np.maximum(source, 0)])
                timestamps = before + (index - source) * period
            last = float(timestamps[-1])
            if not np.isfinite(timestamps).all() or np.abs(timestamps).max() > _MAX_TIME_S:
                raise InputError(
                    self.source,
                    "a sample has no usable time",
                    "record it again",
                    f"stream '{stream.text('name')}'",
                )
            yield correct(timestamps), samples


def _file_start(recorded: str, zone: str | None) -> tuple[datetime | None, str]:
    """Return the start by the file header and a note on its source."""
    try:
        when = datetime.fromisoformat(recorded)
    except ValueError:
        return None, ""
    if when.tzinfo is None:
        if zone is None:
            return (
                None,
                Note(
                    "times",
                    f"recorded at {when:%Y-%m-%d %H:%M:%S} without a time zone",
                    GIVE_ZONE,
                ),
            )
        utc, note = local_to_utc(when, zone)
        return utc, note or _BY_HEADER
    return when.astimezone(UTC), _BY_HEADER
