"""The first lines of a text file, from which its dialect is recognised.

Files of other formats under the name of a text file are recognised by their first bytes and
refused.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.text.csv_rows import is_comment, open_stream

#: Bytes at the start of the file in which the header must end.
HEAD_BYTES: Final = 1 << 20
#: Lines in which a header is looked for.
_HEAD_LINES: Final = 400
#: Rows after the header that are looked at.
_SAMPLE_ROWS: Final = 20_000
#: Length to which names and other fields of the first rows are cut.
_MAX_FIELD: Final = 1000
_NEWLINE: Final = re.compile(rb"\r\n|\r|\n")
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
)


@dataclass(frozen=True, slots=True)
class HeadLine:
    """A line at the beginning of a file.

    Attributes
    ----------
    text : str
        Without the end of line.
    number : int
        Counted from one.
    start, end : int
        Offsets (bytes) of the line and of the next one in the uncompressed file.
    """

    text: str
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FileHead:
    """The beginning of a text file.

    Attributes
    ----------
    source : str
        Name of the file in messages.
    file_name : str
        Name of the file without its folder.
    lines : tuple of HeadLine
        At most a few hundred; a line that the head cuts off is left out.
    data : bytes
        The first megabyte of the uncompressed file.
    """

    source: str
    file_name: str
    lines: tuple[HeadLine, ...]
    data: bytes

    def without_lines(self, count: int) -> FileHead:
        """Return the head without its first lines.

        Parameters
        ----------
        count : int

        Raises
        ------
        InputError
            If no line that is not empty is left.
        """
        kept = self.lines[count:]
        if not any(line.text.strip() for line in kept):
            raise InputError(
                self.source,
                f"has no line after the {count} that --skip-rows leaves out",
                f"give a smaller number; at most {_HEAD_LINES - 1} lines can be left out",
            )
        return replace(self, lines=kept)

    def rows(self, start: int, separator: str, count: int = _SAMPLE_ROWS) -> list[list[str]]:
        """Return the fields of the first rows after a place, comments and empty lines left out.

        Parameters
        ----------
        start : int
            Offset in bytes.
        separator : str
        count : int
            Maximum number of rows.
        """
        data = self.data[start:]
        if len(self.data) >= HEAD_BYTES:  # the last line may be cut off
            data = data[: data.rfind(b"\n") + 1]
        rows: list[list[str]] = []
        for line in _iter_lines(data):
            if len(rows) == count:
                break
            if line.strip() and not (b"#" in line and is_comment(line)):
                rows.append(split_fields(line.decode("utf-8", "replace"), separator))
        return rows


def _iter_lines(data: bytes) -> Iterator[bytes]:
    """Yield lines that end with CR LF, CR or LF, without their ends."""
    start = 0
    for end in _NEWLINE.finditer(data):
        yield data[start : end.start()]
        start = end.end()
    yield data[start:]


def split_fields(line: str, separator: str) -> list[str]:
    """Return the fields of a line, without quotation marks and surrounding blanks.

    Fields end after `_MAX_FIELD` characters: patterns of names take the square of the length.

    Parameters
    ----------
    line : str
    separator : str
        One character; a blank stands for any number of blanks.
    """
    if separator == " ":
        fields = line.replace('"', "").split()
    elif '"' not in line:
        fields = line.split(separator)
    else:
        try:
            fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:  # a field of more than 131,072 characters
            fields = line.split(separator)
    fields = list(map(str.strip, fields))
    return fields if len(line) <= _MAX_FIELD else [field[:_MAX_FIELD] for field in fields]


def guess_separator(line: str) -> str | None:
    """Return the separator of a line outside quotation marks: comma, semicolon, tab or bar.

    Parameters
    ----------
    line : str

    Returns
    -------
    str or None
        None if the line has none of them.
    """
    unquoted = re.sub(r'"[^"]*"', "", line)
    separator = max(",;\t", key=unquoted.count)
    separator = separator if separator in unquoted else "|"
    return separator if separator in unquoted else None


def is_number(text: str) -> bool:
    """Return whether a field is a number, with a decimal point or comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def to_number(text: str) -> float:
    """Return a number with a decimal point or comma; NaN if a field is not one.

    Parameters
    ----------
    text : str
    """
    return float(text.replace(",", ".")) if is_number(text) else math.nan


def read_head(path: Path, source: str) -> FileHead:
    """Read the beginning of a text file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    FileHead

    Raises
    ------
    InputError
        If the file is empty or not text. The message says what it seems to be.
    """
    try:
        with open_stream(path) as stream:
            data = stream.read(HEAD_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            source,
            f"the compressed file is damaged or cut short ({error})",
            "copy it again",
            "beginning of the file",
        ) from error
    _refuse_other_formats(data, source)
    first = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    lines: list[HeadLine] = []
    for match in re.finditer(rb"([^\r\n]*)(\r\n|\r|\n|\Z)", data[first:]):
        if len(lines) == _HEAD_LINES or (not match[2] and len(data) == HEAD_BYTES):
            break
        if not match[2] and not match[1]:
            break
        lines.append(
            HeadLine(_decode(match[1]), len(lines) + 1, first + match.start(), first + match.end())
        )
    if not lines and len(data) == HEAD_BYTES:
        raise InputError(
            source, "no end of line in the first megabyte", "give a CSV file", "line 1"
        )
    if not any(line.text.strip() for line in lines):
        raise InputError(source, "the file is empty", "give a capture with a header and rows")
    return FileHead(source, path.name, tuple(lines), data)


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")  # older programs write µ in Latin-1


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


def find_row(lines: Sequence[HeadLine], pattern: str) -> HeadLine | None:
    """Return the first line that a regular expression finds something in, ignoring case.

    Parameters
    ----------
    lines : sequence of HeadLine
    pattern : str

    Returns
    -------
    HeadLine or None
    """
    compiled = re.compile(pattern, re.IGNORECASE)
    return next((line for line in lines if compiled.search(line.text)), None)
