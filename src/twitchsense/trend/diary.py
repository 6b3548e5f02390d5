"""The diary: what was drunk, done and taken on the day before a night.

One row per evening. CSV, TSV, TOML and YAML hold the same: a ``date`` and any
columns. An empty field is "not known", which is not "none": write 0 or none.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from twitchsense.context.textable import MISSING, parse_table
from twitchsense.errors import InputError, MissingExtraError

#: The columns people keep, with what each means; any others may stand beside them.
COLUMNS: Final[dict[str, str]] = {
    "date": "the evening on which the night began, as 2026-03-01",
    "caffeine_mg": "caffeine of the day, mg (a cup of coffee: about 80)",
    "caffeine_hour": "hour of the last caffeine, 0-24",
    "exercise": "kind of exercise, or none",
    "exercise_hour": "hour at which it ended, 0-24",
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
#: Words for yes and no.
YES: Final = frozenset({"yes", "y", "true", "x", "ja", "oui", "si", "sí"})
NO: Final = frozenset({"no", "n", "none", "false", "-", "0", "nein", "non", "keine", "ningún"})
_MOST_BYTES: Final = 5_000_000
_MOST_DAYS: Final = 5000
_CURE: Final = "give one row per evening with a date such as 2026-03-01"

Value = float | str


@dataclass(frozen=True, slots=True)
class Diary:
    """A diary.

    Attributes
    ----------
    source : str
        Name of the file.
    columns : tuple of str
        Every column but the date, in the order of the file.
    days : mapping of date to mapping of column to value
        Numbers as float, everything else as text; what is not known is left out.
    exposures : tuple of str
        What the person wants to know about, chosen in the file (TOML, YAML).
    """

    source: str
    columns: tuple[str, ...]
    days: Mapping[date, Mapping[str, Value]]
    exposures: tuple[str, ...] = field(default=())


def read_diary(path: Path) -> Diary:
    """Read a diary: ``.toml``, ``.yaml``, ``.yml``; anything else as CSV or TSV.

    Raises
    ------
    InputError
        If the file can't be read, has no dates, or an evening twice.
    MissingExtraError
        For YAML without the extra ``yaml``.
    """
    text = _read(path)
    source = path.name
    kind = path.suffix.lower()
    if kind == ".toml":
        return _from_tree(_toml(text, source), source)
    if kind in (".yaml", ".yml"):
        return _from_tree(_yaml(text, source), source)
    table = parse_table(text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n"), source)
    table.require("date")
    names = [name for name in table.columns if name != "date"]
    rows = [
        ({name: table.columns[name][i] for name in table.columns}, table.place(i))
        for i in range(len(table.lines))
    ]
    return _build(rows, source, names, ())


def _read(path: Path) -> str:
    source = str(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(source, "is over 5 MB, which no diary is", "give the diary")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(source, "is not UTF-8 text", "save it as UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(source, f"cannot be read ({reason})", "check the name") from error
    if not text.strip():
        raise InputError(source, "is empty", _CURE)
    return text


def _toml(text: str, source: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(source, f"is no TOML ({error})", "mend the place named") from error


def _yaml(text: str, source: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("yaml", "a diary in YAML") from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(source, f"is no YAML ({error})", "mend the place named") from error


def _from_tree(tree: Any, source: str) -> Diary:
    """Read ``exposures`` and the list ``day`` (or ``days``); a bare list is the days."""
    exposures: tuple[str, ...] = ()
    days = tree
    if isinstance(tree, dict):
        days = tree.get("day", tree.get("days"))
        given = tree.get("exposures", [])
        if not isinstance(given, list) or not all(isinstance(g, str) for g in given):
            raise InputError(
                source, "has exposures that are no list of words", 'write ["alcohol_g"]'
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
    rows: list[tuple[dict[str, Any], str]], source: str, names: list[str], chosen: tuple[str, ...]
) -> Diary:
    if len(rows) > _MOST_DAYS:
        raise InputError(source, f"has over {_MOST_DAYS} days", "give the days of the nights")
    days: dict[date, dict[str, Value]] = {}
    for row, place in rows:
        evening = _evening(row.get("date"), source, place)
        if evening in days:
            raise InputError(source, f"has {evening} twice", "keep one row per evening", place)
        values = {name: _value(row.get(name)) for name in names}
        days[evening] = {name: v for name, v in values.items() if v is not None}
    return Diary(source, tuple(names), days, chosen)


def _evening(given: Any, source: str, place: str) -> date:
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given).strip()[:10])
    except ValueError:
        raise InputError(source, f"has the date {given!r}", _CURE, place) from None


def _value(given: Any) -> Value | None:
    if given is None:
        return None
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, (int, float)):
        return float(given) if math.isfinite(given) else None
    text = str(given).strip()
    # here "none" is an answer, not a missing value
    if text.lower() in MISSING - {"none"}:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else None
