"""Keeps two writers of one file apart, for as long as the first one lives."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from twitchsense.errors import InputError

log = logging.getLogger(__name__)


class WriterLock:
    """A lock beside a file, which the system takes back when its holder dies.

    Parameters
    ----------
    path : Path
        The file to be written; the lock is ``path`` with ``.lock`` added.

    Raises
    ------
    InputError
        If another process, or this one, writes the file already.
    OSError
        If no file can be made there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _take(self._file):
                holder = _read(self._path)
                os.close(self._file)
                who = f"process {holder}" if holder.isdigit() else "another process"
                raise InputError(
                    str(path), f"is being recorded by {who}", "end that first, or choose another"
                )
            if self._is_current():
                break
            os.close(self._file)  # its holder took it away while we waited: begin again
        with suppress(OSError):  # for people; the lock is not what is written in it
            os.ftruncate(self._file, 0)
            os.write(self._file, str(os.getpid()).encode())

    def release(self) -> None:
        """Let the next writer in."""
        with suppress(OSError):  # Windows does not delete what is open: then it stays
            self._path.unlink()
        os.close(self._file)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False


def is_being_written(path: Path) -> bool:
    """Return whether someone holds the lock of a file; True where that can't be told."""
    lock = path.with_name(path.name + ".lock")
    try:
        file = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        _lock(file)
    except OSError:  # held, or a file system without locks
        return True
    finally:
        os.close(file)  # gives back what was taken
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")[:20]
    except OSError:  # Windows lets nobody read what is locked
        return ""


def _take(file: int) -> bool:
    """Lock an open file, or tell that someone else has."""
    try:
        _lock(file)
    except OSError as error:
        if sys.platform == "win32" or isinstance(error, BlockingIOError):
            return False
        # some network file systems have no locks: better a night without than none
        log.warning("this file system has no locks (%s): start only one recorder", error)
    return True


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
