"""Make text from files and devices safe to display: terminals, pages, spreadsheets, notes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

#: First characters that make a spreadsheet read a cell as a formula, full-width forms included.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: An absolute path up to its last separator, at the start of a word.
_FOLDERS: Final = re.compile(
    r"(?<![^\s\"'(“])(?:~|[A-Za-z]:|\\)?[\\/](?=[^\s\\/])(?:[^\\/:,;()\"\n]*[\\/])+"
)


def printable(text: str, instead: str = " ") -> str:
    """Replace control characters, bidirectional overrides and other invisible characters.

    Parameters
    ----------
    text : str
    instead : str
        Replacement for each character that `str.isprintable` refuses.

    Returns
    -------
    str
        Text of the same number of characters if `instead` is a single character.
    """
    return "".join(c if c.isprintable() else instead for c in text)


def truncate(text: str, max_length: int) -> str:
    """Return `text`, cut to `max_length` characters; a cut text ends with an ellipsis."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def display_text(text: str, max_length: int = 1000) -> str:
    """Return text of bounded length without invisible characters.

    Parameters
    ----------
    text : str
    max_length : int
        Longer text is cut to this number of characters.

    Returns
    -------
    str
    """
    return printable(truncate(text, max_length))


def escape_formula(text: str) -> str:
    """Prefix an apostrophe to text that a spreadsheet would evaluate as a formula."""
    return "'" + text if text[:1] in _FORMULA else text


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
