"""Numbers of a text column: decimal signs, thousands separators, and cells without a number.

The C parser of pandas reads nearly every block; only the cells that it could not read are
examined here, one form at a time. A cell that no form fits is a gap. A cell with two readings
(``1,234`` is 1234 or 1.234) is decided by the other cells of its column, or refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.map_pairs import typed_map

_EXPONENT: Final = r"(?:[eE][+-]?\d+)?"
_SIGN: Final = r"[+-]?"
#: Separators of thousands that are never decimal signs: apostrophes, blanks of several widths.
_GROUPING: Final = "['\u2019 \u00a0\u2009\u202f]"
#: Forms of a number, from the most to the least specific: pattern, sign of the decimals
#: ('' if the form does not show it), and the characters to remove.
_FORMS: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = (
    # 12.5, .5, 12.
    (re.compile(rf"{_SIGN}(?:\d+\.\d*|\.\d+){_EXPONENT}"), ".", ""),
    # 12,5
    (re.compile(rf"{_SIGN}(?:\d+,\d*|,\d+){_EXPONENT}"), ",", ""),
    # 1,234.5
    (re.compile(rf"{_SIGN}\d{{1,3}}(?:,\d{{3}})+\.\d*"), ".", ","),
    # 1.234,5
    (re.compile(rf"{_SIGN}\d{{1,3}}(?:\.\d{{3}})+,\d*"), ",", "."),
    # 1,234,567
    (re.compile(rf"{_SIGN}\d{{1,3}}(?:,\d{{3}}){{2,}}"), "", ","),
    # 1.234.567
    (re.compile(rf"{_SIGN}\d{{1,3}}(?:\.\d{{3}}){{2,}}"), "", "."),
    # 1'234.5, 1 234
    (re.compile(rf"{_SIGN}\d{{1,3}}(?:{_GROUPING}\d{{3}})+(?:\.\d*)?"), ".", _GROUPING),
    # 1 234,5
    (re.compile(rf"{_SIGN}\d{{1,3}}(?:{_GROUPING}\d{{3}})+,\d*"), ",", _GROUPING),
    # 12, 1e5
    (re.compile(rf"{_SIGN}\d+{_EXPONENT}"), "", ""),
)
#: Text with the characters of numbers only: any other text has none of the forms.
_NUMBER_LIKE: Final = re.compile(rf"(?:[\d.,eE+-]|{_GROUPING})*")
#: A number with two readings: one group of three digits after a comma or a point.
_AMBIGUOUS: Final = re.compile(rf"{_SIGN}[1-9]\d{{0,2}}([.,])\d{{3}}")
#: Number of decimals of a group of thousands.
_GROUP_SCALE: Final = 1000.0
#: Text between numbers that returns at least every so many rows, and so many times, stands for
#: another sampling rate or another signal; less of it is a gap.
_MAX_PERIOD: Final = 10
_MIN_TEXT_RUNS: Final = 20
#: Cells that are examined to find the decimal sign of a column.
_SAMPLE_CELLS: Final = 20_000


@dataclass(frozen=True, slots=True)
class CellNote:
    """Cells of a column that hold text which is not a number.

    Attributes
    ----------
    count : int
    row : int
        Row of the first, counted from zero after the header.
    text : str
        Text of the first.
    """

    count: int
    row: int
    text: str


def find_decimal_sign(columns: Sequence[Sequence[str]], default: str = ".") -> str:
    """Return the decimal sign of columns.

    Parameters
    ----------
    columns : sequence of sequence of str
        Cells from the beginning of the columns that are read as numbers.
    default : {'.', ','}
        Returned if as many columns show a comma as a point.

    Returns
    -------
    {'.', ','}
    """
    balance = 0
    for cells in columns:
        signs = _decimal_signs(cells[:_SAMPLE_CELLS])
        balance += ("," in signs) - ("." in signs)
    return default if not balance else "," if balance > 0 else "."


def _decimal_signs(cells: Sequence[str]) -> set[str]:
    """Return the decimal signs that the cells of a column show."""
    joined = "".join(cells)
    present = {sign for sign in ",." if sign in joined}
    found: set[str] = set()
    for cell in cells:
        if found == present:  # nearly always after one cell
            return found
        if ":" not in cell:  # no time of day
            found |= present & {_decimal_sign(_clean(cell))}
    if found or "," not in present:
        return found
    # only cells with two readings: commas are decimal signs if each cell has one
    texts = {_clean(cell) for cell in cells} - {""}
    if texts and all(_AMBIGUOUS.fullmatch(t) and "," in t for t in texts):
        return {","}
    return found


def _decimal_sign(text: str) -> str:
    """Return the decimal sign that a cell shows without doubt, or ''."""
    if not _NUMBER_LIKE.fullmatch(text) or _AMBIGUOUS.fullmatch(text):
        return ""
    return next((sign for form, sign, _ in _FORMS if form.fullmatch(text)), "")


def _clean(text: str) -> str:
    return text.strip().replace("\u2212", "-")


def to_floats(column: pd.Series) -> NDArray[np.float64]:
    """Return the numbers of a column, with NaN for cells that are not numbers.

    Parameters
    ----------
    column : Series
        Of any type. Booleans are not numbers.

    Returns
    -------
    ndarray of float64, shape (rows,)
    """
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan)
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(str), errors="coerce")
    return column.to_numpy(np.float64, na_value=np.nan)


class NumberColumn:
    """Parses the cells of one column, block by block.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    name : str
        Name of the column in the file.
    decimal : {'.', ','}
        Decimal sign of the column, as far as its first cells show it.
    parsed_decimal : {'.', ','}
        Decimal sign with which blocks that are already numbers were read.
    locate_row : callable
        Returns the place of a row for messages.
    """

    def __init__(
        self,
        source: str,
        name: str,
        decimal: str,
        parsed_decimal: str,
        locate_row: Callable[[int], str],
    ) -> None:
        self._parsed_decimal = parsed_decimal
        self._source = source
        self._name = name
        self._decimal = decimal
        self._locate_row = locate_row
        #: First cell (row, text) that shows a decimal sign; row -1 in a block of numbers.
        self._shown: dict[str, tuple[int, str]] = {}
        self._ambiguous: tuple[int, str] | None = None
        #: Fractional numbers may all be thousands: each is 1.234 and stands beside small integers.
        self._fraction_row: int | None = None
        self._has_small_integer = False
        self._text: CellNote | None = None
        self._text_runs = 0
        self._rows = 0

    @property
    def note(self) -> CellNote | None:
        """Cells so far that hold text which is not a number; None if there are none."""
        return self._text

    def parse(self, column: pd.Series, first_row: int) -> NDArray[np.float64]:
        """Return the numbers of a block, with NaN for cells that are not numbers.

        Parameters
        ----------
        column : Series
            Numbers, or text where the parser could not read every cell.
        first_row : int
            Number of the first row of the block.

        Returns
        -------
        ndarray of float64, shape (rows,)
        """
        self._rows = first_row + len(column)
        if pd.api.types.is_bool_dtype(column):
            return np.full(len(column), np.nan)
        if pd.api.types.is_numeric_dtype(column):
            numbers = column.to_numpy(np.float64, na_value=np.nan)
            if self._parsed_decimal not in self._shown and pd.api.types.is_float_dtype(column):
                self._examine_numbers(numbers, first_row, self._parsed_decimal)
            elif pd.api.types.is_integer_dtype(column) and len(numbers):
                self._has_small_integer |= bool(np.abs(numbers).min() < _GROUP_SCALE)
            return numbers
        rows = np.arange(first_row, self._rows)
        if self._decimal == "." and "." in self._shown:
            # nearly all cells are plain numbers, and only the others need the steps below
            numbers = np.array(pd.to_numeric(column, errors="coerce"), np.float64)
            others = np.isnan(numbers)
            numbers[others] = self._parse_text(column[others], rows[others])
            return numbers
        return self._parse_text(column, rows)

    def conclude(self, reread: Callable[[], Iterator[pd.Series]]) -> None:
        """Check that all cells of the column have one reading.

        Parameters
        ----------
        reread : callable
            Yields the column as text, block by block. It is called only if all fractions in
            the column could be thousands.

        Raises
        ------
        InputError
            If the column uses two decimal signs, or a number has two readings.
        """
        if self._text_runs > _MIN_TEXT_RUNS and self._text_runs > self._rows / _MAX_PERIOD:
            note = self.note
            assert note is not None
            raise InputError(
                self._source,
                f"{self._name}: every few rows a cell is not a number ({note.count} of "
                f"{self._rows} rows, first '{note.text[:20]}'), so its sampling rate is unknown",
                "write numbers, leave these cells empty, or leave the column out "
                f"({typed_map(self._name, 'ignore')})",
                self._locate_row(note.row),
            )
        other = "," if self._decimal == "." else "."
        if len(self._shown) == 2:
            row, text = self._shown[other]
            raise InputError(
                self._source,
                f"{self._name} '{text}' has another decimal sign than the rows before or after",
                f"write every number with the decimal sign '{self._decimal}'",
                self._locate_row(max(row, 0)),
            )
        if self._decimal in self._shown:
            return
        ambiguous = self._ambiguous
        if ambiguous is None and self._fraction_row is not None and self._has_small_integer:
            ambiguous = self._find_thousands(reread)
        if ambiguous is None:
            return
        row, text = ambiguous
        digits = re.sub(r"[.,]", "", text)
        raise InputError(
            self._source,
            f"{self._name} '{text}' may be {digits} or {text.replace(',', '.')}",
            "write numbers without thousands separators and with a decimal point",
            self._locate_row(row),
        )

    def _find_thousands(self, reread: Callable[[], Iterator[pd.Series]]) -> tuple[int, str] | None:
        """Return the first cell that may be thousands, or None if the cells show decimals."""
        first: tuple[int, str] | None = None
        row, bare = 0, False
        for block in reread():
            text = block.fillna("").astype("str").str.strip()
            fraction = text.str.contains(self._decimal, regex=False)
            if (fraction & ~text.str.fullmatch(_AMBIGUOUS)).any():
                return None
            bare |= bool((~fraction & text.str.fullmatch(r"[+-]?\d+")).any())
            if first is None and fraction.any():
                i = int(fraction.to_numpy(bool).argmax())
                first = row + i, str(text.iloc[i])
            row += len(block)
        return first if bare else None  # three decimals in every cell are no thousands

    def _examine_numbers(self, numbers: NDArray[np.float64], first_row: int, sign: str) -> None:
        """Note whether a block of numbers shows its decimal sign."""
        with np.errstate(invalid="ignore"):
            fraction = np.isfinite(numbers) & (numbers != np.floor(numbers))
            if not fraction.any():
                finite = numbers[np.isfinite(numbers)]
                if len(finite):
                    self._has_small_integer |= bool(np.abs(finite).min() < _GROUP_SCALE)
                return
            values = np.abs(numbers[fraction])
            thousands = values * _GROUP_SCALE
            like_thousands = (
                (values >= 1)
                & (values < _GROUP_SCALE)
                & (np.abs(thousands - np.rint(thousands)) < 1e-6)
            )
            if like_thousands.all():
                if self._fraction_row is None:
                    self._fraction_row = first_row + int(fraction.argmax())
                whole = np.abs(numbers[np.isfinite(numbers) & ~fraction])
                if len(whole):
                    self._has_small_integer |= bool(whole.min() < _GROUP_SCALE)
            else:
                self._shown[sign] = -1, ""

    def _parse_text(self, column: pd.Series, row_numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Parse cells of which some are not numbers to the parser."""
        missing = column.isna().to_numpy()
        text = column.astype("str").where(~missing, "").str.strip()
        text = text.str.replace("\u2212", "-", regex=False)
        # most cells are numbers with the sign of the column: only the others are examined
        regular = text
        if self._decimal == ",":
            regular = text.where(~text.str.contains(".", regex=False), "")
            regular = regular.str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(regular, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        numbers = np.array(numbers)
        if self._decimal not in self._shown and len(numbers):
            self._examine_numbers(numbers, int(row_numbers[0]), self._decimal)
        waiting = np.flatnonzero((text != "").to_numpy(bool) & np.isnan(numbers))
        cells = text.to_numpy(object)
        self._note_ambiguous(text, cells, row_numbers)
        for form, sign, remove in _FORMS:
            if not len(waiting):
                break
            part = pd.Series(cells[waiting], dtype="str")
            fits = part.str.fullmatch(form).to_numpy(bool)
            if not fits.any():
                continue
            rows = waiting[fits]
            found = part[fits]
            values, shows = self._convert(found, form, sign, remove)
            numbers[rows] = values
            if shows.any() and sign:
                first = rows[shows.argmax()]
                self._shown.setdefault(sign, (int(row_numbers[first]), str(cells[first])))
            waiting = waiting[~fits]
        special = {"inf", "+inf", "-inf", "infinity", "-infinity"}
        waiting = waiting[[str(c).lower() not in special for c in cells[waiting]]]
        if len(waiting):
            self._text_runs += 1 + int((np.diff(row_numbers[waiting]) > 1).sum())
            before = self._text
            row = int(row_numbers[waiting[0]])
            self._text = (
                CellNote(len(waiting), row, str(cells[waiting[0]]))
                if before is None
                else CellNote(before.count + len(waiting), before.row, before.text)
            )
        return numbers

    def _convert(
        self, cells: pd.Series, form: re.Pattern[str], sign: str, remove: str
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the numbers of cells of one form, and which of them show the decimal sign."""
        shows = ~cells.str.fullmatch(_AMBIGUOUS).to_numpy(bool)
        text = cells
        if remove:
            text = text.str.replace(remove, "", regex=len(remove) > 1)
            if sign:  # 1'234 has no decimals to show a sign
                shows &= cells.str.contains(sign, regex=False).to_numpy(bool)
        elif sign and sign != self._decimal:
            # the reading as thousands, unless the cell shows decimals
            grouped = text.str.replace(sign, "", regex=False)
            text = text.where(shows, grouped)
        return (
            pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce").to_numpy(
                np.float64, na_value=np.nan
            ),
            shows,
        )

    def _note_ambiguous(
        self, text: pd.Series, cells: NDArray[np.object_], row_numbers: NDArray[np.int64]
    ) -> None:
        """Keep the first cell with two readings whose decimals would have the other sign."""
        if self._ambiguous is not None:
            return
        other = "," if self._decimal == "." else "."
        mask = text.str.fullmatch(_AMBIGUOUS) & text.str.contains(other, regex=False)
        if mask.any():
            i = int(mask.to_numpy(bool).argmax())
            self._ambiguous = int(row_numbers[i]), str(cells[i])
