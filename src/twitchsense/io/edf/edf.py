"""EDF, EDF+ and BDF captures, read in blocks of data records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping, ignored_columns_note
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.channels.labelled_signals import LabelledSignal, SignalPlan, plan_signals
from twitchsense.io.edf.edf_header import read_edf_header
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

#: Bytes of data records that are read at once.
BLOCK_BYTES: Final = 1 << 22
#: Maximum duration (s) of a file; a longer one has a damaged header.
_MAX_DURATION_S: Final = 1e8
#: Onset of a data record, at the start of its time-keeping annotation (EDF+ 2.2.4).
_ONSET: Final = re.compile(rb"([+-]\d{1,8}(?:\.\d*)?)[\x14\x15]")


class EdfCapture:
    """An EDF or BDF file as a `Capture`.

    Samples are regular within a data record. Records follow each other without a gap, or
    each stores its onset (EDF+).

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
    zone : str or None
        IANA time zone of the start time, which EDF stores as local time. Without it the time
        axis is seconds from the start, unless the file contains its offset from UTC.

    Raises
    ------
    InputError
        If the file is damaged or holds no usable signal.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> None:
        self.path = path
        self.source = source
        self._header = read_edf_header(path, source)
        signals = self._header.signals
        self._starts = np.concatenate([[0], np.cumsum([s.count for s in signals])]).astype(int)
        self._onset_signal = next((i for i, s in enumerate(signals) if s.is_annotation), None)
        if signals and all(s.is_annotation for s in signals):
            raise InputError(
                source,
                "holds annotations only, such as sleep stages, and no signal",
                "give it with --hypnogram (or --respiratory) beside the recording",
                "header",
            )
        self._count, count_notes = self._count_records()
        self.time_axis, self._zero_ns = self._find_zero(zone)
        count_notes += self._header.start_notes(source, zone)
        plan = self._plan_channels(mapping)
        self._index, self._factors = plan.index, plan.factors
        self.headers: Sequence[str] = tuple(s.label for s in signals)
        self.plans = plan.channels
        self.notes: tuple[str, ...] = (
            *ignored_columns_note(source, plan.ignored),
            *plan.notes,
            *count_notes,
        )

    def first_time_ns(self) -> int:
        """Return the time of the first sample in ns."""
        return self._zero_ns + self._first_onset_ns()

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        first, last = 0, -np.inf
        ends: list[int] = []
        for onsets, records in self._records():
            steps_ns = np.diff(onsets, prepend=last)
            early = np.flatnonzero(steps_ns < self._header.record_s * NS * 0.999)
            if len(early):
                raise InputError(
                    self.source,
                    "time runs backwards, or records overlap",
                    "export it again",
                    f"record {first + int(early[0]) + 1}",
                )
            first, last = first + len(onsets), float(onsets[-1])
            for plan in self.plans:
                count = self._header.signals[self._index[plan.names[0]]].count
                # record onsets are whole ns; times within a record are rounded once
                offsets = np.rint(np.arange(count) * (self._header.record_s * NS / count)).astype(
                    np.int64
                )
                times_ns = (self._zero_ns + onsets[:, None] + offsets).ravel()
                columns = [self._physical(records, name) for name in plan.names]
                builders[plan.name].append(times_ns, columns)
                ends += int(times_ns[0]), int(times_ns[-1])
        return min(ends), max(ends)

    def locate(self, time_ns: int) -> str | None:
        """Return a time as seconds from the start of the file, for messages."""
        return f"{(time_ns - self._zero_ns) / NS:.3f} s"

    def _count_records(self) -> tuple[int, list[str]]:
        """Return the number of whole records in the file, and notes on others."""
        header = self._header
        record_bytes = int(self._starts[-1]) * header.item_bytes
        if not record_bytes or header.record_s <= 0:
            raise InputError(self.source, "holds no signal", "export it again", "header")
        count, rest = divmod(self.path.stat().st_size - header.size, record_bytes)
        if count * header.record_s > _MAX_DURATION_S:
            raise InputError(
                self.source,
                f"{count} records of {header.record_s:g} s last longer than any recording",
                "export it again",
                "header",
            )
        announced = header.records
        if announced < 0 or announced == count:
            return count, [f"{self.source}: the last record is cut and left out"] if rest else []
        what = "cut short" if announced > count else "longer than announced"
        return count, [
            Note(
                "unread",
                f"{self.source}: {what}: the header announces {announced} records, the file has "
                f"{count}; these are read",
            )
        ]

    def _describe(self) -> list[LabelledSignal | None]:
        """Describe the signals; None for annotations."""
        return [s.described for s in self._header.signals]

    def _plan_channels(self, mapping: ColumnMapping) -> SignalPlan:
        """Return the channels among the signals."""
        signals = self._header.signals
        plan = plan_signals(self.source, self._describe(), mapping)
        for channel in plan.channels:
            counts = {signals[plan.index[n]].count for n in channel.names}
            if len(counts) > 1:
                raise InputError(
                    self.source,
                    "axes of one accelerometer at different rates",
                    "export them at one rate",
                    f"signal {channel.names[0]}",
                )
        return plan

    def _find_zero(self, zone: str | None) -> tuple[str, int]:
        """Return the time axis, and the time on it (ns) from which record onsets count."""
        start = self._header.start_utc(zone)
        if start is not None:
            return "time_utc", round(start.timestamp()) * NS
        if zone is not None:
            raise InputError(
                self.source,
                "the start time is unknown (an anonymous date, or none)",
                "leave out the time zone to read it without clock time, or state the start "
                "instead of the zone (--start 2026-03-01T22:30:00+01:00)",
                "header",
            )
        return "time_s", self._header.zero_s * NS

    def _records(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield onsets in ns from the start, and raw records of shape (n, bytes)."""
        record_bytes = int(self._starts[-1]) * self._header.item_bytes
        step = max(1, BLOCK_BYTES // record_bytes)
        with self.path.open("rb") as file:
            file.seek(self._header.size)
            for first in range(0, self._count, step):
                count = min(step, self._count - first)
                raw = np.frombuffer(file.read(count * record_bytes), np.uint8)
                records = raw.reshape(count, record_bytes)
                yield self._onsets(records, first), records

    def _first_onset_ns(self) -> int:
        for onsets, _ in self._records():
            return int(onsets[0])
        raise InputError(self.source, "no records after the header", "give a capture with samples")

    def _onsets(self, records: NDArray[np.uint8], first: int) -> NDArray[np.int64]:
        """Return the onset (ns from the start) of each record, of which `first` is the number."""
        if self._onset_signal is None:
            seconds = np.arange(first, first + len(records)) * self._header.record_s
            regular: NDArray[np.int64] = np.rint(seconds * NS).astype(np.int64)
            return regular
        i = self._onset_signal
        annotations = records[
            :,
            self._starts[i] * self._header.item_bytes : self._starts[i + 1]
            * self._header.item_bytes,
        ]
        onsets = np.empty(len(records), np.int64)
        for row, annotation in enumerate(annotations):
            match = _ONSET.match(annotation.tobytes())
            if not match:
                raise InputError(
                    self.source,
                    "the record has no onset",
                    "export it again as EDF+C or plain EDF",
                    f"record {first + row + 1}",
                )
            onsets[row] = round(float(match[1]) * 1e9)
        return onsets

    def _bytes_of(self, records: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        """Return the bytes of one signal, shape (n, bytes)."""
        start, stop = self._starts[index : index + 2] * self._header.item_bytes
        return records[:, start:stop]

    def _physical(self, records: NDArray[np.uint8], label: str) -> NDArray[np.float64]:
        """Return the samples of one signal in the unit of its channel plan, shape (n,)."""
        index = self._index[label]
        raw = np.ascontiguousarray(self._bytes_of(records, index))
        if self._header.item_bytes == 2:
            digital = raw.view("<i2").astype(np.float64).ravel()
        else:
            padded = np.zeros((raw.size // 3, 4), np.uint8)
            padded[:, 1:] = raw.reshape(-1, 3)
            digital = (padded.view("<i4").ravel() >> 8).astype(np.float64)
        signal = self._header.signals[index]
        span = signal.digital_max - signal.digital_min
        if not span or signal.physical_max == signal.physical_min:
            raise InputError(
                self.source,
                "its physical or digital range is empty",
                "export it again",
                f"signal {signal.label}",
            )
        gain = (signal.physical_max - signal.physical_min) / span
        values: NDArray[np.float64] = (digital - signal.digital_min) * gain + signal.physical_min
        return values * self._factors[label]
