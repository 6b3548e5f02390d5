"""Names of the columns in tables of stages and events that other programs write."""

from __future__ import annotations

import re
from typing import Final

from twitchsense.io.text_table import TextTable

#: In order of preference, in lower case without blanks, underscores and units.
ONSET: Final = ("onset", "start", "starttime", "startdate", "begin", "sleepstagestart", "timeutc",
                "time", "datetime", "timestamp", "startzeit", "beginn", "uhrzeit", "zeit",
                "heure")  # fmt: skip
DURATION: Final = ("duration", "dauer", "dur\xe9e")
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


def _key(name: str) -> str:
    """Return a column name without blanks, underscores, dots and the unit second."""
    bare = _UNIT.sub("", name) if len(name) > 1 else name
    return re.sub(r"[\s_.\-]+(?=.)", "", bare).removesuffix(".")
