"""OpenBCI: text files of its GUI (versions 3 to 6) and files of BrainFlow without a header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.tables.header_words import unique_names
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import (
    FileHead,
    HeadLine,
    find_row,
    guess_separator,
    is_number,
    split_fields,
    to_number,
)
from twitchsense.model.notes import Note

#: BrainFlow boards by their number of columns: name, EXG channels, accelerometer columns, rates.
_BOARDS: Final = {
    24: ("Cyton", 8, (9, 10, 11), (250.0,)),
    15: ("Ganglion", 4, None, (200.0,)),
    32: ("Cyton with Daisy, or the synthetic board", 16, (17, 18, 19), (125.0, 250.0)),
}
#: Sampling rates in Hz of boards that the GUI records.
_CYTON_HZ: Final = 250.0
_GANGLION_HZ: Final = 200.0
#: Number of values of the sample index of the Cyton.
_INDEX_SIZE: Final = 256
#: Range of Unix times in seconds or milliseconds.
_UNIX_RANGE: Final = (1e8, 1e14)
_EXG_NOTE: Final = (
    "EXG channels are taken for EMG; leave out others with --map 'EXG Channel 0=ignore'"
)


def openbci_text(head: FileHead) -> CsvDialect | None:
    """Recognise a text file of the OpenBCI GUI."""
    if not head.lines or not re.match(r"%\s*OpenBCI Raw", head.lines[0].text, re.IGNORECASE):
        return None
    meta = [line for line in head.lines if line.text.lstrip().startswith("%")]
    rate = find_row(meta, r"sample rate\s*=")
    match = re.search(r"=\s*(\d+(?:\.\d+)?)", rate.text) if rate else None
    fs = float(match[1]) if match else 0.0  # unknown: the user states it
    board = find_row(meta, r"%\s*board\s*=")
    slow_acc = board is not None and "ganglion" in board.text.casefold()
    last = meta[-1]
    following = next((line for line in head.lines[last.number :] if line.text.strip()), None)
    if following is not None and not is_number(split_fields(following.text, ",")[0]):
        headers = unique_names(split_fields(following.text, ","))
        last = following
    else:
        headers = _old_headers(head, meta, last.end)
    ours = {h: f"emg{_number(h) + 1}_uv" for h in headers if re.match(r"EXG Channel \d+$", h)}
    acc = [h for h in headers if re.match(r"Accel Channel [012]$", h)]
    notes = [_EXG_NOTE]
    if len(acc) == 3 and not slow_acc:
        ours |= {h: f"acc_{axis}_g" for h, axis in zip(acc, "xyz", strict=True)}
    elif slow_acc:
        notes.append(
            Note("unread", "the accelerometer of the Ganglion has 10 Hz, too few to be read")
        )
    counter = headers[0]
    nominal_fs = _GANGLION_HZ if slow_acc else _CYTON_HZ
    clock = replace(_clock(head, last.end, ",", headers, counter, fs), nominal_fs=nominal_fs)
    return CsvDialect(
        headers, last.number, last.end, ",", "OpenBCI GUI", ours, row_clock=clock,
        held=tuple(h for h in acc if h in ours), ignored=headers, notes=tuple(notes),
    )  # fmt: skip


def _old_headers(head: FileHead, meta: Sequence[HeadLine], body: int) -> tuple[str, ...]:
    """Return the columns of GUI 3 and 4, which wrote no names."""
    count = find_row(meta, r"number of channels\s*=")
    match = re.search(r"=\s*(\d+)", count.text) if count else None
    row = next(iter(head.rows(body, ",", 1)), [])
    n = int(match[1]) if match else 8
    names = ["Sample Index", *(f"EXG Channel {i}" for i in range(n))]
    names += [f"Accel Channel {i}" for i in range(3)]
    names += [f"Other {i}" for i in range(len(row) - len(names))]
    for i in range(len(row) - 1, n, -1):
        if to_number(row[i]) > 1e8:
            names[i] = "Timestamp"
            break
    return tuple(names[: max(len(row), 1)])


def brainflow_rows(head: FileHead) -> CsvDialect | None:
    """Recognise a file of BrainFlow, which has no header."""
    if not head.lines:
        return None
    separator = guess_separator(head.lines[0].text)
    if separator is None:
        return None
    start = head.lines[0].start
    first = next(iter(head.rows(start, separator, 1)), [])
    width = len(first)
    if width < 10 or not all(is_number(c) for c in first if c):
        return None
    rows = head.rows(start, separator, 2000)
    if len(rows) < 4:
        return None
    columns = np.array([[to_number(c) for c in r] for r in rows if len(r) == width]).T
    clocks = [
        i for i in range(width) if 1e9 < columns[i, 0] < 4e9 and (np.diff(columns[i]) >= 0).all()
    ]
    if not clocks:
        return None
    headers = tuple(str(i) for i in range(width))
    if width not in _BOARDS or clocks[-1] != width - 2:
        time = f"{clocks[-1]}=time_s"
        raise InputError(
            head.source,
            f"this looks like a BrainFlow file of {width} columns without a header, of a board "
            "that is not known",
            f"write a header line with names for all columns; column {clocks[-1] + 1} is the time "
            f"({time})",
            "line 1",
        )
    board, exg, acc, rates = _BOARDS[width]
    ours = {str(i + 1): f"emg{i + 1}_uv" for i in range(exg)}
    if acc is not None:
        ours |= {str(c): f"acc_{axis}_g" for c, axis in zip(acc, "xyz", strict=True)}
    measured = _measured_rate(columns[0], columns[clocks[-1]])
    rate = min(rates, key=lambda r: abs(r - measured))
    clock = _clock(head, start, separator, headers, "0", rate, str(clocks[-1]))
    notes = (
        f"the file names no columns: {width} of them are those of the {board}; EXG channels are "
        "taken for EMG (leave out others with --map '1=ignore')",
    )
    return CsvDialect(
        headers, 0, start, separator, "BrainFlow", ours, row_clock=clock,
        held=tuple(str(c) for c in acc or ()), ignored=headers, notes=notes,
    )  # fmt: skip


def _clock(
    head: FileHead,
    body: int,
    separator: str,
    headers: tuple[str, ...],
    counter: str,
    rate: float,
    arrival: str = "Timestamp",
) -> RowClock:
    """Return the clock of the rows: their index, and the time at which they arrived."""
    rows = head.rows(body, separator, 4000)
    index = headers.index(counter)
    counts = np.array([to_number(r[index]) for r in rows if len(r) > index])
    with np.errstate(invalid="ignore"):  # an index of a damaged file may be infinite
        steps = np.mod(np.diff(counts), _INDEX_SIZE)
    # the index of some boards stands still or skips in every row: it tells no loss
    regular = len(steps) > 0 and float((steps == 1).mean()) > 0.5
    start, known = 0, None
    if arrival in headers:
        column = headers.index(arrival)
        first = next((to_number(r[column]) for r in rows if len(r) > column), np.nan)
        if _UNIX_RANGE[0] < first < _UNIX_RANGE[1]:
            start = round(first * (1e9 if first < 1e11 else 1e6) / 1000) * 1000
            known = True
    return RowClock(
        rate, start, known, counter if regular else None, _modulus(counts) if regular else None,
        arrival if known else None,
    )  # fmt: skip


def _modulus(counts: NDArray[np.float64]) -> int | None:
    """Return the number of values of the sample index; None if it never begins again."""
    return None if counts.max(initial=0) >= _INDEX_SIZE else _INDEX_SIZE


def _measured_rate(counts: NDArray[np.float64], times: NDArray[np.float64]) -> float:
    span = float(times[-1] - times[0])
    return (len(counts) - 1) / span if span > 0 else 0.0


def _number(header: str) -> int:
    return int(header.rsplit(" ", 1)[1])
