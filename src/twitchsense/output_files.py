"""Results on disk: a file, or a folder of files, is written completely or not at all.

Everything that a command writes as a result passes through `staged`: the files are written
into a hidden folder beside the target, synced to the disk, and only then renamed into place.
A full disk, an error or a signal before that leaves the target as it was.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from twitchsense.deferred_signals import deferred_signals
from twitchsense.errors import InputError

log = logging.getLogger(__name__)

#: Temporary folders of this process that still exist.
_stages: Final[set[tuple[int, Path]]] = set()


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
        parent = _existing_parent(directory.resolve())
        if not parent.is_dir():
            raise InputError(str(parent), "is a file, not a directory", "choose another --out")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise InputError(
                str(directory), "cannot be written (permission denied)", "choose another --out"
            )
    except (OSError, ValueError) as error:
        raise cannot_write(directory, error) from error


def check_target(path: Path, force: bool) -> None:
    """Raise `InputError` if a file exists that must not be replaced."""
    if path.exists() and not force:
        raise InputError(str(path), "already exists", "add --force, or choose another --out")


@contextmanager
def staged(
    directory: Path, *, replace: bool = True, remove: Sequence[str] = (), last: str = ""
) -> Iterator[Path]:
    """Yield a temporary folder whose files are moved into a directory at the end: all or none.

    Files of the directory that have no successor are left alone. If the block raises, or the
    files cannot be moved, the directory is as it was before.

    Parameters
    ----------
    directory : Path
        Created, with its parents, if it does not exist; then it appears in one step.
    replace : bool
        Whether files that exist may be replaced.
    remove : sequence of str
        Files, relative to `directory`, that are removed in the same step if they exist.
    last : str
        The file, relative to `directory`, that tells that the others are complete. It is taken
        away first and put in place last, so that even a loss of power leaves no mixture of
        old and new files that looks complete.

    Yields
    ------
    Path
        The folder to write into; it may be given subfolders.

    Raises
    ------
    InputError
        If the directory is a file or cannot be written, or a file exists that must not be
        replaced.
    """
    check_output_directory(directory)
    target = directory.resolve()
    stage: Path | None = None
    try:
        with deferred_signals():
            parent = _existing_parent(target)
            stage = Path(tempfile.mkdtemp(prefix=f".{target.name[:60]}.part-", dir=parent))
            _stages.add((os.getpid(), stage))
            new = stage / "new"
            new.mkdir()
        yield new
        _sync_files(new)
        with _locked(_existing_parent(target.parent)), deferred_signals():
            if target.exists():
                _move_files(stage, target, replace=replace, remove=remove, last=last)
            else:
                _move_whole(new, target)
    except OSError as error:
        if stage is not None and not _is_of_output(error, stage, target):
            raise  # of a file that was read
        raise cannot_write(directory, error) from error
    finally:
        with deferred_signals():
            if stage is not None:
                _remove_stage((os.getpid(), stage))


def write_file(path: Path, content: str | bytes) -> Path:
    """Write one file: it is complete, or the old one is unchanged.

    Parameters
    ----------
    path : Path
        Its folder is created if it does not exist.
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
    check_output_directory(path.parent)  # its errors are those of the folder
    try:
        with staged(path.parent) as folder:
            _write(folder / path.name, content)
    except InputError as error:
        raise InputError(str(path), error.problem, error.cure) from error
    return path


def write_directory(
    directory: Path,
    files: Iterable[tuple[str, str | bytes]],
    *,
    remove: Sequence[str] = (),
    last: str = "",
) -> None:
    """Write files into a directory: all of them, or none.

    Parameters
    ----------
    directory : Path
        Created if it does not exist. Other files in it are left alone.
    files : iterable of (str, str or bytes)
        Name, relative to `directory`, and content of each file.
    remove : sequence of str
        See `staged`.
    last : str
        See `staged`.

    Raises
    ------
    InputError
        If the directory is a file or cannot be written.
    """
    with staged(directory, remove=remove, last=last) as folder:
        for name, content in files:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            _write(path, content)


def cannot_write(path: Path | str, error: Exception) -> InputError:
    """Return the error that names a path that cannot be written and the reason."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError(
        str(path), f"cannot be written ({reason})", "choose another place or free some space"
    )


def _write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def _is_of_output(error: OSError, stage: Path, target: Path) -> bool:
    """Return whether an error names no file, or one of the output or its folders."""
    if not isinstance(error.filename, str):
        return True
    path = Path(error.filename).absolute()
    return path.is_relative_to(stage) or path.is_relative_to(target) or target.is_relative_to(path)


def _existing_parent(path: Path) -> Path:
    """Return the path, or its nearest parent that exists."""
    while not path.exists():
        path = path.parent
    return path


def _sync_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let no other command move files in a folder; where it cannot be locked, nothing happens."""
    with ExitStack() as stack:
        with suppress(OSError, ImportError):
            import fcntl  # not on Windows

            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)  # releases the lock
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _sync_directory(directory: Path) -> None:
    """Sync the names in a directory, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move_whole(new: Path, target: Path) -> None:
    """Rename the folder to a target that does not exist."""
    created: list[Path] = []
    try:
        _make_parents(target, created)
        new.rename(target)
    except OSError:
        _remove_empty(created)
        raise
    _sync_directory(target.parent)


def _move_files(
    stage: Path, target: Path, *, replace: bool, remove: Sequence[str], last: str
) -> None:
    """Move the files of ``new`` into a directory that exists; move old ones to ``old``."""
    new, old = stage / "new", stage / "old"
    names = [p.relative_to(new) for p in sorted(new.rglob("*")) if not p.is_dir()]
    names.sort(key=lambda name: name == Path(last))
    for name in names:
        path = target / name
        if path.is_dir():
            raise InputError(str(path), "is a directory", "choose another --out")
        if not replace and os.path.lexists(path):
            raise InputError(str(path), "already exists", "choose another --out")
    created: list[Path] = []
    moved: list[tuple[Path, Path]] = []
    leaving = [*reversed(names), *map(Path, remove)]
    if len(names) == 1 and not remove:
        leaving = []  # a rename replaces a single file in one step
    try:
        moves = [(target / name, old / name) for name in leaving]
        moves += [(new / name, target / name) for name in names]
        for source, destination in moves:
            if os.path.lexists(source):
                _make_parents(destination, created)
                source.rename(destination)
                moved.append((source, destination))
    except OSError:
        for source, destination in reversed(moved):
            with suppress(OSError):
                destination.rename(source)
        _remove_empty(created)
        raise
    for directory in {(target / name).parent for name in names}:
        _sync_directory(directory)


def _make_parents(path: Path, created: list[Path]) -> None:
    """Create the missing parents of a path; append them, innermost first."""
    missing = []
    parent = path.parent
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    for folder in reversed(missing):
        folder.mkdir()
        created.insert(0, folder)


def _remove_empty(directories: Iterable[Path]) -> None:
    for directory in directories:
        with suppress(OSError):
            directory.rmdir()


def _remove_stage(entry: tuple[int, Path]) -> None:
    stage = entry[1]
    shutil.rmtree(stage, ignore_errors=True)
    if stage.exists():
        log.warning("%s: is an unfinished part that cannot be removed; delete it", stage)
    _stages.discard(entry)


@atexit.register
def _remove_all_stages() -> None:
    """Remove what a signal between two statements has left."""
    for entry in list(_stages):
        if entry[0] == os.getpid():  # not those of the parent of a forked process
            _remove_stage(entry)
