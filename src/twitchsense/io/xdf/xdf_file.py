"""The chunks of an XDF file (Lab Streaming Layer).

The format is that of the XDF specification 1.0 (sccn/xdf, "Specifications"). Files are read
chunk by chunk, because a night does not fit into the memory.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
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
    places : array of int64
        First byte, end and number of samples of each chunk of samples, one after the other: a
        night has half a million.
    offset_times, offset_values : list of float
        Measurements of the clock: time of the stream's clock, and what to add to it (s).
    """

    info: ET.Element
    channels: int
    dtype: np.dtype
    nominal_fs: float
    places: array[int] = field(default_factory=lambda: array("q"))
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
        with self._path.open("rb") as file:
            for chunks in _equal_chunks(stream.places):
                if len(chunks) > 1:
                    data = b"".join(_read(file, b, e - b) for b, e, _ in chunks)
                    table = np.frombuffer(data, np.uint8).reshape(len(chunks), -1)
                    parsed = _parse_equal(table, width, chunks[0][2])
                    if parsed is not None:
                        yield parsed[0], _view(parsed[1], stream)
                        continue
                for begin, end, count in chunks:
                    for timestamps, rows in _parse_chunk(file, begin, end, count, width):
                        yield timestamps, _view(rows, stream)

    def _chunks(self, file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield tag, first byte and end of the content of each chunk."""
        at = len(MAGIC)
        while at < size:
            head = _read(file, at, 11)  # length and tag
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
                count = min(count, end - begin)  # a sample has at least a byte
                self.streams[number].places.extend((begin + 1 + head[0], end, count))
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


def _equal_chunks(places: array[int]) -> Iterator[list[tuple[int, int, int]]]:
    """Yield consecutive chunks of equal size, at most `BLOCK_BYTES` together."""
    table = np.frombuffer(places, np.int64).reshape(-1, 3)
    sizes, counts = table[:, 1] - table[:, 0], table[:, 2]
    changes = np.flatnonzero((np.diff(sizes) != 0) | (np.diff(counts) != 0)) + 1
    for first, stop in pairwise([0, *changes.tolist(), len(table)]):
        step = max(1, BLOCK_BYTES // max(1, int(sizes[first]))) if stop > first else 1
        for start in range(first, stop, step):
            yield [(b, e, n) for b, e, n in table[start : min(start + step, stop)].tolist()]


def _parse_equal(
    table: NDArray[np.uint8], width: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.uint8]] | None:
    """Parse chunks whose samples have timestamps at the same places; None if they do not.

    Parameters
    ----------
    table : ndarray of uint8, shape (chunks, bytes)
    width : int
        Bytes of the values of a sample.
    count : int
        Samples of a chunk.
    """
    places: list[int] = []
    flags: list[int] = []
    at = 0
    while len(places) < count and at < table.shape[1] and table[0, at] in (0, _STAMPED):
        places.append(at)
        flags.append(int(table[0, at]))
        at += 1 + flags[-1] + width
    if len(places) < count or at > table.shape[1] or (table[:, places] != flags).any():
        return None
    stamped = np.array(flags) == _STAMPED
    values_at = np.array(places) + 1 + np.array(flags)
    rows = table[:, values_at[:, None] + np.arange(width)].reshape(-1, width)
    times_at = np.array(places)[stamped, None] + np.arange(1, 1 + _STAMPED)
    timestamps = np.full((len(table), count), np.nan)
    timestamps[:, stamped] = np.ascontiguousarray(table[:, times_at]).view("<f8")[..., 0]
    return timestamps.ravel(), rows


def _parse_chunk(
    file: BinaryIO, begin: int, end: int, count: int, width: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    """Yield timestamps and values of one chunk in blocks, up to damage."""
    block_bytes = max(BLOCK_BYTES, 1 + _STAMPED + width)
    while count and begin < end:
        data = np.frombuffer(_read(file, begin, min(block_bytes, end - begin)), np.uint8)
        timestamps, rows, used = _parse_samples(data, width, count)
        if not len(timestamps):
            return  # damaged, or cut
        begin, count = begin + used, count - len(timestamps)
        yield timestamps, rows


def _view(rows: NDArray[np.uint8], stream: XdfStream) -> NDArray[np.generic]:
    """Return the values of samples, shape (n, channels)."""
    values: NDArray[np.generic] = np.ascontiguousarray(rows).view(stream.dtype)
    return values.reshape(-1, stream.channels)


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
