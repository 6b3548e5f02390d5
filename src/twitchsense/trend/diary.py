"""Read a diary of what was drunk, done and taken on the day before each night.

A diary has one row per evening. CSV, TSV, TOML and YAML have the same content: a ``date`` and
any other columns. An empty field means "not known"; "none" is written as 0 or none. CSV may be
separated by semicolons, with decimal commas, and have dates of other orders.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.text.text_table import MISSING_VALUES, parse_table
from twitchsense.regular_file import read_limited
from twitchsense.settings.toml_file import parse_toml
from twitchsense.text import printable, truncate

#: Definition of each common column; a diary may have any others.
DIARY_COLUMNS: Final[dict[str, str]] = {
    "date": "the evening on which the night began, as 2026-03-01",
    "caffeine_mg": "caffeine of the day, mg (a cup of coffee: about 80)",
    "caffeine_hour": "hour of the last caffeine, 0-24 or 15:30",
    "exercise": "kind of exercise, or none",
    "exercise_hour": "hour at which it ended, 0-24 or 15:30",
    "water_l": "water and other drinks, litres",
    "alcohol_g": "alcohol, g (a small beer or glass of wine: about 12)",
    "nicotine": "cigarettes or pouches of the day",
    "stress": "stress, 0 (none) to 10",
    "sleep_debt_h": "hours of sleep missed in the night before",
    "medicines": "medicines taken, or none",
    "vitamin_d_ug": "vitamin D taken, µg",
    "vitamin_b_mg": "B vitamins taken, mg",
    "calcium_mg": "calcium taken, mg",
}
#: Unit and largest accepted value of each numeric column. A larger value is probably in
#: another unit, such as water in ml. The limits are engineering choices.
NUMERIC_COLUMNS: Final[dict[str, tuple[str, float]]] = {
    "caffeine_mg": ("mg", 3000),
    "caffeine_hour": ("hours of the day", 24),
    "exercise_hour": ("hours of the day", 24),
    "water_l": ("litres", 20),
    "alcohol_g": ("g", 500),
    "nicotine": ("pieces", 200),
    "stress": ("steps from 0 to 10", 10),
    "sleep_debt_h": ("hours", 24),
    "vitamin_d_ug": ("µg", 10_000),
    "vitamin_b_mg": ("mg", 10_000),
    "calcium_mg": ("mg", 10_000),
}
#: Three numbers: day and month in either order, then the year; 1.3.2026 begins with the day.
_NUMBERS: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
#: Number of months; a larger number is a day.
_MONTHS: Final = 12
#: Words for yes.
YES_WORDS: Final = frozenset({"yes", "y", "true", "x", "ja", "oui", "si", "sí"})
NO_WORDS: Final = frozenset(
    {"no", "n", "none", "false", "-", "0", "nein", "non", "keine", "ningún"}
)
#: Words for "not known". Unlike in other tables, "none" is a known value here.
_UNKNOWN_WORDS: Final = MISSING_VALUES - {"none"}
#: An hour of the day, 15:30 or 15:30:00.
_CLOCK_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::\d\d)?")
_MAX_BYTES: Final = 5_000_000
#: Characters of a YAML file, whose parser reads some 200 kB a second.
_MAX_YAML: Final = 1_000_000
#: Collections within each other in a diary in YAML; three are needed.
_MAX_DEPTH: Final = 8
_MAX_DAYS: Final = 5000
#: Values of TOML and YAML that hold others.
_COLLECTIONS: Final = (list, dict, set, tuple)
#: Maximum length of a text value, such as a note; longer text is truncated.
_MAX_TEXT: Final = 1000
_CURE: Final = "give one row per evening with a date such as 2026-03-01"

Value = float | str


@dataclass(frozen=True, slots=True)
class Diary:
    """The content of a diary file.

    Attributes
    ----------
    source : str
        Name of the file.
    columns : tuple of str
        All columns but the date, in the order of the file.
    days : mapping of date to mapping of str to float or str
        Values by column. Text is truncated to 1000 characters; unknown values are left out.
    exposures : tuple of str
        The exposures that the file names (TOML and YAML only).
    notes : tuple of str
        How the dates were read.
    """

    source: str
    columns: tuple[str, ...]
    days: Mapping[date, Mapping[str, Value]]
    exposures: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())


def read_diary(path: Path) -> Diary:
    """Read a diary.

    Parameters
    ----------
    path : Path
        ``.toml``, ``.yaml`` or ``.yml``; any other file is read as CSV or TSV.

    Returns
    -------
    Diary

    Raises
    ------
    InputError
        If the file cannot be read, has no dates, has an evening twice, or has a value in a
        numeric column that is not a number; the message names row and column.
    MissingExtraError
        For YAML without the extra ``yaml``.
    """
    text = _read(path)
    source = path.name
    kind = path.suffix.lower()
    if kind == ".toml":
        return _from_document(parse_toml(text, source), source)
    if kind in (".yaml", ".yml"):
        return _from_document(_yaml(text, source), source)
    table = parse_table(text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n"), source)
    table.require("date")
    dates, notes = _read_dates(table.columns["date"], source, table.place)
    table.columns["date"] = dates
    names = [name for name in table.columns if name != "date"]
    rows = [
        ({name: table.columns[name][i] for name in table.columns}, table.place(i))
        for i in range(len(table.lines))
    ]
    return replace(_build(rows, source, names, ()), notes=notes)


def _read(path: Path) -> str:
    source = str(path)
    try:
        text = read_limited(path, source, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(source, "is not UTF-8 text", "save it as UTF-8") from error
    if not text.strip():
        raise InputError(source, "is empty", _CURE)
    return text


def _yaml(text: str, source: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("yaml", "a diary in YAML") from error
    if len(text) > _MAX_YAML:
        raise InputError(source, "is over 1 MB, too large for YAML", "give a CSV or TOML file")
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:  # the time of the parser grows with the square of the depth
                raise InputError(source, "is nested too deeply", "write one value for each column")
            if isinstance(event, yaml.AliasEvent):  # a few lines of them stand for gigabytes
                raise InputError(source, "has aliases (*name)", "write each value where it belongs")
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(source, f"is not valid YAML ({error})", "correct that place") from error


def _from_document(document: Any, source: str) -> Diary:
    """Build a diary from parsed TOML or YAML: ``exposures`` and ``day`` or ``days``, or a list."""
    exposures: tuple[str, ...] = ()
    days = document
    if isinstance(document, dict):
        days = document.get("day", document.get("days"))
        given = document.get("exposures", [])
        if not isinstance(given, list) or not all(isinstance(g, str) for g in given):
            raise InputError(
                source, "has exposures that are not a list of names", 'write ["alcohol_g"]'
            )
        exposures = tuple(given)
    if not isinstance(days, list) or not all(isinstance(d, dict) for d in days):
        raise InputError(source, "has no list of days", "write each evening under [[day]] or days:")
    names: dict[str, None] = {}
    rows: list[tuple[dict[str, Any], str]] = []
    for i, day in enumerate(days, 1):
        row = {str(k).strip().lower(): v for k, v in day.items()}
        names.update(dict.fromkeys(k for k in row if k != "date"))
        rows.append((row, f"day {i}"))
    return _build(rows, source, list(names), exposures)


def _build(
    rows: list[tuple[dict[str, Any], str]],
    source: str,
    names: list[str],
    exposures: tuple[str, ...],
) -> Diary:
    if len(rows) > _MAX_DAYS:
        raise InputError(source, f"has over {_MAX_DAYS} days", "give the days of the nights")
    days: dict[date, dict[str, Value]] = {}
    for row, place in rows:
        evening = _evening(row.get("date"), source, place)
        if evening in days:
            raise InputError(source, f"has {evening} twice", "keep one row per evening", place)
        values = {name: _value(name, row.get(name), source, place) for name in names}
        for name in NUMERIC_COLUMNS.keys() & values.keys():
            values[name] = _number(name, values[name], row.get(name), source, place)
        days[evening] = {name: v for name, v in values.items() if v is not None}
    return Diary(source, tuple(names), days, exposures)


def _evening(given: Any, source: str, place: str) -> date:
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    if isinstance(given, _COLLECTIONS):
        raise InputError(source, "has a list as its date", _CURE, place)
    try:
        return date.fromisoformat(str(given).strip()[:10])
    except ValueError:
        raise InputError(source, f"has the date {given!r}", _CURE, place) from None


def _value(name: str, given: Any, source: str, place: str) -> Value | None:
    """Return a cell as number or text; None if it is not known."""
    if given is None:
        return None
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, _COLLECTIONS):
        raise InputError(source, f"{name} is a list", "write one value for each evening", place)
    try:
        number = float(given if isinstance(given, (int, float)) else str(given))
    except ValueError:
        text = str(given).strip()
        return None if text.lower() in _UNKNOWN_WORDS else truncate(text, _MAX_TEXT)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise InputError(
            source, f"{name} is not a finite number", "write the amount as a number", place
        )
    return None if math.isnan(number) else number


def _number(name: str, value: Value | None, given: Any, source: str, place: str) -> Value | None:
    """Return the value of a numeric column: a number in its range, or a word for yes or no.

    Parameters
    ----------
    name : str
    value : float or str or None
        From `_value`.
    given : object
        The value as it stands in the file.
    source, place : str
        File and row, for the error.

    Raises
    ------
    InputError
        For any other value.
    """
    unit, maximum = NUMERIC_COLUMNS[name]
    if isinstance(value, str):
        if value.lower() in NO_WORDS and not name.endswith("_hour"):
            return 0.0
        if value.lower() in YES_WORDS | NO_WORDS:
            return value
        match = _CLOCK_TIME.fullmatch(value) if name.endswith("_hour") else None
        if match is not None:
            value = int(match[1]) + int(match[2]) / 60
    if value is None and str(given if given is not None else "").strip().lower() in _UNKNOWN_WORDS:
        return None
    if isinstance(value, float) and 0 <= value <= maximum:
        return value
    shown = truncate(str(given), 40)
    if name.endswith("_hour"):
        cure = 'write the hour as 15, 15.5 or "15:30"'
    elif isinstance(value, float) and value > maximum:
        cure = f"write the number in {unit}; values over {maximum:g} are refused"
    else:
        cure = f"write the number alone, in {unit}; 0 or none if there was none"
    raise InputError(source, f"{name} is {printable(shown)!r}", cure, place)


def _read_dates(
    texts: Sequence[str], source: str, place: Callable[[int], str]
) -> tuple[list[str], tuple[str, ...]]:
    """Return dates in the order of ISO 8601, and notes on how they were read.

    Parameters
    ----------
    texts : sequence of str
        All dates of a diary. Those that are not three numbers are left as they are.
    source : str
        Name of the file in messages.
    place : callable of int
        Place of a row, for messages.

    Returns
    -------
    dates : list of str
    notes : tuple of str
        Empty for dates of ISO 8601.

    Raises
    ------
    InputError
        If the file does not show whether the day or the month comes first.
    """
    found = [_NUMBERS.fullmatch(text.strip()) for text in texts]
    rows = [row for row, match in enumerate(found) if match]
    if not rows:
        return list(texts), ()
    pairs = [(int(m[1]), int(m[3])) for m in found if m]
    day_first = all(m[2] == "." for m in found if m) or any(first > _MONTHS for first, _ in pairs)
    month_first = any(second > _MONTHS for _, second in pairs)
    text = texts[rows[0]].strip()
    if day_first == month_first:
        problem = f"has the date {text!r}: day or month first?"
        if day_first:
            problem = "has dates with the day first and dates with the month first"
        raise InputError(source, problem, "write dates as 2026-03-01", place(rows[0]))
    dates = list(texts)
    for row, (first, second) in zip(rows, pairs, strict=True):
        day, month = (first, second) if day_first else (second, first)
        match = found[row]
        dates[row] = f"{match[4] if match else ''}-{month:02d}-{day:02d}"
    order = "day, month, year" if day_first else "month, day, year"
    return dates, (f"dates of the diary are read as {order}: {text} is {dates[rows[0]]}",)
