"""Inputs of the user are regular files of limited size.

Reading a named pipe may wait for ever, and a device such as ``/dev/zero`` has no end. A file is
therefore checked before it is opened, and one that is held in memory is not read beyond the
largest size that its format can need.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError

#: Maximum size of a table or document that is held in memory as Python objects, bytes.
MAX_TABLE_BYTES: Final = 32_000_000
#: Maximum size of a settings file, bytes.
MAX_SETTINGS_BYTES: Final = 1_000_000

_KINDS: Final = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a named pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


def check_regular_file(path: Path, source: str) -> int:
    """Refuse anything but a regular file, without opening it.

    Parameters
    ----------
    path : Path
        A symbolic link counts as what it leads to.
    source : str
        Name of the file in messages.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    InputError
        If there is no such file, or it is a folder, a named pipe, a socket or a device.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from error
    if not stat.S_ISREG(found.st_mode):
        kind = next((text for test, text in _KINDS if test(found.st_mode)), "is not a regular file")
        raise InputError(source, kind, "give a file on a disk")
    return found.st_size


def read_limited(path: Path, source: str, max_bytes: int = MAX_TABLE_BYTES) -> bytes:
    """Return the content of a regular file that is not too large.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    max_bytes : int

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If it is not a regular file, is larger than `max_bytes`, or cannot be read.
    """
    size = check_regular_file(path, source)
    if size > max_bytes:
        raise InputError(
            source,
            f"is too large ({size / 1e6:.0f} MB; the limit is {max_bytes / 1e6:.0f} MB)",
            "check that this is the right file, or give the part of this night",
        )
    try:
        with path.open("rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        raise unreadable(source, error) from error


def unreadable(source: str, error: OSError | ValueError) -> InputError:
    """Return the refusal of a file that cannot be opened or read.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    error : OSError or ValueError
        A ValueError is that of a path with a NUL character.

    Returns
    -------
    InputError
    """
    if isinstance(error, FileNotFoundError):
        return InputError(source, "no such file", "check the path")
    if isinstance(error, PermissionError):
        return InputError(
            source, "cannot be read (no permission)", "give yourself permission to read it"
        )
    if isinstance(error, ValueError) or error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
        reason = getattr(error, "strerror", None) or str(error)
        return InputError(source, f"cannot be read ({reason})", "check the path")
    if error.errno in (errno.EISDIR, errno.ENOTDIR):
        return InputError(source, f"cannot be read ({error.strerror})", "give a file on a disk")
    reason = error.strerror or str(error)
    return InputError(source, f"cannot be read ({reason})", "copy it to another disk and try again")
