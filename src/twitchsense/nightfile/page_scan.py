"""Finds the rows in the pages of a damaged night file, without SQLite.

Every page is searched by itself (https://www.sqlite.org/fileformat2.html): first along its cell
pointers, then, in the bytes that no sound cell covers, for headers of records. So neither the
tree of the pages nor the head of a page is needed. A row counts only if its types and checksum
are right; a row without a checksum, of an earlier schema, only along intact pointers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twitchsense.nightfile.lock import beside
from twitchsense.nightfile.row_format import (
    DESCRIPTIONS,
    RECEIVED,
    TABLES,
    WITHOUT_ID,
    Cell,
    Row,
    is_sound,
)

#: Page size of a file whose header is damaged: that of all night files.
_PAGE_SIZE: Final = 4096
_PAGE_SIZES: Final = tuple(1 << n for n in range(9, 17))
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
#: Bytes after a page that are searched too: moved bytes may hold a record across its end.
_FOLLOWING: Final = 600
_TABLE_LEAF: Final = 0x0D
_INDEX_LEAF: Final = 0x0A
_INDEX_INTERIOR: Final = 0x02
#: Start of the record of a table with ``id``: size of the header, and type NULL for the id.
_RECORD_START: Final = re.compile(rb"[\x03-\x0f]\x00")
#: Bytes of integers, by their type in the header of a record.
_INT_SIZES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
#: Lower limit (ns) of times in rows without a checksum; a checksum read as a time is below it.
_MIN_UNCHECKED_TIME_NS: Final = 2**33
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that was found in a page.

    Attributes
    ----------
    table : str
    row_id : int
        0 in a table without ``id``, and where it is not known of a packet or value.
    cells : tuple
        All columns but ``id`` and ``crc``.
    has_crc : bool
        Whether it has a checksum.
    """

    table: str
    row_id: int
    cells: Row
    has_crc: bool


def find_rows(path: Path, *, log_only: bool = False) -> Iterator[FoundRow]:
    """Yield the rows of a night file and of its log; a row may be found several times.

    Parameters
    ----------
    path : Path
        It is only read. The log, with ``-wal`` added to the name, may be missing.
    log_only : bool
        Whether to search only the log.

    Yields
    ------
    FoundRow

    Raises
    ------
    OSError
        If it cannot be read.
    """
    pages = _Pages(path, log_only=log_only)
    try:
        for content in pages:
            if not content.strip(b"\0"):  # a hole: billions of bytes cost seconds
                continue
            yield from _rows_of_page(content, pages)
    finally:
        pages.close()


