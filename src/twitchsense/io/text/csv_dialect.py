"""The dialect of a text file: header, separator, decimal sign, and what its columns mean.

A maker's dialect is found by its header (`twitchsense.io.text.dialects`); a file of no known maker
has one header line with the names of this package, or with names that the user maps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.tables.header_words import nominal_rate
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.text.csv_head import (
    FileHead,
    HeadLine,
    guess_separator,
    is_number,
    split_fields,
)

#: A line that tells spreadsheets the separator, such as ``sep=;``.
_SEPARATOR_LINE: Final = re.compile(r'^"?sep=(.)"?[,;\t]*$', re.IGNORECASE)

#: A clock time in a row of numbers.
_TIME: Final = re.compile(r"\d[\d./T -]*\d?:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a text file is read.

    Attributes
    ----------
    headers : tuple of str
        Column names, without quotation marks and surrounding blanks.
    header_line : int
        Line number of the last line of the header, counted from one; 0 if there is none.
    body : int
        Offset (bytes) of the first row in the uncompressed file.
    separator : str
    maker : str
        Program or device that wrote the file; empty if unknown.
    names : mapping of str to str
        Column names of the file to those of this package, as the user would map them.
    time_groups : mapping of str to str
        Name of a signal column to that of its time column, where there are several.
    transfers : mapping of str to Transfer
        For columns whose numbers are not in the unit of their name.
    lengths : mapping of str to int
        Number of rows in which a column is valid, where the file says so.
    row_clock : RowClock or None
        For files without a time column.
    row_clocks : mapping of str to RowClock
        By the names that `time_groups` gives them, where channels have clocks of their own.
    held : tuple of str
        Columns of a slower accelerometer that repeat its last sample in the rows between.
    first_time_ns : int or None
        Local time of the first row in ns since 1970, where the time column is another clock (0
        if it is unknown) or holds times of day. Of a date alone, give its noon: times of day
        get the date that brings the first row nearest.
    zone_in_brackets : bool
        Whether times end in the name of a zone in brackets, after their offset.
    time_format : str or None
        Format (`strptime`) of local times that are not ISO 8601.
    utc_offset_s : int or None
        Offset of local times, where the file says it.
    ignored : tuple of str
        Columns that are left out without a note: they are no signals.
    notes : tuple of str
        What the user should know about the recognition.
    no_signal : tuple of str or None
        Problem and cure if no column is a signal; None for those of all tables.
    header_fs : float or None
        Sampling rate in Hz that the header states beside a time column.
    """

    headers: tuple[str, ...]
    header_line: int
    body: int
    separator: str
    maker: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    time_groups: Mapping[str, str] = field(default_factory=dict)
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    row_clock: RowClock | None = None
    row_clocks: Mapping[str, RowClock] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    first_time_ns: int | None = None
    zone_in_brackets: bool = False
    time_format: str | None = None
    utc_offset_s: int | None = None
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    no_signal: tuple[str, str] | None = None
    header_fs: float | None = None


def separator_line(text: str) -> str | None:
    """Return the separator that a line for spreadsheets names (``sep=;``), or None.

    Parameters
    ----------
    text : str
    """
    match = _SEPARATOR_LINE.match(text)
    return match[1] if match else None


