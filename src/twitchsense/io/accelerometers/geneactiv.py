"""GENEActiv: the pages of a ``.bin`` file, which is text with samples in hexadecimal digits.

The layout is that of the maker's manual (Activinsights, "GENEActiv instructions", appendix on
the data file format). A page that cannot be read is left out, so that it becomes a gap.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.accelerometers.block_capture import to_ns
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

#: First line of the file, and of each page.
_FIRST_LINE: Final = b"Device Identity"
_PAGE_LINE: Final = b"Recorded Data"
#: Maximum length of a line, of which the samples of a page are the longest.
_MAX_LINE: Final = 1 << 16
#: Maximum number of lines of the header, and of a page after its first.
_MAX_HEADER_LINES: Final = 200
_PAGE_LINES: Final = 9
#: Hexadecimal digits of a sample: 12 bits for each axis, 10 for light, one for the button.
_DIGITS: Final = 12
#: Gains in the header are for values multiplied by 100.
_GAIN_FACTOR: Final = 100
_OFFSET: Final = re.compile(r"GMT ?([+-])(\d\d?):(\d\d)")


@dataclass(frozen=True, slots=True)
class _Page:
    """A page: time and rate by its header, and where its samples are in the file."""

    start_ns: int
    fs: float
    position: int
    digits: int
    count: int
    number: int


class GeneactivBlocks:
    """The pages of a GENEActiv file, as `AccelerometerBlocks`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Raises
    ------
    InputError
        If it is not such a file, its calibration is missing, or its rate changes.
    """

    resolution_ns = NS // 1000
    lost: NDArray[np.int64] | None = None

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        with path.open("rb") as file:
            if not file.readline(_MAX_LINE).startswith(_FIRST_LINE):
                raise InputError(
                    source,
                    "this is not a GENEActiv file",
                    "give the .bin file as the GENEActiv software extracts it",
                    "line 1",
                )
            header = dict(_header_fields(file))
            pages = list(_pages(file))
        self._gains = np.array([_number(source, header, f"{axis} gain") for axis in "xyz"])
        self._offsets = np.array([_number(source, header, f"{axis} offset") for axis in "xyz"])
        if not self._gains.all():
            raise InputError(source, "a gain of the calibration is 0", "extract it again", "header")
        self.utc_offset = _utc_offset(header.get("Time Zone", ""))
        good = _whole_pages(pages)
        self._pages = good
        damaged = len(pages) - len(good)
        texts = [f"{source}: {damaged} damaged pages are left out"] if damaged else []
        stated = header.get("Number of Pages", "")
        if stated.isdecimal() and len(stated) < 10 and int(stated) > len(pages):
            texts.append(
                f"{source}: the file is cut; of {int(stated)} pages, {len(pages)} are in it"
            )
        self.notes: Sequence[str] = [Note("unread", text) for text in texts]
        self.starts_ns = np.array([p.start_ns for p in good], np.int64)
        self.counts = np.array([p.count for p in good], np.int64)
        self.nominal_fs = good[0].fs if good else 100.0
        changed = next((i for i, p in enumerate(good) if p.fs != self.nominal_fs), None)
        if changed is not None:
            raise InputError(
                source,
                f"the rate changes from {self.nominal_fs:g} to {good[changed].fs:g} Hz",
                "export the parts before and after as two files",
                self.locate_block(changed),
            )

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the samples of pages in g; see `AccelerometerBlocks.read`."""
        with self._path.open("rb") as file:
            lines = []
            for page in self._pages[first:stop]:
                file.seek(page.position)
                lines.append(file.read(page.count * _DIGITS))
        rows = np.frombuffer(binascii.unhexlify(b"".join(lines)), np.uint8).reshape(-1, 6)
        b = rows.astype(np.int16)
        raw = np.stack([b[:, 0] << 4 | b[:, 1] >> 4, (b[:, 1] & 15) << 8 | b[:, 2],
                        b[:, 3] << 4 | b[:, 4] >> 4], axis=1)  # fmt: skip
        signed = raw - ((raw & 0x800) << 1)
        values: NDArray[np.float64] = (signed * float(_GAIN_FACTOR) - self._offsets) / self._gains
        return values.astype(np.float32)

    def locate_block(self, block: int) -> str:
        """Return the number of a page, counted from one, such as ``page 17``."""
        return f"page {self._pages[block].number}"


def _header_fields(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Yield names and values of the header; stop after the first line of the first page."""
    for _ in range(_MAX_HEADER_LINES):
        line = file.readline(_MAX_LINE)
        if not line or line.startswith(_PAGE_LINE):
            return
        name, _, value = line.decode("latin-1").partition(":")
        yield name.strip(), value.strip(" \r\n\0")


def _pages(file: BinaryIO) -> Iterator[_Page | None]:
    """Yield the pages; None is a damaged one. The first line of the first has been read."""
    number, more = 0, True
    while more:
        number += 1
        fields: dict[str, str] = {}
        page, more = None, False
        for _ in range(_PAGE_LINES):
            position = file.tell()
            line = file.readline(_MAX_LINE)
            if line.startswith(_PAGE_LINE):
                more = True
                break
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                fields[name.strip()] = value.strip()
            elif page is None:
                page = _page(fields, line.rstrip(b"\r\n\0"), position, number)
        if page is not None or fields:
            yield page
        while not more:
            line = file.readline(_MAX_LINE)
            if not line:
                return
            more = line.startswith(_PAGE_LINE)


def _whole_pages(pages: Sequence[_Page | None]) -> list[_Page]:
    """Return the undamaged pages. Only the last page of a file may have fewer samples."""
    good = [p for p in pages if p is not None]
    usual = Counter(p.digits for p in good).most_common(1)
    return [p for p in good if p is pages[-1] or p.digits == usual[0][0]]


def _page(fields: dict[str, str], digits: bytes, position: int, number: int) -> _Page | None:
    """Return a page; None if a field or a digit is damaged."""
    try:
        start = datetime.strptime(fields["Page Time"], "%Y-%m-%d %H:%M:%S:%f")
        fs = float(fields["Measurement Frequency"])
        count = len(digits) // _DIGITS
        binascii.unhexlify(digits[: count * _DIGITS])
    except (KeyError, ValueError):
        return None
    if not (count and 1 <= fs <= 1000):
        return None
    return _Page(to_ns(start), fs, position, len(digits), count, number)


def _number(source: str, header: dict[str, str], name: str) -> float:
    try:
        return float(int(header[name]))
    except (KeyError, ValueError) as error:
        raise InputError(
            source, f"the calibration has no '{name}'", "extract it again", "header"
        ) from error


def _utc_offset(text: str) -> timedelta | None:
    match = _OFFSET.search(text)
    if not match:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset
