"""EDF+ with gaps as gaps: every record says when it began, and no sample is made up.

edfio writes continuous files alone; a night with an outage needs EDF+D. Values are rounded
to 1/65534 of their channel's range.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import NS, Channel, Segment
from twitchsense.model.recording import Recording

log = logging.getLogger(__name__)

_TOP: Final = 32767
_MARK_BYTES: Final = 24  # "+28800.123456789", two separators, zeros
_AT_ONCE: Final = 2000  # records
_LONGEST_S: Final = 1.0
_SHORTEST_S: Final = 0.02  # below that, the times would outweigh the samples
_DIMENSIONS: Final = {"emg": "uV", "acc": "g"}


def write_edf(recording: Recording, group: Sequence[Channel], path: Path) -> None:
    """Write channels that were sampled together as one EDF+ file.

    Parameters
    ----------
    recording : Recording
    group : sequence of Channel
        Their segments begin and end at the same times.
    path : Path

    Raises
    ------
    InputError
        If no stretch is long enough for a record.
    """
    columns = [recording.segments_of(c.name) for c in group]
    lengths = [len(s.samples) for s in columns[0]]
    fs = group[0].fs
    size = record_samples(lengths, fs)
    count = sum(n // size for n in lengths)
    if not count:
        raise InputError(path.name, "no stretch without a gap is long enough", "export to csv")
    left = sum(n % size for n in lengths)
    if left:
        log.warning("%s: %d samples at ends of stretches fill no record: left out", path, left)
    zone = ZoneInfo(recording.zone) if recording.zone else UTC
    offset = recording.start_utc_ns or 0
    zero = (columns[0][0].start_ns + offset) // NS * NS
    header = _Header(
        start=datetime.fromtimestamp(zero // NS, zone) if recording.start_utc_ns else None,
        kind="EDF+C" if len(lengths) == 1 else "EDF+D",
        records=count,
        record_s=size / fs,
        size=size,
        labels=[name for channel in group for name in channel.columns],
        units=[_DIMENSIONS[channel.kind] for channel in group for _ in channel.columns],
        tops=[_text(top) for segments in columns for top in _tops(segments)],
    )
    steps = np.array([float(top) for top in header.tops])[:, None] / _TOP
    with path.open("wb") as file:
        file.write(header.encode())
        for start_ns, first, samples in _records(columns, size):
            digital = np.rint(samples / steps).clip(-_TOP, _TOP).astype("<i2")
            times = np.rint(np.arange(first, first + len(samples)) * (size * NS / fs))
            marks = b"".join(_mark(start_ns + offset - zero + int(t)) for t in times)
            rows = [
                digital.reshape(len(samples), -1).view(np.uint8),
                np.frombuffer(marks, np.uint8).reshape(-1, _MARK_BYTES),
            ]
            file.write(np.concatenate(rows, axis=1).tobytes())


def record_samples(lengths: Sequence[int], fs: float) -> int:
    """Return how many samples of a channel make a record: all stretches full, if possible."""
    common = math.gcd(*lengths)
    longest, shortest = max(1, int(_LONGEST_S * fs)), max(1, math.ceil(_SHORTEST_S * fs))
    whole = max(n for n in range(1, min(longest, common) + 1) if common % n == 0)
    return whole if whole >= shortest else shortest


def _records(
    columns: Sequence[Sequence[Segment]], size: int
) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """Yield a stretch's start in ns, a number of a record in it, and records.

    Records have the shape (records, channels, samples).
    """
    for together in zip(*columns, strict=True):
        records = len(together[0].samples) // size
        for first in range(0, records, _AT_ONCE):
            stop = min(first + _AT_ONCE, records)
            wide = np.concatenate(
                [s.samples.read(first * size, stop * size) for s in together], axis=1
            )
            cut = wide.astype(np.float64).reshape(stop - first, size, -1)
            yield together[0].start_ns, first, cut.transpose(0, 2, 1)


def _tops(segments: Sequence[Segment]) -> NDArray[np.float64]:
    """Return for each column of a channel the largest size of a value."""
    peaks: NDArray[np.float64] = np.full(segments[0].samples.read(0, 1).shape[1], 1e-3)
    for segment in segments:
        for start in range(0, len(segment.samples), 100_000):
            samples = segment.samples.read(start, start + 100_000)
            peaks = np.maximum(peaks, np.abs(samples).max(axis=0))
    return peaks


def _mark(ns: int) -> bytes:
    return f"+{ns // NS}.{ns % NS:09d}\x14\x14".encode().ljust(_MARK_BYTES, b"\0")


def _text(top: float) -> str:
    """Write a number in 7 characters, leaving one for a sign, never below what it is."""
    for digits in range(6, -1, -1):
        text = f"{math.ceil(top * 10**digits - 1e-6) / 10**digits:.{digits}f}"
        if len(text) <= 7:
            return text
    raise InputError("EDF", f"a value of {top:g} has no room in its header", "export to csv")


@dataclass(frozen=True)
class _Header:
    start: datetime | None
    kind: str
    records: int
    record_s: float
    size: int
    labels: Sequence[str]
    units: Sequence[str]
    tops: Sequence[str]

    def encode(self) -> bytes:
        day = self.start.strftime("%d-%b-%Y").upper() if self.start else "X"
        clock = self.start.strftime("%d.%m.%y%H.%M.%S") if self.start else "01.01.8500.00.00"
        signals = len(self.labels) + 1
        general = [
            ("0", 8), ("X X X X", 80), (f"Startdate {day} X X twitchsense", 80), (clock, 16),
            (str(256 * (signals + 1)), 8), (self.kind, 44), (str(self.records), 8),
            (f"{self.record_s:.6f}"[:8], 8), (str(signals), 4),
        ]  # fmt: skip
        fields = [
            (16, [*self.labels, "EDF Annotations"]),
            (80, [""] * signals),
            (8, [*self.units, ""]),
            (8, [*(f"-{top}" for top in self.tops), "-1"]),
            (8, [*self.tops, "1"]),
            (8, [*[str(-_TOP)] * (signals - 1), "-32768"]),
            (8, [*[str(_TOP)] * (signals - 1), "32767"]),
            (80, [""] * signals),
            (8, [*[str(self.size)] * (signals - 1), str(_MARK_BYTES // 2)]),
            (32, [""] * signals),
        ]
        wide = [(text, width) for width, texts in fields for text in texts]
        return b"".join(text[:width].ljust(width).encode("ascii") for text, width in general + wide)
