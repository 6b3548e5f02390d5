"""The list of a cohort: which captures are one night, and how each is to be read.

Either a table (CSV or TSV) with a column ``captures``, or plain text with one night on
each line. Several files of one night are separated by ``;``. Paths are relative to the
list. A fault of the list itself is an error; a file that is missing or can't be used is
a fault of its night, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.text_table import MISSING, TextTable, parse_table, read_text
from twitchsense.settings import Settings

#: Columns of a list, with what each means.
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
#: Columns that change settings by their text alone.
_WORDS: Final = ("profile", "map", "zone", "stages")
_SEPARATOR: Final = ";"
_LONGEST_NAME: Final = 200

#: Makes the settings of a night from its words and, if given, its settings file.
MakeSettings = Callable[[Mapping[str, str], Path | None], Settings]


@dataclass(frozen=True, slots=True)
class ListedNight:
    """One night of a list.

    Attributes
    ----------
    night : str
        Its name, unique in the list.
    captures : tuple of Path
        Files of one recording.
    place : str
        The list and the line, for messages.
    settings : Settings
    hypnogram, respiratory : Path or None
    fault : str
        Why it can't be tried; empty if it can.
    """

    night: str
    captures: tuple[Path, ...]
    place: str
    settings: Settings
    hypnogram: Path | None = None
    respiratory: Path | None = None
    fault: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        extra = (self.hypnogram, self.respiratory)
        return (*self.captures, *(p for p in extra if p is not None))


def read_list(path: Path, make_settings: MakeSettings) -> list[ListedNight]:
    """Read the list of a cohort.

    Parameters
    ----------
    path : Path
    make_settings : callable
        Makes settings from the words of a row (``profile``, ``map``, ``zone``,
        ``stages``; only those that are given) and its settings file or None.

    Raises
    ------
    InputError
        Naming the list and the line: a column that does not exist, a line without
        a capture, a night twice, or a word that can't be used.
    """
    source = str(path)
    table = _parse(read_text(path, source), source)
    unknown = [name for name in table.columns if name not in COLUMNS]
    if unknown:
        raise InputError(
            source,
            f"has the unknown column {unknown[0]!r}",
            f"use {', '.join(COLUMNS)}; keep others in a table of your own",
            "line 1",
        )
    table.require("captures")
    if not table.lines:
        raise InputError(source, "lists no night", "give one line for each night")
    settings = cache(lambda words, file: make_settings(dict(words), file))
    nights: list[ListedNight] = []
    seen: dict[str, str] = {}
    for row in range(len(table.lines)):
        fields = {name: column[row] for name, column in table.columns.items()}
        fields = {name: "" if t.lower() in MISSING else t for name, t in fields.items()}
        night = _read_row(path, fields, table.place(row), settings)
        if night.night in seen:
            raise InputError(
                source,
                f"has the night {night.night!r} twice ({seen[night.night]} too)",
                "give each a name of its own in the column night",
                table.place(row),
            )
        seen[night.night] = table.place(row)
        nights.append(night)
    return nights


def _parse(text: str, source: str) -> TextTable:
    """Return the list as a table, whichever of its two forms it has."""
    first = text.split("\n", 1)[0]
    names = [name.strip().lower() for name in first.split(_SEPARATOR)]
    if "," in first or "\t" in first or "captures" in names:
        return parse_table(text, source)
    lines = [(i, line.strip()) for i, line in enumerate(text.split("\n"), 1)]
    kept = [(i, line) for i, line in lines if line and not line.startswith("#")]
    return TextTable(source, {"captures": [t for _, t in kept]}, [i for i, _ in kept])


def _read_row(
    path: Path,
    fields: Mapping[str, str],
    place: str,
    settings: Callable[[tuple[tuple[str, str], ...], Path | None], Settings],
) -> ListedNight:
    source = str(path)
    folder = path.resolve().parent
    names = [name.strip() for name in fields["captures"].split(_SEPARATOR) if name.strip()]
    if not names:
        raise InputError(source, "names no capture", "give a file, or leave the line out", place)
    night = fields.get("night") or _default_name(names[0])
    if len(night) > _LONGEST_NAME or not night.isprintable():
        raise InputError(
            source,
            f"has a night whose name is {'too long' if night.isprintable() else 'not printable'}",
            f"give it a name of at most {_LONGEST_NAME} printable characters in the column night",
            place,
        )
    words = tuple((name, fields[name]) for name in _WORDS if fields.get(name))
    try:
        chosen = settings(words, None)
    except InputError as error:
        raise InputError(source, f"{error.source}: {error.problem}", error.cure, place) from error
    own = _beside(folder, fields.get("settings"))
    fault = ""
    if own is not None:
        try:
            chosen = settings(words, own)
        except InputError as error:
            fault = str(error)
    return ListedNight(
        night,
        tuple(folder / name for name in names),
        f"{path.name}, {place}",
        chosen,
        _beside(folder, fields.get("hypnogram")),
        _beside(folder, fields.get("respiratory")),
        fault,
    )


def _default_name(capture: str) -> str:
    """Return the path without its ending: what stands in the list tells nights apart."""
    lower = capture.lower()
    for ending in (".csv.gz", ".csv", ".parquet", ".edf", ".bdf", ".night"):
        if lower.endswith(ending):
            return capture[: -len(ending)]
    return capture


def _beside(folder: Path, name: str | None) -> Path | None:
    return folder / name if name else None
