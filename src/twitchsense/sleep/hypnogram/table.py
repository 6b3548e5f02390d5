"""Sleep stages from CSV and TSV tables and from plain lists of stages."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import MISSING_VALUES, TextTable, parse_table, read_text
from twitchsense.model.notes import GIVE_STAGE_TIMES, Note
from twitchsense.sleep.hypnogram import table_columns
from twitchsense.sleep.hypnogram.clock_change import Ints
from twitchsense.sleep.hypnogram.clock_text import is_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.epoch_lengths import (
    EPOCH_S,
    check_list_length,
    lengths_from_onsets,
)
from twitchsense.sleep.hypnogram.model import Hypnogram, build_hypnogram, to_us
from twitchsense.sleep.hypnogram.stage_codes import Codes, is_number, is_stage
from twitchsense.sleep.hypnogram.stage_words import select_stages
from twitchsense.sleep.hypnogram.table_columns import find_column

Floats = NDArray[np.float64]

NOTE_LIST: Final = Note(
    "stages",
    "the hypnogram has no times: taken as 30-s epochs from the start of the recording",
    GIVE_STAGE_TIMES,
)
NOTE_NUMBERED: Final = (
    "the hypnogram has no times: epoch {first} is taken as the first 30 s of the recording"
)


def read_table_stages(path: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    """Read a table with a column of stages.

    Onsets are seconds from the start of the recording or clock times. Durations come
    from ``duration``, from ``end``, or from the onsets (`lengths_from_onsets`). A table
    without onsets is placed by its epoch numbers; without these it is a sequence of 30-s
    epochs, as a bare list of stages, in which an empty cell or line is an unscored epoch.

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
    listed = _read_list(text, source, codes)
    if listed is not None:
        return _place_list(listed, clock, codes)
    _refuse_headerless(text, source, codes)
    table = parse_table(text, source)
    stage, mixed = find_column(table, table_columns.STAGE), False
    if stage is None:
        stage, mixed = find_column(table, table_columns.EVENT), True
    onset = find_column(table, table_columns.ONSET)
    if stage is None:
        table.require("onset", "duration", "stage")
    assert stage is not None
    if not table.columns[stage]:
        raise InputError(source, "has no epochs", "give at least one line below the header")
    notes: tuple[str, ...] = ()
    if mixed and onset is not None:
        rows, notes = select_stages(table.columns[stage], source, table.place, codes)
        table = _take(table, rows)
    stages = table.columns[stage]
    start, length, more = _times(table, onset, stages, clock)
    if onset is None:
        stages = ["?" if word.lower() in MISSING_VALUES else word for word in stages]
    made = build_hypnogram(start, length, stages, source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source, (*notes, *more))


