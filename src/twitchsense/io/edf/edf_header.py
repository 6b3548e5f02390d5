"""The header of an EDF, EDF+ or BDF file.

Kemp & Olivan (2003), doi:10.1016/s1388-2457(03)00123-8; for BDF the description by BioSemi.
Fields are read as files in use contain them: with decimal commas, free text where EDF+ has
subfields, and units in other encodings than ASCII.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO, Final

from twitchsense.errors import InputError
from twitchsense.io.channels.labelled_signals import LabelledSignal
from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.model.notes import Note, with_source

#: Size (bytes) of the part of the header before that of the signals, and of each signal's.
_GENERAL_BYTES: Final = 256
_SIGNAL_BYTES: Final = 256
#: Maximum number of signals.
_MAX_SIGNALS: Final = 10_000
#: Maximum number of samples of a signal in a data record.
_MAX_ITEMS: Final = 10**8
#: Maximum size (bytes) of a data record; EDFlib refuses more than 10 or 15 MB.
_MAX_RECORD_BYTES: Final = 1 << 24
#: Labels of signals that hold annotations, of which the first gives the time of each record.
_ANNOTATIONS: Final = ("EDF Annotations", "BDF Annotations")
#: Start date of the recording field, and the offset from UTC that twitchsense adds.
_START_DATE: Final = re.compile(r"Startdate (\d\d?)-([A-Za-z]{3})-(\d{4})(?: |$)")
_UTC_OFFSET: Final = re.compile(r" UTC([+-])(\d\d):(\d\d)(?: |$)")
#: Zero of the onsets in a recording without a clock, which twitchsense adds.
_ZERO: Final = re.compile(r" T0([+-]\d{1,9})s(?: |$)")
#: Months in the recording field.
MONTHS: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_THREE_NUMBERS: Final = re.compile(r"(\d\d?)\D(\d\d?)\D(\d\d?)")
#: Date that stands for an unknown one in anonymous files (EDF+ 2.1.3.4).
_ANONYMOUS: Final = (1985, 1, 1)


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """A signal of an EDF file.

    Attributes
    ----------
    label, unit : str
    physical_min, physical_max : float
        Values, in `unit`, of the digital minimum and maximum.
    digital_min, digital_max : int
    count : int
        Samples in a data record.
    """

    label: str
    unit: str
    physical_min: float
    physical_max: float
    digital_min: int
    digital_max: int
    count: int

    @property
    def is_annotation(self) -> bool:
        """Whether the signal holds annotations."""
        return self.label in _ANNOTATIONS

    @property
    def described(self) -> LabelledSignal | None:
        """Label and unit; None for annotations."""
        return None if self.is_annotation else LabelledSignal(self.label, self.unit)


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """Header of an EDF, EDF+ or BDF file.

    Attributes
    ----------
    item_bytes : int
        Bytes of a sample: 2 in EDF, 3 in BDF.
    size : int
        Bytes of the header.
    start : datetime or None
        Start in whole seconds of local time, without a zone; None if it is unknown.
    utc_offset : timezone or None
        Offset of `start` from UTC, if the file contains it.
    other_date : str
        Date of the header, if that of the recording field is another one.
    zero_s : int
        Second of the recording's own axis from which the onsets of records count.
    records : int
        Number of data records that the header announces; negative if unknown.
    record_s : float
        Duration of a data record.
    signals : tuple of EdfSignal
    """

    item_bytes: int
    size: int
    start: datetime | None
    utc_offset: timezone | None
    other_date: str
    zero_s: int
    records: int
    record_s: float
    signals: tuple[EdfSignal, ...]

    def start_utc(self, zone: str | None) -> datetime | None:
        """Return the start in UTC.

        Parameters
        ----------
        zone : str or None
            IANA time zone of local time, for files that do not contain their own.

        Returns
        -------
        datetime or None
            None if the start or its zone is unknown.
        """
        if self.start is None:
            return None
        if self.utc_offset is not None:
            return self.start.replace(tzinfo=self.utc_offset).astimezone(UTC)
        return local_to_utc(self.start, zone)[0] if zone else None

    def start_notes(self, source: str, zone: str | None) -> list[str]:
        """Return a note if two dates or a change of the clock leave the start two readings.

        Parameters
        ----------
        source : str
            Name of the file in messages.
        zone : str or None
            As for `start_utc`.

        Returns
        -------
        list of str
        """
        if self.start is None:
            return []
        notes: list[str] = []
        if self.other_date:
            notes.append(
                Note(
                    "times",
                    f"{source}: the header has the date {self.other_date} and its recording field "
                    f"{self.start:%d.%m.%Y}, which is taken",
                    "state the start with --start if this is wrong",
                )
            )
        if self.utc_offset is not None or zone is None:
            return notes
        note = local_to_utc(self.start, zone)[1]
        return [*notes, with_source(source, note)] if note else notes


def read_edf_header(path: Path, source: str) -> EdfHeader:
    """Read the header of a file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    EdfHeader

    Raises
    ------
    InputError
        If it is not an EDF or BDF file, or a field cannot be read.
    """
    with path.open("rb") as file:
        return _parse(file, source)


def _parse(file: BinaryIO, source: str) -> EdfHeader:
    general = file.read(_GENERAL_BYTES)
    bdf = general.startswith(b"\xffBIOSEMI")
    if not bdf and general[:8].strip(b" \0") != b"0":
        raise _damaged(source, "it does not begin with the version number 0")
    text = _decode(general[8:])
    count = int(_number(source, "header", "number of signals", text[244:248]))
    if not 0 < count <= _MAX_SIGNALS:
        raise _damaged(source, f"number of signals: {count}")
    fields = _decode(file.read(count * _SIGNAL_BYTES))
    size = _GENERAL_BYTES + count * _SIGNAL_BYTES
    if len(fields) != count * _SIGNAL_BYTES:
        raise _damaged(source, "it ends inside the header")
    at = 0

    def column(width: int) -> list[str]:
        nonlocal at
        cells = [fields[at + i * width : at + (i + 1) * width] for i in range(count)]
        at += count * width
        return [_as_utf8(cell.strip(" \0")) for cell in cells]

    labels, _, units = column(16), column(80), column(8)
    ranges = [column(8) for _ in range(4)]
    _, samples = column(80), column(8)
    signals = []
    for i, label in enumerate(labels):
        place = f"signal {label or i + 1}"
        low, high = (_number(source, place, "physical range", c[i]) for c in ranges[:2])
        bottom, top = (int(_number(source, place, "digital range", c[i])) for c in ranges[2:])
        items = int(_number(source, place, "samples in a record", samples[i]))
        if not 0 <= items <= _MAX_ITEMS:
            raise _damaged(source, f"samples in a record: {items}", place)
        signals.append(EdfSignal(label, units[i], low, high, bottom, top, items))
    item_bytes = 3 if bdf else 2
    record_bytes = item_bytes * sum(s.count for s in signals)
    if record_bytes > _MAX_RECORD_BYTES:
        raise InputError(
            source,
            f"a data record has {record_bytes / 1e6:.0f} MB, more than memory may hold",
            "export it with data records of one second",
            "header",
        )
    recording, date, clock = text[80:160], text[160:168], text[168:176]
    start, by_fields = _start(recording, date, clock), _start("", date, clock)
    return EdfHeader(
        item_bytes,
        size,
        start,
        _utc_offset(recording),
        date.strip() if start is not None and by_fields not in (None, start) else "",
        _zero_s(recording),
        int(_number(source, "header", "number of records", text[228:236])),
        _number(source, "header", "duration of a record", text[236:244]),
        tuple(signals),
    )


def _decode(data: bytes) -> str:
    """Return one character for each byte, so that fields keep their places."""
    return data.decode("latin-1")


def _as_utf8(text: str) -> str:
    """Return a field that was written in UTF-8, or the field itself."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _number(source: str, place: str, name: str, text: str) -> float:
    """Parse a number; decimal commas occur."""
    try:
        value = float(text.strip(" \0").replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _damaged(source, f"{name}: {text.strip()!r} is not a number", place)
    return value


def _start(recording: str, date: str, clock: str) -> datetime | None:
    """Return the start; the date of the recording field has four digits of the year."""
    time = _THREE_NUMBERS.match(clock)
    if not time:
        return None
    hour, minute, second = map(int, time.groups())
    match = _START_DATE.match(recording)
    numbers = _THREE_NUMBERS.match(date)
    if match and match[2].upper() in MONTHS:
        year, month, day = int(match[3]), MONTHS.index(match[2].upper()) + 1, int(match[1])
    elif numbers:
        day, month, year = map(int, numbers.groups())
        year += 1900 if year >= 85 else 2000  # EDF+ 2.1.3.2
    else:
        return None
    if (year, month, day) == _ANONYMOUS:
        return None
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:  # no such day or time
        return _start("", date, clock) if recording else None


def _utc_offset(recording: str) -> timezone | None:
    """Return the offset from UTC that the exporter of twitchsense writes."""
    match = _UTC_OFFSET.search(recording)
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return timezone((-1 if match[1] == "-" else 1) * timedelta(minutes=min(minutes, 1439)))


def _zero_s(recording: str) -> int:
    """Return the zero that the exporter of twitchsense writes; 0 in other files."""
    match = _ZERO.search(recording)
    return int(match[1]) if match else 0


def _damaged(source: str, problem: str, place: str = "header") -> InputError:
    return InputError(
        source,
        f"this is not an EDF or BDF file, or its header is damaged ({problem})",
        "export it again",
        place,
    )
