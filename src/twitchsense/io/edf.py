"""EDF, EDF+ and BDF captures.

edfio reads the header. Records are read here, some at a time, as edfio holds a
whole BDF file in memory.
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
from twitchsense.io.channel_builder import Track
from twitchsense.io.column_mapping import IGNORE, HeaderMap
from twitchsense.io.table_capture import ignored_note
from twitchsense.model.channels import NS
from twitchsense.model.column_names import SCALES, ChannelPlan, is_signal_name, plan_channels

if TYPE_CHECKING:
    from edfio import BdfSignal, EdfSignal

#: Physical dimension in the header -> unit in a column name.
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
_BYTES_AT_ONCE: Final = 1 << 22
_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)[\x14\x15]")


class EdfCapture:
    """An EDF or BDF file.

    Its stamps are computed: samples are regular within a record, and records
    follow each other, or say where they stand (EDF+D).

    Parameters
    ----------
    path : Path
    source : str
        How messages call the file.
    mapping : HeaderMap
    zone : str or None
        IANA zone of the start time, which EDF writes as local time. Without it
        the capture counts seconds from its start.

    Raises
    ------
    InputError
        If the file is damaged or holds no usable signal.
    MissingExtraError
        If edfio is not installed.
    """

    def __init__(self, path: Path, source: str, mapping: HeaderMap, zone: str | None) -> None:
        self.path = path
        self.source = source
        self.clock = "time_s" if zone is None else "time_utc"
        self._read_header()
        self.headers: Sequence[str] = tuple(s.label for s in self._signals)
        self.plans = self._choose(mapping)
        self.notes = ignored_note(source, self._ignored)
        self._zero_ns = 0 if zone is None else self._start_utc(zone)

    def first_stamp(self) -> int:
        """Return the time of the first sample in ns."""
        for onsets, _ in self._records():
            return self._zero_ns + int(onsets[0])
        raise InputError(self.source, "no records after the header", "give a capture with samples")

    def feed(self, tracks: Mapping[str, Track]) -> tuple[int, int]:
        """Give all samples to the tracks of their channels; return the first and last time.

        Raises
        ------
        UnsteadyRateError
        """
        first, last = 0, -np.inf
        times: list[int] = []
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
                # exact sums: record onsets are ns, steps within a record are rounded once
                steps = np.rint(np.arange(count) * (self._record_s * NS / count)).astype(np.int64)
                stamps = (self._zero_ns + onsets[:, None] + steps).ravel()
                tracks[plan.name].add(stamps, [self._physical(records, m) for m in members])
                times += int(stamps[0]), int(stamps[-1])
        return min(times), max(times)

    def place(self, time_ns: int) -> str | None:
        """Return where a time is, in seconds from the start of the file."""
        return f"{(time_ns - self._zero_ns) / NS:.3f} s"

    def _read_header(self) -> None:
        """Read the header with edfio, and check the size of the file."""
        try:
            import edfio
        except ImportError as error:
            raise MissingExtraError("edf", "reading EDF and BDF") from error
        with self.path.open("rb") as file:
            start = file.read(256)
            size = int(start[184:192]) if start[184:192].strip().isdigit() else 0
            head = start + file.read(max(0, min(size, 1 << 22) - 256))
        bdf = start.startswith(b"\xffBIOSEMI")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a file without records, as given here
                reader = edfio.read_bdf if bdf else edfio.read_edf
                edf = reader(io.BytesIO(head), header_encoding="latin-1")
            self._signals: Sequence[EdfSignal | BdfSignal] = edf._signals
            self._record_s = float(edf.data_record_duration)
            self._edf = edf
            counts = [s.samples_per_data_record for s in self._signals]
            declared = int(start[236:244])
            self._start_clock = start[176:184].decode("latin-1").replace(".", ":")
        except Exception as error:
            # edfio has no error type of its own: any of many may come from garbage
            raise InputError(
                self.source,
                f"this is no EDF or BDF file, or its header is damaged ({error})",
                "export it again",
                "header",
            ) from error
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        self._item = 3 if bdf else 2
        self._body = len(head)
        record_bytes = int(self._starts[-1]) * self._item
        if not record_bytes or self._record_s <= 0:
            raise InputError(self.source, "holds no signal", "export it again", "header")
        self._count = (self.path.stat().st_size - self._body) // record_bytes
        if declared > self._count:
            raise InputError(
                self.source,
                f"cut short: the header promises {declared} records, {self._count} are there",
                "copy it again",
                f"record {self._count + 1}",
            )

    def _choose(self, mapping: HeaderMap) -> tuple[ChannelPlan, ...]:
        """Return the channels among the signals."""
        chosen: dict[str, str] = {}
        self._by_name: dict[str, int] = {}
        self._ignored: list[str] = []
        self._clockwork: int | None = None
        for i, signal in enumerate(self._signals):
            label = signal.label
            if label in ("EDF Annotations", "BDF Annotations"):
                self._clockwork = i if self._clockwork is None else self._clockwork
                continue
            ours = mapping.ours(label)
            if ours != label or _is_ours(label):
                if ours.casefold() == IGNORE:
                    continue
                if label in self._by_name:
                    raise InputError(
                        self.source, "two signals of one name", "rename one", f"signal {label}"
                    )
                chosen[label] = self._with_unit(ours, signal)
                self._by_name[label] = i
            else:
                self._ignored.append(label)
        if not chosen:
            listed = ", ".join(self._ignored) or "none"
            raise InputError(
                self.source,
                f"no signal named like ours among: {listed}",
                "map them (--map 'EMG LAT=emg_left_uv')",
                "header",
            )
        plans = plan_channels(chosen, self.source)
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

    def _with_unit(self, ours: str, signal: EdfSignal | BdfSignal) -> str:
        """Add the unit of the header to a name without one; refuse a contradiction."""
        dimension = signal.physical_dimension.strip().casefold()
        # micro sign and Greek mu; an old program may have written either
        unit = _UNITS.get(dimension.replace("\u03bc", "u").replace("\xb5", "u"), "")
        named = ours.casefold().rpartition("_")[2]
        known = {u for units in SCALES.values() for u in units}
        # a lone letter may be the unit or the end of a name: the header decides
        if named not in known:
            return f"{ours}_{unit or dimension or '?'}"
        if unit and unit != named:
            raise InputError(
                self.source,
                f"is in {signal.physical_dimension} but is named {ours}",
                f"name it with _{unit}",
                f"signal {signal.label}",
            )
        return ours

    def _start_utc(self, zone: str) -> int:
        try:
            if self._clockwork is None:
                start: datetime = self._edf.startdatetime
            else:
                # edfio wants the first record here, for a fraction that our onsets hold too
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
        """Yield onsets in ns from the start, and raw records, some at a time."""
        record_bytes = int(self._starts[-1]) * self._item
        step = max(1, _BYTES_AT_ONCE // record_bytes)
        with self.path.open("rb") as file:
            file.seek(self._body)
            for first in range(0, self._count, step):
                count = min(step, self._count - first)
                raw = np.frombuffer(file.read(count * record_bytes), np.uint8)
                records = raw.reshape(count, record_bytes)
                yield self._onsets(records, first), records

    def _onsets(self, records: NDArray[np.uint8], first: int) -> NDArray[np.int64]:
        if self._clockwork is None:
            seconds = np.arange(first, first + len(records)) * self._record_s
            plain: NDArray[np.int64] = np.rint(seconds * NS).astype(np.int64)
            return plain
        i = self._clockwork
        marks = records[:, self._starts[i] * self._item : self._starts[i + 1] * self._item]
        onsets = np.empty(len(records), np.int64)
        for row, mark in enumerate(marks):
            found = _ONSET.match(mark.tobytes())
            if not found:
                raise InputError(
                    self.source,
                    "the record does not tell its time",
                    "export it again as EDF+C or plain EDF",
                    f"record {first + row + 1}",
                )
            onsets[row] = round(float(found[1]) * 1e9)
        return onsets

    def _physical(self, records: NDArray[np.uint8], index: int) -> NDArray[np.float64]:
        """Return the samples of one signal in its physical dimension."""
        low, high = self._starts[index] * self._item, self._starts[index + 1] * self._item
        raw = np.ascontiguousarray(records[:, low:high])
        if self._item == 2:
            digital = raw.view("<i2").astype(np.float64).ravel()
        else:
            wide = np.zeros((raw.size // 3, 4), np.uint8)
            wide[:, 1:] = raw.reshape(-1, 3)
            digital = (wide.view("<i4").ravel() >> 8).astype(np.float64)
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


def _is_ours(label: str) -> bool:
    """Tell whether a label is one of our names, with or without its unit."""
    return is_signal_name(label) and re.fullmatch(r"\w+", label) is not None
