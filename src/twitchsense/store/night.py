"""The night file: what came over the air, as it came, in one SQLite database.

Raw frames and what is needed to place and judge them, and nothing that was worked out
from them, so that a better decoder can read an old night again. Rows are only added.
The write-ahead log with full synchronisation survives a killed process and lets others
read while it is written.
"""

from __future__ import annotations

import sqlite3
import struct
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from twitchsense.errors import InputError, TwitchsenseError

APPLICATION_ID: Final = 0x54574E54
SCHEMA: Final = 1
#: Pages of the log before it is folded into the database: about 4 MB, 15 minutes.
_CHECKPOINT_PAGES: Final = 1000
_MAX_DAMAGED: Final = 1000  # damaged frames kept for a look; more are only counted

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE device (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, address TEXT NOT NULL,
    name TEXT NOT NULL, serial TEXT NOT NULL, firmware TEXT NOT NULL, info BLOB NOT NULL);
CREATE TABLE boot (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device, count INTEGER NOT NULL,
    UNIQUE (device, count));
CREATE TABLE start (
    id INTEGER PRIMARY KEY, boot INTEGER NOT NULL REFERENCES boot, seq INTEGER NOT NULL,
    time_ns INTEGER NOT NULL);
CREATE TABLE packet (
    id INTEGER PRIMARY KEY, boot INTEGER NOT NULL REFERENCES boot, seq INTEGER NOT NULL,
    arrival_ns INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL, UNIQUE (boot, seq));
CREATE TABLE clock (
    id INTEGER PRIMARY KEY, boot INTEGER NOT NULL REFERENCES boot, ticks INTEGER NOT NULL,
    sent_ns INTEGER NOT NULL, received_ns INTEGER NOT NULL);
CREATE TABLE loss (
    id INTEGER PRIMARY KEY, boot INTEGER NOT NULL REFERENCES boot, first INTEGER NOT NULL,
    last INTEGER, reason TEXT NOT NULL, time_ns INTEGER NOT NULL);
