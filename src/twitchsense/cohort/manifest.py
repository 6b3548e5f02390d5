"""The list of a cohort: the captures of each night, and how to read them.

The list is either a table (CSV or TSV) with a column ``captures``, or plain text with one
night per line. Several files of one night are separated by ``;``. Paths are relative to
the list. An error in the list itself ends the run; a file that is missing or cannot be used
only fails its night.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import MISSING_VALUES, TextTable, parse_table, read_text
from twitchsense.settings import Settings

#: Columns of a list and their meaning.
COLUMNS: Final[dict[str, str]] = {
    "captures": "the capture, or the files of one recording separated by ;",
    "night": "name of the night; without it, the first capture's path without its ending",
    "hypnogram": "sleep stages, as in `analyze --hypnogram`",
    "respiratory": "respiratory events, as in `analyze --respiratory`",
    "settings": "settings of this night (TOML), over those of the command",
    "profile": "named settings, instead of the command's",
    "map": "headers of foreign captures, beside those of the command",
    "zone": "time zone of the wearer, instead of the command's",
    "stages": "what numbers in the hypnogram mean, instead of the command's",
}
#: Columns that set a setting by their text; the column ``settings`` names a file.
_SETTINGS_COLUMNS: Final = ("profile", "map", "zone", "stages")
_SEPARATOR: Final = ";"
_MAX_NAME_LENGTH: Final = 200

#: Makes the settings of a night from its settings columns and, if given, its settings file.
MakeSettings = Callable[[Mapping[str, str], Path | None], Settings]


@dataclass(frozen=True, slots=True)
class NightEntry:
    """One night of a list.

    Attributes
    ----------
    name : str
        Name of the night, unique in the list.
    captures : tuple of Path
        Files of one recording.
    place : str
        File name of the list and line, for messages.
    settings : Settings
    hypnogram, respiratory : Path or None
    error : str
        Reason why the night cannot be analysed; empty if it can.
    """

    name: str
    captures: tuple[Path, ...]
    place: str
    settings: Settings
    hypnogram: Path | None = None
    respiratory: Path | None = None
    error: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """All input files of the night."""
        optional = (self.hypnogram, self.respiratory)
        return (*self.captures, *(p for p in optional if p is not None))


def read_manifest(path: Path, make_settings: MakeSettings) -> list[NightEntry]:
    """Read the list of a cohort.

    Parameters
    ----------
    path : Path
    make_settings : callable
        Makes settings from the columns ``profile``, ``map``, ``zone`` and ``stages`` of a
        row (only those that are given) and its settings file or None.

    Returns
    -------
    list of NightEntry

    Raises
    ------
    InputError
        Naming the list and the line: an unknown column, a line without a capture, a
        duplicate name, or an invalid value.
    """
    source = str(path)
    table = _parse(read_text(path, source), source)
    unknown = [name for name in table.columns if name not in COLUMNS]
    if unknown:
        raise InputError(
            source,
            f"has the unknown column {unknown[0]!r}",
            f"use {', '.join(COLUMNS)}; keep other columns in a separate table",
            "line 1",
        )
    table.require("captures")
    if not table.lines:
        raise InputError(source, "lists no night", "give one line for each night")
    settings = cache(lambda values, file: make_settings(dict(values), file))
    entries: list[NightEntry] = []
    places: dict[str, str] = {}
    for row in range(len(table.lines)):
        fields = {name: column[row] for name, column in table.columns.items()}
        fields = {name: "" if t.lower() in MISSING_VALUES else t for name, t in fields.items()}
        entry = _read_row(path, fields, table.place(row), settings)
        if entry.name in places:
            raise InputError(
                source,
                f"has the night {entry.name!r} twice ({places[entry.name]} too)",
                "give each a name of its own in the column night",
                table.place(row),
            )
        places[entry.name] = table.place(row)
        entries.append(entry)
    return entries


def _parse(text: str, source: str) -> TextTable:
    """Parse a list of either form into a table."""
    first = text.split("\n", 1)[0]
    cells = [cell.strip().lower() for cell in first.split(_SEPARATOR)]
    if "," in first or "\t" in first or "captures" in cells:
        return parse_table(text, source, semicolons=False)  # they separate files in a cell
    lines = [(i, line.strip()) for i, line in enumerate(text.split("\n"), 1)]
    lines = [(i, line) for i, line in lines if line and not line.startswith("#")]
    return TextTable(source, {"captures": [line for _, line in lines]}, [i for i, _ in lines])


def _read_row(
    path: Path,
    fields: Mapping[str, str],
    place: str,
    settings: Callable[[tuple[tuple[str, str], ...], Path | None], Settings],
) -> NightEntry:
    source = str(path)
    folder = path.resolve().parent
    captures = [name.strip() for name in fields["captures"].split(_SEPARATOR) if name.strip()]
    if not captures:
        raise InputError(source, "names no capture", "give a file, or leave the line out", place)
    name = fields.get("night") or _default_name(captures[0])
    if len(name) > _MAX_NAME_LENGTH or not name.isprintable():
        raise InputError(
            source,
            f"has a night whose name is {'too long' if name.isprintable() else 'not printable'}",
            f"give it a name of at most {_MAX_NAME_LENGTH} printable characters in the column "
            "night",
            place,
        )
    values = tuple((c, fields[c]) for c in _SETTINGS_COLUMNS if fields.get(c))
    try:
        chosen = settings(values, None)
    except InputError as error:
        raise InputError(source, f"{error.source}: {error.problem}", error.cure, place) from error
    settings_file = _resolve(folder, fields.get("settings"))
    problem = ""
    if settings_file is not None:
        try:
            chosen = settings(values, settings_file)
        except InputError as error:
            problem = error.command_message
    return NightEntry(
        name,
        tuple(folder / capture for capture in captures),
        f"{path.name}, {place}",
        chosen,
        _resolve(folder, fields.get("hypnogram")),
        _resolve(folder, fields.get("respiratory")),
        problem,
    )


def _default_name(capture: str) -> str:
    """Return the path of a capture, as the list has it, without its ending."""
    lower = capture.lower()
    for ending in (".csv.gz", ".csv", ".parquet", ".edf", ".bdf", ".night"):
        if lower.endswith(ending):
            return capture[: -len(ending)]
    return capture


def _resolve(folder: Path, name: str | None) -> Path | None:
    return folder / name if name else None
