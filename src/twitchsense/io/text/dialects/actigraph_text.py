"""ActiGraph: raw CSV files of ActiLife and CentrePoint, with a header of ten lines."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import (
    FileHead,
    find_row,
    guess_separator,
    is_number,
    split_fields,
)

#: Date format words of ActiLife to those of `strptime`.
_DATE_WORDS: Final = {"d": "%d", "m": "%m", "y": "%Y"}


def actigraph_text(head: FileHead) -> CsvDialect | None:
    """Recognise a raw CSV file of an ActiGraph."""
    if not head.lines or "Data File Created By ActiGraph" not in head.lines[0].text:
        return None
    title = head.lines[0].text
    rate = re.search(r"at\s+(\d+(?:\.\d+)?)\s*Hz", title)
    epoch = find_row(head.lines[:12], r"Epoch Period.*?(\d+:\d+:\d+)")
    length = re.search(r"(\d+):(\d+):(\d+)", epoch.text) if epoch else None
    if rate is None or (length is not None and any(int(g) for g in length.groups())):
        raise InputError(
            head.source,
            "this is an ActiGraph file of activity counts, not of raw acceleration",
            "export the raw data (ActiLife: File, Import/Export, Export RAW CSV)",
            "line 1",
        )
    order = _date_order(title)
    ruler = find_row(head.lines[1:20], r"^[\"\s]*-{10,}")
    if ruler is None:
        return None
    first = next((ln for ln in head.lines[ruler.number :] if ln.text.strip()), None)
    text = first.text if first is not None else ""
    separator = guess_separator(text) or ","
    fields = split_fields(text, separator)
    last = ruler
    if first is not None and not any(is_number(f) for f in fields[-3:]):
        last, headers = first, tuple(fields)
    else:
        headers = ("Timestamp",) * (len(fields) == 4) + (
            "Accelerometer X", "Accelerometer Y", "Accelerometer Z",
        )  # fmt: skip
    axes = [h for h in headers if re.search(r"(?:\b|_|Axis)[XYZ123]$", h, re.IGNORECASE)]
    axes = [h for h in axes if not re.match(r"Gyro|Mag", h, re.IGNORECASE)]
    if len(axes) != 3:
        return None
    ours = {h: f"acc_{_axis(h)}_g" for h in axes}
    time = next((h for h in headers if re.match(r"time", h, re.IGNORECASE)), None)
    clock = None
    time_format = None
    if time is not None:
        ours[time] = "time_local"
        row = next(iter(head.rows(last.end, separator, 1)), [])
        cell = row[headers.index(time)] if len(row) > headers.index(time) else ""
        if not re.match(r"\d{4}-", cell):
            time_format = _time_format(order, cell)
    else:
        clock = RowClock(float(rate[1]), _start(head, order), is_utc=False)
    return CsvDialect(
        headers, last.number, last.end, separator, "ActiGraph", ours, row_clock=clock,
        time_format=time_format, ignored=headers,
    )  # fmt: skip


def _axis(header: str) -> str:
    return {"1": "x", "2": "y", "3": "z"}.get(header[-1], header[-1].casefold())


def _date_order(title: str) -> list[str]:
    """Return the order of day, month and year, and their separator."""
    match = re.search(r"date format\s+([dMy]+)([/.-])([dMy]+)[/.-]([dMy]+)", title)
    if match is None:
        return ["m", "d", "y", "/"]
    return [match[1][0].casefold(), match[3][0].casefold(), match[4][0].casefold(), match[2]]


def _time_format(order: list[str], cell: str) -> str:
    """Return the format of timestamps like ``10/25/2012 00:00:00.000``."""
    date = order[3].join(_DATE_WORDS[word] for word in order[:3])
    clock = "%I:%M:%S" if re.search(r"[AP]M$", cell, re.IGNORECASE) else "%H:%M:%S"
    fraction = ".%f" if re.search(r":\d\d\.\d", cell) else ""
    half = " %p" if clock.startswith("%I") else ""
    return f"{date} {clock}{fraction}{half}"


def _start(head: FileHead, order: list[str]) -> int:
    """Return the local start in ns since 1970."""
    date = find_row(head.lines[:12], r"Start Date\s")
    time = find_row(head.lines[:12], r"Start Time\s")
    numbers = re.search(r"(\d+)[/.-](\d+)[/.-](\d+)", date.text) if date else None
    clock = re.search(r"(\d+:\d+:\d+(?:\s*[AP]M)?)", time.text, re.IGNORECASE) if time else None
    if numbers is None or clock is None:
        raise InputError(
            head.source, "the header states no start", "export the recording again", "lines 3 and 4"
        )
    parts = dict(zip(order, numbers.groups(), strict=False))
    try:
        return int(pd.Timestamp(f"{parts['y']}-{parts['m']}-{parts['d']} {clock[1]}").value)
    except ValueError as error:
        raise InputError(
            head.source,
            f"the start date {numbers[0]} does not fit the date format of line 1",
            "correct the date format in line 1",
            f"line {date.number if date else 4}",
        ) from error
