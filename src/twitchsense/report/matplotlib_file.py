"""The file of the user from which matplotlib reads settings when it is imported.

The figures of the pages do not depend on it (`figures.own_settings`), but matplotlib reads it
first: a named pipe or ``/dev/zero`` would keep it for ever.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from twitchsense.errors import InputError
from twitchsense.regular_file import MAX_SETTINGS_BYTES, read_limited


def check_matplotlib_file() -> None:
    """Refuse a settings file that matplotlib, which is not yet imported, could not read.

    Raises
    ------
    InputError
        If it is not a regular file, is too large, or is not UTF-8.
    """
    if "matplotlib" in sys.modules:
        return
    path = next((p for p in _candidates() if _is_taken(p)), None)
    if path is None:
        return
    cure = "remove it, or set MATPLOTLIBRC to another file of settings for matplotlib"
    try:
        read_limited(path, str(path), MAX_SETTINGS_BYTES).decode()
    except UnicodeDecodeError as error:
        raise InputError(str(path), "is not in UTF-8", cure) from error
    except InputError as error:
        raise InputError(error.source, error.problem, cure) from error


def _candidates() -> Iterator[Path]:
    """Yield the paths at which matplotlib looks, in its order, without its own defaults."""
    yield Path("matplotlibrc")
    stated = os.environ.get("MATPLOTLIBRC")
    if stated is not None:
        yield Path(stated)
        yield Path(stated, "matplotlibrc")
    if folder := os.environ.get("MPLCONFIGDIR"):
        yield Path(folder, "matplotlibrc")
        return
    with suppress(RuntimeError):  # there is no home
        if sys.platform.startswith(("linux", "freebsd")):
            config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
            yield Path(config, "matplotlib", "matplotlibrc")
        else:
            yield Path.home() / ".matplotlib" / "matplotlibrc"


def _is_taken(path: Path) -> bool:
    """Return whether matplotlib would open this path."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return False
