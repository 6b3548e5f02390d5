"""ActiGraph: the records of a ``.gt3x`` file, which is a zip archive.

Devices with firmware 3.0 and later store records of a second in ``log.bin``; older ones
(NHANES) a gapless stream in ``activity.bin``. Both layouts are documented by ActiGraph
(repositories GT3X-File-Format and NHANES-GT3X-File-Format). While a device is in its idle
sleep mode it records nothing: a gap.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.accelerometers.cut_archive import CutFile, files_of_cut_archive
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

#: .NET ticks (100 ns) from year 1 to 1970.
_TICKS_TO_1970: Final = 621_355_968_000_000_000
#: Latest start that is not a sign of damage: the year 2200.
_MAX_START_NS: Final = 7_258_118_400 * NS
#: First byte of a record, size of its header, and types of records with samples.
_SEPARATOR: Final = 0x1E
_HEADER_BYTES: Final = 8
_ACTIVITY, _METADATA, _PARAMETERS, _ACTIVITY2 = 0, 6, 21, 26
#: Bytes that a sample of 12 bits for each axis reaches into.
_SAMPLE_12_BITS: Final = 5
#: Largest payload that is not a sign of damage: a second at 100 Hz has 600 bytes.
_MAX_PAYLOAD: Final = 4096
#: Bytes that are decompressed at once.
_CHUNK_BYTES: Final = 1 << 20
#: Maximum size of info.txt.
_MAX_INFO: Final = 1 << 20
#: Counts per g of devices whose info.txt does not contain it, by the start of the serial number.
_COUNTS_PER_G: Final = {"NEO": 341.0, "CLE": 341.0, "MRA": 341.0, "MOS": 256.0, "TAS": 256.0}
#: Identifier of the counts per g among the parameters, and its number format.
_SCALE_PARAMETER: Final = (0, 55)
_ERRORS: Final = (
    OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error,
    NotImplementedError,
)  # fmt: skip


class ActigraphBlocks:
    """The records of a ``.gt3x`` file, as `AccelerometerBlocks`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Raises
    ------
    InputError
        If it is not such a file, or is damaged.
    """

    resolution_ns = 1
    lost: NDArray[np.int64] | None = None

    def __init__(self, path: Path, source: str) -> None:
        self._path, self._source = path, source
        #: Files of an archive whose end is missing.
        self._cut_files: dict[str, int] = {}
        try:
            names = self._names()
            with self._open("info.txt") as file:
                info = _parse_info(file.read(_MAX_INFO).decode("utf-8-sig", "replace"))
        except _ERRORS as error:
            raise self._damaged(error) from error
        self._info = info
        self.nominal_fs = self._field_number("Sample Rate")
        if not 1 <= self.nominal_fs <= 1000:
            raise self._damaged(f"a rate of {self.nominal_fs:g} Hz")
        self.utc_offset = _offset(info.get("TimeZone", ""))
        self._scale: float | None = None
        self._damaged_places = 0
        if "log.bin" in names:
            self._blocks = self._log_blocks
        elif "activity.bin" in names:
            self._blocks = self._stream_blocks
        else:
            raise self._damaged("neither log.bin nor activity.bin in the archive")
        found = [(start, len(data)) for start, data in self._guarded()]
        self.starts_ns = np.array([f[0] for f in found], np.int64)
        self.counts = np.array([f[1] for f in found], np.int64)
        if not found:
            raise InputError(
                source,
                "has no raw acceleration",
                "download the device with raw data, not only with epochs",
            )
        self._reader: Iterator[tuple[int, NDArray[np.int16]]] = iter(())
        self._next = -1
        self._units = self._scale or self._known_scale()
        notes = []
        if self._cut_files:
            notes.append(f"{source}: the archive is cut; {self._missing()}")
        elif self._damaged_places:
            notes.append(
                f"{source}: damaged at {self._damaged_places} places, whose records are left out"
            )
        self.notes: Sequence[str] = [Note("unread", text) for text in notes]

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the samples of records in g; see `AccelerometerBlocks.read`."""
        if first != self._next:
            self._reader = self._guarded()
            for _ in range(first):
                next(self._reader)
        data = [next(self._reader)[1] for _ in range(stop - first)]
        self._next = stop
        return (np.concatenate(data) / self._units).astype(np.float32)

    def locate_block(self, block: int) -> str:
        """Return the number of a record with samples, such as ``activity record 17``."""
        return f"activity record {block + 1}"

    def _names(self) -> set[str]:
        """Return the names of the files in the archive."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                return set(archive.namelist())
        except zipfile.BadZipFile:
            self._cut_files = files_of_cut_archive(self._path)
            if not self._cut_files:
                raise
            return set(self._cut_files)

    @contextmanager
    def _open(self, name: str) -> Iterator[CutFile | IO[bytes]]:
        """Open a file in the archive."""
        if self._cut_files:
            with CutFile(self._path, self._cut_files[name]) as cut:
                yield cut
            return
        with zipfile.ZipFile(self._path) as archive, archive.open(name) as file:
            yield file

    def _missing(self) -> str:
        """Return in words how much of the recording a cut archive holds."""
        end_ns = int(self.starts_ns[-1]) + round(int(self.counts[-1]) * NS / self.nominal_fs)
        text = f"what it holds is read, up to {np.datetime64(end_ns // NS, 's')}"
        for name in ("Last Sample Time", "Stop Date"):
            stated = self._info.get(name, "")
            stop_ns = (int(stated) - _TICKS_TO_1970) * 100 if stated.isdecimal() else 0
            if end_ns < stop_ns < _MAX_START_NS:
                return f"{text}; {(stop_ns - end_ns) / (3600 * NS):.2f} h are missing"
        return text

    def _guarded(self) -> Iterator[tuple[int, NDArray[np.int16]]]:
        """Yield start (ns) and counts of each block; a damaged archive raises InputError."""
        self._damaged_places = 0
        try:
            yield from self._blocks()
        except _ERRORS as error:
            raise self._damaged(error) from error

    def _log_blocks(self) -> Iterator[tuple[int, NDArray[np.int16]]]:
        for kind, second, payload in self._records():
            if kind == _PARAMETERS and self._scale is None:
                self._scale = _scale_of(payload)
            elif kind == _METADATA and b'"UsedUtc":true' in payload:
                self.utc_offset = timedelta(0)
            elif kind == _ACTIVITY and len(payload) >= _SAMPLE_12_BITS:
                # stored as y, x, z
                yield second * NS, _unpack_12_bits(payload)[:, [1, 0, 2]]
            elif kind == _ACTIVITY2 and len(payload) >= 6:
                whole = payload[: len(payload) // 6 * 6]
                yield second * NS, np.frombuffer(whole, "<i2").reshape(-1, 3)

    def _stream_blocks(self) -> Iterator[tuple[int, NDArray[np.int16]]]:
        """Yield blocks of two seconds of the gapless stream of older devices."""
        start = (round(self._field_number("Start Date")) - _TICKS_TO_1970) * 100
        if not 0 <= start < _MAX_START_NS:
            raise self._damaged("a start date beyond the year 2200")
        size, at = 9 * round(self.nominal_fs), 0
        with self._open("activity.bin") as file:
            while data := file.read(size):
                counts = _unpack_12_bits(data)[:, [1, 0, 2]]
                if len(counts):
                    yield start + round(at * NS / self.nominal_fs), counts
                at += len(counts)

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield type, time (s) and payload of each undamaged record."""
        with self._open("log.bin") as file:
            data, at, in_damage = file.read(_CHUNK_BYTES), 0, False
            while True:
                if len(data) - at < _HEADER_BYTES + _MAX_PAYLOAD + 1:
                    data, at = data[at:] + file.read(_CHUNK_BYTES), 0
                if len(data) - at < _HEADER_BYTES + 1:
                    return
                size = int.from_bytes(data[at + 6 : at + 8], "little")
                end = at + _HEADER_BYTES + size
                if data[at] == _SEPARATOR and size <= _MAX_PAYLOAD and end < len(data):
                    body = data[at:end]
                    if np.bitwise_xor.reduce(np.frombuffer(body, np.uint8)) ^ 0xFF == data[end]:
                        second = int.from_bytes(body[2:6], "little")
                        yield body[1], second, body[_HEADER_BYTES:]
                        at, in_damage = end + 1, False
                        continue
                if not in_damage:
                    self._damaged_places += 1
                in_damage = True
                following = data.find(_SEPARATOR, at + 1)
                at = len(data) if following < 0 else following

    def _field_number(self, name: str) -> float:
        try:
            return float(self._info[name].replace(",", "."))
        except (KeyError, ValueError) as error:
            raise self._damaged(f"info.txt has no number '{name}'") from error

    def _known_scale(self) -> float:
        if "Acceleration Scale" in self._info:
            scale = self._field_number("Acceleration Scale")
            if scale > 0:
                return scale
        serial = self._info.get("Serial Number", "")[:3].upper()
        if serial not in _COUNTS_PER_G:
            raise self._damaged(f"no acceleration scale, and serial number '{serial}' is not known")
        return _COUNTS_PER_G[serial]

    def _damaged(self, problem: object) -> InputError:
        return InputError(
            self._source,
            f"this is not an ActiGraph file, or it is damaged ({problem})",
            "download it from the device again",
        )


