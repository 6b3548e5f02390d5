"""File names and sidecars of BIDS data sets: entities, inheritance, start times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited

#: Names of the data files that are captures, and of those that hold other signals too.
DATA_FILE: Final = re.compile(r"sub-.+_(emg\.(?:edf|bdf)|(?:emg|motion)\.tsv(?:\.gz)?)")
PHYSIO_FILE: Final = re.compile(r"sub-.+_physio\.tsv(?:\.gz)?")
#: Marks the root of a data set.
ROOT_FILE: Final = "dataset_description.json"
#: Folders between a data file and the root: datatype, session, subject.
_MAX_LEVELS: Final = 4
#: Maximum size of a sidecar in bytes.
_MAX_BYTES: Final = 1 << 24
#: Entities that tell recordings apart; others tell files of one recording apart.
_OF_RECORDING: Final = ("sub", "ses", "task", "run")
#: Last year of dates that are shifted to hide the true ones (BIDS, "Units").
_LAST_SHIFTED_YEAR: Final = 1925


def entities(name: str) -> dict[str, str]:
    """Return the entities in a file name.

    Parameters
    ----------
    name : str
        Such as ``sub-01_task-sleep_emg.edf``.

    Returns
    -------
    dict of str to str
        Such as ``{"sub": "01", "task": "sleep"}``.
    """
    parts = (part.partition("-") for part in name.split(".")[0].split("_"))
    return {key: value for key, hyphen, value in parts if hyphen}


def find_recording(folder: Path, source: str) -> list[Path]:
    """Return the data files of the only recording in a folder.

    Parameters
    ----------
    folder : Path
        A data set, or a folder in one.
    source : str
        Name of the folder in messages.

    Returns
    -------
    list of Path
        Sorted; empty if there is no such file.

    Raises
    ------
    InputError
        If there are several recordings.
    """
    files = sorted(p for p in folder.rglob("sub-*") if DATA_FILE.fullmatch(p.name) and p.is_file())
    found: dict[tuple[str, ...], Path] = {}
    for file in files:
        named = entities(file.name)
        found.setdefault(tuple(named.get(key, "") for key in _OF_RECORDING), file)
    if len(found) > 1:
        first, second = list(found.values())[:2]
        raise InputError(
            source,
            f"holds {len(found)} recordings",
            f"give the files of one, such as {first.name} or {second.name}",
        )
    return files


def read_sidecar_json(data: Path, source: str) -> dict[str, Any]:
    """Return the JSON sidecar of a data file, nearer files overriding those above.

    Parameters
    ----------
    data : Path
    source : str
        Name of the data file in messages.

    Returns
    -------
    dict
        Empty if there is none.

    Raises
    ------
    InputError
        If a sidecar is not JSON.
    """
    suffix = data.name.split(".")[0].rpartition("_")[2]
    merged: dict[str, Any] = {}
    for path in reversed(list(_sidecars(data, f"{suffix}.json"))):
        try:
            content = json.loads(_read_text(path))
        except (ValueError, RecursionError) as error:
            raise InputError(
                source, f"its {path.name} is not JSON ({error})", "correct it"
            ) from error
        merged |= content if isinstance(content, dict) else {}
    return merged


def read_sidecar_table(data: Path, suffix: str) -> list[dict[str, str]]:
    """Return the rows of the nearest table that belongs to a data file.

    Parameters
    ----------
    data : Path
    suffix : str
        ``channels`` or ``scans``.

    Returns
    -------
    list of dict
        Cells by the name of their column; empty if there is no such table. ``n/a`` is empty.
    """
    path = next(_sidecars(data, f"{suffix}.tsv"), None)
    if path is None:
        return []
    header, *rows = [line.split("\t") for line in _read_text(path).splitlines() if line] or [[]]
    names = [name.strip() for name in header]
    padding = [""] * len(names)
    return [dict(zip(names, map(_cell, row + padding), strict=False)) for row in rows]


def find_start(data: Path) -> tuple[datetime | None, float | None]:
    """Return when the first sample was taken, by ``scans.tsv``.

    Parameters
    ----------
    data : Path

    Returns
    -------
    start : datetime or None
        With a zone if the table has one; None if it is unknown or was shifted.
    since_first_s : float or None
        Seconds after the earliest file of the table; None if unknown.
    """
    times = {row.get("filename", ""): _time(row.get("acq_time", ""))
             for row in read_sidecar_table(data, "scans")}  # fmt: skip
    name = f"{data.parent.name}/{data.name}"
    start = times.get(name)
    if start is None:
        return None, None
    same_kind = [
        t for t in times.values() if t is not None and (t.tzinfo is None) == (start.tzinfo is None)
    ]
    since = (start - min(same_kind)).total_seconds()
    return (start if start.year > _LAST_SHIFTED_YEAR else None), since


def _sidecars(data: Path, ending: str) -> Iterator[Path]:
    """Yield the files that belong to a data file by the inheritance principle, nearest first."""
    own = entities(data.name).items()
    folder = data.parent
    for _ in range(_MAX_LEVELS):
        belonging = [
            path
            for path in folder.glob(f"*{ending}")
            if path.name in (ending, f"{path.name.rpartition('_')[0]}_{ending}")
            and entities(path.name).items() <= own
        ]
        yield from sorted(belonging, key=lambda p: (-len(entities(p.name)), p.name))
        if (folder / ROOT_FILE).exists() or folder.parent == folder:
            return
        folder = folder.parent


def _read_text(path: Path) -> str:
    return read_limited(path, str(path), _MAX_BYTES).decode("utf-8-sig", "replace")


def _cell(text: str) -> str:
    clean = text.strip()
    return "" if clean.casefold() == "n/a" else clean


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def number_of(content: Mapping[str, Any], names: Sequence[str]) -> float | None:
    """Return the first of some fields of a sidecar that is a positive number.

    Parameters
    ----------
    content : mapping
    names : sequence of str

    Returns
    -------
    float or None
    """
    for name in names:
        value = content.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return float(value)
    return None
