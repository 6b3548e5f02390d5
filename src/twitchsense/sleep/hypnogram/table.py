"""Sleep stages from CSV, TSV and plain lists: seconds or clock times, letters or words."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text_table import TextTable, parse_table, read_text
from twitchsense.sleep.hypnogram.clock_times import NightClock, is_clock_time, read_clock_times
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram, build, to_us
from twitchsense.sleep.hypnogram.stage_codes import Codes, is_number, knows

#: What programs call the columns, in order of preference.
_ONSET: Final = ("onset", "onset_s", "start", "start_time", "time_s", "time_utc", "time",
                 "datetime", "timestamp")  # fmt: skip
_DURATION: Final = ("duration", "duration_s")
_END: Final = ("end", "end_s", "stop", "end_time")
_STAGE: Final = ("stage", "sleep_stage", "description", "hypnogram", "hypno", "stages", "value")
#: Epochs of a list without times (YASA, AASM).
EPOCH_S: Final = 30.0
NOTE_LIST: Final = (
    "the hypnogram has no times: taken as 30-s epochs from the start of the recording"
)


def read_table_stages(path: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    """Read a table with a column of stages.

    Its times may be seconds from the start of the recording or clock times;
    lengths come from ``duration``, from ``end``, or from even steps. A table
    without times is a list of 30-s epochs, and so is a bare list of stages.

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
        return _as_list(table, stages, clock, codes)
    texts = table.columns[onset]
    if any(is_clock_time(t) for t in texts[:1]):
        return _by_clock(table, onset, stages, clock, codes)
    start = table.numbers(onset)
    length = _lengths(table, start)
    made = build(start, length, stages, source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source)


def _is_list(words: list[str], codes: Codes) -> bool:
    told = [w for w in words if w]
    return bool(told) and all(knows(w, codes) or is_number(w) for w in told)


def _column(table: TextTable, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in table.columns), None)


def _as_list(
    table: TextTable, stages: list[str], clock: NightClock | None, codes: Codes
) -> Hypnogram:
    zero_s = 0.0 if clock is None else clock.start_us / 1e6
    onset = zero_s + EPOCH_S * np.arange(len(stages), dtype=np.float64)
    length = np.full(len(stages), EPOCH_S)
    made = build(onset, length, stages, table.source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, table.source, (NOTE_LIST,))


def _by_clock(
    table: TextTable, onset: str, stages: list[str], clock: NightClock | None, codes: Codes
) -> Hypnogram:
    if clock is None:
        raise InputError(
            table.source,
            f"{onset} holds clock times",
            "give seconds from the start of the recording",
            table.place(0),
        )
    zero = clock.need_utc(table.source)
    duration, end = _column(table, _DURATION), _column(table, _END)
    known = None if duration is None else to_us(table.numbers(duration))
    start = read_clock_times(table.columns[onset], clock, table.source, table.place, known)
    if duration is not None:
        length = table.numbers(duration)
    elif end is not None:
        # both columns in the order in which they passed, so that midnight is met once
        both = [t for pair in zip(table.columns[onset], table.columns[end], strict=True)
                for t in pair]  # fmt: skip
        stops = read_clock_times(both, clock, table.source, lambda k: table.place(k // 2))
        start, length = stops[::2], (stops[1::2] - stops[::2]) / 1e6
    else:
        length = np.full(
            len(start), _even_step(np.asarray((start - zero) / 1e6, np.float64), table)
        )
    seconds = np.asarray((start - zero) / 1e6, np.float64)
    made = build(seconds, length, stages, table.source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, table.source)


def _lengths(table: TextTable, start: NDArray[np.float64]) -> NDArray[np.float64]:
    duration, end = _column(table, _DURATION), _column(table, _END)
    if duration is not None:
        return table.numbers(duration)
    if end is not None:
        return table.numbers(end) - start
    return np.full(len(start), _even_step(start, table))


def _even_step(start: NDArray[np.float64], table: TextTable) -> float:
    from twitchsense.sleep.hypnogram.epoch_length import epoch_of_steps

    return epoch_of_steps(start, table.source, table.place)
