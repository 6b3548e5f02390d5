"""Recognize the CSV files of watches, rings and mats by their header."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import UNDATED, NightClock
from twitchsense.sleep.hypnogram.fitbit import FITABASE_COLUMNS, read_minute_sleep
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.oura import PHASES, read_oura_csv
from twitchsense.sleep.hypnogram.withings import read_withings_csv

#: Beginnings of files that hold totals of each night only, their device and the cure.
_TOTALS: Final = (
    ("sleep\nstart time,end time,", "Fitbit", "give sleep-YYYY-MM-DD.json of the full export"),
    ("from,to,light (s),deep (s)", "Withings", "give raw_tracker_sleep-state.csv"),
    ('"from","to","light (s)"', "Withings", "give raw_tracker_sleep-state.csv"),
    ("sleep score", "Garmin", "give the JSON of Garmin Connect with sleepLevels"),
)
#: Beginnings of exports that are not read, and their app.
_NOT_READ: Final = (
    ("id,tz,from,to,sched", "Sleep as Android"),
    ("com.samsung.", "Samsung Health"),
)


def read_watch_csv(
    path: Path, text: str, source: str, clock: NightClock | None
) -> Hypnogram | None:
    """Read a CSV file of Oura, Withings or Fitabase.

    Parameters
    ----------
    path : Path
    text : str
        Beginning of the file.
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording; required.

    Returns
    -------
    Hypnogram or None
        None if the file is of no known device.

    Raises
    ------
    InputError
        If the file holds only totals of each night, is of an app that is not read, is damaged,
        or cannot be placed.
    """
    lines = text.lower().split("\n")
    for start, device, cure in _TOTALS:
        if text.lower().startswith(start):
            problem = f"has only {device}'s totals of each night, no stages"
            raise InputError(source, problem, cure, "line 1")
    for start, app in _NOT_READ:
        if text.lower().startswith(start):
            cure = "give a table of this night: start,end,stage (times with offset; W, N2, N3, R)"
            raise InputError(source, f"is an export of {app}, which is not read", cure, "line 1")
    names = [name.strip().strip('"') for name in lines[0].replace(";", ",").split(",")]
    if set(names) >= FITABASE_COLUMNS:
        return read_minute_sleep(path, source, clock or UNDATED)
    oura = "bedtime_start" in names and any(key in names for key in PHASES)
    withings = names == ["start", "duration", "value"] and "[" in "".join(lines[1:2])
    if not (oura or withings):
        return None
    clock = clock or UNDATED
    clock.require_utc(source)
    return (read_oura_csv if oura else read_withings_csv)(path, source, clock)
