"""Delsys Trigno: CSV files of EMGworks and of Trigno Discover.

Each channel has a time column of its own and its own rate, so that a row is no moment: the
columns are read one by one. The header states the rates; the time columns have too few
digits in long recordings (seven in EMGworks) and are not used where it does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from twitchsense.io.tables.header_words import (
    channel_name,
    find_leg,
    read_unit,
    unique_names,
)
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import (
    FileHead,
    HeadLine,
    find_row,
    guess_separator,
    is_number,
    split_fields,
    to_number,
)
from twitchsense.model.notes import Note

_LABEL: Final = re.compile(
    r"Label:\s*(?P<label>.+?)\s+Sampling frequency:\s*(?P<fs>\S+)\s+Number of points:\s*(?P<n>\d+)"
    r"\s+(?:X )?start:\s*(?P<start>\S+)\s+Unit:\s*(?P<unit>\S+)",
    re.IGNORECASE,
)
_CHANNEL: Final = re.compile(
    r"(?P<kind>EMG|ACC)[\s._]*(?:\d+[\s._]*)?(?P<axis>[XYZ])?(?![A-Z]).*?"
    r"(?:[\[(](?P<unit>[^\])]+)[\])])?\s*$",
    re.IGNORECASE,
)
#: Units of EMGworks, for files whose header states none.
_DEFAULT_UNITS: Final = {"EMG": "V", "ACC": "g"}
_UNITS_NOTE: Final = Note(
    "unit",
    "the header states no units; EMG is taken as V and acceleration as g",
    "export with units in EMGworks if this is wrong",
)
#: Largest relative difference between a stated rate and that of the time column.
_RATE_TOLERANCE: Final = 0.02


def trigno(head: FileHead) -> CsvDialect | None:
    """Recognise a CSV file of EMGworks or Trigno Discover."""
    if find_row(head.lines[:3], r"Trigno Discover") is not None:
        names = find_row(head.lines[:20], r"Time Series \(s\)")
        maker = "Delsys Trigno Discover"
    else:
        names = next(
            (line for line in head.lines if re.match(r'"?X\s*\[s\]"?\s*[,;\t]', line.text)), None
        )
        maker = "Delsys EMGworks"
    if names is None:
        return None
    separator = guess_separator(names.text) or ","
    fields = split_fields(names.text, separator)
    headers = unique_names(fields)
    following = [line for line in head.lines[names.number :] if line.text.strip()]
    first = next((ln for ln in following if _is_row(split_fields(ln.text, separator))), None)
    body = first.start if first is not None else head.lines[-1].end
    header_end = first.number - 1 if first is not None else head.lines[-1].number
    labels = {m["label"].strip(): m for m in (_LABEL.search(line.text) for line in head.lines) if m}
    stated = _rates_row(head.lines[names.number : header_end], separator, len(fields))
    sensors = _sensor_names(head.lines[: names.number - 1], separator, len(fields))
    ours: dict[str, str] = {}
    groups: dict[str, str] = {}
    lengths: dict[str, int] = {}
    clocks: dict[str, RowClock] = {}
    transfers: dict[str, Transfer] = {}
    accelerometers: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    time = ""
    for i, (field, name) in enumerate(zip(fields, headers, strict=True)):
        if re.match(r"X\s*\[s\]|.*Time Series", field):
            time = name
            ours[name] = "time_s"
            continue
        label = labels.get(field)
        sensor, _, rest = field.rpartition(":")
        match = _CHANNEL.search((rest or field).replace("(IM)", "").strip())
        if match is None or not time:
            continue
        text = label["unit"] if label else match["unit"]
        if not text and maker == "Delsys EMGworks":
            text = _DEFAULT_UNITS[match["kind"].upper()]
            notes = (_UNITS_NOTE,)
        unit = read_unit(text or "")
        if unit is None or unit[0] != match["kind"].casefold():
            continue
        where = f"{sensor} {sensors[i]}".strip()
        ours[name] = _our_name(match, unit[1], where, ours, accelerometers)
        if unit[2] is not None:
            transfers[name] = unit[2]
        groups[name] = time
        fs = to_number(label["fs"]) if label else math.nan
        fs = stated.get(i, 0.0) if math.isnan(fs) else fs
        if label:
            lengths[name] = int(label["n"])
        if fs > 0 and _agrees(head, body, separator, headers.index(time), fs):
            start = to_number(label["start"]) if label else 0.0
            clocks[f"rows of {name}"] = RowClock(fs, round(np.nan_to_num(start) * 1e9))
            groups[name] = f"rows of {name}"
    if not groups:
        return None
    used = set(groups.values())
    kept = {h: o for h, o in ours.items() if o != "time_s" or h in used}
    return CsvDialect(
        headers, header_end, body, separator, maker, kept, groups, transfers, lengths,
        row_clocks=clocks, ignored=headers, notes=notes,
    )  # fmt: skip


def _our_name(
    match: re.Match[str],
    unit: str,
    sensor: str,
    ours: dict[str, str],
    accelerometers: dict[str, str],
) -> str:
    """Return the name of a channel: EMG numbered, the axes of one sensor together."""
    leg = find_leg(sensor)
    if match["kind"].upper() == "EMG":
        number = sum(name.startswith("emg") for name in ours.values()) + 1
        return channel_name(f"emg{number}", leg, unit)
    axis = (match["axis"] or "x").casefold()
    if sensor not in accelerometers or f"{accelerometers[sensor]}_{axis}_{unit}" in ours.values():
        count = len({*accelerometers.values()})
        accelerometers[sensor] = channel_name(f"acc{count + 1}" if count else "acc", leg)
    return f"{accelerometers[sensor]}_{axis}_{unit}"


def _is_row(fields: Sequence[str]) -> bool:
    """Return whether fields are those of a row of samples: the first two are numbers."""
    return len(fields) > 1 and is_number(fields[0]) and is_number(fields[1])


def _rates_row(lines: Sequence[HeadLine], separator: str, width: int) -> dict[int, float]:
    """Return the rates (Hz) that a line of the header states, by column."""
    for line in lines:
        fields = split_fields(line.text, separator)
        matches = {i: re.match(r"([\d.,]+)\s*Hz", f) for i, f in enumerate(fields[:width])}
        rates = {i: np.nan_to_num(to_number(m[1])) for i, m in matches.items() if m}
        if rates:
            return rates
    return {}


def _sensor_names(lines: Sequence[HeadLine], separator: str, width: int) -> list[str]:
    """Return the sensor of each column: names in the header hold until the next one."""
    for line in reversed(lines):
        fields = split_fields(line.text, separator)
        if len(fields) > 1 and not re.search(r"sensor mode|:$|^Label", fields[0], re.IGNORECASE):
            names, current = [], ""
            for i in range(width):
                current = fields[i] if i < len(fields) and fields[i] else current
                names.append(current)
            return names
    return [""] * width


def _agrees(head: FileHead, body: int, separator: str, column: int, fs: float) -> bool:
    """Return whether a stated rate is that of a time column, as far as its first rows go."""
    rows = head.rows(body, separator, 500)
    cells = [r[column].replace(",", ".") for r in rows if len(r) > column and is_number(r[column])]
    if len(cells) < 10:
        return False
    span = float(cells[-1]) - float(cells[0])
    return span > 0 and abs((len(cells) - 1) / span / fs - 1) < _RATE_TOLERANCE
