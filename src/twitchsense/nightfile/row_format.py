"""The columns of each table of a night file with their types, and the checksums of its rows."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

#: What a column holds, or None.
Cell = int | str | bytes | None
Row = tuple[Cell, ...]

_NUMBER: Final = (int,)
_TEXT: Final = (str,)
_BYTES: Final = (bytes,)

#: Types of the columns of each table, without ``id`` and ``crc``, in the order of the file.
TABLES: Final[Mapping[str, Mapping[str, tuple[type, ...]]]] = {
    "meta": {"key": _TEXT, "value": _TEXT},
    "device": {
        "key": _TEXT, "address": _TEXT, "name": _TEXT, "serial": _TEXT, "firmware": _TEXT,
        "info": _BYTES,
    },
    "boot": {"device": _NUMBER, "count": _NUMBER},
    "start": {"boot": _NUMBER, "seq": _NUMBER, "time_ns": _NUMBER},
    "packet": {"boot": _NUMBER, "seq": _NUMBER, "arrival_ns": _NUMBER, "data": _BYTES},
    "clock": {"boot": _NUMBER, "ticks": _NUMBER, "sent_ns": _NUMBER, "received_ns": _NUMBER},
    "loss": {
        "boot": _NUMBER, "first": _NUMBER, "last": (int, type(None)), "reason": _TEXT,
        "time_ns": _NUMBER,
    },
    "link": {"device": _TEXT, "time_ns": _NUMBER, "event": _TEXT, "detail": _TEXT},
    "marker": {"time_ns": _NUMBER, "text": _TEXT},
    "damaged": {"device": _TEXT, "time_ns": _NUMBER, "reason": _TEXT, "data": _BYTES},
    "battery": {"device": _TEXT, "time_ns": _NUMBER, "percent": _NUMBER},
    "connection": {"device": _NUMBER, "time_ns": _NUMBER, "driver": _TEXT, "version": _NUMBER},
    "characteristic": {"uuid": _TEXT},
    "value": {
        "connection": _NUMBER, "number": _NUMBER, "characteristic": _NUMBER, "direction": _TEXT,
        "arrival_ns": _NUMBER, "data": _BYTES,
    },
    "device_setting": {"device": _NUMBER, "time_ns": _NUMBER, "key": _TEXT, "value": _TEXT},
    "host_clock": {"time_ns": _NUMBER, "wall_ns": _NUMBER, "ticks_ns": _NUMBER, "boot": _TEXT},
}  # fmt: skip
#: Tables whose rows have no ``id``.
WITHOUT_ID: Final = frozenset({"meta"})
#: Tables whose rows have a checksum in every schema.
RECEIVED: Final = frozenset({"packet", "value"})
#: Tables that say what the received bytes mean. An index over all columns holds a second copy.
DESCRIPTIONS: Final = (
    "meta", "device", "boot", "start", "marker", "connection", "characteristic", "device_setting",
)  # fmt: skip
#: Key of table ``meta`` under which a repaired night says what is missing in it.
REPAIR_NOTE: Final = "repaired"
#: Upper limit (exclusive) of numbers; a recorder never writes larger or negative ones.
MAX_NUMBER: Final = 2**62


def packet_crc(seq: int, arrival_ns: int, data: bytes, boot: int | None = None) -> int:
    """Return the checksum of a stored packet.

    Parameters
    ----------
    seq : int
        Sequence number.
    arrival_ns : int
        UTC of the arrival.
    data : bytes
    boot : int, optional
        Row of the boot. Files of schema 1 to 3 leave it out.

    Returns
    -------
    int
        CRC-32.
    """
    head = (
        struct.pack("<qq", seq, arrival_ns)
        if boot is None
        else struct.pack("<qqq", seq, arrival_ns, boot)
    )
    return zlib.crc32(data, zlib.crc32(head))


def row_crc(table: str, row_id: int | None, cells: Sequence[Cell]) -> int:
    """Return the checksum of a row of any table but ``packet``.

    Parameters
    ----------
    table : str
    row_id : int or None
        None in a table without ``id``.
    cells : sequence of int, str, bytes or None

    Returns
    -------
    int
        CRC-32 of the name of the table, the row number and all cells, with their types.
    """
    crc = zlib.crc32(table.encode())
    for cell in (row_id, *cells):
        if isinstance(cell, str):
            kind, content = b"t", cell.encode("utf-8", "surrogatepass")
        elif isinstance(cell, bytes):
            kind, content = b"b", cell
        else:
            kind, content = b"n", str(cell).encode()
        crc = zlib.crc32(kind + len(content).to_bytes(4, "little") + content, crc)
    return crc


def is_sound(table: str, row_id: int | None, cells: Row, crc: Cell) -> bool:
    """Return whether a row has the types of its table, and its checksum if there is one.

    Parameters
    ----------
    table : str
    row_id : int or None
        None in a table without ``id``.
    cells : tuple
        All columns but ``id`` and ``crc``.
    crc : int or None
        Rows written with schema 1 to 3 have None, except packets and values.

    Returns
    -------
    bool
    """
    types = TABLES[table].values()
    if len(cells) != len(types):
        return False
    if not all(isinstance(c, t) for c, t in zip(cells, types, strict=True)):
        return False
    if not all(0 <= c < MAX_NUMBER for c in cells if isinstance(c, int)):
        return False
    return any(crc == valid for valid in _valid_crcs(table, row_id, cells))


def _valid_crcs(table: str, row_id: int | None, cells: Row) -> Iterator[int | None]:
    """Yield the checksums that a row may have, in any schema."""
    match table, cells:
        case "packet", (int(boot), int(seq), int(arrival_ns), bytes(data)):
            yield packet_crc(seq, arrival_ns, data, boot)
            yield packet_crc(seq, arrival_ns, data)
        case "value", (_, int(number), _, _, int(arrival_ns), bytes(data)):
            yield row_crc(table, None, cells)
            yield packet_crc(number, arrival_ns, data)
        case _:
            yield None
            yield row_crc(table, row_id, cells)
