"""Read a hypnogram file; the format is recognized by content."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import UNDATED, NightClock
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes, check_codes


def read_hypnogram(
    path: str | PathLike[str], clock: NightClock | None = None, codes: Codes | None = None
) -> Hypnogram:
    """Read sleep stages and place them on the time axis of a recording.

    Parameters
    ----------
    path : path
        CSV or TSV (seconds from the start of the recording, or clock times), a list of
        stages as YASA writes it, a file of a sleep laboratory
        (`twitchsense.sleep.lab_files`), Apple Health's ``export.xml``, or sleep data of
        Fitbit, Oura, Garmin or Withings.
    clock : NightClock, optional
        Clock of the recording; required for files with clock times.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown stage words. Integers are refused without it,
        because programs disagree on them (REM is 4 in YASA and 5 in NSRR files).

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        Naming the file, the place and the cure; also for stages that lie outside the
        recording.
    MissingExtraError
        For EDF+ if edfio is not installed.
    """
    file, source = Path(path), str(path)
    hypnogram = _read(file, source, clock, check_codes(codes or {}, "settings"))
    if clock is not None:
        _check_overlap(hypnogram, clock, source)
    return hypnogram


def _read(file: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    from twitchsense.sleep.lab_files.recognize import read_head, read_lab_file

    _, text = read_head(file, source)
    lab_file = read_lab_file(file, source, clock)
    if lab_file is not None:
        from twitchsense.sleep.lab_files.lab_hypnogram import hypnogram_of_lab_file

        return hypnogram_of_lab_file(lab_file, source, codes)
    if text.startswith("<"):
        from twitchsense.sleep.hypnogram.apple import read_apple

        return read_apple(file, source, clock or UNDATED)
    if text.startswith(("{", "[")):
        from twitchsense.sleep.hypnogram.json_logs import read_json_stages

        return read_json_stages(file, source, clock, codes)
    from twitchsense.sleep.hypnogram.watch_csv import read_watch_csv

    watch = read_watch_csv(file, text, source, clock)
    if watch is not None:
        return watch
    from twitchsense.sleep.hypnogram.table import read_table_stages

    return read_table_stages(file, source, clock, codes)


def _check_overlap(hypnogram: Hypnogram, clock: NightClock, source: str) -> None:
    """Refuse stages of which none lies in the recording."""
    start, stop = hypnogram.bounds_us
    if clock.stop_us <= clock.start_us:
        return
    if bool(np.any((stop > clock.start_us) & (start < clock.stop_us))):
        return
    hours = [(t - clock.start_us) / 3600e6 for t in (int(start[0]), int(stop[-1]))]
    problem = (
        f"lies outside the recording: from {hours[0]:.2f} to {hours[1]:.2f} h after its start, "
        f"where the recording lasts {(clock.stop_us - clock.start_us) / 3600e6:.2f} h"
    )
    cure = "give the hypnogram of this night; for clock times check --zone"
    if np.any((stop + clock.start_us > clock.start_us) & (start + clock.start_us < clock.stop_us)):
        late_s = clock.start_us / 1e6
        cure = (
            f"add {late_s:g} to its onsets if they count from the first row: second 0 is that of "
            f"the times of the recording, {late_s:g} s before this row"
        )
    raise InputError(source, problem, cure)
