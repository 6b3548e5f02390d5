"""Writes EDF+ files in which gaps stay gaps: every data record stores its onset.

edfio writes continuous files only (EDF+C); a recording with gaps needs EDF+D. Values are
rounded to 1/65534 of the range of their column. The onset of each record is a whole multiple
of the record duration in the header, which EDFlib (EDFbrowser, pyedflib) requires.

The format is that of Kemp & Olivan (2003), doi:10.1016/s1388-2457(03)00123-8.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.edf.edf_header import MONTHS
from twitchsense.model.channels import NS, Channel, Segment
from twitchsense.model.recording import Recording

log = logging.getLogger(__name__)

#: Largest digital value.
_DIGITAL_MAX: Final = 32767
#: Bytes of the annotation that stores a record's onset: "+2678400.1234567", two separators,
#: and padding.
_ONSET_BYTES: Final = 24
#: Data records that are written at once.
_BLOCK_RECORDS: Final = 2000
#: Maximum duration (s) of a data record.
_MAX_RECORD_S: Final = 1.0
#: Minimum duration (s) of a data record. In shorter records the onsets would take more space
#: than the samples.
_MIN_RECORD_S: Final = 0.02
#: Unit (s) of the record duration, for which the header has 8 characters.
_DURATION_UNIT_S: Final = 1e-6
#: Maximum drift, in sampling periods, that the rounded record duration may cause, and maximum
#: relative error of the rate of a file without gaps.
_MAX_DRIFT: Final = 0.25
_MAX_RATE_ERROR: Final = 1e-6
#: Unit (ns) of record onsets, the resolution of EDFlib.
_ONSET_UNIT_NS: Final = 100
#: A start this little (ns) before a full second is rounded up: the header has whole seconds,
#: and some programs ignore the rest.
_START_TOLERANCE_NS: Final = 100_000
#: Maximum length of a label.
_LABEL_LENGTH: Final = 16
#: Samples that are read at once to find the range of a channel.
_BLOCK_SAMPLES: Final = 100_000
#: Physical dimension by kind of channel.
_DIMENSIONS: Final = {"emg": "uV", "acc": "g"}


def group_by_time_base(recording: Recording) -> list[list[Channel]]:
    """Group the channels of one kind whose samples were taken at the same times.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    list of list of Channel
        In the order of the recording. Each group fits into one file.
    """
    groups: dict[Any, list[Channel]] = {}
    for channel in recording.channels:
        segments = recording.segments_of(channel.name)
        times = tuple((s.start_ns, len(s.samples)) for s in segments)
        groups.setdefault((channel.kind, channel.fs, times), []).append(channel)
    return list(groups.values())


def write_edf(recording: Recording, group: Sequence[Channel], path: Path) -> None:
    """Write channels with a common time base as one EDF+ file.

    Parameters
    ----------
    recording : Recording
    group : sequence of Channel
        Their segments begin and end at the same times; see `group_by_time_base`.
    path : Path

    Raises
    ------
    InputError
        If no segment is long enough for a data record, or a value is too large.
    """
    columns = [recording.segments_of(c.name) for c in group]
    lengths = [len(s.samples) for s in columns[0]]
    layout = choose_records(lengths, group[0].fs)
    size = layout.size
    count = sum(n // size for n in lengths)
    if not count:
        raise InputError(path.name, "no segment without a gap is long enough", "export to csv")
    omitted = sum(n % size for n in lengths)
    if omitted:
        log.warning(
            "%s: %d samples at the ends of segments do not fill a record and are left out",
            path.name,
            omitted,
        )
    utc_ns = recording.start_utc_ns
    zero_ns = (columns[0][0].start_ns + (utc_ns or 0) + _START_TOLERANCE_NS) // NS * NS
    zone = ZoneInfo(recording.zone) if recording.zone else UTC
    if utc_ns is not None and not recording.zone:
        log.warning("%s: begins in UTC; give --zone for the wearer's local time", path.name)
    header = _EdfHeader(
        start=None if utc_ns is None else datetime.fromtimestamp(zero_ns // NS, zone),
        zero_s=zero_ns // NS,
        kind="EDF+C" if len(lengths) == 1 else "EDF+D",
        records=count,
        record_s=f"{layout.duration_us / 1e6:.6f}",
        size=size,
        labels=edf_labels(group),
        units=[_DIMENSIONS[channel.kind] for channel in group for _ in channel.columns],
        maxima=[_header_number(peak) for segments in columns for peak in _peaks(segments)],
    )
    steps = np.array([float(text) for text in header.maxima])[:, None] / _DIGITAL_MAX
    with path.open("wb") as file:
        file.write(header.encode())
        free_ns = 0
        for start_ns, first, samples in _records(columns, size):
            if first == 0:  # after rounding, a segment still begins after the one before
                since_ns = start_ns + (utc_ns or 0) - zero_ns
                begin_ns = max(round(since_ns / _ONSET_UNIT_NS) * _ONSET_UNIT_NS, free_ns)
            digital = np.rint(samples / steps).clip(-_DIGITAL_MAX, _DIGITAL_MAX).astype("<i2")
            record_ns = layout.duration_us * 1000
            numbers = range(first, first + len(samples))
            onsets = b"".join(_onset(begin_ns + k * record_ns) for k in numbers)
            free_ns = begin_ns + numbers.stop * record_ns
            rows = [
                digital.reshape(len(samples), -1).view(np.uint8),
                np.frombuffer(onsets, np.uint8).reshape(-1, _ONSET_BYTES),
            ]
            file.write(np.concatenate(rows, axis=1).tobytes())


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """How samples are divided into data records.

    Attributes
    ----------
    size : int
        Samples of a channel in a record.
    duration_us : int
        Duration of a record in µs.
    """

    size: int
    duration_us: int


def choose_records(lengths: Sequence[int], fs: float) -> RecordLayout:
    """Choose the number of samples of a channel in a data record, and its duration.

    The duration is stored with six decimals, so most numbers of samples give a slightly wrong
    sampling rate. Among those whose error stays below a quarter of a sampling period over the
    longest segment (without gaps also below 1 ppm), the one that leaves the fewest samples at
    the ends of segments is chosen.

    Parameters
    ----------
    lengths : sequence of int
        Samples of each segment.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    RecordLayout
        If no number of samples has so small an error, that with the smallest.
    """
    longest, shortest = max(1, int(_MAX_RECORD_S * fs)), max(1, math.ceil(_MIN_RECORD_S * fs))
    sizes = np.arange(shortest, max(longest, shortest) + 1)
    durations = np.rint(sizes / fs / _DURATION_UNIT_S).astype(np.int64)
    errors = np.abs(durations * _DURATION_UNIT_S * fs / sizes - 1)
    limit = _MAX_DRIFT / max(lengths)
    if len(lengths) == 1:
        limit = min(limit, _MAX_RATE_ERROR)
    good = errors <= max(limit, float(errors.min()))
    sizes, durations = sizes[good], durations[good]
    remaining = np.array([int((np.asarray(lengths) % n).sum()) for n in sizes])
    # of equal ones the most exact, and then the largest
    fewest = np.flatnonzero(remaining == remaining.min())
    best = fewest[np.lexsort((-sizes[fewest], np.round(errors[good][fewest], 12)))[0]]
    return RecordLayout(int(sizes[best]), int(durations[best]))


def edf_labels(group: Sequence[Channel]) -> list[str]:
    """Return a label for each column, without the unit where the name is too long.

    Parameters
    ----------
    group : sequence of Channel

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If EDF has no room for a name.
    """
    labels = []
    for name in (name for channel in group for name in channel.columns):
        label = name if len(name) <= _LABEL_LENGTH else name.rpartition("_")[0]
        if len(label) > _LABEL_LENGTH or not label.isascii():
            raise InputError(
                name,
                f"EDF has room for {_LABEL_LENGTH} plain letters in a name",
                "read it under a shorter name (--map), or export to csv",
            )
        labels.append(label)
    return labels


def _records(
    columns: Sequence[Sequence[Segment]], size: int
) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """Yield data records in blocks.

    Yields
    ------
    start_ns : int
        Start of the segment.
    first : int
        Number of the first record, counted from the start of the segment.
    records : ndarray of float64, shape (records, columns, size)
    """
    for segments in zip(*columns, strict=True):
        records = len(segments[0].samples) // size
        for first in range(0, records, _BLOCK_RECORDS):
            stop = min(first + _BLOCK_RECORDS, records)
            samples = np.concatenate(
                [s.samples.read(first * size, stop * size) for s in segments], axis=1
            )
            block = samples.astype(np.float64).reshape(stop - first, size, -1)
            yield segments[0].start_ns, first, block.transpose(0, 2, 1)


def _peaks(segments: Sequence[Segment]) -> NDArray[np.float64]:
    """Return the largest absolute value of each column, at least 0.001."""
    peaks: NDArray[np.float64] = np.full(segments[0].samples.read(0, 1).shape[1], 1e-3)
    for segment in segments:
        for start in range(0, len(segment.samples), _BLOCK_SAMPLES):
            samples = segment.samples.read(start, start + _BLOCK_SAMPLES)
            peaks = np.maximum(peaks, np.abs(samples).max(axis=0))
    return peaks


def _onset(time_ns: int) -> bytes:
    """Return the time-keeping annotation of a data record."""
    text = f"+{time_ns // NS}.{time_ns % NS // _ONSET_UNIT_NS:07d}\x14\x14"
    return text.encode().ljust(_ONSET_BYTES, b"\0")


def _header_number(value: float) -> str:
    """Return a number of at most 7 characters, which leaves one for a sign, rounded up."""
    for digits in range(6, -1, -1):
        text = f"{math.ceil(value * 10**digits - 1e-6) / 10**digits:.{digits}f}"
        if len(text) <= 7:
            return text
    raise InputError("EDF", f"a value of {value:g} does not fit into its header", "export to csv")


@dataclass(frozen=True)
class _EdfHeader:
    """Header of an EDF+ file whose last signal holds the onsets.

    Attributes
    ----------
    start : datetime or None
        Local start time with its zone, if known.
    zero_s : int
        Second of the recording's own axis from which onsets count; used without a start time.
    kind : {'EDF+C', 'EDF+D'}
    records : int
    record_s : str
        Duration of a data record in s.
    size : int
        Samples of a signal in a data record.
    labels, units, maxima : sequence of str
        Of each signal; the minima are the negative maxima.
    """

    start: datetime | None
    zero_s: int
    kind: str
    records: int
    record_s: str
    size: int
    labels: Sequence[str]
    units: Sequence[str]
    maxima: Sequence[str]

    def encode(self) -> bytes:
        """Return the header as bytes."""
        day, clock = "X", "01.01.8500.00.00"
        offset = f" T0{self.zero_s:+d}s" if self.zero_s else ""
        if self.start is not None:
            month = MONTHS[self.start.month - 1]
            day = f"{self.start.day:02d}-{month}-{self.start.year}"
            clock = self.start.strftime("%d.%m.%y%H.%M.%S")
            offset = f" UTC{self.start.isoformat()[19:25]}"
        signals = len(self.labels) + 1
        general = [
            ("0", 8), ("X X X X", 80),
            (f"Startdate {day} X X twitchsense{offset}", 80), (clock, 16),
            (str(256 * (signals + 1)), 8), (self.kind, 44), (str(self.records), 8),
            (self.record_s, 8), (str(signals), 4),
        ]  # fmt: skip
        per_signal = [
            (16, [*self.labels, "EDF Annotations"]),
            (80, [""] * signals),
            (8, [*self.units, ""]),
            (8, [*(f"-{maximum}" for maximum in self.maxima), "-1"]),
            (8, [*self.maxima, "1"]),
            (8, [*[str(-_DIGITAL_MAX)] * (signals - 1), "-32768"]),
            (8, [*[str(_DIGITAL_MAX)] * (signals - 1), "32767"]),
            (80, [""] * signals),
            (8, [*[str(self.size)] * (signals - 1), str(_ONSET_BYTES // 2)]),
            (32, [""] * signals),
        ]
        fields = general + [(text, width) for width, texts in per_signal for text in texts]
        return b"".join(text[:width].ljust(width).encode("ascii") for text, width in fields)
