"""A lock that gives a file one writer at a time."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from twitchsense.errors import InputError

log = logging.getLogger(__name__)


class WriterLock:
    """A lock beside a file, which the system releases when its holder ends.

    Parameters
    ----------
    path : Path
        The file to be written. The lock is a file with ``.lock`` added to its name.

    Raises
    ------
    InputError
        If another process, or this one, already holds the lock.
    OSError
        If the lock file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _try_lock(self._file):
                holder = _holder(self._path)
                os.close(self._file)
                who = f"process {holder}" if holder.isdigit() else "another process"
                raise InputError(
                    str(path),
                    f"is being recorded by {who}",
                    "stop it first, or choose another file",
                )
            if self._is_current():
                break
            os.close(self._file)  # its holder deleted it in the meantime: try again
        with suppress(OSError):  # the process id is only for messages
            os.ftruncate(self._file, 0)
            os.write(self._file, str(os.getpid()).encode())

    def release(self) -> None:
        """Release the lock, and delete its file."""
        with suppress(OSError):  # Windows does not delete an open file: it stays
            self._path.unlink()
        os.close(self._file)

    def _is_current(self) -> bool:
        """Return whether the locked file is still the one at the path."""
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False


def is_being_written(path: Path) -> bool:
    """Return whether a writer holds the lock of a file.

    Parameters
    ----------
    path : Path
        The file, not the lock.

    Returns
    -------
    bool
        True also if that cannot be determined.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        file = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        _lock(file)
    except OSError:  # locked, or a file system without locks
        return True
    finally:
        os.close(file)  # releases the lock
    return False


def _holder(path: Path) -> str:
    """Return the process id of the holder, or an empty text if it is unknown."""
    try:
        return path.read_text("ascii", "replace")[:20]
    except OSError:  # on Windows a locked file cannot be read
        return ""


def _try_lock(file: int) -> bool:
    """Lock an open file; return False if it is locked already."""
    try:
        _lock(file)
    except OSError as error:
        if sys.platform == "win32" or isinstance(error, BlockingIOError):
            return False
        # some network file systems have no locks: recording matters more than the lock
        log.warning("this file system has no locks (%s): start only one recorder", error)
    return True


def _lock(file: int) -> None:
    """Lock an open file; raise `OSError` if it is locked already."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
