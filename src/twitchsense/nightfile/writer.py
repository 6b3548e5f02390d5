"""The night file: what came over the air, as it came, in one SQLite database.

Raw frames and what is needed to place and judge them, and nothing that was worked out
from them, so that a better decoder can read an old night again. Rows are only added.
The write-ahead log with full synchronisation survives a killed process and lets others
read while it is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from twitchsense.errors import TwitchsenseError
from twitchsense.nightfile.lock import WriterLock
from twitchsense.nightfile.records import (
    Battery,
    Boot,
    ClockReading,
    Damaged,
    Device,
    LinkEvent,
    Loss,
    Marker,
    Packet,
    Record,
    Start,
)
from twitchsense.nightfile.schema import (
    StorageError,
    cannot_write,
    connect,
    create,
    packet_crc,
    upgrade,
)

#: Pages of the log before it is folded into the database: about 4 MB, 15 minutes.
_CHECKPOINT_PAGES: Final = 1000
#: For rows that point at a boot by the column of that name.
_OF_BOOT: Final = (
    "JOIN boot ON boot.id = boot JOIN device ON device.id = boot.device WHERE key = ? AND count = ?"
)
_MAX_DAMAGED: Final = 1000  # damaged frames kept for a look; more are only counted


class NightFile:
    """A night being written.

    Parameters
    ----------
    path : Path
        Made if it does not exist; gone on with if it does.
    meta : mapping, optional
        Written when the file is made.

    Raises
    ------
    InputError
        If the file exists and is no night file, or is being written already.
    StorageError
        If it can't be made or written.
    """

    def __init__(self, path: Path, meta: dict[str, str] | None = None) -> None:
        self.path = path
        try:
            self._writer = WriterLock(path)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            self.resumed = path.exists() and path.stat().st_size > 0
            if not self.resumed:
                create(path, meta or {})
            self._db = _open(path)
        except BaseException:
            self._writer.release()
            raise
        self._lock = Lock()
        self._boots: dict[Boot, int] = {}
        self._damaged = self._db.execute("SELECT count(*) FROM damaged").fetchone()[0]

    def meta(self) -> dict[str, str]:
        """Return what was noted when the file was made."""
        return dict(self._select("SELECT key, value FROM meta"))

    def is_closed(self, boot: Boot) -> bool:
        """Tell whether it is noted that no more frames of a boot will come."""
        rows = self._select(
            f"SELECT 1 FROM loss {_OF_BOOT} AND last IS NULL", (boot.device, boot.count)
        )
        return bool(rows)

    def start(self, boot: Boot) -> int | None:
        """Return the first frame of a boot that belongs to this night, if that is noted."""
        rows = self._select(f"SELECT min(seq) FROM start {_OF_BOOT}", (boot.device, boot.count))
        return None if rows[0][0] is None else int(rows[0][0])

    def known(self, boot: Boot) -> list[int]:
        """Return the sequence numbers that are stored of a boot, sorted."""
        rows = self._select(
            f"SELECT seq FROM packet {_OF_BOOT} ORDER BY seq", (boot.device, boot.count)
        )
        return [row[0] for row in rows]

    def stop(self, boot: Boot) -> int:
        """Return one past the highest sequence number that is stored of a boot, or 0."""
        rows = self._select(f"SELECT max(seq) FROM packet {_OF_BOOT}", (boot.device, boot.count))
        return 0 if rows[0][0] is None else int(rows[0][0]) + 1

    def losses(self, boot: Boot) -> list[tuple[int, int]]:
        """Return the ranges given up of a boot."""
        return self._select(
            f"SELECT first, last FROM loss {_OF_BOOT} AND last IS NOT NULL",
            (boot.device, boot.count),
        )

    def boots(self, device: str) -> list[int]:
        """Return the boot counts seen of a device, in order of time."""
        rows = self._select(
            "SELECT count FROM boot JOIN device ON device.id = boot.device "
            "WHERE key = ? ORDER BY boot.id",
            (device,),
        )
        return [row[0] for row in rows]

    def write(self, records: Iterable[Record]) -> None:
        """Add records in one transaction; on return they are on the disk.

        Raises
        ------
        StorageError
            If the disk is full or fails: then none of them is in the file.
        """
        with self._lock:
            boots = dict(self._boots)
            try:
                self._db.execute("BEGIN IMMEDIATE")
                for record in records:
                    self._add(record, boots)
                self._db.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise cannot_write(self.path, error) from error
                raise
            self._boots = boots

    def close(self) -> None:
        """Fold the log into the file and close it."""
        with suppress(sqlite3.Error):  # someone reads it: then the log stays for now
            self._db.execute("PRAGMA busy_timeout = 1000")
            # without a log a finished night is one file, readable on a disk that is not writable
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()
        self._writer.release()

    def _select(self, sql: str, arguments: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:  # not in the middle of what another thread writes
            try:
                return self._db.execute(sql, arguments).fetchall()
            except sqlite3.Error as error:
                raise StorageError(f"{self.path}: cannot read the night ({error})") from error

    def _add(self, record: Record, boots: dict[Boot, int]) -> None:
        run = self._db.execute
        match record:
            case Packet(boot, seq, arrival, data):
                # the same frame twice is one frame
                run(
                    "INSERT OR IGNORE INTO packet (boot, seq, arrival_ns, data, crc) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (self._boot(boot, boots), seq, arrival, data, packet_crc(seq, arrival, data)),
                )
            case Start(boot, seq, at):
                run(
                    "INSERT INTO start (boot, seq, time_ns) VALUES (?, ?, ?)",
                    (self._boot(boot, boots), seq, at),
                )
            case ClockReading(boot, ticks, sent, received):
                run(
                    "INSERT INTO clock (boot, ticks, sent_ns, received_ns) VALUES (?, ?, ?, ?)",
                    (self._boot(boot, boots), ticks, sent, received),
                )
            case Loss(boot, first, last, reason, at):
                run(
                    "INSERT INTO loss (boot, first, last, reason, time_ns) VALUES (?, ?, ?, ?, ?)",
                    (self._boot(boot, boots), first, last, reason, at),
                )
            case LinkEvent(device, at, event, detail):
                run(
                    "INSERT INTO link (device, time_ns, event, detail) VALUES (?, ?, ?, ?)",
                    (device, at, event, detail),
                )
            case Battery(device, at, percent):
                run(
                    "INSERT INTO battery (device, time_ns, percent) VALUES (?, ?, ?)",
                    (device, at, percent),
                )
            case Marker(at, text):
                run("INSERT INTO marker (time_ns, text) VALUES (?, ?)", (at, text))
            case Damaged(device, at, reason, data):
                self._damaged += 1
                if self._damaged <= _MAX_DAMAGED:
                    run(
                        "INSERT INTO damaged (device, time_ns, reason, data) VALUES (?, ?, ?, ?)",
                        (device, at, reason, data[:512]),
                    )
            case Device():
                run(
                    "INSERT INTO device (key, address, name, serial, firmware, info) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                    (
                        record.key,
                        record.address,
                        record.name,
                        record.serial,
                        record.firmware,
                        record.info,
                    ),
                )

    def _boot(self, boot: Boot, boots: dict[Boot, int]) -> int:
        if boot not in boots:
            run = self._db.execute
            found = run("SELECT id FROM device WHERE key = ?", (boot.device,)).fetchone()
            if found is None:
                raise TwitchsenseError(f"a packet of the unknown device {boot.device}")
            place = (found[0], boot.count)
            run("INSERT OR IGNORE INTO boot (device, count) VALUES (?, ?)", place)
            row = run("SELECT id FROM boot WHERE device = ? AND count = ?", place).fetchone()
            boots[boot] = row[0]
        return boots[boot]


def _open(path: Path) -> sqlite3.Connection:
    db = connect(path, write=True)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        # find out now, not after the first second of a night, that it can't be written
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
        upgrade(db)
    except sqlite3.Error as error:
        db.close()
        raise cannot_write(path, error) from error
    return db
