"""The rows of a CSV file as bytes that a parser cannot misread.

A quotation mark that opens a field and is never closed would make the parser take all rows
up to the next mark for one field, so that hours could be lost without a message. Such marks
are made ordinary characters. Lines that are comments are emptied; a number sign elsewhere in
a row (``-1.#IND``, ``#DIV/0!``) is part of its cell.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

#: Bytes read at once.
READ_BYTES: Final = 1 << 18
#: Maximum length (bytes) of a row in which quotation marks are checked.
_MAX_ROW_BYTES: Final = 1 << 20
#: An exponent of four digits and more, which no number of a capture has.
_HUGE_EXPONENT: Final = re.compile(rb"[eE](?=[+-]?\d{4})(?<=\d[eE])")
_OUTER_BLANKS: Final = re.compile(rb"(?:^ | $| (?=\r))", re.MULTILINE)
_REPLACEMENT: Final = "\ufffd".encode()
_NEWLINES: Final = b"\r\n"
#: Words of spreadsheets for a cell without a value; a row may begin with one.
_ERROR_WORDS: Final = (
    rb"(?:N/A|NA|NV|NAN|IND|QNAN|DIV/0!|VALUE!|WERT!|VALEUR!|REF!|BEZUG!|NAME\?|NUM!|ZAHL!"
    rb"|NOMBRE!|NULL!)"
)
#: A line that is a comment.
COMMENT_LINE: Final = re.compile(
    rb"(?:(?<=[\r\n])|\A) *#(?!" + _ERROR_WORDS + rb"[\s,;|\"])[^\r\n]*"
)


def open_stream(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """Open a file for reading UTF-8, decompressed if it is gzip, converted if it is UTF-16.

    Parameters
    ----------
    path : Path

    Returns
    -------
    binary file
    """
    with path.open("rb") as file:
        mark = file.read(2)
    if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return io.BufferedReader(_Utf16Stream(path))
    return gzip.open(path, "rb") if mark == b"\x1f\x8b" else path.open("rb")


def is_comment(line: bytes) -> bool:
    """Return whether a line is a comment.

    Parameters
    ----------
    line : bytes
    """
    return COMMENT_LINE.match(line + b"\n") is not None


class ByteStream(io.RawIOBase):
    """A raw stream over an iterator of byte strings.

    Parameters
    ----------
    parts : iterator of bytes
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._pending = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the current part; return the number of bytes, 0 at the end."""
        while not self._pending:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._pending = part
        count = min(len(buffer), len(self._pending))
        buffer[:count], self._pending = self._pending[:count], self._pending[count:]
        return count


class _Utf16Stream(ByteStream):
    """The text of a file in UTF-16 as UTF-8, which can be read from any place on."""

    def __init__(self, path: Path) -> None:
        super().__init__(iter(()))
        self._file = path.open("rb")
        self.seek(0)

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the UTF-8 text, by reading it from its beginning."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only places from the beginning")
        self._file.seek(0)
        self._parts, self._pending = self._convert(), b""
        place = 0
        while place < offset and (part := next(self._parts, None)) is not None:
            self._pending = part[offset - place :]
            place += len(part) - len(self._pending)
        return place

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _convert(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        while data := self._file.read(READ_BYTES):
            yield decoder.decode(data).encode("utf-8", "replace")


def escape_unclosed_quotes(
    stream: io.BufferedReader | gzip.GzipFile, separator: str
) -> Iterator[bytes]:
    """Yield the bytes of a CSV, without comments and so that no field extends beyond its row.

    A blank is inserted before each quotation mark that opens a field and is not closed in
    the same row, which makes it an ordinary character. Its cell is then not a number: a gap
    in a signal column, or an error that names the line in the time column. A comment becomes
    an empty line.

    Parameters
    ----------
    stream : binary file
        At the first row after the header.
    separator : str
        Field separator.

    Yields
    ------
    bytes
        Valid UTF-8. Whole rows; rows of more than a megabyte are passed on unchanged otherwise.
    """
    rest = b""
    while data := stream.read(READ_BYTES):
        data = rest + data
        end = max(data.rfind(newline) for newline in (b"\n", b"\r")) + 1
        yield _escape_rows(data[:end], separator.encode())
        rest = data[end:]
        if len(rest) > _MAX_ROW_BYTES:
            yield _replace_invalid(rest)
            rest = b""
    yield _escape_rows(rest, separator.encode())


def _escape_rows(text: bytes, separator: bytes) -> bytes:
    """Remove the comments of whole rows, and escape their unclosed quotation marks."""
    if b"#" in text:
        text = COMMENT_LINE.sub(b"", text)
    if b"\0" in text:  # to some parsers a zero byte ends the cell, or the row
        text = text.replace(b"\0", _REPLACEMENT)
    text = _replace_invalid(text)
    if separator == b" ":  # runs of blanks are one separator
        text = text.replace(b"\t", b" ")
        while b"  " in text:
            text = text.replace(b"  ", b" ")
        if _has_outer_blanks(text):
            text = _OUTER_BLANKS.sub(b"", text)
    if _has_huge_exponent(text):  # it ends the process in the C parser of pandas
        text = _HUGE_EXPONENT.sub(rb"\g<0>?", text)
    if b'"' not in text:
        return text
    characters = np.frombuffer(text + b"\n", np.uint8)
    ends = np.flatnonzero(np.isin(characters, list(_NEWLINES)))
    quoted_at = np.flatnonzero(characters == ord('"'))
    # in a well-formed row, every second quotation mark stands at the end of a field
    closing = np.isin(characters[quoted_at + 1], list(separator + _NEWLINES))
    balance = np.bincount(np.searchsorted(ends, quoted_at), 1.0 - 2.0 * closing)
    starts = np.concatenate([[0], ends + 1])
    parts, done = [], 0
    for row in np.flatnonzero(balance).tolist():
        start, stop = int(starts[row]), int(ends[row])
        parts += [text[done:start], _escape_row(text[start:stop], separator)]
        done = stop
    return b"".join([*parts, text[done:]])


def _has_outer_blanks(text: bytes) -> bool:
    """Return whether a row begins or ends with a blank."""
    characters = np.frombuffer(text, np.uint8)
    blank, end = characters == ord(" "), characters <= ord("\r")
    beside = (end[:-1] & blank[1:]) | (blank[:-1] & end[1:])
    return bool(beside.any()) or text[:1] == b" " or text[-1:] == b" "


def _has_huge_exponent(text: bytes) -> bool:
    """Return whether four digits follow the letter of an exponent, perhaps after a sign."""
    if b"e" not in text and b"E" not in text:
        return False
    characters = np.frombuffer(text + bytes(6), np.uint8)
    letters = np.flatnonzero(characters | 0x20 == ord("e"))
    at = letters + 1 + np.isin(characters[letters + 1], list(b"+-"))
    for _ in range(4):
        at = at[characters[at] - ord("0") < 10]
        at += 1
    return len(at) > 0


def _replace_invalid(text: bytes) -> bytes:
    """Return valid UTF-8; the parser of pandas takes four times as long if it must replace."""
    return text if text.isascii() else text.decode("utf-8", "replace").encode()


def _escape_row(row: bytes, separator: bytes) -> bytes:
    """Insert a blank before each quotation mark that opens a field which never closes."""
    parts, done, start = [], 0, 0
    while start >= 0:
        end = start
        if row.startswith(b'"', start):
            end = _closing_mark(row, start)
            if end < 0:
                parts += [row[done:start], b" "]
                done = end = start
        start = row.find(separator, end)
        start += 1 if start >= 0 else 0
    return b"".join([*parts, row[done:]])


def _closing_mark(row: bytes, start: int) -> int:
    """Return the place of the quotation mark that closes a field; -1 if there is none."""
    # a loop, because repeated groups that never backtrack hang in the regular expressions of
    # Python 3.11.0 to 3.11.4
    end = row.find(b'"', start + 1)
    while end >= 0 and row.startswith(b'"', end + 1):
        end = row.find(b'"', end + 2)
    return end
