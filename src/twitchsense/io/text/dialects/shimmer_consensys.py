"""Shimmer: CSV files of Consensys, with names, perhaps states, and units, each on a line."""

from __future__ import annotations

import re

from twitchsense.io.tables.header_words import find_leg, read_unit, unique_names
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.text.csv_dialect import CsvDialect, separator_line
from twitchsense.io.text.csv_head import FileHead, guess_separator, is_number, split_fields
from twitchsense.model.notes import Note


def shimmer_consensys(head: FileHead) -> CsvDialect | None:
    """Recognise a CSV file of Consensys."""
    lines = [line for line in head.lines[:12] if line.text.strip()]
    separator = separator_line(lines[0].text.strip()) if lines else None
    if separator is not None:
        lines = lines[1:]
    pattern = r"(?:EMG_CH\d|Accel_(?:LN|WR)_[XYZ]|Timestamp\w*)"
    start = next((i for i, ln in enumerate(lines[:4]) if re.search(pattern, ln.text)), None)
    if start is None:
        return None
    separator = separator or guess_separator(lines[start].text) or ","
    names = split_fields(lines[start].text, separator)
    states = [""] * len(names)
    units = [""] * len(names)
    last = lines[start]
    for line in lines[start + 1 : start + 4]:
        fields = split_fields(line.text, separator)
        if any(is_number(f) for f in fields[:2]):
            break
        last = line
        fields += [""] * (len(names) - len(fields))
        if all(f.upper() in ("CAL", "RAW", "UNCAL", "") for f in fields):
            states = fields
        else:
            units = fields
    if not any(units) and "_CAL" not in lines[start].text:
        return None
    headers = unique_names(names)
    ours: dict[str, str] = {}
    transfers: dict[str, Transfer] = {}
    notes: list[str] = []
    time = _time(names)
    both = {m[1] for n in names if (m := re.search(r"Accel_(LN|WR)_X", n))} == {"LN", "WR"}
    for i, (name, header) in enumerate(zip(names, headers, strict=True)):
        raw = re.search(r"_(?:UNCAL|RAW)$", name) or states[i].upper() in ("RAW", "UNCAL")
        unit = read_unit(units[i])
        leg = find_leg(re.split(r"EMG_CH|Accel_", name)[0])
        emg = re.search(r"EMG_CH(\d)", name)
        axis = re.search(r"Accel_(LN|WR)_([XYZ])", name)
        if (emg or axis) and (raw or unit is None):
            notes.append(
                Note(
                    "unread",
                    f"{name} holds counts or has no unit: export calibrated data to read it",
                )
            )
        elif emg and unit and unit[0] == "emg":
            ours[header] = "_".join(filter(None, [f"emg{emg[1]}", leg, unit[1]]))
        elif axis and unit and unit[0] == "acc":
            stem = "acc_wr" if both and axis[1] == "WR" else "acc"
            ours[header] = "_".join(filter(None, [stem, leg, axis[2].casefold(), unit[1]]))
        if header in ours and unit and unit[2]:
            transfers[header] = unit[2]
    if not ours or time is None:
        return None
    formatted = "Formatted" in names[time]
    ours[headers[time]] = "time_local" if formatted else "time_ms"
    return CsvDialect(
        headers, last.number, last.end, separator, "Shimmer Consensys", ours,
        transfers=transfers, ignored=headers, notes=tuple(notes),
        time_format="%Y/%m/%d %H:%M:%S.%f" if formatted else None,
    )  # fmt: skip


def _time(names: list[str]) -> int | None:
    """Return the time column: that of synchronised sensors before their own, Unix before text."""
    for pattern in (
        r"TimestampSync_Unix", r"Timestamp_Unix", r"TimestampSync_FormattedUnix",
        r"Timestamp_FormattedUnix", r"Timestamp.*CAL", r"^Timestamp",
    ):  # fmt: skip
        for i, name in enumerate(names):
            if re.search(pattern, name) and not name.endswith("UNCAL"):
                return i
    return None
