"""Tables of EMG whose header states units in brackets, after a comma, or in a line of its own."""

from __future__ import annotations

from collections.abc import Sequence

from twitchsense.io.tables.header_words import read_unit, unique_names
from twitchsense.io.tables.unit_columns import TIME_UNITS, find_unit_columns, split_units
from twitchsense.io.text.csv_dialect import CsvDialect, separator_line
from twitchsense.io.text.csv_head import FileHead, guess_separator, is_number, split_fields


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
        names, units = split_units(fields)
        last = line
        if not any(units) and following is not None:
            row = split_fields(following.text.strip().lstrip("#% "), separator)
            if not _is_units(row, len(fields)):
                continue
            units = [unit.strip("()[] ") for unit in row]
            last = following
        found = find_unit_columns(unique_names(fields), names, units)
        kinds = [name[:3] for name in found.names.values()]
        if "tim" not in kinds or "emg" not in kinds:
            continue
        return CsvDialect(
            unique_names(fields), last.number, last.end, separator,
            "table with units in its header", found.names, transfers=found.transfers,
            ignored=found.others, notes=found.notes,
        )  # fmt: skip
    return None


def _is_units(row: Sequence[str], width: int) -> bool:
    """Return whether a line holds units: of time and of a signal, and no numbers."""
    clean = [unit.strip("()[] ") for unit in row]
    known = [u for u in clean if u.casefold() in TIME_UNITS or read_unit(u)]
    return len(row) == width and len(known) > 1 and not any(is_number(u) for u in clean if u)
