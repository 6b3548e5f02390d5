"""Event lists of Embla RemLogic, also of the CAP Sleep Database: text with tabs.

A few lines of header, then a table with the columns ``Event``, ``Duration[s]`` and a time of
day (or date and time), in any order and with others beside them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.lab_files.lab_annotations import LabAnnotation, LabFile, place_clock_times
from twitchsense.sleep.lab_files.lab_text import read_lab_text

#: Times of day of some language settings: ``22.30.00``.
_DOTS: Final = re.compile(r"\b(\d{1,2})\.(\d{2})\.(\d{2})(?=$|\D)")
_CURE: Final = "export the events of RemLogic again, with time, event and duration"


def is_remlogic(text: str) -> bool:
    """Return whether a text has the header of RemLogic's table of events.

    Parameters
    ----------
    text : str
        Beginning of the file.

    Returns
    -------
    bool
    """
    return any(_columns(line) is not None for line in text.split("\n"))


def read_remlogic(path: Path, source: str, clock: NightClock | None) -> LabFile:
    """Read an event list of RemLogic.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording.

    Returns
    -------
    LabFile

    Raises
    ------
    InputError
        If a row is damaged, or the recording has no clock time or zone.
    """
    lines = read_lab_text(path, source).split("\n")
    head, columns = next((k, c) for k, x in enumerate(lines) if (c := _columns(x)) is not None)
    time, event, duration = columns
    times, texts, lengths, places = [], [], [], []
    for number, line in enumerate(lines[head + 1 :], head + 2):
        cells = [cell.strip() for cell in line.split("\t")]
        if not any(cells):
            continue
        place = f"line {number}"
        if len(cells) <= max(time, event):
            raise InputError(source, "has too few columns", _CURE, place)
        times.append(_DOTS.sub(r"\1:\2:\3", cells[time]))
        texts.append(cells[event])
        lengths.append(_length_us(cells[duration] if duration < len(cells) else "", source, place))
        places.append(place)
    if clock is None:
        raise InputError(
            source, "has clock times", "give the clock time of second 0: --start 22:30:00",
            places[0] if places else "",
        )  # fmt: skip
    onsets, notes = place_clock_times(times, clock, source, places.__getitem__)
    made = tuple(
        LabAnnotation(o, d, t, p) for o, d, t, p in zip(onsets, lengths, texts, places, strict=True)
    )
    return LabFile("RemLogic", made, {}, notes)


def _columns(line: str) -> tuple[int, int, int] | None:
    """Return the places of time, event and duration in the header of the table."""
    names = [cell.strip().lower() for cell in line.split("\t")]
    time = next((k for k, n in enumerate(names) if n.startswith(("time", "start time"))), None)
    event = next((k for k, n in enumerate(names) if n == "event"), None)
    duration = next((k for k, n in enumerate(names) if n.startswith("duration")), None)
    if time is None or event is None or duration is None:
        return None
    return time, event, duration


def _length_us(text: str, source: str, place: str) -> int | None:
    if not text:
        return None
    try:
        seconds = float(text.replace(",", "."))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e7:
        raise InputError(source, f"duration is {text!r}", _CURE, place)
    return round(seconds * 1e6)
