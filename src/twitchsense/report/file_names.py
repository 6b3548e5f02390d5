"""Remove folders from the notes of a report: no path leaves the machine inside it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

#: An absolute path up to its last separator, at the start of a word.
_FOLDERS: Final = re.compile(
    r"(?<![^\s\"'(“])(?:~|[A-Za-z]:|\\)?[\\/](?=[^\s\\/])(?:[^\\/:,;()\"\n]*[\\/])+"
)


def without_folders(note: str) -> str:
    """Return a note with file names instead of paths.

    Parameters
    ----------
    note : str
        Many notes begin with the path of a file and a colon.

    Returns
    -------
    str
    """
    place, colon, text = note.partition(": ")
    is_absolute = place.startswith(("/", "\\", "~", ".")) or place[1:3] in (":\\", ":/")
    name = PurePosixPath(PureWindowsPath(place).as_posix()).name
    if colon and ("/" in place or "\\" in place) and (is_absolute or "." in name):
        return f"{name}: {_FOLDERS.sub('', text)}"
    return _FOLDERS.sub("", note)
