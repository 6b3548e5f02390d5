"""Names of the columns in tables of stages and events that other programs write."""

from __future__ import annotations

import re
from math import isnan
from typing import Final

from twitchsense.io.text.text_table import TextTable

#: In order of preference, in lower case without blanks, underscores and units.
ONSET: Final = ("onset", "start", "starttime", "startdate", "begin", "sleepstagestart", "timeutc",
                "time", "datetime", "timestamp", "startzeit", "beginn", "uhrzeit", "zeit",
                "heure")  # fmt: skip
DURATION: Final = ("duration", "dauer", "dur\xe9e")
LEG: Final = ("leg", "side")
END: Final = ("end", "stop", "endtime", "enddate", "sleepstageend", "ende")
STAGE: Final = ("stage", "sleepstage", "hypnogram", "hypno", "stages", "sleepstagetype", "stadium",
                "schlafstadium", "stade")  # fmt: skip
#: Columns that may hold other events beside stages.
EVENT: Final = ("trialtype", "description", "label", "event", "eventtype", "annotation", "value",
                "ereignis")  # fmt: skip
EPOCH: Final = ("epoch", "epochs", "epoche", "\xe9poque", "epochnumber", "epochno", "no", "nr",
                "number", "#", "index", "unnamed:0", "")  # fmt: skip
_UNIT: Final = re.compile(r"(?:[\s_]+|(?=[(\[]))[(\[]?(?:s|sec|seconds)[)\]]?$")


def find_column(table: TextTable, names: tuple[str, ...]) -> str | None:
    """Return the first of several names that a table has as a column.

    Parameters
    ----------
    table : TextTable
    names : tuple of str
        In order of preference, in the form of this module's constants.

    Returns
    -------
    str or None
        The name as it stands in the table, in lower case.
    """
    by_key = {_key(name): name for name in reversed(table.columns)}
    return next((by_key[name] for name in names if name in by_key), None)


def with_event_times(table: TextTable) -> TextTable:
    """Return a table of events whose times are ``onset`` and ``duration``, and whose side ``leg``.

    Parameters
    ----------
    table : TextTable
        Other programs write ``onset_s``, ``Start (s)``, ``Begin``, ``Side``, or an end instead of
        a duration.

    Returns
    -------
    TextTable
        The same columns; a duration that follows from an end is added. A column that is not
        found is not added.

    Raises
    ------
    InputError
        If a duration is needed, and an onset or an end is not a number.
    """
    columns = dict(table.columns)
    for ours, names in (("onset", ONSET), ("duration", DURATION), ("leg", LEG)):
        theirs = find_column(table, names)
        if theirs is not None and ours not in columns:
            columns[ours] = columns.pop(theirs)
    named = TextTable(table.source, columns, table.lines)
    end = find_column(table, END)
    if "onset" in columns and "duration" not in columns and end is not None:
        length = named.numbers(end, missing=True) - named.numbers("onset")
        columns["duration"] = ["" if isnan(s) else f"{s:.9f}" for s in length]
    return named


def _key(name: str) -> str:
    """Return a column name without blanks, underscores, dots and the unit second."""
    bare = _UNIT.sub("", name) if len(name) > 1 else name
    return re.sub(r"[\s_.\-]+(?=.)", "", bare).removesuffix(".")