def _times(
    table: TextTable, onset: str | None, stages: list[str], clock: NightClock | None
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Return onsets and durations (s) of the rows, and notes."""
    duration = find_column(table, table_columns.DURATION)
    end = find_column(table, table_columns.END)
    if onset is None:
        return _times_without_onsets(table, duration, end, clock)
    texts = table.columns[onset]
    if is_clock_time(texts[0]):
        return _clock_times(table, onset, stages, clock)
    start = table.numbers(onset)
    if duration is not None:
        return start, table.numbers(duration), ()
    if end is not None:
        return start, table.numbers(end) - start, ()
    return (start, *lengths_from_onsets(start, stages, table.source, table.place))


def _times_without_onsets(
    table: TextTable, duration: str | None, end: str | None, clock: NightClock | None
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Place rows by their ends, durations or epoch numbers, or one after the other."""
    zero_s = 0.0 if clock is None else clock.start_us / 1e6
    count = len(table.lines)
    epoch = find_column(table, table_columns.EPOCH)
    if epoch is not None:
        number = _epoch_numbers(table, epoch)
        length = np.full(count, EPOCH_S) if duration is None else table.numbers(duration)
        if (length != length[0]).any():
            cure = "give the column onset (s from the start of the recording)"
            raise InputError(table.source, "numbers epochs of different durations", cure)
        first = number[0] if number[0] in (0, 1) else 0
        if clock is not None and duration is None:
            last = int(number[-1]) - int(first) + 1
            check_list_length(last, (clock.stop_us - clock.start_us) / 1e6, table.source)
        note = (
            Note("stages", NOTE_NUMBERED.format(first=first), GIVE_STAGE_TIMES)
            if duration is None
            else ""
        )
        return zero_s + (number - first) * length[0], length, (note,) if note else ()
    if end is not None:
        stop = table.numbers(end)
        return zero_s + np.append(0.0, stop[:-1]), np.diff(stop, prepend=0.0), ()
    if duration is not None:
        length = table.numbers(duration)
        return zero_s + np.append(0.0, np.cumsum(length)[:-1]), length, ()
    if clock is not None:
        check_list_length(count, (clock.stop_us - clock.start_us) / 1e6, table.source)
    onset = np.asarray(zero_s + EPOCH_S * np.arange(count), np.float64)
    return onset, np.full(count, EPOCH_S), (NOTE_LIST,)


def _epoch_numbers(table: TextTable, epoch: str) -> Ints:
    """Return the numbers of the epochs, which count from 0 or 1."""
    values = table.numbers(epoch)
    number = values.astype(np.int64)
    cure = "number the epochs from 0 or 1 in ascending order, or give the column onset (s)"
    fine = (values == number) & np.append(True, np.diff(number) > 0)
    if not fine.all():
        row = int(np.argmin(fine))
        problem = f"epoch {table.columns[epoch][row]} does not follow the epoch above"
        raise InputError(table.source, problem, cure, table.place(row))
    if number[0] not in (0, 1):
        problem = f"begins with epoch {number[0]}, and the first may be epoch 0 or 1"
        raise InputError(
            table.source, problem,
            "add a line for the first epoch of the recording with the stage ?", table.place(0),
        )  # fmt: skip
    return number


def _clock_times(
    table: TextTable, onset: str, stages: list[str], clock: NightClock | None
) -> tuple[Floats, Floats, tuple[str, ...]]:
    if clock is None:
        raise InputError(
            table.source,
            f"{onset} holds clock times",
            "give seconds from the start of the recording, or --start 22:30:00",
            table.place(0),
        )
    zero = clock.require_utc(table.source)
    duration = find_column(table, table_columns.DURATION)
    end = find_column(table, table_columns.END)
    if duration is None and end is not None:
        # both columns interleaved in time order, so that midnight is passed once
        both = [t for pair in zip(table.columns[onset], table.columns[end], strict=True)
                for t in pair]  # fmt: skip
        steps = np.tile(np.array([-1, 0], np.int64), len(stages))
        found = read_clock_times(both, clock, table.source, lambda k: table.place(k // 2), steps)
        start, stop = found.utc_us[::2], found.utc_us[1::2]
        return (start - zero) / 1e6, (stop - start) / 1e6, found.notes
    known = None if duration is None else to_us(table.numbers(duration))
    found = read_clock_times(table.columns[onset], clock, table.source, table.place, known)
    seconds = np.asarray((found.utc_us - zero) / 1e6, np.float64)
    if duration is not None:
        return seconds, table.numbers(duration), found.notes
    length, notes = lengths_from_onsets(seconds, stages, table.source, table.place)
    return seconds, length, (*found.notes, *notes)


def _read_list(text: str, source: str, codes: Codes) -> TextTable | None:
    """Return the stages of a file with one word a line; None for any other file.

    A header is left out. An empty line between two stages is an unscored epoch.
    """
    words = [line.strip().strip("\"'").strip() for line in text.split("\n")]
    first = next((k for k, w in enumerate(words) if w), 0)
    names = (*table_columns.STAGE, *table_columns.EVENT)
    if "".join(words[first].lower().split("_")) in names:
        first += 1
    while words and not words[-1]:
        words.pop()
    words = words[first:]
    missing = [w.lower() in MISSING_VALUES for w in words]
    filled = [w for w, gone in zip(words, missing, strict=True) if not gone]
    if not filled or not all(is_stage(w, codes) or is_number(w) for w in filled):
        return None
    stages = ["?" if gone else w for w, gone in zip(words, missing, strict=True)]
    return TextTable(source, {"stage": stages}, [first + 1 + k for k in range(len(words))])


def _place_list(table: TextTable, clock: NightClock | None, codes: Codes) -> Hypnogram:
    onset, length, notes = _times_without_onsets(table, None, None, clock)
    stages = table.columns["stage"]
    made = build_hypnogram(onset, length, stages, table.source, table.place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, table.source, notes)


def _refuse_headerless(text: str, source: str, codes: Codes) -> None:
    """Refuse stages beside one number without a header (Visbrain), which may mean three things."""
    first = text.split("\n", 1)[0]
    for delimiter in ("\t", ",", " "):
        cells = [cell.strip() for cell in first.split(delimiter)]
        if len(cells) == 2 and is_stage(cells[0], codes) and is_number(cells[1]):
            name = {"\t": "a tab", ",": "a comma", " ": "a blank"}[delimiter]
            cure = (
                f"put a line with stage and end (or onset, or duration) on top, with {name} between"
            )
            if delimiter == " ":
                cure = "write it with commas and the line stage,end (or onset, or duration) on top"
            raise InputError(
                source, "has no header: the number beside a stage may be its end (Visbrain), "
                "onset or duration", cure, "line 1",
            )  # fmt: skip


def _take(table: TextTable, rows: list[int]) -> TextTable:
    columns = {name: [cells[k] for k in rows] for name, cells in table.columns.items()}
    return TextTable(table.source, columns, [table.lines[k] for k in rows])
