"""Sleep stages from CSV and TSV tables and from plain lists of stages."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text_table import TextTable, parse_table, read_text
from twitchsense.sleep.hypnogram.clock_times import NightClock, is_clock_time, read_clock_times
from twitchsense.sleep.hypnogram.model import Hypnogram, build_hypnogram, infer_epoch_length, to_us
from twitchsense.sleep.hypnogram.stage_codes import Codes, is_number, is_stage

#: Names of the columns in files of other programs, in order of preference.
_ONSET: Final = ("onset", "onset_s", "start", "start_time", "time_s", "time_utc", "time",
                 "datetime", "timestamp")  # fmt: skip
_DURATION: Final = ("duration", "duration_s")
_END: Final = ("end", "end_s", "stop", "end_time")
_STAGE: Final = ("stage", "sleep_stage", "description", "hypnogram", "hypno", "stages", "value")
#: Epoch length (s) of a list without times (AASM; default of YASA).
EPOCH_S: Final = 30.0
NOTE_LIST: Final = (
    "the hypnogram has no times: taken as 30-s epochs from the start of the recording"
)


def read_table_stages(path: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    """Read a table with a column of stages.

    Onsets are seconds from the start of the recording or clock times. Durations come
    from ``duration``, from ``end``, or from equal steps between onsets. A table
    without onsets, and a bare list of stages, is a sequence of 30-s epochs.

    Parameters
    ----------
    path : Path
        CSV, TSV or text file.
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording; required for clock times.
    codes : mapping of str to str
        Meaning of numeric or unknown stage words.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        Naming the file, the line and the cure.
    """
    text = read_text(path, source)
    words = [line.strip() for line in text.splitlines()]
    if _is_list(words, codes):
        lines = [k for k, word in enumerate(words, 1) if word]
        table = TextTable(source, {"stage": [w for w in words if w]}, lines)
    else:
        table = parse_table(text, source)
    stage = _column(table, _STAGE)
    onset = _column(table, _ONSET)
    if stage is None:
        table.require("onset", "duration", "stage")
    assert stage is not None
    stages = table.columns[stage]
    if not stages:
        raise InputError(source, "has no epochs", "give at least one line below the header")
    if onset is None:
        return _read_list(table, stages, clock, codes)
    texts = table.columns[onset]
    if any(is_clock_time(t) for t in texts[:1]):
        return _read_clock_table(table, onset, stages, clock, codes)
    start = table.numbers(onset)
    length = _durations(table, start)
    made = build_hypnogram(start, length, stages, source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source)


def _is_list(words: list[str], codes: Codes) -> bool:
    """Return whether all lines that are not empty are stages or numbers."""
    filled = [w for w in words if w]
    return bool(filled) and all(is_stage(w, codes) or is_number(w) for w in filled)


def _column(table: TextTable, names: tuple[str, ...]) -> str | None:
    """Return the first of the names that the table has as a column."""
    return next((name for name in names if name in table.columns), None)


def _read_list(
    table: TextTable, stages: list[str], clock: NightClock | None, codes: Codes
) -> Hypnogram:
    zero_s = 0.0 if clock is None else clock.start_us / 1e6
    onset = zero_s + EPOCH_S * np.arange(len(stages), dtype=np.float64)
    length = np.full(len(stages), EPOCH_S)
    made = build_hypnogram(onset, length, stages, table.source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, table.source, (NOTE_LIST,))


def _read_clock_table(
    table: TextTable, onset: str, stages: list[str], clock: NightClock | None, codes: Codes
) -> Hypnogram:
    if clock is None:
        raise InputError(
            table.source,
            f"{onset} holds clock times",
            "give seconds from the start of the recording",
            table.place(0),
        )
    zero = clock.require_utc(table.source)
    duration, end = _column(table, _DURATION), _column(table, _END)
    known = None if duration is None else to_us(table.numbers(duration))
    start = read_clock_times(table.columns[onset], clock, table.source, table.place, known)
    if duration is not None:
        length = table.numbers(duration)
    elif end is not None:
        # both columns interleaved in time order, so that midnight is passed once
        both = [t for pair in zip(table.columns[onset], table.columns[end], strict=True)
                for t in pair]  # fmt: skip
        stops = read_clock_times(both, clock, table.source, lambda k: table.place(k // 2))
        start, length = stops[::2], (stops[1::2] - stops[::2]) / 1e6
    else:
        length = np.full(
            len(start),
            infer_epoch_length(
                np.asarray((start - zero) / 1e6, np.float64), table.source, table.place
            ),
        )
    seconds = np.asarray((start - zero) / 1e6, np.float64)
    made = build_hypnogram(seconds, length, stages, table.source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, table.source)


def _durations(table: TextTable, start: NDArray[np.float64]) -> NDArray[np.float64]:
    duration, end = _column(table, _DURATION), _column(table, _END)
    if duration is not None:
        return table.numbers(duration)
    if end is not None:
        return table.numbers(end) - start
    return np.full(len(start), infer_epoch_length(start, table.source, table.place))
