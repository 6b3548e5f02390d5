"""Sleep by the minute of Fitabase (``minuteSleep``): asleep, restless and awake of Fitbit."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import read_text
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlay,
    select_night,
)

#: Columns of the file.
COLUMNS: Final = frozenset({"id", "date", "value", "logid"})
_MINUTE_US: Final = 60_000_000
#: Around the start of the recording, whose date is in UTC.
_AROUND: Final = timedelta(hours=48)
_VALUES: Final = {"1": "S", "2": "W", "3": "W"}
_CURE: Final = "give minuteSleep or 30secondSleepStages as Fitabase exports it"


def read_minute_sleep(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read minutes of sleep, with local times.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording; its zone is that of the times.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If a row is damaged, or the file is of several persons or of another night.
    """
    zero = datetime.fromtimestamp(clock.require_utc(source) / 1e6, UTC).replace(tzinfo=None)
    try:
        rows = list(csv.DictReader(read_text(path, source).lower().split("\n")))
    except csv.Error as error:
        raise InputError(source, f"is not a readable table ({error})", _CURE) from error
    lines, dates, stages, persons = [], [], [], set()
    for line, row in enumerate(rows, 2):
        try:
            date = datetime.strptime(row["date"], "%m/%d/%Y %I:%M:%S %p")
        except (TypeError, ValueError) as error:
            raise InputError(source, "date is not a time", _CURE, f"line {line}") from error
        if row["value"] not in _VALUES:
            raise InputError(source, f"unknown stage {row['value']!r}", _CURE, f"line {line}")
        if not clock.has_date or abs(date - zero) < _AROUND:
            lines.append(line)
            dates.append(date.isoformat(" "))
            stages.append(_VALUES[row["value"]])
            persons.add(row["id"])
    if len(persons) > 1:
        cure = "keep the rows of one Id and the header"
        raise InputError(source, "has the sleep of several persons", cure, "column Id")
    lengths = np.full(len(lines), _MINUTE_US)
    times = read_clock_times(
        dates, clock, source, lambda k: f"line {lines[k]}", lengths, one_clock=True
    )
    found = [
        StageInterval(start, start + _MINUTE_US, stage)
        for start, stage in zip(times.utc_us.tolist(), stages, strict=True)
    ]
    night = overlay([select_night(found, clock, source)])
    if not night:
        problem = f"has {len(rows)} minutes, none within 12 h of the recording"
        raise InputError(source, problem, "check the dates, and the time zone (--zone)")
    note = "Fitabase: asleep is sleep without a stage, restless is taken as awake"
    return align_to_recording(night, clock, source, (note, *times.notes))
