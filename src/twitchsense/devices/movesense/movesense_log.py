"""Logs in the memory of Movesense sensors: SBEM files, which arrive in pieces.

A file begins with ``SBEM`` and four digits. Chunks follow: id, size, content. An id or size of 255
stands for the two or four bytes after it. Chunks with id 0 describe the others: the name and
format of a field (``<PTH>``, ``<FRM>``, ``<MOD>``), or the fields of a chunk in order (``<GRP>``).
Sources: the headers Sbem.hpp and sbemdescriptor.hpp of Movesense's device library, and logs of
Movesense Flash sensors described by their users, read as descriptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import PacketError

_HEADER: Final = 8
_ESCAPE: Final = 0xFF
_DESCRIPTOR: Final = 0
#: Limits of what is accepted: bytes of a chunk, descriptors of a file, fields of a chunk.
_MAX_CHUNK: Final = 4096
_MAX_DESCRIPTORS: Final = 4096
_MAX_FIELDS: Final = 1024
_MAX_DEPTH: Final = 4
_FORMATS: Final = {
    "bool": "u1", "int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4",
    "uint32": "<u4", "int64": "<i8", "uint64": "<u8", "float32": "<f4", "float64": "<f8",
}  # fmt: skip
#: Beginning of `<MOD>` of values in multiples of 0.001 of their unit.
_THOUSANDTHS: Final = "x*0.001"


@dataclass(frozen=True, slots=True)
class LoggedPayload:
    """Consecutive samples of a log.

    Attributes
    ----------
    stream : {'acc', 'ecg'}
    in_mv : bool
        Whether ECG comes as multiples of 0.001 mV, instead of counts.
    time_ms : int
        Time of the first sample since power-on, ms, modulo 2**32.
    samples : ndarray of float32, shape (n, 3), or of int16 or int32, shape (n, 1)
        Acceleration (m/s²) or ECG.
    """

    stream: Literal["acc", "ecg"]
    in_mv: bool
    time_ms: int
    samples: NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Field:
    names: tuple[str, ...]
    dtype: np.dtype[Any] | None
    modifier: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where time and samples stand in a chunk; `stream` is empty if nothing of it is recorded."""

    size: int
    stream: str = ""
    in_mv: bool = False
    time_at: int = 0
    at: int = 0
    count: int = 0
    dtype: str = "<f4"


