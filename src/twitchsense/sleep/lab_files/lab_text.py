"""Decode text of laboratory programs, which is not always UTF-8."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited

#: Maximum number of characters of a line: patterns of rows take the square of the length, and
#: Python reads no number of more than 4300 digits.
_MAX_LINE: Final = 4000


def decode_lab_text(raw: bytes) -> str:
    """Return text in UTF-8, in UTF-16 with a byte order mark, or else in Latin 1.

    Parameters
    ----------
    raw : bytes
        A file, or its beginning.

    Returns
    -------
    str
        With line feeds as line ends, without byte order mark and empty lines in front.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw[: len(raw) // 2 * 2].decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")


def read_lab_text(path: Path, source: str) -> str:
    """Return the text of a file of a laboratory's program.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the file cannot be read, is binary, or has a line longer than `_MAX_LINE`.
    """
    text = decode_lab_text(read_limited(path, source))
    if "\x00" in text:
        raise InputError(source, "is a binary file", "give the text that the program exports")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _MAX_LINE:
            problem = f"has {len(line)} characters in one line"
            raise InputError(source, problem, "export it again", f"line {number}")
    return text
