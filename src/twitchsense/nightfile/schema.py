"""The tables of a night file: creating, opening, checking and migrating a file."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.nightfile.lock import beside
from twitchsense.nightfile.row_format import (
    DESCRIPTIONS,
    RECEIVED,
    TABLES,
    WITHOUT_ID,
    Cell,
    row_crc,
)

#: Identifies a night file among SQLite files (``PRAGMA application_id``).
APPLICATION_ID: Final = 0x54574E54
#: What SQLite raises on a damaged file; its messages may hold bytes that are no text.
DATABASE_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
#: Maximum time (s) to wait for another program that holds the file.
BUSY_TIMEOUT_S: Final = 30.0
#: The same, for a marker.
_MARKER_TIMEOUT_S: Final = 10.0

#: Statements that lead from each version of the schema to the next. Append only.
MIGRATIONS: Final = (
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
    """
CREATE TABLE connection (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device, time_ns INTEGER NOT NULL,
    driver TEXT NOT NULL, version INTEGER NOT NULL, UNIQUE (device, time_ns));
CREATE TABLE characteristic (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE);
CREATE TABLE value (
    id INTEGER PRIMARY KEY, connection INTEGER NOT NULL REFERENCES connection,
    number INTEGER NOT NULL, characteristic INTEGER NOT NULL REFERENCES characteristic,
    direction TEXT NOT NULL, arrival_ns INTEGER NOT NULL, data BLOB NOT NULL,
    crc INTEGER NOT NULL, UNIQUE (connection, number));
CREATE TABLE device_setting (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device, time_ns INTEGER NOT NULL,
    key TEXT NOT NULL, value TEXT NOT NULL);
""",
    # rows written before have no checksum
    "".join(
        f"ALTER TABLE {table} ADD COLUMN crc INTEGER;\n"
        for table in TABLES
        if table not in RECEIVED and table != "host_clock"
    )
    + "".join(
        f"CREATE INDEX {table}_copy ON {table} ({', '.join([*TABLES[table], 'crc'])});\n"
        for table in DESCRIPTIONS
    ),
    """
CREATE TABLE host_clock (
    id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
    ticks_ns INTEGER NOT NULL, boot TEXT NOT NULL, crc INTEGER);
""",
)
#: Version of the schema that is written (``PRAGMA user_version``).
SCHEMA: Final = len(MIGRATIONS)


class StorageError(TwitchsenseError):
    """The night file could not be written; it contains no record of the failed batch."""

    exit_status = 2


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open an existing night file, and check its schema.

    Parameters
    ----------
    path : Path
    write : bool
        Whether the file will be written.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode; it may be used from several threads, one at a time.

    Raises
    ------
    InputError
        If the file is damaged, not a night file, or of a later version.
    StorageError
        If `write` is set and the file cannot be written.
    """
    source = str(path)
    # pathlib quotes characters that have a meaning in a URI
    uri = path.absolute().as_uri()
    try:
        try:
            db, application = _open(f"{uri}?mode={'rw' if write else 'ro'}")
        except sqlite3.OperationalError as error:
            if write:
                raise write_error(path, error) from error
            log = beside(path, "-wal")
            if log.exists() and log.stat().st_size:
                raise InputError(
                    source,
                    f"its last minutes are in {log.name}, which can't be used here ({error})",
                    "copy both to a folder that can be written",
                ) from error
            # the index of the log cannot be created in a read-only folder; nobody writes there
            db, application = _open(f"{uri}?mode=ro&immutable=1")
    except sqlite3.OperationalError as error:
        raise InputError(
            source, f"cannot be opened ({error})", "check path and permissions"
        ) from error
    except DATABASE_ERRORS as error:
        raise damaged_error(path, error) from error
    try:
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except DATABASE_ERRORS as error:
        db.close()
        raise damaged_error(path, error) from error
    statements = "".join(MIGRATIONS[: max(schema, 0)])
    expected = set(re.findall(r"CREATE TABLE (\w+)", statements))
    try:
        if application != APPLICATION_ID:
            raise InputError(
                source,
                "is not a night file",
                f"give a file of twitchsense record; if it was one: {repair_command(path)}",
            )
        if schema > SCHEMA:
            raise InputError(
                source,
                f"was written by a later version (schema {schema}, newest known {SCHEMA})",
                f"update twitchsense; if it is damaged: {repair_command(path)}",
            )
        if schema < 1 or not expected <= tables:
            raise damaged_error(path, "tables are missing")
    except InputError:
        db.close()
        raise
    return db


