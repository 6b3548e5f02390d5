"""Recognize the files of sleep laboratories by content.

A new program is one more module with a function that reads its file into a `LabFile`, one
line in `_FORMATS`, one line in ``docs/sleep-context.md`` and a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from twitchsense.errors import InputError
from twitchsense.regular_file import check_regular_file, unreadable
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.lab_files.domino import is_domino
from twitchsense.sleep.lab_files.lab_annotations import LabFile
from twitchsense.sleep.lab_files.lab_text import decode_lab_text
from twitchsense.sleep.lab_files.luna import is_luna
from twitchsense.sleep.lab_files.profusion import ROOTS
from twitchsense.sleep.lab_files.remlogic import is_remlogic

#: Bytes at the beginning of a file by which it is recognized.
HEAD_BYTES: Final = 8192
Reader = Callable[[Path, str, NightClock | None], LabFile]


@dataclass(frozen=True, slots=True)
class LabFormat:
    """A format, how it is recognized, and the function that reads it.

    Attributes
    ----------
    matches : callable
        Whether the beginning of a file (bytes, and decoded) is of the format.
    module, reader : str
        Where the reader is.
    """

    matches: Callable[[bytes, str], bool]
    module: str
    reader: str


_FORMATS: Final = (
    LabFormat(lambda head, _: head.startswith((b"0       ", b"\xffBIOSEMI")),
              "edf_plus", "read_edf_annotations"),
    LabFormat(lambda _, text: xml_root(text) in ROOTS, "profusion", "read_profusion"),
    LabFormat(lambda _, text: is_domino(text), "domino", "read_domino"),
    LabFormat(lambda _, text: is_remlogic(text), "remlogic", "read_remlogic"),
    LabFormat(lambda _, text: is_luna(text), "luna", "read_luna"),
)  # fmt: skip
#: Beginnings of files that are known but not read, their name and the cure.
_NOT_READ: Final = (
    (b"PK\x03\x04", b"xl/", "is an Excel workbook", "save it as CSV"),
    (b"PK\x03\x04", b"", "is a ZIP archive", "unpack it and give the file inside"),
    (b"\xd0\xcf\x11\xe0", b"", "is an old Excel or Office file", "save it as CSV"),
    (b"SQLite format 3", b"", "is a binary file, a database (Noxturnal, Gadgetbridge)",
     "export the stages as text or EDF+"),
    (b"\x89HDF", b"", "is an HDF5 file", "export the stages as CSV"),
    (b"MATLAB 5.0", b"", "is a MATLAB file", "export the stages as CSV"),
    (b"%PDF", b"", "is a PDF report", "export the stages as text, CSV or EDF+"),
)  # fmt: skip


def read_head(path: Path, source: str) -> tuple[bytes, str]:
    """Return the beginning of a file, as bytes and decoded.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    head : bytes
    text : str
        With line feeds as line ends, without byte order mark and leading blanks.

    Raises
    ------
    InputError
        If the file cannot be opened, or is of a kind that is known but not read.
    """
    check_regular_file(path, source)
    try:
        with path.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError as error:
        raise unreadable(source, error) from error
    for start, inside, problem, cure in _NOT_READ:
        if head.startswith(start) and inside in head:
            raise InputError(source, problem, cure)
    if head[8:12] == b".FIT":
        raise InputError(source, "is a FIT file", "give the JSON of Garmin Connect's sleep data")
    return head, decode_lab_text(head).lstrip()


def read_lab_file(path: Path, source: str, clock: NightClock | None) -> LabFile | None:
    """Read the annotations of a laboratory's file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording; None if there is no recording.

    Returns
    -------
    LabFile or None
        None if the file is of no known program.

    Raises
    ------
    InputError
        If the file is damaged, or of a kind that is known but not read.
    MissingExtraError
        For EDF+ if edfio is not installed.
    """
    head, text = read_head(path, source)
    for form in _FORMATS:
        if form.matches(head, text):
            module = import_module(f"twitchsense.sleep.lab_files.{form.module}")
            return cast(Reader, getattr(module, form.reader))(path, source, clock)
    return None


def xml_root(text: str) -> str:
    """Return the name of the first element of XML text, or an empty string.

    Parameters
    ----------
    text : str
        Beginning of the file.

    Returns
    -------
    str
    """
    if not text.startswith("<"):
        return ""
    found = re.search(r"<(?![?!])([A-Za-z_][\w.:-]*)", re.sub(r"<!--.*?-->", "", text, flags=re.S))
    return found[1].rpartition(":")[2] if found else ""
