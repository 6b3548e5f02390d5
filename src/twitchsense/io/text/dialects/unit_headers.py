"""Tables of EMG whose header states units in brackets, after a comma, or in a line of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from twitchsense.io.channels.signal_labels import is_other_muscle, parse_leg_label
from twitchsense.io.tables.time_reading import ANY_TIME, TIME_COLUMNS
from twitchsense.io.text.csv_dialect import CsvDialect, Transfer, separator_line
from twitchsense.io.text.csv_head import FileHead, guess_separator, is_number, split_fields
from twitchsense.io.text.dialects.header_words import (
    channel_name,
    find_leg,
    read_unit,
    unique_names,
)

_NAME_AND_UNIT: Final = re.compile(
    r"(?P<name>.+?)[\s_]*(?:[(\[](?P<unit>[^)\]]+)[)\]]|,\s*(?P<u2>\S+))"
)
_TIME: Final = re.compile(
    r"(?:elapsed[\s_]?)?(?:time(?:[\s_-]?stamps?)?|zeit|uhrzeit|temps|heure|tiempo|hora|tempo|ora|tid|t)",
    re.IGNORECASE,
)
_TIME_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek"), "time_s"),
    **dict.fromkeys(("ms", "msec", "milliseconds"), "time_ms"),
    **dict.fromkeys(("us", "\u00b5s", "\u03bcs"), "time_us"),
}
_EMG: Final = re.compile(r"(?:^|[\W_\d])emg(?:$|[\W_\d])", re.IGNORECASE)
_ACC: Final = re.compile(r"(?P<label>.*?acc\w*?)[\s._-]*(?P<axis>[xyz])", re.IGNORECASE)


def unit_headers(head: FileHead) -> CsvDialect | None:
    """Recognise a table of EMG with units in its header."""
    lines = [line for line in head.lines[:60] if line.text.strip()]
    stated = separator_line(lines[0].text.strip()) if lines else None
    lines = lines[stated is not None :]
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        text = line.text.strip().lstrip("#% ")
        separator = stated or guess_separator(text)
        if separator is None:
            continue
        fields = split_fields(text, separator)
        parts = [_NAME_AND_UNIT.fullmatch(field) for field in fields]
        names = [m["name"].strip() if m else f for f, m in zip(fields, parts, strict=True)]
        units = [(m["unit"] or m["u2"]).strip() if m else "" for m in parts]
        last = line
        if not any(units) and following is not None:
            row = split_fields(following.text.strip().lstrip("#% "), separator)
            if not _is_units(row, len(fields)):
                continue
            units = [unit.strip("()[] ") for unit in row]
            last = following
        found = _columns(unique_names(fields), names, units)
        if found is None:
            continue
        ours, transfers, others = found
        notes = [f"{header} is read as {name}" for header, name in ours.items()]
        if others:
            notes.append(f"left out, EMG of another muscle: {', '.join(others)}")
        return CsvDialect(
            unique_names(fields), last.number, last.end, separator,
            "table with units in its header", ours, transfers=transfers, ignored=tuple(others),
            notes=tuple(notes),
        )  # fmt: skip
    return None


def _is_units(row: Sequence[str], width: int) -> bool:
    """Return whether a line holds units: of time and of a signal, and no numbers."""
    clean = [unit.strip("()[] ") for unit in row]
    known = [u for u in clean if u.casefold() in _TIME_UNITS or read_unit(u)]
    return len(row) == width and len(known) > 1 and not any(is_number(u) for u in clean if u)


def _columns(
    headers: Sequence[str], names: Sequence[str], units: Sequence[str]
) -> tuple[dict[str, str], dict[str, Transfer], list[str]] | None:
    """Return the names of the columns, their transfers, and EMG of other muscles."""
    ours: dict[str, str] = {}
    transfers: dict[str, Transfer] = {}
    others: list[str] = []
    sensors: dict[str, str] = {}
    for header, name, text in zip(headers, names, units, strict=True):
        if header.casefold() in TIME_COLUMNS:
            ours[header] = header.casefold()
        if _TIME.fullmatch(name):
            ours[header] = _TIME_UNITS.get(text.casefold(), ANY_TIME)
        unit = read_unit(text)
        if unit is None:
            continue
        kind, column, transfer = unit
        leg = parse_leg_label(name)
        axis = _ACC.fullmatch(name)
        side = find_leg(name) or (leg.side if leg else "")
        if kind == "emg" and is_other_muscle(name):
            others.append(header)
        elif kind == "emg" and (leg or _EMG.search(name)):
            number = sum(n.startswith("emg") for n in ours.values()) + 1
            ours[header] = channel_name(f"emg{number}", side, column)
        elif kind == "acc" and axis:
            count = len(sensors) + 1
            stem = sensors.setdefault(
                axis["label"], channel_name(f"acc{count}" if count > 1 else "acc", side)
            )
            ours[header] = f"{stem}_{axis['axis'].casefold()}_{column}"
        if transfer and header in ours:
            transfers[header] = transfer
    times = [h for h, n in ours.items() if n.startswith(ANY_TIME)]
    if not times or not any(n.startswith("emg") for n in ours.values()):
        return None
    return {h: n for h, n in ours.items() if h not in times[1:]}, transfers, others