CREATE TABLE link (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, time_ns INTEGER NOT NULL,
    event TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE marker (id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE damaged (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, time_ns INTEGER NOT NULL,
    reason TEXT NOT NULL, data BLOB NOT NULL);
"""


class StorageError(TwitchsenseError):
    """The night file could not be written: nothing of the batch is in it."""


@dataclass(frozen=True, slots=True)
class Device:
    """A wearable, as it described itself."""

    key: str
    address: str
    name: str
    serial: str
    firmware: str
    info: bytes


@dataclass(frozen=True, slots=True)
class Boot:
    """One life of a device's counters."""

    device: str
    count: int


@dataclass(frozen=True, slots=True)
class Start:
    """The first frame of a boot that belongs to this night."""

    boot: Boot
    seq: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame that came, byte for byte."""

    boot: Boot
    seq: int
    arrival_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A device's tick counter, asked for and answered between two host times."""

    boot: Boot
    ticks: int
    sent_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that will never come; `last` is None where nobody knows how many."""

    boot: Boot
    first: int
    last: int | None
    reason: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """What happened to the connection."""

    device: str
    time_ns: int
    event: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment someone wanted to remember."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that were no frame, and why."""

    device: str
    time_ns: int
    reason: str
    data: bytes


Record = Device | Start | Packet | ClockReading | Loss | LinkEvent | Marker | Damaged


def packet_crc(seq: int, arrival_ns: int, data: bytes) -> int:
    """Return the checksum of a stored packet, which covers its place and time too."""
    return zlib.crc32(data, zlib.crc32(struct.pack("<qq", seq, arrival_ns)))


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open an existing night file and check that it is one.

    Raises
    ------
    InputError
        If it is damaged, foreign, or of a later version.
    """
    source = str(path)
    # a name may hold characters that a URI reads otherwise: let pathlib quote them
    uri = path.absolute().as_uri()
    try:
        db = sqlite3.connect(
            f"{uri}?mode={'rw' if write else 'ro'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
        )
    except sqlite3.Error as error:
        raise InputError(source, f"cannot be opened ({error})", "check path and rights") from error
    try:
        try:
            application = db.execute("PRAGMA application_id").fetchone()[0]
        except sqlite3.OperationalError:
            if write:
                raise
            # a read-only place without the log's index: nobody is writing there
            db.close()
            db = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            application = db.execute("PRAGMA application_id").fetchone()[0]
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        db.close()
        raise damaged(path, error) from error
    wanted = {line.split()[2] for line in _TABLES.splitlines() if line.startswith("CREATE")}
    try:
        if application != APPLICATION_ID:
            raise InputError(source, "is no night file", "give a file made by twitchsense record")
        if schema > SCHEMA:
            raise InputError(
                source,
                f"was written by a later version (schema {schema}, we know {SCHEMA})",
                "update twitchsense",
            )
        if schema < 1 or not wanted <= tables:
            raise InputError(source, "is damaged: tables are missing", "restore it from a copy")
    except InputError:
        db.close()
        raise
    return db


def damaged(path: Path, error: Exception) -> InputError:
    """Return the one error for bytes that are no sound database."""
    return InputError(
        str(path), f"is no night file, or is damaged ({error})", "restore it from a copy"
    )


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
        If the file exists and is no night file.
    StorageError
        If it can't be made or written.
    """

    def __init__(self, path: Path, meta: dict[str, str] | None = None) -> None:
        self.path = path
        self.resumed = path.exists() and path.stat().st_size > 0
        if not self.resumed:
            _create(path, meta or {})
        self._db = connect(path, write=True)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            # find out now, not after the first second of a night, that it can't be written
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._db.close()
            raise _cannot_write(path, error) from error
        self._lock = Lock()
        self._boots: dict[Boot, int] = {}
        self._damaged = self._db.execute("SELECT count(*) FROM damaged").fetchone()[0]

    def meta(self) -> dict[str, str]:
        """Return what was noted when the file was made."""
        return dict(self._select("SELECT key, value FROM meta"))

    def is_closed(self, boot: Boot) -> bool:
        """Tell whether it is noted that no more frames of a boot will come."""
        rows = self._select(
            "SELECT 1 FROM loss JOIN boot ON boot.id = loss.boot "
            "JOIN device ON device.id = boot.device "
            "WHERE key = ? AND count = ? AND last IS NULL",
            (boot.device, boot.count),
        )
        return bool(rows)

    def start(self, boot: Boot) -> int | None:
        """Return the first frame of a boot that belongs to this night, if that is noted."""
        rows = self._select(
            "SELECT min(seq) FROM start JOIN boot ON boot.id = start.boot "
            "JOIN device ON device.id = boot.device WHERE key = ? AND count = ?",
            (boot.device, boot.count),
        )
        return None if rows[0][0] is None else int(rows[0][0])

    def known(self, boot: Boot) -> list[int]:
        """Return the sequence numbers that are stored of a boot, sorted."""
        rows = self._select(
            "SELECT seq FROM packet JOIN boot ON boot.id = packet.boot "
            "JOIN device ON device.id = boot.device WHERE key = ? AND count = ? ORDER BY seq",
            (boot.device, boot.count),
        )
        return [row[0] for row in rows]

    def losses(self, boot: Boot) -> list[tuple[int, int]]:
        """Return the ranges given up of a boot."""
        return self._select(
            "SELECT first, last FROM loss JOIN boot ON boot.id = loss.boot "
            "JOIN device ON device.id = boot.device "
            "WHERE key = ? AND count = ? AND last IS NOT NULL",
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
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise _cannot_write(self.path, error) from error
            self._boots = boots

    def close(self) -> None:
        """Fold the log into the file and close it."""
        with suppress(sqlite3.Error):  # someone reads it: then the log stays for now
            self._db.execute("PRAGMA busy_timeout = 1000")
            # without a log a finished night is one file, readable on a disk that is not writable
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def _select(self, sql: str, arguments: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:  # not in the middle of what another thread writes
            return self._db.execute(sql, arguments).fetchall()

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


def _create(path: Path, meta: dict[str, str]) -> None:
    """Make an empty night file under another name first: it is whole or not there."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        db = sqlite3.connect(draft, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN")
            for statement in _TABLES.split(";\n")[:-1]:
                db.execute(statement)
            notes = {"created_ns": str(time.time_ns()), **meta}
            db.executemany("INSERT INTO meta VALUES (?, ?)", notes.items())
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()
        draft.replace(path)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: Exception) -> StorageError:
    return StorageError(f"{path}: cannot write the night ({error}); free space or choose another")
