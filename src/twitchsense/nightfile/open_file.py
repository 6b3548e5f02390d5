"""A night file that is open for writing: its locks, its connection and its place.

A recorder writes for hours into a file that others can remove, move, replace or overwrite.
SQLite would go on writing, so the place and the content are checked before each commit.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.nightfile.lock import WriterLock, beside, lock_identity
from twitchsense.nightfile.page_scan import FoundRow
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.recovery import recover_log
from twitchsense.nightfile.row_format import DESCRIPTIONS, TABLES, WITHOUT_ID
from twitchsense.nightfile.schema import (
    DATABASE_ERRORS,
    connect,
    create,
    insert,
    migrate,
    write_error,
)

log = logging.getLogger(__name__)

#: Pages of the write-ahead log at which it is transferred to the database: about 4 MB, which
#: a wearable fills in about 15 minutes.
CHECKPOINT_PAGES: Final = 1000
#: Maximum time (ms) to wait for readers when the file is closed.
_CLOSE_TIMEOUT_MS: Final = 1000


class OpenNightFile:
    """A night file with one writer.

    Parameters
    ----------
    path : Path
        The file is created if it does not exist, and continued if it does.
    meta : dict of str to str
        Contents of table ``meta`` of a new file; what an existing one lacks is added.

    Attributes
    ----------
    path : Path
    db : sqlite3.Connection
    resumed : bool
        Whether the file existed.

    Raises
    ------
    InputError
        If the file exists and is not a night file, or has a writer already.
    StorageError
        If it cannot be created or written.
    """

    def __init__(self, path: Path, meta: dict[str, str]) -> None:
        self.path = path
        self._locks: list[WriterLock] = []
        #: Where the database was copied to, while it goes on in another file.
        self._copy: Path | None = None
        self._is_closed = False
        try:
            if _has_content(path):
                # writing into a damaged file, or over a damaged log, would lose what is in it
                NightFileReader(path).close()
            self._locks.append(WriterLock(path))
            self.resumed = _has_content(path)
            if not self.resumed:
                create(path, meta)
            identity = lock_identity(path)
            if identity is not None:
                self._locks.append(identity)
            self.db = _open(path)
            self._complete_meta(meta)
            self._found = path.stat()
            self._log_found = _stat_log(path)
            self._is_overwritten = False
            self._descriptions: list[FoundRow] = []
            (root,) = self.db.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'meta'"
            ).fetchone()
            (self._page_size,) = self.db.execute("PRAGMA page_size").fetchone()
            self._meta_at = (root - 1) * self._page_size
            self._meta_page = self._read_meta_page()
            self.keep_descriptions()
        except BaseException as error:
            self._release()
            if isinstance(error, OSError | sqlite3.Error):
                raise write_error(path, error) from error
            raise

    def is_in_place(self) -> bool:
        """Return whether the path still leads to the file that is open, with its content."""
        try:
            now = self.path.stat()
            if self._is_closed or not os.path.samestat(now, self._found):
                return False
            self._check_content(now)
        except OSError:
            return False
        return not self._is_overwritten

    def keep_descriptions(self) -> None:
        """Keep a copy in memory of the rows that say what the packets mean."""
        found = []
        with suppress(*DATABASE_ERRORS):  # overwritten just now: the older copy stays
            for table in DESCRIPTIONS:
                n_ids = 0 if table in WITHOUT_ID else 1
                names = ", ".join([*["id"][:n_ids], *TABLES[table]])
                for row in self.db.execute(f"SELECT {names} FROM {table}"):
                    row_id = row[0] if n_ids else 0
                    found.append(FoundRow(table, row_id, row[n_ids:], has_crc=True))
            self._descriptions = found

    def _complete_meta(self, meta: dict[str, str]) -> None:
        """Add what table ``meta`` lacks: a night that was repaired may have lost its rows."""
        known = {row[0] for row in self.db.execute("SELECT key FROM meta")}
        for key in meta.keys() - known:
            insert(self.db, "meta", (key, meta[key]))

    def _check_content(self, now: os.stat_result) -> None:
        """Find out whether another program wrote into the file, if it has changed.

        The file itself changes when the log is transferred, and only grows then. Table ``meta``
        stays as it is.
        """
        if (now.st_mtime_ns, now.st_size) == (self._found.st_mtime_ns, self._found.st_size):
            return
        if now.st_size < self._found.st_size or self._read_meta_page() != self._meta_page:
            self._is_overwritten = True
        self._found = now

    def _read_meta_page(self) -> bytes:
        """Return the page of table ``meta``, as it is on the disk."""
        with self.path.open("rb") as file:
            file.seek(self._meta_at)
            return file.read(self._page_size)

    def continue_elsewhere(self) -> OpenNightFile:
        """Copy everything that was written to a new file, and close this one.

        The file that is open can be read even if it was removed. The new file has the same
        name if that is free, and otherwise a number behind it.

        Returns
        -------
        OpenNightFile
            The new file.

        Raises
        ------
        StorageError
            If it cannot be created. The method can be called again.
        """
        path = next(p for p in _names(self.path) if not os.path.lexists(p))
        try:
            if self._copy is None:
                copy = self.path.with_name(self.path.name + ".moved")
                self._copy = self._recover_to(copy) if self._is_overwritten else self._copy_to(copy)
            self._close_without_log()
            self._copy = self._copy.rename(path)
            successor = OpenNightFile(path, {})
        except (sqlite3.Error, OSError, InputError) as error:
            raise write_error(path, error) from error
        if self._is_overwritten:
            log.error(
                "%s was overwritten by another program while it is recorded: the recording goes on "
                "in %s, which holds only the last minutes of what was recorded before",
                self.path,
                path,
            )
        else:
            log.error(
                "%s was removed, moved or replaced while it is recorded: the recording goes on in "
                "%s, which also holds what was recorded before",
                self.path,
                path,
            )
        return successor

    def close(self) -> None:
        """Transfer the log to the database and close the file."""
        if self._is_closed:
            return
        if not self.is_in_place():
            self._close_without_log()
            return
        with suppress(sqlite3.Error):  # while another process reads the file, the log stays
            self.db.execute(f"PRAGMA busy_timeout = {_CLOSE_TIMEOUT_MS}")
            # without a log, a finished night is one file and readable on a read-only disk
            self.db.execute("PRAGMA journal_mode = DELETE")
        self.db.close()
        self._release()

    def _copy_to(self, path: Path) -> Path:
        """Copy the database with its log."""
        try:
            path.unlink(missing_ok=True)
            copy = sqlite3.connect(path)
            try:
                self.db.backup(copy)
            finally:
                copy.close()
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return path

    def _recover_to(self, path: Path) -> Path:
        """Copy what is known without the file: its log, and the descriptions in memory."""
        path.unlink(missing_ok=True)
        recover_log(self.path, path, self._descriptions)
        return path

    def _close_without_log(self) -> None:
        """Close the database that lost its place; the log of another file stays."""
        if self._is_closed:
            return
        self._is_closed = True
        now, ours = _stat_log(self.path), self._log_found
        is_ours = now is not None and ours is not None and os.path.samestat(now, ours)
        if self._is_overwritten or (now is not None and not is_ours):
            # SQLite would transfer its log into the file of another program, or delete the log of
            # another night: stay open until the process ends
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.db))
        else:
            self.db.close()
        if is_ours:
            # it stays while another process reads, and must not be taken for that of a new file
            for suffix in ("-wal", "-shm"):
                with suppress(OSError):
                    beside(self.path, suffix).unlink(missing_ok=True)
        self._release()

    def _release(self) -> None:
        while self._locks:
            self._locks.pop().release()


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _names(path: Path) -> list[Path]:
    """Return a name and the names with a number behind it."""
    stem = path.stem
    return [path, *(path.with_name(f"{stem}-{number}{path.suffix}") for number in range(2, 1000))]


def _stat_log(path: Path) -> os.stat_result | None:
    """Return the state of the log of a file, or None if there is none."""
    try:
        return beside(path, "-wal").stat()
    except OSError:
        return None


def _open(path: Path) -> sqlite3.Connection:
    """Open a file for writing, and migrate it to the current schema."""
    db = connect(path, write=True)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        # fail now, and not after the first second of the night, if it cannot be written
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
        migrate(db)
    except sqlite3.Error as error:
        db.close()
        raise write_error(path, error) from error
    return db
