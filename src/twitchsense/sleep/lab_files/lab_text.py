"""Decode text of laboratory programs, which is not always UTF-8."""

from __future__ import annotations

from pathlib import Path

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited


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
        If the file cannot be read or is binary.
    """
    text = decode_lab_text(read_limited(path, source))
    if "\x00" in text:
        raise InputError(source, "is a binary file", "give the text that the program exports")
    return text
