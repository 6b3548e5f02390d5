"""Times of day without a date, by 24 or by 12 hours."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

#: A time of day such as ``23:59:59.990``, ``23:59:59:990`` or ``11:59:59,5 PM``.
TIME_OF_DAY: Final = re.compile(r"(\d{1,2}:\d{2}:\d{2}(?:[.,:]\d+)?)\s*(?:([AaPp])\.?[Mm]\.?)?")
_PATTERN: Final = f"^{TIME_OF_DAY.pattern}$"


def is_time_of_day(text: pd.Series) -> bool:
    """Return whether texts are times of day without a date.

    Parameters
    ----------
    text : Series of str
    """
    filled = text.dropna().astype("str").str.strip()
    return bool(len(filled)) and bool(filled.str.fullmatch(TIME_OF_DAY.pattern).all())


def parse_time_of_day(text: pd.Series) -> pd.Series:
    """Return the time since midnight.

    Parameters
    ----------
    text : Series of str, shape (n,)

    Returns
    -------
    Series of timedelta64[ns], shape (n,)
        NaT where a text is no time of day. The index counts from zero.
    """
    cells = text.astype("str").str.strip().reset_index(drop=True)
    last = cells.iloc[0][-1:] if len(cells) else ""
    if last.isdigit():
        parts = pd.DataFrame({0: cells.where(cells.str.fullmatch(r"\d{1,2}:\d\d:\d\d([.,:]\d+)?"))})
    else:
        parts = cells.str.extract(_PATTERN)
    clock = parts[0].str.replace(r"(?<=\d:\d\d:\d\d)[,:]", ".", regex=True)
    passed = pd.to_timedelta(clock, errors="coerce").dt.as_unit("ns")
    if 1 in parts:
        half = parts[1].str.upper()
        noon = pd.Timedelta(hours=12)
        twelve = passed >= noon
        passed = passed.mask((half == "P") & ~twelve, passed + noon)
        passed = passed.mask((half == "A") & twelve, passed - noon)
    return passed
