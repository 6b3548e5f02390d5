"""A lock that gives a file one writer at a time."""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError

log = logging.getLogger(__name__)

#: A lock is not a link; Windows has no such flag.
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
#: A lock holds nothing but the process id of its holder.
_MAX_LOCK_BYTES: Final = 20
_IS_LOCK: Final = re.compile(rb"[0-9]{0,20}").fullmatch


class WriterLock:
    """A lock beside a file, which the system releases when its holder ends.

    Parameters
    ----------
    path : Path
        The file to be written; links are followed. The lock is a file with ``.lock`` added to
        its name.

    Raises
    ------
    InputError
        If another process, or this one, already holds the lock, or if the name of the lock
        belongs to something else: a link is not followed, and no other file is changed.
    OSError
        If the lock file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = beside(path, ".lock")
        while True:
            self._file = _open_lock(self._path)
            if not _try_lock(self._file):
                holder = _holder(self._file)
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
        if self._is_current():
            with suppress(OSError):  # Windows does not delete an open file: it stays
                self._path.unlink()
        os.close(self._file)

    def _is_current(self) -> bool:
        """Return whether the locked file is still the one at the path."""
        try:
            return os.path.samestat(os.fstat(self._file), self._path.lstat())
        except OSError:
            return False


def lock_identity(path: Path) -> WriterLock | None:
    """Lock a file by its device and inode, so that hard links to it count as one file.

    Parameters
    ----------
    path : Path
        A file that exists.

    Returns
    -------
    WriterLock or None
        None, with a warning, where there can be no such lock.

    Raises
    ------
    InputError
        If the lock is held.
    """
    try:
        return WriterLock(_identity(path))
    except InputError as error:
        raise InputError(str(path), error.problem, error.cure) from error
    except OSError as error:
        log.warning("%s: links to it are not locked (%s)", path, error)
        return None


def lock_folder() -> Path:
    """Return a folder for locks, which only this user can read and write.

    Returns
    -------
    Path
        The system empties it when the computer restarts.

    Raises
    ------
    OSError
        If it cannot be created, or belongs to someone else.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        folder = Path(runtime, "twitchsense")
    else:
        # a user without a name (in a container) has a number; on Windows the folder is theirs
        user = "" if sys.platform == "win32" else f"-{os.getuid()}"
        folder = Path(tempfile.gettempdir(), f"twitchsense{user}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "is a link or a file", str(folder))
    if sys.platform != "win32":
        if found.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "belongs to another user", str(folder))
        if found.st_mode & 0o077:
            folder.chmod(0o700)
    return folder


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
    if _is_held(beside(path, ".lock")):
        return True
    try:
        return _is_held(beside(_identity(path), ".lock"))
    except OSError:  # no such file, or no locks of this kind here
        return False


def _is_held(lock: Path) -> bool:
    try:
        file = os.open(lock, os.O_RDWR | _NO_FOLLOW)
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


def _identity(path: Path) -> Path:
    """Return a name in the folder of locks that all links to a file have in common."""
    found = path.stat()
    return lock_folder() / f"file-{found.st_dev:x}-{found.st_ino:x}"


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a companion of a file, such as its lock or its log.

    Parameters
    ----------
    path : Path
        The file; links are followed, because the companion stands beside what they lead to.
    suffix : str
        What is added to the name.

    Returns
    -------
    Path
    """
    target = path.resolve()
    return target.with_name(target.name + suffix)


def _open_lock(path: Path) -> int:
    """Open or create a lock file, if what is there is one."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP or path.is_symlink():
            raise _foreign_error(path, "is a link") from error
        raise
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
        content = os.pread(file, _MAX_LOCK_BYTES + 1, 0) if hasattr(os, "pread") else b""
        if _IS_LOCK(content):
            return file
    os.close(file)
    raise _foreign_error(path, "is not a lock of twitchsense")


def _foreign_error(path: Path, problem: str) -> InputError:
    return InputError(str(path), problem, "move it away")


def _holder(file: int) -> str:
    """Return the process id of the holder, or an empty text if it is unknown."""
    try:
        return os.pread(file, _MAX_LOCK_BYTES, 0).decode("ascii", "replace")
    except (OSError, AttributeError):  # on Windows a locked file cannot be read
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
