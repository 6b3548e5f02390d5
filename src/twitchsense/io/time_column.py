"""The time column of a table: seconds or clock time, to whole nanoseconds."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.table_capture import Block, Table, to_floats
from twitchsense.model.channels import NS

#: A first time beyond this is no time since the start of a recording.
_MAX_START_S: Final = 7 * 86400
_WORDS: Final = {"time_s": "number of seconds", "time_utc": "ISO 8601 time with zone"}


def read_times(table: Table, block: Block) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Return stamps in ns, and the rows they are of (None: all of them)."""
    clock = table.layout.clock
    if clock == "time_s":
        seconds = to_floats(block.time)
        bad = ~np.isfinite(seconds)
        if block.first_row == 0 and len(seconds) and abs(seconds[0]) > _MAX_START_S:
            raise InputError(
                table.source,
                f"the first time_s is {seconds[0]:.10g}: Unix time, or not in seconds?",
                "give seconds from the start of the recording, or name it time_utc with "
                "ISO 8601 times",
                table.place(0),
            )
        bad |= np.abs(seconds) > 1e9
        stamps = np.rint(np.where(bad, 0.0, seconds) * NS).astype(np.int64)
    else:
        stamps, bad = _parse_utc(table, block)
    if not bad.any():
        return stamps, None
    blank = block.time.isna().to_numpy(copy=True)
    for column in block.signals.values():
        blank &= np.isnan(column)
    wrong = np.flatnonzero(bad & ~blank)
    if len(wrong):
        row = int(wrong[0])
        value = block.time.iloc[row]
        text = "is empty" if pd.isna(value) else f"'{str(value)[:40]}' is no {_WORDS[clock]}"
        cure = _time_cure(clock, str(value))
        raise InputError(
            table.source,
            f"{table.layout.time} {text}",
            cure,
            table.place(block.first_row + row),
        )
    kept = np.flatnonzero(~bad)
    return stamps[kept], kept


def _time_cure(clock: str, value: str) -> str:
    if '"' in value:
        return "close or remove the quotation mark; a row must stand on one line"
    if clock == "time_utc":
        return "write times like 2026-03-01T22:15:00.000Z"
    if value[:4].isdecimal() and value[4:5] == "-":
        return "name the column time_utc if these are clock times"
    return "correct or delete the row (a recording cut short may end in half a row)"


def _parse_utc(table: Table, block: Block) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return UTC in ns and where it can't be read."""
    text = block.time
    if pd.api.types.is_datetime64_any_dtype(text):
        parsed = text  # Parquet knows its times
    elif pd.api.types.is_numeric_dtype(text) and not text.isna().all():
        row = int(np.flatnonzero(text.notna().to_numpy())[0])
        raise InputError(
            table.source,
            f"{table.layout.time} is a number, not an ISO 8601 time",
            "write times like 2026-03-01T22:15:00.000Z, or name seconds from the start time_s",
            table.place(block.first_row + row),
        )
    else:
        text = text.astype("str")
        parsed = _to_datetimes(text)
    if parsed.dt.tz is None and parsed.notna().any():
        row = int(np.flatnonzero(parsed.notna().to_numpy())[0])
        raise InputError(
            table.source,
            f"{table.layout.time} {block.time.iloc[row]} has no time zone",
            "end each time with Z or with an offset like +02:00",
            table.place(block.first_row + row),
        )
    bad = parsed.isna().to_numpy(copy=True)
    utc = parsed.dt.tz_convert("UTC") if parsed.dt.tz is not None else parsed
    plain = utc.dt.tz_localize(None).dt.as_unit("ns").to_numpy(copy=True)
    plain[bad] = np.datetime64(0, "ns")
    return plain.astype(np.int64), bad


def _to_datetimes(text: pd.Series) -> pd.Series:
    """Parse ISO 8601; aware unless a time has no zone."""
    try:
        return pd.to_datetime(text, format="ISO8601", errors="coerce")
    except ValueError:
        pass  # more than one offset (summer time began), or some without
    zoned = text.str.contains(r"(?:[zZ]|[+-]\d\d(?::?\d\d)?)$", na=True)
    if not zoned.all():
        return pd.to_datetime(text.where(~zoned), format="ISO8601", errors="coerce")
    return pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)


def check_order(
    table: Table,
    block: Block,
    stamps: NDArray[np.int64],
    kept: NDArray[np.int64] | None,
    last: int | None,
) -> None:
    """Refuse time that repeats or runs backwards."""
    if last is not None and stamps[0] <= last:
        at, before = 0, last
    else:
        back = stamps[1:] <= stamps[:-1]
        if not back.any():
            return
        at = int(np.argmax(back)) + 1
        before = int(stamps[at - 1])
    row = at if kept is None else int(kept[at])
    what = "repeats" if stamps[at] == before else "runs backwards"
    raise InputError(
        table.source,
        f"time {what} ({block.time.iloc[row]})",
        "sort the rows by time; give stamps enough decimals that none repeats",
        table.place(block.first_row + row),
    )
