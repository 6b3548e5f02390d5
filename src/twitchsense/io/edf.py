"""EDF, EDF+ and BDF captures.

edfio parses the header. The data records are read here in blocks, because edfio would hold
a whole BDF file in memory.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.capture import IGNORE, ColumnMapping, ignored_columns_note
from twitchsense.io.channel_builder import ChannelBuilder
from twitchsense.model.channels import NS
from twitchsense.model.column_names import SCALES, ChannelPlan, is_signal_name, plan_channels

if TYPE_CHECKING:
    from edfio import BdfSignal, EdfSignal

#: Physical dimension in the header to unit in a column name.
_UNITS: Final[Mapping[str, str]] = {
    "uv": "uv",
    "mv": "mv",
    "v": "v",
    "g": "g",
    "mg": "mg",
    "m/s2": "ms2",
    "m/s^2": "ms2",
    "ms2": "ms2",
}
#: Labels of signals that hold annotations, of which the first gives the time of each record.
_ANNOTATIONS: Final = ("EDF Annotations", "BDF Annotations")
#: Size (bytes) of the part of the header before that of the signals.
_GENERAL_HEADER: Final = 256
#: Maximum size (bytes) of a header.
_MAX_HEADER: Final = 1 << 22
#: Bytes of data records that are read at once.
BLOCK_BYTES: Final = 1 << 22
#: Onset of a data record, at the start of its time-keeping annotation (EDF+ 2.2.4).
_ONSET: Final = re.compile(rb"([+-]\d+(?:\.\d*)?)[\x14\x15]")


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
        axis is seconds from the start.

    Raises
    ------
    InputError
        If the file is damaged or holds no usable signal.
    MissingExtraError
        If edfio is not installed.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> None:
        self.path = path
        self.source = source
        self.time_axis = "time_s" if zone is None else "time_utc"
        self._read_header()
        self.headers: Sequence[str] = tuple(s.label for s in self._signals)
        self.plans = self._plan_channels(mapping)
        self.notes = ignored_columns_note(source, self._ignored)
        self._zero_ns = 0 if zone is None else self._start_utc(zone)

    def first_time_ns(self) -> int:
        """Return the time of the first sample in ns."""
        for onsets, _ in self._records():
            return self._zero_ns + int(onsets[0])
        raise InputError(self.source, "no records after the header", "give a capture with samples")

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        first, last = 0, -np.inf
        ends: list[int] = []
        for onsets, records in self._records():
            steps_ns = np.diff(onsets, prepend=last)
            early = np.flatnonzero(steps_ns < self._record_s * NS * 0.999)
            if len(early):
                raise InputError(
                    self.source,
                    "time runs backwards, or records overlap",
                    "export it again",
                    f"record {first + int(early[0]) + 1}",
                )
            first, last = first + len(onsets), float(onsets[-1])
            for plan in self.plans:
                members = [self._by_name[name] for name in plan.names]
                count = self._signals[members[0]].samples_per_data_record
                # record onsets are whole ns; times within a record are rounded once
                offsets = np.rint(np.arange(count) * (self._record_s * NS / count)).astype(np.int64)
                times_ns = (self._zero_ns + onsets[:, None] + offsets).ravel()
                builders[plan.name].append(times_ns, [self._physical(records, m) for m in members])
                ends += int(times_ns[0]), int(times_ns[-1])
        return min(ends), max(ends)

    def locate(self, time_ns: int) -> str | None:
        """Return a time as seconds from the start of the file, for messages."""
        return f"{(time_ns - self._zero_ns) / NS:.3f} s"

    def _read_header(self) -> None:
        """Parse the header with edfio, and check the size of the file."""
        try:
            import edfio
        except ImportError as error:
            raise MissingExtraError("edf", "reading EDF and BDF") from error
        with self.path.open("rb") as file:
            start = file.read(_GENERAL_HEADER)
            size = int(start[184:192]) if start[184:192].strip().isdigit() else 0
            head = start + file.read(max(0, min(size, _MAX_HEADER) - _GENERAL_HEADER))
        bdf = start.startswith(b"\xffBIOSEMI")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # edfio warns that there are no records
                reader = edfio.read_bdf if bdf else edfio.read_edf
                edf = reader(io.BytesIO(head), header_encoding="latin-1")
            self._signals: Sequence[EdfSignal | BdfSignal] = edf._signals
            self._record_s = float(edf.data_record_duration)
            self._edf = edf
            counts = [s.samples_per_data_record for s in self._signals]
            declared = int(start[236:244])
            self._start_clock = start[176:184].decode("latin-1").replace(".", ":")
        except Exception as error:
            # edfio has no exception class of its own; a damaged header may raise any
            raise InputError(
                self.source,
                f"this is not an EDF or BDF file, or its header is damaged ({error})",
                "export it again",
                "header",
            ) from error
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        self._item_bytes = 3 if bdf else 2
        self._body = len(head)
        record_bytes = int(self._starts[-1]) * self._item_bytes
        if not record_bytes or self._record_s <= 0:
            raise InputError(self.source, "holds no signal", "export it again", "header")
        self._count = (self.path.stat().st_size - self._body) // record_bytes
        if declared > self._count:
            raise InputError(
                self.source,
                f"truncated: the header announces {declared} records, the file has {self._count}",
                "copy it again",
                f"record {self._count + 1}",
            )

    def _plan_channels(self, mapping: ColumnMapping) -> tuple[ChannelPlan, ...]:
        """Return the channels among the signals."""
        names: dict[str, str] = {}
        self._by_name: dict[str, int] = {}
        self._ignored: list[str] = []
        self._onset_signal: int | None = None
        for i, signal in enumerate(self._signals):
            label = signal.label
            if label in _ANNOTATIONS:
                self._onset_signal = i if self._onset_signal is None else self._onset_signal
                continue
            name = mapping.rename(label)
            if name != label or _is_channel_name(label):
                if name.casefold() == IGNORE:
                    continue
                if label in self._by_name:
                    raise InputError(
                        self.source,
                        "two signals have the same name",
                        "rename one",
                        f"signal {label}",
                    )
                names[label] = self._with_unit(name, signal)
                self._by_name[label] = i
            else:
                self._ignored.append(label)
        if not names:
            listed = ", ".join(self._ignored) or "none"
            raise InputError(
                self.source,
                f"no signal with a known name among: {listed}",
                "map them (--map 'EMG LAT=emg_left_uv')",
                "header",
            )
        plans = plan_channels(names, self.source)
        for plan in plans:
            counts = {self._signals[self._by_name[n]].samples_per_data_record for n in plan.names}
            if len(counts) > 1:
                raise InputError(
                    self.source,
                    "axes of one accelerometer at different rates",
                    "export them at one rate",
                    f"signal {plan.names[0]}",
                )
        return plans

    def _with_unit(self, name: str, signal: EdfSignal | BdfSignal) -> str:
        """Add the unit in the header to a name without a unit; refuse a contradiction."""
        dimension = signal.physical_dimension.strip().casefold()
        # the micro sign and the Greek letter mu are both in use
        unit = _UNITS.get(dimension.replace("\u03bc", "u").replace("\xb5", "u"), "")
        named = name.casefold().rpartition("_")[2]
        known = {u for units in SCALES.values() for u in units}
        if named not in known:
            return f"{name}_{unit or dimension or '?'}"
        if unit and unit != named:
            raise InputError(
                self.source,
                f"is in {signal.physical_dimension} but is named {name}",
                f"name it with _{unit}",
                f"signal {signal.label}",
            )
        return name

    def _start_utc(self, zone: str) -> int:
        """Return the UTC of the start in ns."""
        try:
            if self._onset_signal is None:
                start: datetime = self._edf.startdatetime
            else:
                # edfio would need the first record, for a fraction that the onsets hold too
                start = datetime.combine(
                    self._edf.recording.startdate, time.fromisoformat(self._start_clock)
                )
        except (ValueError, TypeError) as error:  # anonymised dates
            raise InputError(
                self.source,
                f"the start time is unknown ({error})",
                "leave out the time zone to read it without clock time",
                "header",
            ) from error
        aware = start.replace(tzinfo=ZoneInfo(zone))
        return round(aware.timestamp() * 1e6) * 1000

    def _records(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield onsets in ns from the start, and raw records of shape (n, bytes)."""
        record_bytes = int(self._starts[-1]) * self._item_bytes
        step = max(1, BLOCK_BYTES // record_bytes)
        with self.path.open("rb") as file:
            file.seek(self._body)
            for first in range(0, self._count, step):
                count = min(step, self._count - first)
                raw = np.frombuffer(file.read(count * record_bytes), np.uint8)
                records = raw.reshape(count, record_bytes)
                yield self._onsets(records, first), records

    def _onsets(self, records: NDArray[np.uint8], first: int) -> NDArray[np.int64]:
        """Return the onset (ns from the start) of each record, of which `first` is the number."""
        if self._onset_signal is None:
            seconds = np.arange(first, first + len(records)) * self._record_s
            regular: NDArray[np.int64] = np.rint(seconds * NS).astype(np.int64)
            return regular
        i = self._onset_signal
        annotations = records[
            :, self._starts[i] * self._item_bytes : self._starts[i + 1] * self._item_bytes
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

    def _physical(self, records: NDArray[np.uint8], index: int) -> NDArray[np.float64]:
        """Return the samples of one signal in its physical dimension, shape (n,)."""
        start, stop = (
            self._starts[index] * self._item_bytes,
            self._starts[index + 1] * self._item_bytes,
        )
        raw = np.ascontiguousarray(records[:, start:stop])
        if self._item_bytes == 2:
            digital = raw.view("<i2").astype(np.float64).ravel()
        else:
            padded = np.zeros((raw.size // 3, 4), np.uint8)
            padded[:, 1:] = raw.reshape(-1, 3)
            digital = (padded.view("<i4").ravel() >> 8).astype(np.float64)
        signal = self._signals[index]
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
        return values


def _is_channel_name(label: str) -> bool:
    """Return whether a label is a channel name of the package, with or without a unit."""
    return is_signal_name(label) and re.fullmatch(r"\w+", label) is not None
