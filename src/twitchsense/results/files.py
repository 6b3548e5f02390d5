"""The files of a result: written whole, or not at all."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.model.event_table import glossary
from twitchsense.text import harmless

if TYPE_CHECKING:
    from twitchsense.results.night import Night

#: Every file `save` may write; `command line` guards its inputs against them.
FILES: Final = (
    "events.csv",
    "events.json",
    "rejected.csv",
    "epochs.csv",
    "summary.json",
    "traces.npz",
    "report.html",
)

#: Decimals of the numbers in the tables: finer than anything measured.
_DECIMALS: Final = {
    "onset": 6,
    "duration": 6,
    "min_from_onset": 4,
    "amplitude_uv": 3,
    "peak_g": 5,
    "jerk_g_s": 4,
    "rise_ms": 3,
    "snr_db": 2,
    "confidence": 3,
    "activity": 6,
    "valid": 4,
}

EPOCH_COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "activity": {
        "Description": "mean dynamic acceleration of the epoch, leg events masked",
        "Units": "g",
    },
    "valid": {"Description": "share of the epoch with valid signal, 0 to 1"},
}


def save(night: Night, directory: Path, *, report: bool = True) -> Path:
    """Write all files of a night into a directory.

    The files are made in a hidden directory next to it, flushed to the disk,
    and only then moved into place, so that no half-written result is ever seen
    and a failure leaves nothing behind.

    Raises
    ------
    InputError
        If the directory is a file or can't be written.
    """
    check_directory(directory)
    target = directory.resolve()
    made = _missing_parents(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # inside an existing directory: its parent may not be ours to write in
        home = target if target.is_dir() else target.parent
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=home))
    except OSError as error:
        _remove_empty(made)
        raise _cannot_write(directory, error) from error
    done = False
    try:
        for name, content in contents(night, report=report):
            _write_flushed(temporary / name, content)
        _move(temporary, target)
        if not report:
            _remove_old_report(target)
        done = True
    except OSError as error:
        raise _cannot_write(directory, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if not done:
            _remove_empty(made)
    return directory


def contents(night: Night, *, report: bool) -> Iterable[tuple[str, str | bytes]]:
    """Yield the name and the content of each file of a result."""
    from twitchsense.results.saved import pack

    yield "events.csv", to_csv(night.events)
    yield "rejected.csv", to_csv(night.rejected)
    yield "epochs.csv", to_csv(night.epochs)
    yield "events.json", to_json({**glossary(), **EPOCH_COLUMNS})
    yield "summary.json", to_json(night.summary_dict())
    yield "traces.npz", pack(night)
    if report:
        from twitchsense.report.page import render

        yield "report.html", render(night)


def check_directory(directory: Path) -> None:
    """Raise `InputError` if results could not be written there.

    Asked before a long analysis, so that it is not done in vain.
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
        raise _cannot_write(directory, error) from error


def write_file(path: Path, content: str | bytes) -> Path:
    """Write one file so that it is either whole or not there.

    Raises
    ------
    InputError
        If it can't be written.
    """
    if path.is_dir():
        raise InputError(str(path), "is a directory", "give the name of a file")
    temporary = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        _write_flushed(temporary, content)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV: fixed decimals, missing values empty, text made harmless."""
    out: dict[str, list[str]] = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_bool_dtype(column):
            out[str(name)] = [str(int(v)) for v in column]
        elif pd.api.types.is_numeric_dtype(column):
            out[str(name)] = [_number(float(v), _DECIMALS.get(str(name), 6)) for v in column]
        else:
            out[str(name)] = ["" if pd.isna(v) else harmless(str(v)) for v in column]
    made = pd.DataFrame(out, columns=list(map(str, table.columns)))
    return made.rename(columns=harmless).to_csv(index=False, lineterminator="\n")


def to_json(data: Any) -> str:
    """Return data as readable JSON; a number that is not finite is null."""
    return json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    if "." in text and decimals != 6:
        text = text.rstrip("0").rstrip(".")
    return text.removeprefix("-") if float(text) == 0 else text


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(k): _finite(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(v) for v in data]
    if hasattr(data, "item"):  # a numpy scalar
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def _write_flushed(path: Path, content: str | bytes) -> None:
    with path.open("wb") as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


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


def _remove_old_report(target: Path) -> None:
    """Remove a report of ours that would describe an earlier analysis."""
    old = target / "report.html"
    if old.is_file():
        with old.open("rb") as file:
            ours = b'name="generator" content="twitchsense' in file.read(4096)
        if ours:
            old.unlink()


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


def _cannot_write(path: Path, error: Exception) -> InputError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError(
        str(path), f"cannot be written ({reason})", "choose another place or free some space"
    )
