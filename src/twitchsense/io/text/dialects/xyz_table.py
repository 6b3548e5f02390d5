"""Tables of one accelerometer: a time and three axes, of phones, loggers and many programs.

This covers Axivity (OMGUI, with and without a header), Movesense, EmbracePlus, phyphox and
data loggers. The unit is that of the header, or is told by gravity.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.tables.header_words import read_unit
from twitchsense.io.tables.time_reading import ANY_TIME, TIME_COLUMNS
from twitchsense.io.text.csv_dialect import CsvDialect, separator_line
from twitchsense.io.text.csv_head import (
    FileHead,
    guess_separator,
    is_number,
    split_fields,
    to_number,
)
from twitchsense.model.notes import Note

#: Names of an axis of acceleration, with or without a unit.
_AXIS: Final = re.compile(
    r"^(?:(?P<what>[a-z ]*acc\w*)[\s_.:-]*|a|gf)?(?P<axis>[xyz])(?:[\s_-]axis)?\s*:?\s*"
    r"(?P<unit>[(\[].*[)\]])?$",
    re.IGNORECASE,
)
_SUFFIX_AXIS: Final = re.compile(
    r"^(?P<what>[a-z ]*acc\w*?)[\s_.-]*(?P<axis>[xyz])\s*:?\s*(?P<unit>[(\[].*[)\]])?$",
    re.IGNORECASE,
)
#: Names of a time column: a word, perhaps with a unit in brackets or after an underscore.
_TIME: Final = re.compile(
    r"^(?:(?:unix|epoch|sensor|utc|system|logging)[\s_]?)?"
    r"(?:time(?:[\s_-]?stamps?)?(?:[\s_]utc)?|t|zeit|uhrzeit|temps|heure|tiempo|hora|tempo|ora|date[\s_]?time|epoch?|sampletimefine)"
    r"(?:[\s_]*[(\[]?\s*(?P<unit>n?s|txt|ms|us|\u00b5s|\u03bcs|seconds|milliseconds)\s*[)\]]?)?:?$",
    re.IGNORECASE,
)
#: Another clock of the accelerometer (SensorLog).
_OTHER_CLOCK: Final = re.compile(r"acc\w*timestamp", re.IGNORECASE)
#: A date, or Unix time in s or ms, at the beginning of a row without a header.
_DATE: Final = re.compile(
    r'^"?(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|1\d{9}(?:\d{3})?(?:[.,]\d+)?[,;\t])'
)
#: Median length of the acceleration vector at rest, by unit.
_GRAVITY: Final = {"g": (0.5, 2.0), "ms2": (5.0, 20.0), "mg": (500.0, 2000.0)}
_TIME_UNITS: Final = {
    "s": "time_s", "seconds": "time_s", "ms": "time_ms", "milliseconds": "time_ms",
    "us": "time_us", "\u00b5s": "time_us", "\u03bcs": "time_us", "ns": "time_ns",
}  # fmt: skip


def xyz_table(head: FileHead) -> CsvDialect | None:
    """Recognise a table of one accelerometer."""
    lines = [ln for ln in head.lines[:60] if ln.text.strip() and not ln.text.startswith("#")]
    stated = separator_line(lines[0].text.strip()) if lines else None
    lines = lines[stated is not None :]
    for line in lines:
        separator = stated or guess_separator(line.text)
        if separator is None:
            continue
        fields = split_fields(line.text, separator)
        if _DATE.match(line.text):  # rows without a header
            if line is not lines[0] and split_fields(lines[0].text, separator)[1:]:
                return None  # below a header of other names, which a mapping may know
            rest = fields[1:4]
            if len(rest) == 3 and len(fields) < 8 and all(is_number(f) for f in rest):
                names = ("time", "x", "y", "z")
                more = tuple(f"column {i + 5}" for i in range(len(fields) - 4))
                return _dialect(
                    head, (*names, *more), line.number - 1, line.start, separator,
                    0, {"x": 1, "y": 2, "z": 3}, None,
                )  # fmt: skip
            return None
        time, axes, unit = _columns(fields)
        if time is None or len(axes) != 3:
            continue
        if any(f.casefold() in TIME_COLUMNS for f in fields):
            return None  # a table with the names of this package
        return _dialect(head, tuple(fields), line.number, line.end, separator, time, axes, unit)
    return None


def _columns(fields: Sequence[str]) -> tuple[int | None, dict[str, int], str | None]:
    """Return the time column, the axes, and the unit that the header states."""
    time = next((i for i, f in enumerate(fields) if _TIME.match(f)), None)
    axes: dict[str, int] = {}
    unit: str | None = None
    found = [(i, _SUFFIX_AXIS.match(f) or _AXIS.match(f)) for i, f in enumerate(fields)]
    matches = [(i, m) for i, m in found if m]
    # acceleration with gravity before that without it
    named = [m for m in matches if m[1]["what"] and "linear" not in m[1]["what"].casefold()]
    for i, match in named if len(named) == 3 else matches:
        axes.setdefault(match["axis"].casefold(), i)
        unit = unit or match["unit"]
    return time, axes, unit


def _dialect(
    head: FileHead,
    headers: tuple[str, ...],
    header_line: int,
    body: int,
    separator: str,
    time: int,
    axes: dict[str, int],
    unit_text: str | None,
) -> CsvDialect | None:
    unit = read_unit(unit_text or "")
    notes: list[str] = []
    if unit is not None and unit[0] == "acc":
        name = unit[1]
    else:
        name, gravity = _unit_by_gravity(head, body, separator, axes)
        notes.append(
            Note(
                "signal",
                f"acceleration has no unit; {gravity:.4g} at rest is gravity in {name}",
                "if this is wrong, state the unit with --map",
            )
        )
    match = _TIME.match(headers[time])
    stated = _TIME_UNITS.get((match["unit"] or "").casefold()) if match else None
    first = _first_time(head, body, separator, time)
    if headers[time].casefold() == "sampletimefine":  # of Xsens DOT
        stated = "time_us"
    elif not is_number(first):  # a clock time under a unit
        stated = None
    ours = {headers[time]: stated or ANY_TIME}
    ours |= {headers[i]: f"acc_{axis}_{name}" for axis, i in axes.items()}
    return CsvDialect(
        headers, header_line, body, separator, "table of one accelerometer", ours,
        notes=tuple(notes), zone_in_brackets="[" in first,
        utc_offset_s=0 if "utc" in headers[time].casefold() else None,
        ignored=tuple(h for h in headers if h not in ours and _OTHER_CLOCK.match(h)),
    )  # fmt: skip


def _first_time(head: FileHead, body: int, separator: str, time: int) -> str:
    row = next(iter(head.rows(body, separator, 1)), [])
    return row[time] if len(row) > time else ""


def _unit_by_gravity(
    head: FileHead, body: int, separator: str, axes: dict[str, int]
) -> tuple[str, float]:
    """Return the unit in which the median of the first vectors is gravity, and the median."""
    vectors = [
        [to_number(row[i]) for i in axes.values()]
        for row in head.rows(body, separator)
        if len(row) > max(axes.values()) and all(is_number(row[i]) for i in axes.values())
    ]
    gravity = float(np.median(np.linalg.norm(vectors, axis=1))) if vectors else 0.0
    for unit, (low, high) in _GRAVITY.items():
        if low <= gravity <= high:
            return unit, gravity
    names = ",".join(f"{axis}=acc_{axis}_g" for axis in axes)
    raise InputError(
        head.source,
        f"acceleration has no unit, and {gravity:.4g} at rest is gravity in none of g, m/s2 and mg",
        f"state the unit with --map (such as '{names}'), or convert counts to g",
        "header",
    )
