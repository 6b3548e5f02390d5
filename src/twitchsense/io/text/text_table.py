"""Reads small delimited tables: hypnograms, event lists, diaries and manifests.

Every error names its line. All fields are kept as text until a column is requested as
numbers, so that a message can quote the file. Signals are read by `twitchsense.io.text.csv`.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited

#: Fields, in lower case, that stand for a missing value (BIDS writes ``n/a``).
MISSING_VALUES: Final = frozenset({"", "n/a", "na", "nan", "none", "null"})
#: A number with a decimal comma, and one whose comma may separate thousands.
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class TextTable:
    """A delimited text file, column by column.

    Attributes
    ----------
    source : str
        Name of the file, for messages.
    columns : dict of str to list of str
        Fields without surrounding blanks, by column name in lower case.
    lines : list of int
        Number of the line on which each row ends.
    """

    source: str
    columns: dict[str, list[str]]
    lines: list[int]

    def place(self, row: int) -> str:
        """Return the line of a row for messages, such as ``line 17``."""
        return f"line {self.lines[row]}"

    def require(self, *names: str) -> None:
        """Check that columns exist.

        Parameters
        ----------
        *names : str
            In lower case.

        Raises
        ------
        InputError
            If one of the columns is missing.
        """
        for name in names:
            if name not in self.columns:
                found = ", ".join(self.columns)
                raise InputError(
                    self.source,
                    f"has no column {name!r} (found: {found})",
                    f"give a table with the columns {', '.join(names)}",
                    "line 1",
                )

    def numbers(self, name: str, *, missing: bool = False) -> NDArray[np.float64]:
        """Return a column as numbers.

        Parameters
        ----------
        name : str
        missing : bool
            Whether a value may be missing; it becomes NaN.

        Returns
        -------
        ndarray of float64, shape (rows,)

        Raises
        ------
        InputError
            At the first field that is not a finite number.
        """
        values = np.empty(len(self.lines))
        for row, text in enumerate(self.columns[name]):
            if missing and text.lower() in MISSING_VALUES:
                values[row] = np.nan
                continue
            try:
                values[row] = float(text)
            except ValueError:
                raise self._not_a_number(name, row, text) from None
            if not np.isfinite(values[row]):
                raise self._not_a_number(name, row, text)
        return values

    def _not_a_number(self, name: str, row: int, text: str) -> InputError:
        cure = "give seconds from the start of the recording"
        if "," in text:
            cure = "write decimals with a point, not a comma"
        elif ":" in text:
            cure = "give seconds from the start of the recording, not clock times"
        problem = f"{name} is {text!r}, not a number" if text else f"{name} is empty"
        return InputError(self.source, problem, cure, self.place(row))


def read_table(path: Path) -> TextTable:
    """Read a CSV or TSV file with a header line.

    Parameters
    ----------
    path : Path

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        If the file cannot be opened, is empty or binary, is not UTF-8, or a line has
        another number of fields than the header.
    """
    source = str(path)
    return parse_table(read_text(path, source), source)


def read_text(path: Path, source: str) -> str:
    """Return the text of a small file, with line feeds as line ends.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the file cannot be opened, is empty or binary, or is not UTF-8.
    """
    return _decode(read_limited(path, source), source)


def parse_table(text: str, source: str, *, semicolons: bool = True) -> TextTable:
    """Parse the text of a CSV or TSV table.

    A table whose columns are separated by semicolons may have decimal commas.

    Parameters
    ----------
    text : str
        From `read_text`.
    source : str
        Name of the file in messages.
    semicolons : bool
        Whether columns may be separated by semicolons.

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        If the text is not a table whose lines all have as many fields as the header.
    """
    header_line = text.split("\n", 1)[0]
    delimiter = _delimiter(header_line, source, semicolons)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        names = [name.strip().lower() for name in next(reader)]
        if len(set(names)) != len(names):
            raise InputError(source, "has a column name twice", "name each column once", "line 1")
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue  # an empty line
            if len(fields) != len(names):
                raise _field_count_error(
                    source, reader.line_num, len(fields), len(names), delimiter
                )
            rows.append([field.strip() for field in fields])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(
            source, f"is not a readable table ({error})", "give a CSV or TSV file of short fields",
            f"line {reader.line_num}",
        ) from error  # fmt: skip
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    table = TextTable(source, dict(zip(names, map(list, columns), strict=True)), lines)
    if delimiter == ";":
        for name in table.columns:
            _replace_decimal_commas(table, name)
    return table


def _replace_decimal_commas(table: TextTable, name: str) -> None:
    """Write the numbers of a column with decimal points."""
    fields = table.columns[name]
    with_comma = [row for row, text in enumerate(fields) if _DECIMAL_COMMA.fullmatch(text)]
    if with_comma and all(_THOUSANDS.fullmatch(fields[row]) for row in with_comma):
        text = fields[with_comma[0]]
        raise InputError(
            table.source,
            f"{name} is {text!r}, with a decimal comma or a comma for thousands",
            f"write {text.replace(',', '.')} or {text.replace(',', '')}",
            table.place(with_comma[0]),
        )
    for row in with_comma:
        fields[row] = fields[row].replace(",", ".")


def _decode(raw: bytes, source: str) -> str:
    if not raw.strip():
        raise InputError(source, "is empty", "give a table with a header line")
    if raw.startswith(_UTF16):
        raw = raw.decode("utf-16", "replace").encode()
    if b"\x00" in raw:
        raise InputError(source, "is a binary file", "give a CSV or TSV text file")
    try:
        # utf-8-sig removes the byte order mark that Excel writes
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(
            source, "is not UTF-8 text", "save it as UTF-8 CSV or TSV", f"line {line}"
        ) from error


def _delimiter(header: str, source: str, semicolons: bool) -> str:
    if "\t" in header:
        return "\t"
    if ";" in header and "," not in header:
        if semicolons:
            return ";"
        raise InputError(
            source,
            "is separated by semicolons",
            "separate columns by commas or tabs, with decimal points in numbers",
            "line 1",
        )
    return ","


def _field_count_error(
    source: str, line: int, found: int, wanted: int, delimiter: str
) -> InputError:
    cure = "give every line as many fields as the header"
    if found > wanted and delimiter == ",":
        cure += "; write decimals with a point, not a comma"
    return InputError(
        source, f"has {found} fields where the header has {wanted}", cure, f"line {line}"
    )
