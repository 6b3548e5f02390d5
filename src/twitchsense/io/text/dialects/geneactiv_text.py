"""GENEActiv: CSV files of the maker's program, with a header of 100 lines."""

from __future__ import annotations

import re
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import (
    FileHead,
    find_row,
    guess_separator,
    is_number,
    split_fields,
)

#: Largest offset from UTC of a time zone in hours.
MAX_OFFSET_H: Final = 14


def geneactiv_text(head: FileHead) -> CsvDialect | None:
    """Recognise a CSV file of a GENEActiv."""
    kind = find_row(head.lines[:5], r"Device Type\s*[,;\t]\s*GENEActiv")
    if kind is None:
        return None
    first = next(
        (
            line
            for line in head.lines
            if re.match(r'"?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[:.]', line.text)
        ),
        None,
    )
    if first is None:
        raise InputError(
            head.source,
            "no rows of raw acceleration after the header",
            "export the raw data of the device as CSV",
            f"line {len(head.lines)}",
        )
    separator = guess_separator(first.text) or ","
    fields = split_fields(first.text, separator)
    if len(fields) < 4 or not all(is_number(f) for f in fields[1:4]):
        return None
    headers = ("time", "x", "y", "z", *(f"column {i + 5}" for i in range(len(fields) - 4)))
    time_format = "%Y-%m-%d %H:%M:%S:%f" if re.search(r":\d\d:\d\d:\d", fields[0]) else None
    zone = find_row(head.lines[:100], r"Time Zone\s*[,;\t]")
    offset = re.search(r"GMT\s*([+-])(\d+):(\d+)", zone.text) if zone else None
    seconds = None
    notes = []
    if zone is not None and offset is not None:
        if int(offset[2]) > MAX_OFFSET_H or int(offset[3]) >= 60:
            raise InputError(
                head.source,
                f"the time zone {offset[0]} does not exist",
                "correct the line of the time zone",
                f"line {zone.number}",
            )
        seconds = (int(offset[2]) * 60 + int(offset[3])) * 60 * (-1 if offset[1] == "-" else 1)
        notes.append(f"times have the offset {offset[1]}{offset[2]}:{offset[3]} of the header")
    location = find_row(head.lines[:100], r"Device Location Code\s*[,;\t]")
    leg = ""
    for side in ("left", "right"):
        if location and re.search(rf"{side} (?:ankle|leg|foot|thigh|shank)", location.text, re.I):
            leg = f"{side}_"
    return CsvDialect(
        headers, first.number - 1, first.start, separator, "GENEActiv",
        {"time": "time_local"} | {axis: f"acc_{leg}{axis}_g" for axis in "xyz"},
        time_format=time_format, utc_offset_s=seconds, ignored=headers, notes=tuple(notes),
    )  # fmt: skip
