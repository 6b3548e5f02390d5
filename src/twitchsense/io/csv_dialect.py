"""What kind of file this is, and how a CSV is written."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError

#: A header line longer than this is none.
_HEAD: Final = 1 << 20
_MAGIC: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"PAR1", "a Parquet file", "name it .parquet"),
    (b"0       ", "an EDF file", "name it .edf"),
    (b"\xffBIOSEMI", "a BDF file", "name it .bdf"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"SQLite format 3", "a database", "a night file of 'record' is named .night"),
    (b"\x89HDF", "an HDF5 file", "export it as CSV or EDF"),
    (b"MATLAB 5.0", "a MATLAB file", "export it as CSV or EDF"),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV is written.

    Attributes
    ----------
    headers : tuple of str
        Column names without quotes and outer spaces.
    header_line : int
        Line of the header, counted from one.
    body : int
        Byte where the rows begin, in the unpacked file.
    separator : str
    decimal : str
        Point, or comma where the separator is another sign.
    """

    headers: tuple[str, ...]
    header_line: int
    body: int
    separator: str
    decimal: str


def open_stream(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """Open a file for reading bytes, unpacking gzip whatever its name."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def sniff(path: Path, source: str) -> Dialect:
    """Find the header of a CSV and how it is written.

    Raises
    ------
    InputError
        If this is no CSV; says what it seems to be.
    """
    try:
        with open_stream(path) as stream:
            head = stream.read(_HEAD)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            source,
            f"the compressed file is damaged or cut short ({error})",
            "copy it again",
            "beginning of the file",
        ) from error
    _refuse_other_formats(head, source)
    start = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    lines = re.finditer(rb"([^\r\n]*)(\r\n|\r|\n|\Z)", head[start:])
    for number, match in enumerate(lines, 1):
        line = match[1].strip()
        if line and not line.startswith(b"#"):
            if not match[2] and len(head) == _HEAD:
                break
            body = start + match.end()
            return _read_header(source, match[1], number, body, head[body : body + 65536])
    if len(head) == _HEAD:
        raise InputError(
            source, "no end of line in the first megabyte", "give a CSV file", "line 1"
        )
    raise InputError(source, "the file is empty", "give a capture with a header and rows")


def _refuse_other_formats(head: bytes, source: str) -> None:
    for magic, what, cure in _MAGIC:
        if head.startswith(magic):
            raise InputError(source, f"this is {what}, not CSV", cure, "beginning of the file")
    sample = head[:4096]
    if sample and sample.count(0) > len(sample) // 4 and sample[1::2].count(0) > len(sample) // 3:
        raise InputError(
            source, "this seems to be text in UTF-16", "save it as UTF-8", "beginning of the file"
        )
    odd = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    if odd > len(sample) // 100:
        raise InputError(
            source,
            "binary data, not text",
            "give a CSV, Parquet, EDF or BDF capture",
            "beginning of the file",
        )


def _read_header(source: str, line: bytes, number: int, body: int, rows: bytes) -> Dialect:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")  # a µ written by an old program
    bare = re.sub(r'"[^"]*"', "", text)
    separator = max(",;\t", key=bare.count)
    place = f"line {number}"
    if not bare.count(separator):
        raise InputError(
            source,
            f"no comma, semicolon or tab in the header '{text[:60]}'",
            "separate columns with commas",
            place,
        )
    fields = next(csv.reader([text], delimiter=separator, skipinitialspace=True))
    headers = tuple(field.strip() for field in fields)
    if all(_is_number(h) for h in headers if h):
        raise InputError(
            source,
            f"the first line holds numbers ('{text[:60]}') where a header is due",
            "put the column names in the first line, like time_s,emg1_uv",
            place,
        )
    decimal = "."
    if separator != "," and re.search(rb"\d,\d", rows) and not re.search(rb"\d\.\d", rows):
        decimal = ","
    return Dialect(headers, number, body, separator, decimal)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
