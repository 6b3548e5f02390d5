"""Writes a night file: the frames of a night as received, in one SQLite database.

The file holds raw frames and what is needed to decode them and to place them in time. It
holds nothing derived from them, so that a later decoder can read an old night again. Rows
are only added. The write-ahead log with full synchronisation survives a killed process, and
lets other processes read the file while it is written (docs/adr/0004-night-file.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from twitchsense.errors import TwitchsenseError
from twitchsense.nightfile.open_file import OpenNightFile
from twitchsense.nightfile.records import (
    BatteryReading,
    Boot,
    ClockReading,
    ConnectionStart,
    DamagedFrame,
    Device,
    DeviceSetting,
    FirstFrame,
    HostClockReading,
    LinkEvent,
    Loss,
    Marker,
    Packet,
    Record,
    Value,
)
from twitchsense.nightfile.row_format import is_sound, packet_crc, row_crc
from twitchsense.nightfile.schema import (
    StorageError,
    insert,
    write_error,
)

#: Joins a table with a column ``boot`` to its boot, by device key and boot count.
_OF_BOOT: Final = (
    "JOIN boot ON boot.id = boot JOIN device ON device.id = boot.device WHERE key = ? AND count = ?"
)
#: Records of which the open file keeps a copy in memory.
_DESCRIBING: Final = (Device, DeviceSetting, FirstFrame, Marker)
#: Maximum number of damaged frames that are stored.
_MAX_DAMAGED: Final = 1000
#: Maximum number of bytes stored of a damaged frame.
_MAX_DAMAGED_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class RecordedDevice:
    """What a night that is continued holds of a device.

    Attributes
    ----------
    key, name : str
        Key in the file; name, or the key without one.
    settings : dict of str to str
        What the user said of it: ``leg``, ``gain``, ...
    first_ns, last_ns : int
        Arrival of its first and its last data, by the clock of the recorder.
    """

    key: str
    name: str
    settings: dict[str, str]
    first_ns: int
    last_ns: int


class NightFileWriter:
    """Writes a night file. Its methods may be called from any thread.

    Parameters
    ----------
    path : Path
        The file is created if it does not exist, and continued if it does.
    meta : dict of str to str, optional
        Contents of table ``meta`` of a new file.

    Attributes
    ----------
    path : Path
        The file that is written now; see `write`.
    resumed : bool
        Whether the file existed.

    Raises
    ------
    InputError
        If the file exists and is not a night file, or has a writer already.
    StorageError
        If it cannot be created or written.
    """

    def __init__(self, path: Path, meta: dict[str, str] | None = None) -> None:
        self.path = path
        self._file = OpenNightFile(path, meta or {})
        self.resumed = self._file.resumed
        self._lock = Lock()
        self._rows: dict[Hashable, int] = {}
        self._damaged = self._db.execute("SELECT count(*) FROM damaged").fetchone()[0]

    def meta(self) -> dict[str, str]:
        """Return the contents of table ``meta``."""
        return dict(self._select("SELECT key, value FROM meta"))

    def is_boot_complete(self, boot: Boot) -> bool:
        """Return whether it is stored that no more frames of a boot will arrive."""
        rows = self._select(
            f"SELECT 1 FROM loss {_OF_BOOT} AND last IS NULL", (boot.device, boot.count)
        )
        return bool(rows)

    def first_seq(self, boot: Boot) -> int | None:
        """Return the first frame of a boot that belongs to the night; None if it is not stored."""
        rows = self._select(f"SELECT min(seq) FROM start {_OF_BOOT}", (boot.device, boot.count))
        return None if rows[0][0] is None else int(rows[0][0])

    def stored_seqs(self, boot: Boot) -> list[int]:
        """Return the sequence numbers of the stored frames of a boot, sorted."""
        rows = self._select(
            f"SELECT seq FROM packet {_OF_BOOT} ORDER BY seq", (boot.device, boot.count)
        )
        return [row[0] for row in rows]

    def next_seq(self, boot: Boot) -> int:
        """Return one past the highest sequence number stored of a boot; 0 if there is none."""
        rows = self._select(f"SELECT max(seq) FROM packet {_OF_BOOT}", (boot.device, boot.count))
        return 0 if rows[0][0] is None else int(rows[0][0]) + 1

    def lost_ranges(self, boot: Boot) -> list[tuple[int, int]]:
        """Return the first and last frame of each range of a boot that was given up."""
        return self._select(
            f"SELECT first, last FROM loss {_OF_BOOT} AND last IS NOT NULL",
            (boot.device, boot.count),
        )

    def boot_counts(self, device: str) -> list[int]:
        """Return the boot counts of a device, in order of recording."""
        rows = self._select(
            "SELECT count FROM boot JOIN device ON device.id = boot.device "
            "WHERE key = ? ORDER BY boot.id",
            (device,),
        )
        return [row[0] for row in rows]

    def settings(self, device: str) -> dict[str, str]:
        """Return what the user said of a device in the night so far; the latest of a key counts."""
        sql = (
            "SELECT device_setting.key, value FROM device_setting JOIN device "
            "ON device.id = device_setting.device WHERE device.key = ? ORDER BY device_setting.id"
        )
        return dict(self._select(sql, (device,)))

    def recorded_devices(self) -> list[RecordedDevice]:
        """Return the devices of the night so far, in the order of recording."""
        found = []
        for number, key, name in self._select("SELECT id, key, name FROM device ORDER BY id"):
            times = [
                time_ns
                for table, owner in (("packet", "boot"), ("value", "connection"))
                if self._select(f"SELECT 1 FROM {owner} WHERE device = ? LIMIT 1", (number,))
                for order in ("", "DESC")
                for (time_ns,) in self._select(
                    f"SELECT arrival_ns FROM {table} WHERE {owner} IN "
                    f"(SELECT id FROM {owner} WHERE device = ?) ORDER BY id {order} LIMIT 1",
                    (number,),
                )
            ]
            if times:
                found.append(
                    RecordedDevice(key, name or key, self.settings(key), min(times), max(times))
                )
        return found

    def last_host_clock(self) -> HostClockReading | None:
        """Return the last reading of the computer's clock, or None."""
        rows = self._select(
            "SELECT id, time_ns, wall_ns, ticks_ns, boot, crc FROM host_clock "
            "ORDER BY id DESC LIMIT 1"
        )
        for row_id, *cells, crc in rows:
            if is_sound("host_clock", row_id, tuple(cells), crc):
                return HostClockReading(*cells)
        return None

    def write(self, records: Iterable[Record]) -> None:
        """Add records in one transaction. On return they are on the disk.

        Parameters
        ----------
        records : iterable of Record
            A device must be written before records that refer to it.

        Raises
        ------
        StorageError
            If the disk is full or fails. The file then contains none of the records.
            If the file was removed, moved, replaced or overwritten, this method goes on in
            another, which holds everything written so far (of a file that was overwritten: what
            is in its log); its name is the new `path`.
        TwitchsenseError
            If a record refers to an unknown device. The file then contains none of the records.
        """
        with self._lock:
            if not self._file.is_in_place():
                self._file = self._file.continue_elsewhere()
                self.path = self._file.path
            rows, records = dict(self._rows), tuple(records)
            try:
                self._db.execute("BEGIN IMMEDIATE")
                for record in records:
                    self._add(record, rows)
                self._db.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise write_error(self.path, error) from error
                raise
            has_new = len(rows) != len(self._rows)
            self._rows = rows
            if has_new or any(isinstance(record, _DESCRIBING) for record in records):
                self._file.keep_descriptions()

    def is_in_place(self) -> bool:
        """Return whether the file is still at its path; `write` goes on in another if not."""
        return self._file.is_in_place()

    def is_empty(self) -> bool:
        """Return whether no device was connected and no marker set."""
        return not self._select("SELECT 1 FROM device UNION ALL SELECT 1 FROM marker LIMIT 1")

    def close(self) -> None:
        """Transfer the log to the database and close the file."""
        self._file.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.db

    def _select(self, sql: str, arguments: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:  # not during a transaction of another thread
            try:
                return self._db.execute(sql, arguments).fetchall()
            except sqlite3.Error as error:
                raise StorageError(f"{self.path}: cannot read the night ({error})") from error

    def _add(self, record: Record, rows: dict[Hashable, int]) -> None:
        """Insert a record, inside a transaction; `rows` caches the rows that it refers to."""
        execute = self._db.execute
        match record:
            case Packet(boot, seq, arrival, data):
                # a frame that is written twice is stored once
                boot_id = self._boot_id(boot, rows)
                execute(
                    "INSERT OR IGNORE INTO packet (boot, seq, arrival_ns, data, crc) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (boot_id, seq, arrival, data, packet_crc(seq, arrival, data, boot_id)),
                )
            case Value(connection, number, uuid, direction, arrival, data):
                value_row = (
                    self._connection_id(connection, rows),
                    number,
                    self._characteristic_id(uuid, rows),
                    direction,
                    arrival,
                    data,
                )
                execute(
                    "INSERT OR IGNORE INTO value (connection, number, characteristic, direction, "
                    "arrival_ns, data, crc) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*value_row, row_crc("value", None, value_row)),
                )
            case ConnectionStart():
                self._connection_id(record, rows)
            case DeviceSetting(device, at, key, value):
                insert(self._db, "device_setting", (self._device_id(device), at, key, value))
            case FirstFrame(boot, seq, at):
                insert(self._db, "start", (self._boot_id(boot, rows), seq, at))
            case ClockReading(boot, ticks, sent, received):
                insert(self._db, "clock", (self._boot_id(boot, rows), ticks, sent, received))
            case HostClockReading(at, wall, ticks, host_boot):
                insert(self._db, "host_clock", (at, wall, ticks, host_boot))
            case Loss(boot, first, last, reason, at):
                insert(self._db, "loss", (self._boot_id(boot, rows), first, last, reason, at))
            case LinkEvent(device, at, event, detail):
                insert(self._db, "link", (device, at, event, detail))
            case BatteryReading(device, at, percent):
                insert(self._db, "battery", (device, at, percent))
            case Marker(at, text):
                insert(self._db, "marker", (at, text))
            case DamagedFrame(device, at, reason, data):
                self._damaged += 1
                if self._damaged <= _MAX_DAMAGED:
                    insert(self._db, "damaged", (device, at, reason, data[:_MAX_DAMAGED_BYTES]))
            case Device(key, address, name, serial, firmware, info):
                if not self._db.execute("SELECT 1 FROM device WHERE key = ?", (key,)).fetchall():
                    insert(self._db, "device", (key, address, name, serial, firmware, info))

    def _boot_id(self, boot: Boot, rows: dict[Hashable, int]) -> int:
        """Return the row of a boot, which is added if it is new."""
        if boot not in rows:
            row = (self._device_id(boot.device), boot.count)
            rows[boot] = self._row("SELECT id FROM boot WHERE device = ? AND count = ?", row) or (
                insert(self._db, "boot", row)
            )
        return rows[boot]

    def _connection_id(self, start: ConnectionStart, rows: dict[Hashable, int]) -> int:
        """Return the row of a connection, which is added if it is new."""
        if start not in rows:
            device = self._device_id(start.device)
            rows[start] = self._row(
                "SELECT id FROM connection WHERE device = ? AND time_ns = ?",
                (device, start.time_ns),
            ) or insert(
                self._db, "connection", (device, start.time_ns, start.driver, start.version)
            )
        return rows[start]

    def _characteristic_id(self, uuid: str, rows: dict[Hashable, int]) -> int:
        """Return the row of a characteristic, which is added if it is new."""
        if uuid not in rows:
            rows[uuid] = self._row("SELECT id FROM characteristic WHERE uuid = ?", (uuid,)) or (
                insert(self._db, "characteristic", (uuid,))
            )
        return rows[uuid]

    def _device_id(self, key: str) -> int:
        row = self._db.execute("SELECT id FROM device WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise TwitchsenseError(f"a record of the unknown device {key}")
        return int(row[0])

    def _row(self, sql: str, arguments: tuple[str | int, ...]) -> int:
        """Return a row number; 0 if there is no such row."""
        row = self._db.execute(sql, arguments).fetchone()
        return 0 if row is None else int(row[0])
