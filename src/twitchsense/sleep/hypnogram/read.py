"""Read a hypnogram file; the format is recognized by content."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes, check_codes


def read_hypnogram(
    path: str | PathLike[str], clock: NightClock | None = None, codes: Codes | None = None
) -> Hypnogram:
    """Read sleep stages and place them on the time axis of a recording.

    Parameters
    ----------
    path : path
        CSV or TSV (seconds from the start of the recording, or clock times), a
        list of stages as YASA writes it, EDF+ with annotations, Apple Health's
        ``export.xml`` or Fitbit's JSON.
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
        Naming the file, the place and the cure.
    MissingExtraError
        For EDF+ if edfio is not installed.
    """
    file, source = Path(path), str(path)
    try:
        with file.open("rb") as opened:
            head = opened.read(4096)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise InputError(
            source, f"cannot be read ({reason or error})", "check the name of the file"
        ) from error
    stage_codes = check_codes(codes or {}, "settings")
    text_start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"0       ", b"\xffBIOSEMI")):
        from twitchsense.sleep.hypnogram.edf import read_edf_stages

        return read_edf_stages(file, source, clock, stage_codes)
    if head.startswith(b"PK\x03\x04"):
        raise InputError(source, "is a ZIP archive", "unpack it and give the file inside")
    if text_start.startswith(b"<"):
        from twitchsense.sleep.hypnogram.apple import read_apple

        return read_apple(file, source, _require_clock(clock, source))
    if text_start.startswith((b"{", b"[")):
        from twitchsense.sleep.hypnogram.fitbit import read_fitbit

        return read_fitbit(file, source, _require_clock(clock, source))
    from twitchsense.sleep.hypnogram.table import read_table_stages

    return read_table_stages(file, source, clock, stage_codes)


def _require_clock(clock: NightClock | None, source: str) -> NightClock:
    if clock is None:
        raise InputError(
            source, "has clock times", "give a table with onset (s), duration and stage"
        )
    return clock
