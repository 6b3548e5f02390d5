"""The chunks of an XDF file (Lab Streaming Layer).

The format is that of the XDF specification 1.0 (sccn/xdf, "Specifications"). Files are read
chunk by chunk, because a night does not fit into the memory.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError

#: First bytes of a file.
MAGIC: Final = b"XDF:"
#: Tags of chunks.
_FILE_HEADER, _STREAM_HEADER, _SAMPLES, _CLOCK_OFFSET, _BOUNDARY, _STREAM_FOOTER = range(1, 7)
#: Content of a boundary chunk, at which reading goes on after damage.
_BOUNDARY_ID: Final = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
#: Bytes that are read at once.
BLOCK_BYTES: Final = 1 << 20
#: Maximum size of an XML header.
_MAX_XML: Final = 1 << 22
#: Formats of samples; those of text are skipped.
_FORMATS: Final = {
    "float32": "<f4",
    "double64": "<f8",
    "int8": "i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
}
#: Maximum number of channels of a stream.
_MAX_CHANNELS: Final = 10_000
#: Flag of a sample that has a timestamp; without one it follows the sample before.
_STAMPED: Final = 8


@dataclass
class XdfStream:
    """A stream of numbers.

    Attributes
    ----------
    info : Element
        Its header.
    channels : int
    dtype : dtype
    nominal_fs : float
        0 if the stream is irregular.
    chunks : list of (int, int, int)
        First byte, end and number of samples of each chunk of samples.
    offset_times, offset_values : list of float
        Measurements of the clock: time of the stream's clock, and what to add to it (s).
    """

    info: ET.Element
    channels: int
    dtype: np.dtype
    nominal_fs: float
    chunks: list[tuple[int, int, int]] = field(default_factory=list)
    offset_times: list[float] = field(default_factory=list)
    offset_values: list[float] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return an element of the header; empty if it has none."""
        return (self.info.findtext(name) or "").strip()


