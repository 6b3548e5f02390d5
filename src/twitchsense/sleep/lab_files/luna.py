"""Luna's ``.annot`` files: class, instance, channel, start, stop and meta, with tabs or blanks.

Reduced forms have four (class, instance, start, stop) or three columns (class, start, stop).
Times are seconds from the start of the EDF, clock times, also with a date
(``01-03-26-22:30:00``), ``0+hh:mm:ss`` since the start, or epochs (``e:3``); a stop may be a
duration (``+30``) or ``...``, until the next row.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.lab_files.lab_annotations import (
    LabAnnotation,
    LabFile,
    place_clock_times,
    place_file_start,
)
from twitchsense.sleep.lab_files.lab_text import read_lab_text

_HEADERS: Final = (
    ["class", "instance", "channel", "start", "stop", "meta"],
    ["class", "instance", "start", "stop"],
    ["class", "start", "stop"],
)
_CLOCK: Final = re.compile(
    r"(?:(\d\d)-(\d\d)-((?:\d\d)?\d\d)-)?(\d{1,2})[:.](\d{2})[:.](\d{2}(?:\.\d+)?)"
)
_ELAPSED: Final = re.compile(r"0\+(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")
_EPOCH: Final = re.compile(r"e:(\d+)(?::(\d+(?:\.\d+)?))?(?::(\d+(?:\.\d+)?))?")
#: Stage classes of the NSRR's harmonized files that are no stage words elsewhere.
_STAGES: Final = {"sp": "?", "l": "?"}
_CURE: Final = "write the file with Luna's WRITE-ANNOTS"


def is_luna(text: str) -> bool:
    """Return whether a text has Luna's header, its preamble or rows of its six columns.

    Parameters
    ----------
    text : str
        Beginning of the file.

    Returns
    -------
    bool
    """
    lines = [line for line in text.split("\n") if line.strip()]
    rows = [line for line in lines if not line.startswith("#")]
    header = rows[0].lower().split() if rows else []
    cells = rows[0].split("\t") if rows else []
    if len(cells) == 6 and all(_is_time(cell.strip()) for cell in cells[3:5]):
        return True
    return header in _HEADERS or (
        len(rows) < len(lines)
        and lines[0].startswith("#")
        and len(header) in (3, 4, 6)
        and _offset_s(header[-2 if len(header) < 6 else 3]) is not None
    )


def read_luna(path: Path, source: str, clock: NightClock | None) -> LabFile:
    """Read a ``.annot`` file of Luna.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording; required for clock times.

    Returns
    -------
    LabFile

    Raises
    ------
    InputError
        If a row is damaged, or clock times cannot be placed.
    """
    rows: list[tuple[str, str, str, str, str]] = []  # class, instance, start, stop, place
    more_cells: list[tuple[str, str]] = []  # channel, meta
    for number, line in enumerate(read_lab_text(path, source).split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t") if "\t" in line else line.split()
        cells = [cell.strip() for cell in cells]
        if [cell.lower() for cell in cells] in _HEADERS:
            continue
        if len(cells) not in (3, 4, 6):
            problem = f"has {len(cells)} columns, not 3, 4 or 6"
            raise InputError(source, problem, _CURE, f"line {number}")
        at = 3 if len(cells) == 6 else len(cells) - 2
        instance = cells[1] if len(cells) > 3 else "."
        rows.append((cells[0], instance, cells[at], cells[at + 1], f"line {number}"))
        wide = (cells[2], cells[5]) if len(cells) == 6 else (".", ".")
        more_cells.append((wide[0].removeprefix("."), wide[1].removeprefix(".")))
    zero_us, notes = place_file_start(None, clock, source)
    clocks = [r for r in rows if _offset_s(r[2]) is None]
    if not clocks and clock is None:
        notes = ()
    placed, more = _place_clocks(clocks, clock, source)
    starts = []
    for row in rows:
        offset = _offset_s(row[2])
        starts.append(placed.pop(0) if offset is None else zero_us + round(offset * 1e6))
    made = []
    for k, (name, instance, start, stop, place) in enumerate(rows):
        following = starts[k + 1] if k + 1 < len(rows) else None
        length = _length_us(start, stop, starts[k] - zero_us, following, zero_us, source, place)
        # ``SleepStage`` is a class whose instances are the stages
        text = instance if name.lower() in ("sleepstage", "stage", "stages") else name
        text = text.replace("_", " ")
        channel, meta = more_cells[k]
        made.append(LabAnnotation(starts[k], length, text, place, "any", channel, meta))
    used = notes if len(clocks) < len(rows) else ()
    return LabFile("Luna .annot", tuple(made), _STAGES, (*used, *more))


def _place_clocks(
    rows: list[tuple[str, str, str, str, str]], clock: NightClock | None, source: str
) -> tuple[list[int], tuple[str, ...]]:
    if not rows:
        return [], ()
    texts = []
    for _, _, start, _, place in rows:
        match = _CLOCK.fullmatch(start)
        if match is None:
            raise InputError(source, f"start is {start!r}", _CURE, place)
        day, month, year, *clock_time = match.groups()
        date = f"{year if len(year) == 4 else 2000 + int(year)}-{month}-{day}T" if day else ""
        texts.append(date + ":".join(clock_time))
    if clock is None:
        cure = "give the clock time of second 0: --start 22:30:00"
        raise InputError(source, "has clock times", cure, rows[0][4])
    return place_clock_times(texts, clock, source, lambda k: rows[k][4])


def _offset_s(text: str) -> float | None:
    """Return seconds from the start of the EDF; None for a clock time or anything else."""
    elapsed, epoch = _ELAPSED.fullmatch(text), _EPOCH.fullmatch(text)
    if elapsed:
        return int(elapsed[1]) * 3600 + int(elapsed[2]) * 60 + float(elapsed[3])
    if epoch:
        length = float(epoch[2] or 30)
        return (int(epoch[1]) - 1) * float(epoch[3] or length)
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if abs(seconds) < 1e7 else None


def _is_time(text: str) -> bool:
    return _offset_s(text) is not None or _CLOCK.fullmatch(text) is not None


def _length_us(
    start: str, stop: str, start_us: int, following: int | None, zero_us: int,
    source: str, place: str,
) -> int | None:  # fmt: skip
    """Return the duration of a row in microseconds; None if it is open."""
    epoch = _EPOCH.fullmatch(start)
    if stop == "...":
        return None if following is None else following - zero_us - start_us
    if stop == ".":
        return round(float(epoch[2] or 30) * 1e6) if epoch else None
    last = _EPOCH.fullmatch(stop)
    end_s = _offset_s(stop.removeprefix("+"))
    if last:
        end_s = (_offset_s(stop) or 0.0) + float(last[2] or 30)
    clock, begin = _CLOCK.fullmatch(stop), _CLOCK.fullmatch(start)
    if end_s is None and clock and begin:
        seconds = [int(m[4]) * 3600 + int(m[5]) * 60 + float(m[6]) for m in (begin, clock)]
        return round((seconds[1] - seconds[0]) % 86400 * 1e6)
    length_us = -1 if end_s is None else round(end_s * 1e6)
    if end_s is not None and not stop.startswith("+"):
        length_us -= start_us
    if length_us < 0:
        raise InputError(source, f"stop {stop!r} does not follow start {start!r}", _CURE, place)
    return length_us
