"""Atomic writing: a file, or a directory of files, is written completely or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from twitchsense.errors import InputError


def check_output_directory(directory: Path) -> None:
    """Check that files could be written into a directory, before a long analysis starts.

    Parameters
    ----------
    directory : Path
        The directory; it need not exist.

    Raises
    ------
    InputError
        If the path is a file or the directory cannot be written.
    """
    try:
        if directory.exists() and not directory.is_dir():
            raise InputError(str(directory), "is a file, not a directory", "choose another --out")
        parent = directory.resolve()
        while not parent.exists():
            parent = parent.parent
        if not parent.is_dir():
            raise InputError(str(parent), "is a file, not a directory", "choose another --out")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise InputError(
                str(directory), "cannot be written (permission denied)", "choose another --out"
            )
    except (OSError, ValueError) as error:
        raise cannot_write(directory, error) from error


def write_file(path: Path, content: str | bytes) -> Path:
    """Write one file atomically: it is complete, or the old one is unchanged.

    Parameters
    ----------
    path : Path
    content : str or bytes
        Text is written as UTF-8.

    Returns
    -------
    Path
        The path given.

    Raises
    ------
    InputError
        If the path is a directory or cannot be written.
    """
    if path.is_dir():
        raise InputError(str(path), "is a directory", "give the name of a file")
    temporary = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        write_synced(temporary, content)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_directory(directory: Path, files: Iterable[tuple[str, str | bytes]]) -> None:
    """Write files into a directory: all of them, or none.

    The files are written into a hidden temporary directory, synced to the disk, and only
    then moved into place. A failure removes everything that was created.

    Parameters
    ----------
    directory : Path
        Created if it does not exist. Other files in it are left alone.
    files : iterable of (str, str or bytes)
        Name and content of each file.

    Raises
    ------
    InputError
        If the directory is a file or cannot be written.
    """
    check_output_directory(directory)
    target = directory.resolve()
    created = _missing_parents(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # inside an existing directory: its parent may not be writable
        place = target if target.is_dir() else target.parent
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=place))
    except OSError as error:
        _remove_empty(created)
        raise cannot_write(directory, error) from error
    done = False
    try:
        for name, content in files:
            write_synced(temporary / name, content)
        _move(temporary, target)
        done = True
    except OSError as error:
        raise cannot_write(directory, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if not done:
            _remove_empty(created)


def write_synced(path: Path, content: str | bytes) -> None:
    """Write a file and sync it to the disk; the caller renames it into place."""
    with path.open("wb") as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def cannot_write(path: Path, error: Exception) -> InputError:
    """Return the error that names a path that cannot be written and the reason."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError(
        str(path), f"cannot be written ({reason})", "choose another place or free some space"
    )


def _move(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(target)
        return
    for file in sorted(temporary.iterdir()):
        if (target / file.name).is_dir():
            raise InputError(str(target / file.name), "is a directory", "choose another --out")
    for file in sorted(temporary.iterdir()):
        file.replace(target / file.name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _missing_parents(path: Path) -> list[Path]:
    missing: list[Path] = []
    parent = path.parent
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    return missing


def _remove_empty(directories: list[Path]) -> None:
    for directory in directories:
        try:
            directory.rmdir()
        except OSError:
            return
