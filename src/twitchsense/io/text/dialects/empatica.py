"""Empatica E4: ACC.csv, whose first two lines are the start and the sampling rate."""

from __future__ import annotations

from twitchsense.errors import InputError
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import (
    FileHead,
    guess_separator,
    is_number,
    split_fields,
    to_number,
)

#: Acceleration of one count, g.
_COUNT_G = 1 / 64
#: Range of Unix times, s.
_UNIX_RANGE = (1e9, 4e9)


def empatica_e4(head: FileHead) -> CsvDialect | None:
    """Recognise a CSV file of an Empatica E4."""
    if len(head.lines) < 3:
        return None
    separator = guess_separator(head.lines[0].text) or ","
    start, rate, row = (split_fields(line.text, separator) for line in head.lines[:3])
    numbers = [f for fields in (start, rate, row) for f in fields]
    if not len(start) == len(rate) == len(row) or not all(is_number(f) for f in numbers):
        return None
    if len(set(start)) > 1 or len(set(rate)) > 1:
        return None
    unix, fs = (to_number(fields[0]) for fields in (start, rate))
    if not (_UNIX_RANGE[0] < unix < _UNIX_RANGE[1] and 0 < fs < 1000):
        return None
    if len(start) != 3:
        raise InputError(
            head.source,
            "this is a file of an Empatica E4 without acceleration",
            "give ACC.csv of the same archive",
            "line 1",
        )
    headers = ("x", "y", "z")
    return CsvDialect(
        headers, 2, head.lines[1].end, separator, "Empatica E4",
        {axis: f"acc_{axis}_g" for axis in headers},
        transfers=dict.fromkeys(headers, Transfer(_COUNT_G)),
        row_clock=RowClock(fs, round(unix * 1e6) * 1000, is_utc=True),
    )  # fmt: skip
