"""An exposure: what a person wants to know about, chosen before looking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.trend.diary import NO, YES, Diary, Value

#: More would find something by chance.
MOST: Final = 3
#: Columns that are no exposure.
_NOTES: Final = frozenset({"note", "notes", "comment", "comments"})
_UNITS: Final = {"mg": "mg", "g": "g", "ug": "µg", "l": "l", "h": "h", "hour": "h", "min": "min"}
_SIDES: Final = {">": "over", ">=": "of at least", "<": "under", "<=": "of at most", "=": "of"}
_HOURS: Final = {">": "after", ">=": "from", "<": "before", "<=": "until", "=": "at"}
_FORM: Final = re.compile(r"\s*([^<>=]+?)\s*(?:(>=|>|<=|<|=)\s*(.+?)\s*)?")


@dataclass(frozen=True, slots=True)
class Exposure:
    """A column of the diary, split in two.

    Attributes
    ----------
    name : str
        As it was chosen: ``alcohol_g``, ``caffeine_mg>200``, ``exercise=run``.
    column : str
    sign : str
        One of ``> >= < <= =``, or empty for "any".
    limit : float or str or None
    """

    name: str
    column: str
    sign: str = ""
    limit: Value | None = None

    @property
    def words(self) -> str:
        """The exposed evenings, in words: "alcohol", "caffeine over 200 mg"."""
        base, _, unit = self.column.rpartition("_")
        if unit not in _UNITS or not base:
            base, unit = self.column, ""
        what = base.replace("_", " ")
        if not self.sign:
            return what
        if not isinstance(self.limit, float):
            return f"{what} ({self.limit})"
        side = _HOURS[self.sign] if unit == "hour" else _SIDES[self.sign]
        return f"{what} {side} {self.limit:g} {_UNITS.get(unit, '')}".strip()

    def of(self, diary: Diary, evening: date, lag: int = 0) -> float:
        """Return 1 (exposed), 0 (not) or NaN (not known) for an evening, or one before it."""
        day = diary.days.get(evening - timedelta(days=lag))
        if day is None:
            return np.nan
        value = day.get(self.column)
        if value is None:
            # no coffee has no hour: the amount beside it says so
            return 0.0 if self.column.endswith("_hour") and _none_taken(self, day) else np.nan
        return float(_holds(value, self.sign, self.limit))


def choose(diary: Diary, names: Sequence[str]) -> list[Exposure]:
    """Return the exposures named, or the diary's own, or all if they are at most three.

    A column of numbers that is never zero is split at its median.

    Raises
    ------
    InputError
        For more than three, or one that the diary does not have.
    """
    names = list(names) or list(diary.exposures)
    if not names:
        columns = [c for c in diary.columns if c not in _NOTES]
        if len(columns) > MOST:
            return []
        names = columns
    if len(names) > MOST:
        raise InputError(
            "exposures",
            f"{len(names)} are chosen",
            f"choose at most {MOST} before you look: more would find something by chance",
        )
    return [_parse(name, diary) for name in dict.fromkeys(names)]


def _parse(name: str, diary: Diary) -> Exposure:
    match = _FORM.fullmatch(name)
    column = match[1].lower() if match else ""
    if match is None or column not in diary.columns:
        found = ", ".join(diary.columns) or "none"
        raise InputError(
            diary.source, f"has no column {column or name!r} (found: {found})", "name one of these"
        )
    sign, text = match[2] or "", match[3]
    if sign:
        try:
            return Exposure(name, column, sign, float(text))
        except ValueError:
            if sign != "=":
                raise InputError(
                    "exposures", f"{name!r} compares with no number", "write caffeine_mg>200"
                ) from None
            return Exposure(name, column, sign, text.lower())
    given = [day[column] for day in diary.days.values() if column in day]
    values = [v for v in given if isinstance(v, float)]
    none = any(isinstance(v, str) and v.lower() in NO for v in given)
    if values and min(values) > 0 and not none:
        return Exposure(name, column, ">", float(np.median(values)))
    return Exposure(name, column)


def _holds(value: Value, sign: str, limit: Value | None) -> bool:
    if isinstance(value, str):
        word = value.lower()
        if sign == "=":
            return word == limit or str(limit) in word.split()
        return word in YES or word not in NO
    if not sign:
        return value > 0
    if not isinstance(limit, float):
        return False
    return {
        ">": value > limit,
        ">=": value >= limit,
        "<": value < limit,
        "<=": value <= limit,
        "=": value == limit,
    }[sign]


def _none_taken(exposure: Exposure, day: dict[str, Value] | object) -> bool:
    base = exposure.column.removesuffix("_hour")
    known = day if isinstance(day, dict) else {}
    amounts = [v for k, v in known.items() if k != exposure.column and k.split("_")[0] == base]
    return bool(amounts) and all(not _holds(v, "", None) for v in amounts)