class LogReader:
    """Reads a log whose bytes arrive in order."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._offset = 0
        self._has_header = False
        self._failure = ""
        self._fields: dict[int, _Field] = {}
        self._groups: dict[int, tuple[int, ...]] = {}
        self._layouts: dict[int, _Layout | None] = {}

    def push(self, offset: int, data: bytes) -> list[LoggedPayload]:
        """Read the next bytes.

        Parameters
        ----------
        offset : int
            Place of the first byte in the log.
        data : bytes

        Returns
        -------
        list of LoggedPayload

        Raises
        ------
        PacketError
            ``log`` if bytes before are missing, or the log is not SBEM; ``descriptor`` if all
            chunks in the bytes lack a description.
        """
        if not self._failure and offset != self._offset:
            self._failure = f"the bytes from {self._offset} on are missing, {offset} follows"
        if self._failure:
            raise PacketError("log", self._failure)
        self._offset += len(data)
        self._data += data
        if not self._has_header:
            if len(self._data) < _HEADER:
                return []
            if not self._data.startswith(b"SBEM"):
                self._failure = "it does not begin with SBEM; a compressed log cannot be read"
                raise PacketError("log", self._failure)
            del self._data[:_HEADER]
            self._has_header = True
        payloads, problem = [], ""
        while (chunk := self._take_chunk()) is not None:
            number, content = chunk
            try:
                payload = self._read(number, content)
            except PacketError as error:
                problem = problem or str(error)
                continue
            if payload is not None:
                payloads.append(payload)
        if problem and not payloads:
            raise PacketError("descriptor", problem)
        return payloads

    def _take_chunk(self) -> tuple[int, bytes] | None:
        """Return the id and content of the next chunk, or None if it is not complete."""
        data, at = self._data, 0
        numbers = []
        for width in (2, 4):
            if len(data) <= at:
                return None
            if data[at] < _ESCAPE:
                numbers.append(data[at])
                at += 1
                continue
            if len(data) < at + 1 + width:
                return None
            numbers.append(int.from_bytes(data[at + 1 : at + 1 + width], "little"))
            at += 1 + width
        number, size = numbers
        if size > _MAX_CHUNK:
            self._failure = f"a chunk of {size} bytes"
            raise PacketError("log", self._failure)
        if len(data) < at + size:
            return None
        content = bytes(data[at : at + size])
        del data[: at + size]
        return number, content

    def _read(self, number: int, content: bytes) -> LoggedPayload | None:
        if number == _DESCRIPTOR:
            self._describe(content)
            return None
        if number not in self._layouts:
            self._layouts[number] = self._lay_out(number)
        layout = self._layouts[number]
        if layout is None:
            raise PacketError("descriptor", f"chunk {number} is not described in the log")
        if not layout.stream:
            return None
        if len(content) != layout.size:
            raise PacketError("descriptor", f"chunk {number} has {len(content)} bytes")
        width = 3 if layout.stream == "acc" else 1
        samples = np.frombuffer(content, layout.dtype, width * layout.count, layout.at)
        samples = samples.reshape(-1, width).copy()
        if layout.stream == "acc" and not np.isfinite(samples).all():
            raise PacketError("value", "an acceleration is not a finite number")
        time_ms = int.from_bytes(content[layout.time_at : layout.time_at + 4], "little")
        stream: Literal["acc", "ecg"] = "acc" if layout.stream == "acc" else "ecg"
        return LoggedPayload(stream, layout.in_mv, time_ms, samples)

    def _describe(self, content: bytes) -> None:
        """Take the description of a field or of a chunk."""
        number = int.from_bytes(content[:2], "little")
        text = content[2:].decode("utf-8", "replace").strip("\0")
        lines = {line[:5]: line[5:].strip() for line in text.split("\n")}
        if len(self._fields) + len(self._groups) >= _MAX_DESCRIPTORS:
            raise PacketError("descriptor", f"more than {_MAX_DESCRIPTORS}")
        self._layouts.clear()
        if "<GRP>" in lines:
            members = lines["<GRP>"].split(",")
            if not all(m.strip().isdecimal() and len(m) < 7 for m in members):
                raise PacketError("descriptor", f"{text[:60]!r}")
            self._groups[number] = tuple(map(int, members))
        elif "<PTH>" in lines:
            format_, _, _ = lines.get("<FRM>", "").partition(",")
            dtype = np.dtype(_FORMATS[format_]) if format_ in _FORMATS else None
            names = tuple(re.split(r"[.+]", lines["<PTH>"].lower()))
            self._fields[number] = _Field(names, dtype, lines.get("<MOD>", ""))

    def _expand(self, number: int, depth: int = 0) -> list[_Field]:
        """Return the fields of a chunk or field, in order."""
        if number in self._fields:
            return [self._fields[number]]
        if number not in self._groups or depth == _MAX_DEPTH:
            raise PacketError("descriptor", f"{number} is not described in the log")
        fields: list[_Field] = []
        for member in self._groups[number]:
            fields += self._expand(member, depth + 1)
            if len(fields) > _MAX_FIELDS:
                raise PacketError("descriptor", f"{number} has more than {_MAX_FIELDS} fields")
        return fields

    def _lay_out(self, number: int) -> _Layout | None:
        """Find time and samples in a chunk; None if it is not described."""
        try:
            fields = self._expand(number)
        except PacketError:
            return None
        at = 0
        times: list[int] = []
        axes: list[tuple[str, int]] = []
        ecg: list[tuple[_Field, int]] = []
        for field in fields:
            if field.names in (("[",), ("]",)):
                continue
            if field.dtype is None:
                return _Layout(0)  # text, whose length is not fixed
            name = field.names[-1]
            if name == "timestamp" and field.dtype == np.uint32:
                times.append(at)
            elif "arrayacc" in field.names and field.dtype == np.float32:
                axes.append((name, at))
            elif name == "samples" and any("ecg" in part for part in field.names):
                ecg.append((field, at))
            at += field.dtype.itemsize
        if len(times) != 1 or bool(axes) == bool(ecg):
            return _Layout(at)
        if axes:
            count, start = len(axes) // 3, axes[0][1]
            whole = [("xyz"[i % 3], start + 4 * i) for i in range(3 * count)]
            return _Layout(at, "acc", False, times[0], start, count) if axes == whole else None
        (first, start), dtype = ecg[0], ecg[0][0].dtype
        in_mv = first.modifier.startswith(_THOUSANDTHS) or "measecgmv" in first.names
        assert dtype is not None
        is_known = dtype == (np.int16 if in_mv else np.int32)
        whole_ecg = [(first, start + dtype.itemsize * i) for i in range(len(ecg))]
        if not is_known or ecg != whole_ecg:
            return None
        return _Layout(at, "ecg", in_mv, times[0], start, len(ecg), dtype.str)
