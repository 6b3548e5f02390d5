"""Quotation marks that are opened in a row of a CSV and never closed.

A CSV parser takes such a mark for the beginning of a field that holds all rows
up to the next mark, hours later: they would be lost without a word.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from gzip import GzipFile
from typing import Final

import numpy as np

_PIECE: Final = 1 << 18
#: Rows longer than this are passed on as they are.
_LONGEST: Final = 1 << 20
_ENDS: Final = b"\r\n"


def guard_quotes(stream: io.BufferedReader | GzipFile, separator: str) -> Iterator[bytes]:
    """Yield a stream of rows in pieces, in which no quoted field goes beyond its row.

    A blank is put before a mark that opens a field and is not closed in the same
    row, which makes it an ordinary sign: its cell is no number then, and so a gap
    in a signal, or an error that names the line in the time column.
    """
    rest = b""
    while piece := stream.read(_PIECE):
        piece = rest + piece
        cut = max(piece.rfind(end) for end in (b"\n", b"\r")) + 1
        yield _guard_rows(piece[:cut], separator.encode())
        rest = piece[cut:]
        if len(rest) > _LONGEST:
            yield rest
            rest = b""
    yield _guard_rows(rest, separator.encode())


def _guard_rows(text: bytes, separator: bytes) -> bytes:
    if b'"' not in text:
        return text
    signs = np.frombuffer(text + b"\n", np.uint8)
    ends = np.flatnonzero(np.isin(signs, list(_ENDS)))
    marks = np.flatnonzero(signs == ord('"'))
    # in a row without fault, every second mark stands at the end of a field
    closing = np.isin(signs[marks + 1], list(separator + _ENDS))
    balance = np.bincount(np.searchsorted(ends, marks), 1.0 - 2.0 * closing)
    starts = np.concatenate([[0], ends + 1])
    parts, done = [], 0
    for row in np.flatnonzero(balance).tolist():
        start, stop = int(starts[row]), int(ends[row])
        parts += [text[done:start], _guard_row(text[start:stop], separator)]
        done = stop
    return b"".join([*parts, text[done:]])


def _guard_row(row: bytes, separator: bytes) -> bytes:
    """Return a row with a blank before each mark that opens a field for good."""
    other = rb"[^" + re.escape(separator) + rb"]*+"
    field = rb'(?:"(?:[^"]|"")*+"|(?!"))' + other
    closed = re.compile(rb"(?:" + field + separator + rb")*+" + field)
    fields = re.compile(rb"(?:" + field + separator + rb")*+")
    if closed.fullmatch(row.partition(b"#")[0]):
        return row  # any mark after that is in a comment
    while not closed.fullmatch(row):
        found = fields.match(row)
        at = found.end() if found else 0
        row = row[:at] + b" " + row[at:]
    return row
