"""An exposure: a column of the diary that splits nights into exposed and unexposed ones."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.text import truncate
from twitchsense.trend.diary import NO_WORDS, YES_WORDS, Diary, Value

#: Maximum number of exposures: testing more would find some difference by chance.
MAX_EXPOSURES: Final = 3
#: Columns of free text, never taken as an exposure unless named.
_NOTE_COLUMNS: Final = frozenset({"note", "notes", "comment", "comments"})
#: Unit of a column by the end of its name.
_UNITS: Final = {"mg": "mg", "g": "g", "ug": "µg", "l": "l", "h": "h", "hour": "h", "min": "min"}
_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}
#: Operators in words, for amounts and for hours of the day.
_AMOUNT_WORDS: Final = {">": "over", ">=": "of at least", "<": "under", "<=": "of at most",
                        "=": "of"}  # fmt: skip
_HOUR_WORDS: Final = {">": "after", ">=": "from", "<": "before", "<=": "until", "=": "at"}
#: Operator between a column and a threshold.
_OPERATOR: Final = re.compile(r">=|>|<=|<|=")


@dataclass(frozen=True, slots=True)
class Exposure:
    """A criterion on one column of the diary.

    Attributes
    ----------
    name : str
        As the user wrote it: ``alcohol_g``, ``caffeine_mg>200``, ``exercise=run``.
    column : str
        Column of the diary.
    operator : str
        One of ``> >= < <= =``, or empty for any amount.
    threshold : float or str or None
        Value that the column is compared with; None for any amount.
    """

    name: str
    column: str
    operator: str = ""
    threshold: Value | None = None

    @property
    def description(self) -> str:
        """The exposure in words: "alcohol", "caffeine over 200 mg"."""
        base, _, unit = self.column.rpartition("_")
        if unit not in _UNITS or not base:
            base, unit = self.column, ""
        quantity = base.replace("_", " ")
        if not self.operator:
            return quantity
        if not isinstance(self.threshold, float):
            return f"{quantity} ({self.threshold})"
        words = (_HOUR_WORDS if unit == "hour" else _AMOUNT_WORDS)[self.operator]
        return f"{quantity} {words} {self.threshold:g} {_UNITS.get(unit, '')}".strip()

    def status(self, diary: Diary, evening: date, lag: int = 0) -> float:
        """Return whether an evening was exposed.

        Parameters
        ----------
        diary : Diary
        evening : date
        lag : int
            Number of days before `evening` on which the exposure is looked up.

        Returns
        -------
        float
            1 (exposed), 0 (unexposed) or NaN (not known).
        """
        day = diary.days.get(evening - timedelta(days=lag))
        if day is None:
            return np.nan
        value = day.get(self.column)
        if value is None:
            # an amount of zero has no hour: the evening is unexposed, not unknown
            is_hour = self.column.endswith("_hour")
            return 0.0 if is_hour and _is_amount_zero(self, day) else np.nan
        return float(_matches(value, self.operator, self.threshold))


def select_exposures(diary: Diary, names: Sequence[str]) -> list[Exposure]:
    """Return the exposures to test.

    Parameters
    ----------
    diary : Diary
    names : sequence of str
        Exposures as the user wrote them. If empty, those that the diary names; if it names
        none, all its columns but notes, unless they are more than three.

    Returns
    -------
    list of Exposure
        A numeric column without a threshold is split at zero, or at its median if it is
        never zero.

    Raises
    ------
    InputError
        For more than three exposures, or one that the diary does not have.
    """
    names = list(names) or list(diary.exposures)
    if not names:
        columns = [c for c in diary.columns if c not in _NOTE_COLUMNS]
        if len(columns) > MAX_EXPOSURES:
            return []
        names = columns
    if len(names) > MAX_EXPOSURES:
        raise InputError(
            "exposures",
            f"{len(names)} are chosen",
            f"choose at most {MAX_EXPOSURES} before you look: more would find something by chance",
        )
    return [_parse(name, diary) for name in dict.fromkeys(names)]


def _parse(name: str, diary: Diary) -> Exposure:
    found_sign = _OPERATOR.search(name)
    column, sign, text = name.strip().lower(), "", ""
    if found_sign is not None:
        column, sign = name[: found_sign.start()].strip().lower(), found_sign[0]
        text = name[found_sign.end() :].strip()
    if column not in diary.columns or (sign and not text):
        found = ", ".join(diary.columns) or "none"
        raise InputError(
            diary.source,
            f"has no column {truncate(column or name, 40)!r} (found: {found})",
            "name one of these",
        )
    if sign:
        try:
            return Exposure(name, column, sign, float(text))
        except ValueError:
            if sign != "=":
                raise InputError(
                    "exposures", f"{name!r} has no number to compare with", "write caffeine_mg>200"
                ) from None
            return Exposure(name, column, sign, text.lower())
    given = [day[column] for day in diary.days.values() if column in day]
    numbers = [v for v in given if isinstance(v, float)]
    has_no_word = any(isinstance(v, str) and v.lower() in NO_WORDS for v in given)
    if numbers and min(numbers) > 0 and not has_no_word:
        return Exposure(name, column, ">", float(np.median(numbers)))
    return Exposure(name, column)


def _matches(value: Value, sign: str, threshold: Value | None) -> bool:
    if isinstance(value, str):
        word = value.lower()
        if sign == "=":
            return word == threshold or str(threshold) in word.split()
        return word in YES_WORDS or word not in NO_WORDS
    if not sign:
        return value > 0
    return isinstance(threshold, float) and _OPERATORS[sign](value, threshold)


def _is_amount_zero(exposure: Exposure, day: dict[str, Value] | object) -> bool:
    """Return whether every amount that belongs to a column of hours is zero or "none"."""
    base = exposure.column.removesuffix("_hour")
    values = day if isinstance(day, dict) else {}
    amounts = [v for k, v in values.items() if k != exposure.column and k.split("_")[0] == base]
    return bool(amounts) and all(not _matches(v, "", None) for v in amounts)
