"""Result tables with pandas categories, and with missing text as missing values."""

from __future__ import annotations

from typing import Final

import pandas as pd

from twitchsense.model.event_table import EVENT_COLUMNS, REJECT_REASONS

#: Levels of each column of text, in the order of the glossary; None if it has none.
_LEVELS: Final = {
    **{
        column.name: None if column.levels is None else list(column.levels)
        for column in EVENT_COLUMNS
        if column.dtype == "str"
    },
    "reason": list(REJECT_REASONS),
}


def to_categories(table: pd.DataFrame) -> pd.DataFrame:
    """Return a result table with categories, and with missing values instead of empty text.

    The tables of a night hold text, which is empty where it is missing, as in the CSV files.

    Parameters
    ----------
    table : DataFrame
        ``events``, ``rejected`` or ``epochs`` of a night, a part of them, or one of the CSV
        files.

    Returns
    -------
    DataFrame
        A copy. Columns with levels, such as ``label``, ``context``, ``stage``, ``leg`` and
        ``grade``, are categorical, with the levels in the order of the glossary; a value that is
        no level is added behind them. The other columns of text have the dtype ``string``.

    Examples
    --------
    >>> events = to_categories(night.events)               # doctest: +SKIP
    >>> events.groupby("label", observed=True).size()      # doctest: +SKIP
    """
    columns: dict[str, pd.Series] = {}
    for name in table.columns:
        if name not in _LEVELS:
            continue
        text = table[name].astype("string")
        text = text.mask(text == "")
        levels = _LEVELS[name]
        if levels is None:
            columns[name] = text
            continue
        others = sorted(set(text.dropna()) - set(levels))
        columns[name] = text.astype(object).astype(pd.CategoricalDtype([*levels, *others]))
    return table.assign(**columns)