def header_dialect(head: FileHead, is_header: Callable[[Sequence[str]], bool]) -> CsvDialect:
    """Find the header of a file of no known maker.

    It is the first line that is not empty and no comment. A comment directly before the rows
    may be the header too (``numpy.savetxt``), and lines of text may stand before it.

    Parameters
    ----------
    head : FileHead
    is_header : callable
        Whether names are those of a time column and a signal.

    Returns
    -------
    CsvDialect

    Raises
    ------
    InputError
        If there is no header.
    """
    separator: str | None = None
    comment: HeadLine | None = None
    first: HeadLine | None = None

    def is_names(line: HeadLine, fields: Sequence[str]) -> bool:
        # words with blanks between may be prose: the next line must hold as many numbers
        return is_header(fields) and (
            (separator or guess_separator(line.text)) is not None or _above_numbers(head, line)
        )

    for line in head.lines:
        text = line.text.strip()
        named = separator_line(text) if first is None else None
        if named is not None:
            separator = named
        elif not text:
            continue
        elif text.startswith("#"):
            comment = line if first is None else comment
        elif first is None:
            first = line
            fields = _fields(line.text, separator)
            if is_names(line, fields):
                return _dialect(line, line.text, separator)
            if comment is not None:
                names = _fields(comment.text.strip().lstrip("# "), separator)
                if is_header(names) and len(names) == len(fields):
                    text = comment.text.strip().lstrip("# ")
                    return _dialect(comment, text, separator, line.start)
        elif is_names(line, _fields(line.text, separator)):
            return _dialect(line, line.text, separator)
    if first is None:
        raise InputError(head.source, "the file is empty", "give a capture with a header and rows")
    place = f"line {first.number}"
    used = separator or guess_separator(first.text)
    if (used is None or used not in first.text) and not is_number(first.text.strip()):
        raise InputError(
            head.source,
            f"no comma, semicolon, tab or bar in the header '{first.text[:60]}'",
            f"leave out lines of text before the names (--skip-rows {first.number}), separate "
            "columns with commas, or state the sampling rate of a file without times "
            f"(--fs {nominal_rate([first.text])})",
            place,
        )
    dialect = _dialect(first, first.text, separator)
    if any(_is_row(split_fields(first.text, s)) for s in {dialect.separator, *",;\t"}):
        raise InputError(
            head.source,
            f"the first line holds numbers ('{first.text[:60]}') where a header is expected",
            "put the column names in the first line, or state them (--columns time_s,emg1_uv), "
            "time_local for clock times",
            place,
        )
    return dialect


def named_dialect(head: FileHead, names: Sequence[str]) -> CsvDialect:
    """Return the dialect of a file without a header, whose column names are stated.

    Parameters
    ----------
    head : FileHead
    names : sequence of str
        A name for each column; ``ignore`` leaves a column out.

    Returns
    -------
    CsvDialect

    Raises
    ------
    InputError
        If the first line has another number of fields, or is a header.
    """
    separator: str | None = None
    for line in head.lines:
        named = separator_line(line.text.strip())
        separator = named or separator
        if named or not line.text.strip() or line.text.lstrip().startswith("#"):
            continue
        break
    place = f"line {line.number}"
    used = separator or _separator_of_row(line.text, names)
    fields = split_fields(line.text, used)
    if len(fields) != len(names):
        raise InputError(
            head.source,
            f"has {len(fields)} columns, and --columns has {len(names)} names",
            "name every column; ignore leaves one out",
            place,
        )
    signals = _signal_fields(fields, names)
    if not any(map(is_number, signals)) and any(signals):
        raise InputError(
            head.source,
            f"the first row holds words ('{line.text[:60]}') where numbers are expected",
            f"leave it out with --skip-rows {line.number}, or leave out --columns",
            place,
        )
    headers = [f"column {k}" if n == "ignore" else n for k, n in enumerate(names, 1)]
    hidden = tuple(h for h, name in zip(headers, names, strict=True) if name == "ignore")
    return CsvDialect(tuple(headers), line.number - 1, line.start, used, ignored=hidden)


def _is_row(fields: Sequence[str]) -> bool:
    """Return whether a line holds numbers and times."""
    return any(map(is_number, fields)) and all(
        is_number(field) or _TIME.fullmatch(field) for field in fields if field
    )


def _signal_fields(fields: Sequence[str], names: Sequence[str]) -> list[str]:
    return [f for f, name in zip(fields, names, strict=False) if name.startswith(("emg", "acc"))]


def _separator_of_row(text: str, names: Sequence[str]) -> str:
    """Return the separator of a row of values: decimal commas may be as many as separators."""
    for separator in ",;\t| ":
        fields = split_fields(text, separator)
        signals = [field for field in _signal_fields(fields, names) if field]
        if len(fields) == len(names) and signals and all(map(is_number, signals)):
            return separator
    return guess_separator(text) or " "


def _above_numbers(head: FileHead, line: HeadLine) -> bool:
    """Return whether the line below words with blanks between holds as many, with a number."""
    below = next((ln for ln in head.lines if ln.number > line.number and ln.text.strip()), None)
    fields = below.text.split() if below else []
    return len(fields) == len(line.text.split()) and any(is_number(f) for f in fields)


def _fields(text: str, separator: str | None) -> list[str]:
    return split_fields(text, separator or guess_separator(text) or " ")


def _dialect(
    line: HeadLine, text: str, separator: str | None, body: int | None = None
) -> CsvDialect:
    used = separator or guess_separator(text) or " "
    body = line.end if body is None else body
    return CsvDialect(tuple(split_fields(text, used)), line.number, body, used)