class _Pages:
    """The pages of a database and of its log."""

    def __init__(self, path: Path, *, log_only: bool) -> None:
        self._file = io.BytesIO() if log_only else path.resolve().open("rb")
        log = beside(path, "-wal")
        self._log = log.open("rb") if log.is_file() else None
        self.size = self._find_size()
        #: Offset of the newest version of each page in the log.
        self._in_log = {number: at for at, number in self._frames()}

    def close(self) -> None:
        self._file.close()
        if self._log is not None:
            self._log.close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each page with the bytes that follow it."""
        for at, _ in self._frames():
            assert self._log is not None
            self._log.seek(at)
            yield self._log.read(self.size + _FOLLOWING).ljust(self.size, b"\0")
        number = 0
        while True:
            self._file.seek(number * self.size)
            content = self._file.read(self.size + _FOLLOWING)
            if not content:
                return
            yield content.ljust(self.size, b"\0")  # the last page of a file may be cut
            number += 1

    def _frames(self) -> Iterator[tuple[int, int]]:
        """Yield the offset of each page in the log, and the number of the page."""
        at = _WAL_HEADER
        while self._log is not None:
            self._log.seek(at)
            header = self._log.read(_FRAME_HEADER)
            if len(header) < _FRAME_HEADER:
                return
            yield at + _FRAME_HEADER, int.from_bytes(header[:4], "big")
            at += _FRAME_HEADER + self.size

    def read(self, number: int) -> bytes:
        """Return a page by its number, or as much of it as there is."""
        if self._log is not None and number in self._in_log:
            self._log.seek(self._in_log[number])
            return self._log.read(self.size)
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size)

    def _find_size(self) -> int:
        """Return the stated page size, or the usual one if the pages contradict it."""
        stated = int.from_bytes(self._file.read(18)[16:], "big")
        stated = 65536 if stated == 1 else stated
        sizes = {_PAGE_SIZE, stated} & set(_PAGE_SIZES)
        return max(sizes, key=lambda size: (self._share_of_trees(size), size == _PAGE_SIZE))

    def _share_of_trees(self, size: int) -> float:
        """Return the share of pages that begin like a page of a tree."""
        kinds = []
        for number in range(1, 200):
            self._file.seek(number * size)
            kinds.append(self._file.read(1) in b"\x02\x05\x0a\x0d")
        return sum(kinds) / len(kinds)


def _rows_of_page(content: bytes, pages: _Pages) -> Iterator[FoundRow]:
    """Yield the rows of a page, which other bytes may follow."""
    page = content[: pages.size]
    start = 100 if page.startswith(b"SQLite format 3\0") else 0
    kind = page[start]
    covered: list[tuple[int, int]] = []
    if kind in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
        first = start + (12 if kind == _INDEX_INTERIOR else 8)
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        for at in range(first, min(first + 2 * count, len(page) - 1), 2):
            pointer = int.from_bytes(page[at : at + 2], "big")
            found = _read_cell(page, pointer, kind, pages)
            if found is not None:
                end, row = found
                covered.append((pointer, end))
                yield row
    at = 0
    stop = min(len(content), len(page) + _FRAME_HEADER)  # moved bytes may begin between pages
    for begin, end in [*sorted(covered), (stop, stop)]:
        if begin - at > 2:
            yield from _search(content, at, begin)
        at = max(at, end)


def _read_cell(page: bytes, at: int, kind: int, pages: _Pages) -> tuple[int, FoundRow] | None:
    """Return the end of a sound cell and its row; None if it is not sound, or not wanted."""
    try:
        if kind == _INDEX_INTERIOR:
            at += 4
        size, at = _varint(page, at)
        row_id = 0
        if kind == _TABLE_LEAF:
            row_id, at = _varint(page, at)
        elif page[at] == 4 and page[at + 1] < 12:
            return None  # an index of numbers: a packet's boot, number and row
        local = _local_size(size, len(page), kind == _TABLE_LEAF)
        payload = page[at : at + local]
        if local < size:
            payload += _overflow(
                int.from_bytes(page[at + local : at + local + 4], "big"), size - local, pages
            )
        values = _decode_record(payload)
    except (IndexError, ValueError):
        return None
    if values is None:
        return None
    row = _identify(values, row_id) if kind == _TABLE_LEAF else _identify_copy(values)
    if row is None:
        return None
    return at + local + (4 if local < size else 0), row


def _search(page: bytes, start: int, stop: int) -> Iterator[FoundRow]:
    """Yield the rows with a right checksum in bytes that no cell covers."""
    for match in _RECORD_START.finditer(page, start, stop):
        at = match.start()
        try:
            values = _decode_record(page[at:], cut=True)
        except (IndexError, ValueError):
            continue
        if values is None:
            continue
        for row_id in _row_ids_before(page, at):
            row = _identify(values, row_id)
            if row is not None and row.has_crc:
                yield row
                break


def _row_ids_before(page: bytes, at: int) -> Iterator[int]:
    """Yield the numbers that the varint before a record may hold; first 0, if it is lost."""
    yield 0
    for length in range(1, 6):
        try:
            row_id, end = _varint(page, at - length)
        except IndexError:
            return
        if at >= length and end == at:
            yield row_id


def _identify(values: list[Cell], row_id: int) -> FoundRow | None:
    """Return the row of a table whose record has these values."""
    for table in _TABLES_BY_COUNT.get(len(values), ()):
        cells = tuple(values[table not in WITHOUT_ID :])
        stated_id = None if table in WITHOUT_ID else row_id
        if table not in WITHOUT_ID and values[0] is not None:
            continue
        if isinstance(cells[-1], int) and is_sound(table, stated_id, cells[:-1], cells[-1]):
            return FoundRow(table, row_id, cells[:-1], has_crc=True)
    for table in _TABLES_BY_COUNT.get(len(values) + 1, ()):
        cells = tuple(values[table not in WITHOUT_ID :])
        if table in RECEIVED or (table not in WITHOUT_ID and values[0] is not None):
            continue
        if is_sound(table, row_id, cells, None) and _has_plausible_times(table, cells):
            return FoundRow(table, row_id, cells, has_crc=False)
    return None


def _identify_copy(values: list[Cell]) -> FoundRow | None:
    """Return the row of a table whose record in an index has these values."""
    *cells, row_id = values
    if not isinstance(row_id, int):
        return None
    if len(cells) == 1 and isinstance(cells[0], str) and _UUID.fullmatch(cells[0]):
        return FoundRow("characteristic", row_id, (cells[0],), has_crc=False)
    for table in DESCRIPTIONS:
        if len(cells) != len(TABLES[table]) + 1 or not isinstance(cells[-1], int):
            continue
        stated_id = None if table in WITHOUT_ID else row_id
        if is_sound(table, stated_id, tuple(cells[:-1]), cells[-1]):
            return FoundRow(table, row_id, tuple(cells[:-1]), has_crc=True)
    return None


def _has_plausible_times(table: str, cells: Row) -> bool:
    return all(
        isinstance(cell, int) and cell >= _MIN_UNCHECKED_TIME_NS
        for name, cell in zip(TABLES[table], cells, strict=True)
        if name.endswith("_ns")
    )


def _decode_record(payload: bytes, *, cut: bool = False) -> list[Cell] | None:
    """Return the values of a record, or None if it is none that a night file holds.

    With `cut` the payload may be longer than the record.
    """
    header, at = _varint(payload, 0)
    if header > len(payload):
        return None
    types = []
    while at < header:
        kind, at = _varint(payload, at)
        types.append(kind)
    if at != header or len(types) not in _COUNTS:
        return None
    values: list[Cell] = []
    for kind in types:
        if kind >= 12:
            size = (kind - 12) // 2
            content = payload[at : at + size]
            if len(content) < size:
                return None
            values.append(content.decode() if kind % 2 else content)
        elif kind in _INT_SIZES:
            size = _INT_SIZES[kind]
            content = payload[at : at + size]
            values.append(int.from_bytes(content, "big", signed=True))
        elif kind in (0, 8, 9):
            size = 0
            values.append(None if kind == 0 else kind - 8)
        else:
            return None
        at += size
    if at > len(payload) or (at < len(payload) and not cut):
        return None
    return values


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length integer and the position after it."""
    value = 0
    for n in range(9):
        byte = data[at]
        at += 1
        if n == 8:
            return value << 8 | byte, at
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    raise AssertionError("a varint has at most nine bytes")


def _local_size(size: int, page_size: int, is_table: bool) -> int:
    """Return how many bytes of a payload are in the page of its cell."""
    most = page_size - 35 if is_table else (page_size - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (page_size - 12) * 32 // 255 - 23
    local = least + (size - least) % (page_size - 4)
    return local if local <= most else least


def _overflow(number: int, size: int, pages: _Pages) -> bytes:
    """Return the rest of a payload from its chain of overflow pages."""
    parts, left, seen = [], size, set()
    while left > 0 and number and number not in seen:
        seen.add(number)
        page = pages.read(number)
        parts.append(page[4 : 4 + left])
        left -= len(parts[-1])
        number = int.from_bytes(page[:4], "big")
    return b"".join(parts)


def _count_columns() -> dict[int, list[str]]:
    """Return the tables by the number of their columns, ``id`` and ``crc`` included."""
    tables: dict[int, list[str]] = {}
    for table, columns in TABLES.items():
        tables.setdefault(len(columns) + 1 + (table not in WITHOUT_ID), []).append(table)
    return tables


_TABLES_BY_COUNT: Final = _count_columns()
#: Numbers of columns of the records of a night file, copies in an index included.
_COUNTS: Final = frozenset(range(2, 10))
