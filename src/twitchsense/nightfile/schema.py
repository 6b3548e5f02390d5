"""The tables of a night file: made, opened, and checked to be what they should be."""

from __future__ import annotations

import sqlite3
import struct
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError, TwitchsenseError

APPLICATION_ID: Final = 0x54574E54
_BUSY_S: Final = 30.0

#: What each version of the schema added to the one before; steps are only ever appended.
_STEPS: Final = (
    """
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
""",
    """
CREATE TABLE battery (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, time_ns INTEGER NOT NULL,
    percent INTEGER NOT NULL);
""",
)
SCHEMA: Final = len(_STEPS)


class StorageError(TwitchsenseError):
    """The night file could not be written: nothing of the batch is in it."""


def packet_crc(seq: int, arrival_ns: int, data: bytes) -> int:
    """Return the checksum of a stored packet, which covers its place and time too."""
    return zlib.crc32(data, zlib.crc32(struct.pack("<qq", seq, arrival_ns)))


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open an existing night file and check that it is one.

    Raises
    ------
    InputError
        If it is damaged, foreign, or of a later version.
    StorageError
        If it is to be written and can't be.
    """
    source = str(path)
    # a name may hold characters that a URI reads otherwise: let pathlib quote them
    uri = path.absolute().as_uri()
    try:
        try:
            db, application = _open(f"{uri}?mode={'rw' if write else 'ro'}")
        except sqlite3.OperationalError as error:
            if write:
                raise cannot_write(path, error) from error
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise InputError(
                    source,
                    f"its last minutes are in {log.name}, which can't be used here ({error})",
                    "copy both to a folder that can be written",
                ) from error
            # a read-only place without the log's index: nobody is writing there
            db, application = _open(f"{uri}?mode=ro&immutable=1")
    except sqlite3.OperationalError as error:
        raise InputError(source, f"cannot be opened ({error})", "check path and rights") from error
    except sqlite3.Error as error:
        raise damaged(path, error) from error
    try:
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        db.close()
        raise damaged(path, error) from error
    steps = "".join(_STEPS[: max(schema, 0)])
    wanted = {line.split()[2] for line in steps.splitlines() if line.startswith("CREATE")}
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


def upgrade(db: sqlite3.Connection) -> None:
    """Give a file of an earlier version the tables that it lacks.

    Its rows stay as they are. An interrupted upgrade leaves the file as it was.
    """
    if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
        return
    db.execute("BEGIN IMMEDIATE")
    _climb(db)
    db.execute("COMMIT")


def _climb(db: sqlite3.Connection) -> None:
    """Take the steps that are missing, inside a transaction."""
    schema = db.execute("PRAGMA user_version").fetchone()[0]
    for statement in "".join(_STEPS[schema:]).split(";\n")[:-1]:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def _open(uri: str) -> tuple[sqlite3.Connection, int]:
    """Return a connection, and the application that made the file: SQLite opens it only then."""
    db = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_S
    )
    try:
        return db, int(db.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error:
        db.close()
        raise


def damaged(path: Path, error: Exception) -> InputError:
    """Return the one error for bytes that are no sound database."""
    return InputError(
        str(path), f"is no night file, or is damaged ({error})", "restore it from a copy"
    )


def create(path: Path, meta: dict[str, str]) -> None:
    """Make an empty night file under another name first: it is whole or not there."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        db = sqlite3.connect(draft, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN")
            _climb(db)
            notes = {"created_ns": str(time.time_ns()), **meta}
            db.executemany("INSERT INTO meta VALUES (?, ?)", notes.items())
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()
        draft.replace(path)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: Exception) -> StorageError:
    """Return the one error for a place that takes no night."""
    return StorageError(f"{path}: cannot write the night ({error}); free space or choose another")