def migrate(db: sqlite3.Connection) -> None:
    """Migrate a file of an earlier version to the current schema.

    Existing rows are kept. An interrupted migration leaves the file unchanged.

    Parameters
    ----------
    db : sqlite3.Connection
    """
    if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
        return
    db.execute("BEGIN IMMEDIATE")
    _apply_migrations(db)
    db.execute("COMMIT")


def _apply_migrations(db: sqlite3.Connection) -> None:
    """Execute the missing migrations, inside a transaction."""
    schema = db.execute("PRAGMA user_version").fetchone()[0]
    for statement in "".join(MIGRATIONS[schema:]).split(";\n")[:-1]:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def _open(uri: str) -> tuple[sqlite3.Connection, int]:
    """Return a connection and the application id; reading the id makes SQLite open the file."""
    db = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S
    )
    # bytes that are no text fail the checksum of their row, and not the whole query
    db.text_factory = lambda content: content.decode("utf-8", "replace")
    try:
        return db, int(db.execute("PRAGMA application_id").fetchone()[0])
    except DATABASE_ERRORS:
        db.close()
        raise


def damaged_error(path: Path, error: Exception | str) -> InputError:
    """Return the error for a file that is not an intact database."""
    return InputError(
        str(path),
        f"is not a night file, or is damaged ({error})",
        f"recover what is in it: {repair_command(path)}",
    )


def repair_command(path: Path) -> str:
    """Return the command line that repairs a night file, for messages."""
    return f"twitchsense repair {path.name} --out {path.stem}-repaired.night"


def create(path: Path, meta: dict[str, str]) -> None:
    """Create an empty night file.

    It is created under another name first, so that it is complete or does not exist.

    Parameters
    ----------
    path : Path
    meta : dict of str to str
        Contents of table ``meta``, besides ``created_ns``.

    Raises
    ------
    StorageError
        If the file cannot be created.
    """
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        db = sqlite3.connect(draft, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN")
            _apply_migrations(db)
            for row in {"created_ns": str(time.time_ns()), **meta}.items():
                insert(db, "meta", row)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()
        draft.replace(path)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise write_error(path, error) from error


def insert(db: sqlite3.Connection, table: str, cells: Sequence[Cell]) -> int:
    """Add a row with its checksum, inside a transaction.

    Parameters
    ----------
    db : sqlite3.Connection
        A file of the current schema.
    table : str
        Not ``packet`` or ``value``.
    cells : sequence
        All columns but ``id`` and ``crc``.

    Returns
    -------
    int
        Row number.
    """
    names = list(TABLES[table])
    row_id: int | None = None
    row = [*cells]
    if table not in WITHOUT_ID:
        (newest,) = db.execute(f"SELECT max(id) FROM {table}").fetchone()
        row_id = int(newest or 0) + 1
        names, row = ["id", *names], [row_id, *cells]
    placeholders = ", ".join("?" * (len(row) + 1))
    db.execute(
        f"INSERT INTO {table} ({', '.join(names)}, crc) VALUES ({placeholders})",
        (*row, row_crc(table, row_id, cells)),
    )
    return row_id or 0


def add_marker(path: Path, time_ns: int, text: str) -> None:
    """Store a marker in a night file, which another process may be writing.

    Parameters
    ----------
    path : Path
    time_ns : int
        UTC.
    text : str

    Raises
    ------
    InputError
        If it cannot be stored.
    """
    uri = path.absolute().as_uri() + "?mode=rw"
    try:
        db = sqlite3.connect(uri, uri=True, timeout=_MARKER_TIMEOUT_S, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
                insert(db, "marker", (time_ns, text))
            else:
                db.execute("INSERT INTO marker (time_ns, text) VALUES (?, ?)", (time_ns, text))
            db.execute("COMMIT")
        finally:
            db.close()
    except sqlite3.Error as error:
        raise InputError(
            str(path), f"the marker was not stored ({error})", "try again, or note the time"
        ) from error


def write_error(path: Path, error: Exception) -> StorageError:
    """Return the error for a file that cannot be written."""
    if not path.absolute().parent.is_dir():
        return StorageError(
            f"{path}: cannot be written (its folder does not exist); create it or choose another"
        )
    if "locked" in str(error):  # folders of a network may have no locks
        return StorageError(
            f"{path}: cannot be written ({error}); close the program that uses it, or choose a "
            "folder on a disk of this computer"
        )
    return StorageError(f"{path}: cannot be written ({error}); free disk space or choose another")