def _parse_info(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def _offset(text: str) -> timedelta | None:
    match = re.fullmatch(r"([+-]?)(\d\d?):(\d\d)(?::\d\d)?", text)
    if not match:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


def _scale_of(payload: bytes) -> float | None:
    """Return the counts per g among the parameters: groups of address, identifier and value."""
    for at in range(0, len(payload) - 7, 8):
        address = int.from_bytes(payload[at : at + 2], "little")
        identifier = int.from_bytes(payload[at + 2 : at + 4], "little")
        if (address, identifier) == _SCALE_PARAMETER:
            value = _to_float(int.from_bytes(payload[at + 4 : at + 8], "little"))
            return value if 16 <= value <= 65536 else None
    return None


def _to_float(encoded: int) -> float:
    """Return a number with a significand of 24 bits and an exponent of 8, both signed."""
    significand, exponent = encoded & 0xFFFFFF, encoded >> 24
    significand -= (significand & 0x800000) << 1
    exponent -= (exponent & 0x80) << 1
    return float(significand / 0x800000 * 2.0**exponent)


def _unpack_12_bits(data: bytes) -> NDArray[np.int16]:
    """Return signed numbers of 12 bits, shape (n, 3); an incomplete sample is left out."""
    raw = np.frombuffer(data, np.uint8)
    padded = np.zeros(-(-len(raw) // 3) * 3, np.int16)
    padded[: len(raw)] = raw
    a, b, c = padded.reshape(-1, 3).T
    values = np.stack([a << 4 | b >> 4, (b & 15) << 8 | c], axis=1).ravel()
    signed = values - ((values & 0x800) << 1)
    count = len(raw) * 8 // 36
    samples: NDArray[np.int16] = signed[: count * 3].reshape(-1, 3)
    return samples
