"""The dialect of a CSV file: header line, separator and decimal sign.

Files of other formats under a CSV name are recognised by their first bytes and refused.
"""

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

#: Bytes at the start of the file in which the header line must end.
_HEAD_BYTES: Final = 1 << 20
#: Bytes after the header from which the decimal sign is detected.
_SAMPLE_BYTES: Final = 65536
#: First bytes of other formats, their name, and the cure.
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
class CsvDialect:
    """Header and format of a CSV file.

    Attributes
    ----------
    headers : tuple of str
        Column names, without quotation marks and surrounding blanks.
    header_line : int
        Line number of the header, counted from one.
    body : int
        Offset (bytes) of the first row in the uncompressed file.
    separator : str
        Comma, semicolon or tab.
    decimal : {'.', ','}
        A comma is possible only if it is not the separator.
    """

    headers: tuple[str, ...]
    header_line: int
    body: int
    separator: str
    decimal: str


def open_stream(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """Open a file for reading bytes, decompressed if its content is gzip.

    Parameters
    ----------
    path : Path

    Returns
    -------
    binary file
    """
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def detect_dialect(path: Path, source: str) -> CsvDialect:
    """Find the header of a CSV file, its separator and its decimal sign.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    CsvDialect

    Raises
    ------
    InputError
        If the file is not CSV. The message says what it seems to be.
    """
    try:
        with open_stream(path) as stream:
            head = stream.read(_HEAD_BYTES)
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
            if not match[2] and len(head) == _HEAD_BYTES:
                break
            body = start + match.end()
            return _parse_header_line(
                source, match[1], number, body, head[body : body + _SAMPLE_BYTES]
            )
    if len(head) == _HEAD_BYTES:
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
    control_characters = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    if control_characters > len(sample) // 100:
        raise InputError(
            source,
            "binary data, not text",
            "give a CSV, Parquet, EDF or BDF capture",
            "beginning of the file",
        )


def _parse_header_line(source: str, line: bytes, number: int, body: int, rows: bytes) -> CsvDialect:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")  # older programs write µ in Latin-1
    unquoted = re.sub(r'"[^"]*"', "", text)
    separator = max(",;\t", key=unquoted.count)
    place = f"line {number}"
    if not unquoted.count(separator):
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
            f"the first line holds numbers ('{text[:60]}') where a header is expected",
            "put the column names in the first line, like time_s,emg1_uv",
            place,
        )
    decimal = "."
    if separator != "," and re.search(rb"\d,\d", rows) and not re.search(rb"\d\.\d", rows):
        decimal = ","
    return CsvDialect(headers, number, body, separator, decimal)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
