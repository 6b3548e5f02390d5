"""Reads raw logs: the values that passed between a host and a device, one a line.

A raw log is a CSV file with the columns ``time_s``, ``characteristic`` (full UUID), ``hex`` and,
optionally, ``direction`` (notify, write or read; notify without the column).
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from twitchsense.devices.contract import Direction, Message
from twitchsense.errors import InputError
from twitchsense.io.text.csv_rows import open_stream
from twitchsense.model.channels import NS
from twitchsense.regular_file import check_regular_file

#: Required columns.
_COLUMNS: Final = ("time_s", "characteristic", "hex")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")
#: Longest value that the attribute protocol allows (Bluetooth Core 5.4, vol. 3, part F, 3.2.9).
_MAX_VALUE_BYTES: Final = 512
#: Largest time, s: later ones are in another unit.
_MAX_TIME_S: Final = 1e10
#: Longest line, characters.
_MAX_LINE: Final = 4096


def read_raw_log(path: Path) -> Iterator[tuple[int, Message]]:
    """Yield the values of a raw log.

    Parameters
    ----------
    path : Path
        CSV, or gzipped CSV.

    Yields
    ------
    line : int
        Line number, counted from one.
    message : Message
        `arrival_ns` is ``time_s`` in ns.

    Raises
    ------
    InputError
        If the file cannot be read or a line cannot be used; the message names the line and the
        cure.
    """
    source = str(path)
    check_regular_file(path, source)
    line = 1
    try:
        with open_stream(path) as raw:
            text = io.TextIOWrapper(raw, "utf-8-sig", newline="")
            rows = csv.reader(_short_lines(text, source), strict=True)
            columns = _parse_header(next(rows, []), source)
            last_s = -math.inf
            empty = True
            for row in rows:
                line = rows.line_num
                if not row:
                    continue
                message, time_s = _parse_row(row, columns, source, line)
                if time_s < last_s:
                    raise InputError(
                        source,
                        f"time runs backwards ({row[columns['time_s']]} s)",
                        "sort the rows by time_s, or split the log there",
                        f"line {line}",
                    )
                last_s, empty = time_s, False
                yield line, message
            if empty:
                raise InputError(source, "no rows after the header", "give a log with values")
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise _damaged(source, error) from error
        raise InputError(
            source, f"cannot be read ({error.strerror or error})", "check the path"
        ) from error
    except (EOFError, zlib.error) as error:
        raise _damaged(source, error) from error
    except UnicodeDecodeError as error:
        raise InputError(
            source, "is not UTF-8 text", "give a CSV file of raw notifications", f"line {line}"
        ) from error
    except csv.Error as error:
        raise InputError(
            source, f"cannot be read ({error})", "close the quotation mark", f"line {line + 1}"
        ) from error


def _short_lines(text: io.TextIOWrapper, source: str) -> Iterator[str]:
    """Yield the lines of a file; refuse one that is longer than any row."""
    number = 0
    while line := text.readline(_MAX_LINE):
        number += 1
        if "\0" in line:
            raise InputError(
                source, "is a binary file", "give a CSV file of raw notifications", f"line {number}"
            )
        if len(line) >= _MAX_LINE:
            raise InputError(
                source,
                f"is longer than {_MAX_LINE} characters",
                "write one value a line",
                f"line {number}",
            )
        yield line


def _parse_header(header: list[str], source: str) -> Mapping[str, int]:
    names = [name.strip().casefold() for name in header]
    if not any(names):
        raise InputError(source, "is empty", "give a log with the header time_s,characteristic,hex")
    for name in (*_COLUMNS, "direction"):
        if names.count(name) > 1:
            raise InputError(source, f"has {name} twice", "name each column once", "line 1")
    for name in _COLUMNS:
        if name not in names:
            raise InputError(
                source,
                f"has no column {name} (found: {', '.join(names)})",
                "write the header time_s,characteristic,direction,hex",
                "line 1",
            )
    return {name: i for i, name in enumerate(names)}


def _parse_row(
    row: list[str], columns: Mapping[str, int], source: str, line: int
) -> tuple[Message, float]:
    place = f"line {line}"
    if len(row) != len(columns):
        raise InputError(
            source,
            f"has {len(row)} fields where the header has {len(columns)}",
            "correct or delete the line (a log cut short may end in half a line)",
            place,
        )
    try:
        time_s = float(row[columns["time_s"]])
    except ValueError:
        time_s = math.nan
    if not abs(time_s) <= _MAX_TIME_S:
        raise InputError(
            source,
            f"time_s is {row[columns['time_s']]!r}, not a number of seconds",
            "correct or delete the line",
            place,
        )
    uuid = row[columns["characteristic"]].strip().lower()
    if not _UUID.fullmatch(uuid):
        raise InputError(
            source,
            f"characteristic is {uuid!r}, not a full UUID",
            "write it like 00002a19-0000-1000-8000-00805f9b34fb",
            place,
        )
    digits = row[columns["hex"]].strip().lower()
    if not _HEX.fullmatch(digits) or len(digits) > 2 * _MAX_VALUE_BYTES:
        raise InputError(
            source,
            f"hex is not the value of a characteristic ({digits[:20]!r})",
            f"write up to {_MAX_VALUE_BYTES} bytes as pairs of hexadecimal digits",
            place,
        )
    word = row[columns["direction"]].strip().lower() if "direction" in columns else ""
    try:
        direction = Direction(word or Direction.NOTIFY)
    except ValueError:
        raise InputError(
            source, f"direction is {word!r}", "write notify, write or read", place
        ) from None
    return Message(uuid, direction, bytes.fromhex(digits), round(time_s * NS)), time_s


def _damaged(source: str, error: Exception) -> InputError:
    return InputError(source, f"is a damaged gzip file ({error})", "copy it again")