class XdfFile:
    """An XDF file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Attributes
    ----------
    streams : dict of int to XdfStream
        Streams of numbers, by their identifier.
    recorded : str
        Date and time of the file header; empty if it has none.
    damaged : int
        Places at which chunks could not be read.

    Raises
    ------
    InputError
        If it is not an XDF file.
    """

    def __init__(self, path: Path, source: str) -> None:
        self.streams: dict[int, XdfStream] = {}
        self.recorded = ""
        self.damaged = 0
        self._path = path
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise InputError(source, "this is not an XDF file", "record or copy it again")
            for tag, begin, end in self._chunks(file, path.stat().st_size):
                self._index(file, tag, begin, end)

    def blocks(
        self, stream: XdfStream
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.generic]]]:
        """Yield timestamps and samples in blocks.

        Parameters
        ----------
        stream : XdfStream

        Yields
        ------
        timestamps : ndarray of float64, shape (n,)
            In s by the clock of the stream; NaN where the sample has none.
        samples : ndarray, shape (n, channels)
        """
        width = stream.channels * stream.dtype.itemsize
        block_bytes = max(BLOCK_BYTES, 1 + _STAMPED + width)
        with self._path.open("rb") as file:
            for begin, end, count in stream.chunks:
                while count and begin < end:
                    data = np.frombuffer(
                        _read(file, begin, min(block_bytes, end - begin)), np.uint8
                    )
                    timestamps, rows, used = _parse_samples(data, width, count)
                    if not len(timestamps):
                        break  # damaged, or cut
                    begin, count = begin + used, count - len(timestamps)
                    yield timestamps, rows.view(stream.dtype).reshape(-1, stream.channels)

    def _chunks(self, file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield tag, first byte and end of the content of each chunk."""
        at = len(MAGIC)
        while at < size:
            head = _read(file, at, 11)
            length = int.from_bytes(head[1 : 1 + head[0]], "little")
            begin = at + 1 + head[0] + 2
            end = begin + length - 2
            tag = int.from_bytes(head[1 + head[0] : 3 + head[0]], "little")
            if head[0] in (1, 4, 8) and 1 <= tag <= 6 and length >= 2 and end <= size:
                yield tag, begin, end
                at = end
                continue
            self.damaged += 1
            at = _after_boundary(file, at, size)

    def _index(self, file: BinaryIO, tag: int, begin: int, end: int) -> None:
        """Store what a chunk contains."""
        if tag == _FILE_HEADER:
            info = _parse_xml(_read(file, begin, min(end - begin, _MAX_XML)))
            self.recorded = "" if info is None else (info.findtext("datetime") or "").strip()
        if tag not in (_STREAM_HEADER, _SAMPLES, _CLOCK_OFFSET) or end - begin < 5:
            return
        number = int.from_bytes(_read(file, begin, 4), "little")
        begin += 4
        if tag == _STREAM_HEADER:
            info = _parse_xml(_read(file, begin, min(end - begin, _MAX_XML)))
            if info is None:
                self.damaged += 1
                return
            stream = _stream_of(info)
            if stream is not None:
                self.streams.setdefault(number, stream)
        elif number not in self.streams:
            return  # of a stream of text
        elif tag == _CLOCK_OFFSET and end - begin >= 16:
            time, value = np.frombuffer(_read(file, begin, 16), "<f8")
            if np.isfinite(time) and np.isfinite(value):
                self.streams[number].offset_times.append(float(time))
                self.streams[number].offset_values.append(float(value))
        elif tag == _SAMPLES:
            head = _read(file, begin, 9)
            count = int.from_bytes(head[1 : 1 + head[0]], "little")
            if head[0] in (1, 4, 8) and begin + 1 + head[0] <= end:
                self.streams[number].chunks.append((begin + 1 + head[0], end, count))
            else:
                self.damaged += 1


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _after_boundary(file: BinaryIO, at: int, size: int) -> int:
    """Return where the next boundary chunk ends, or the size of the file if there is none."""
    while at < size:
        data = _read(file, at, BLOCK_BYTES)
        found = data.find(_BOUNDARY_ID)
        if found >= 0:
            return at + found + len(_BOUNDARY_ID)
        at += max(1, len(data) - len(_BOUNDARY_ID))
    return size


def _parse_samples(
    data: NDArray[np.uint8], width: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.uint8], int]:
    """Parse the samples at the start of some bytes, up to the end of the last whole one.

    Returns
    -------
    timestamps : ndarray of float64, shape (n,)
    rows : ndarray of uint8, shape (n, width)
    used : int
        Bytes of these samples.
    """
    at = 0
    timestamps: list[NDArray[np.float64]] = [np.empty(0)]
    rows: list[NDArray[np.uint8]] = [np.empty((0, width), np.uint8)]
    while count and at < len(data) and data[at] in (0, _STAMPED):
        flag = int(data[at])
        size = 1 + flag + width
        most = min(count, (len(data) - at) // size)
        if not most:
            break
        table = data[at : at + most * size].reshape(most, size)
        table = table[: _run_length(table[:, 0], flag)]
        if flag:
            timestamps.append(np.ascontiguousarray(table[:, 1:9]).view("<f8").ravel())
        else:
            timestamps.append(np.full(len(table), np.nan))
        rows.append(table[:, size - width :])
        at, count = at + table.size, count - len(table)
    return np.concatenate(timestamps), np.concatenate(rows), at


def _run_length(flags: NDArray[np.uint8], flag: int) -> int:
    """Return the number of equal flags at the start; most runs are short or reach the end."""
    size = 64
    while size < len(flags) and not (flags[:size] != flag).any():
        size *= 8
    other = np.flatnonzero(flags[:size] != flag)
    return int(other[0]) if len(other) else len(flags)


def _parse_xml(data: bytes) -> ET.Element | None:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:  # a header has none; entities may expand
        return None
    try:
        return ET.fromstring(data.decode("utf-8", "replace").strip("\0 \r\n"))
    except (ET.ParseError, ValueError):
        return None


def _stream_of(info: ET.Element) -> XdfStream | None:
    """Return the stream of a header; None if it holds text or cannot be used."""
    kind = (info.findtext("channel_format") or "").strip()
    try:
        channels = int(info.findtext("channel_count") or 0)
        nominal = float(info.findtext("nominal_srate") or 0)
    except ValueError:
        return None
    if kind not in _FORMATS or not 1 <= channels <= _MAX_CHANNELS or not 0 <= nominal < 1e7:
        return None
    return XdfStream(info, channels, np.dtype(_FORMATS[kind]), nominal)
