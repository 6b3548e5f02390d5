"""Axivity AX3 and AX6: the sectors of a ``.cwa`` file.

The layout of a sector is that of the Open Movement project (Jackson et al., "CWA" and "OMX"
file format). A sector whose checksum is wrong is left out, so that it becomes a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

Sectors = NDArray[np.void]

#: Bytes of a sector, and of the header before the first.
_SECTOR_BYTES: Final = 512
_HEADER_BYTES: Final = 1024
#: Sectors whose headers are read at once.
_SECTORS_AT_ONCE: Final = 8192
_SECTOR: Final = np.dtype(
    {
        "names": [
            "id", "length", "fraction", "sequence", "timestamp", "light", "rate", "packing",
            "offset", "count", "data", "all",
        ],
        "formats": ["<u2", "<u2", "<u2", "<u4", "<u4", "<u2", "u1", "u1", "<i2", "<u2",
                    "(480,)u1", "(256,)<u2"],
        "offsets": [0, 2, 4, 10, 14, 18, 24, 25, 26, 28, 30, 0],
        "itemsize": _SECTOR_BYTES,
    }
)  # fmt: skip
#: Identifiers of the header and of a sector with samples: "MD" and "AX".
_HEADER_ID: Final = b"MD"
_DATA_ID: Final = 0x5841
#: Known packings: code and number of axes.
_PACKINGS: Final = ((0, 3), (2, 3), (2, 6), (2, 9))
#: Position and number of bits of year (since 2000), month, day, hour, minute and second.
_CLOCK_BITS: Final = ((26, 6), (22, 4), (17, 5), (12, 5), (6, 6), (0, 6))
#: Flag of a timestamp with a fraction of a second.
_HAS_FRACTION: Final = 0x8000


class AxivityBlocks:
    """The sectors of a ``.cwa`` file, as `AccelerometerBlocks`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Raises
    ------
    InputError
        If it is not such a file, or the setting of the sensor changes within it.
    """

    utc_offset: timedelta | None = None
    lost: NDArray[np.int64] | None = None

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        with path.open("rb") as file:
            if file.read(2) != _HEADER_ID:
                raise InputError(
                    source,
                    "this is not an Axivity file, or its header is damaged",
                    "download it from the device again",
                    "header",
                )
        parts = [self._parse(sectors, first) for first, sectors in self._sectors()]
        columns = [np.concatenate(c) for c in zip(*parts, strict=True)] if parts else []
        if columns:
            columns = _in_order(columns)
        notes: list[str] = []
        self.notes: Sequence[str] = notes
        if not columns or not len(columns[0]):
            self._numbers = self.starts_ns = self.counts = np.empty(0, np.int64)
            self.nominal_fs, self.resolution_ns = 100.0, 1
            return
        self._numbers, self.starts_ns, self.counts, settings, fractional, sequence = columns
        self._check_settings(source, settings)
        self.lost = _lost_samples(sequence, self.starts_ns, self.counts, self.nominal_fs)
        self.resolution_ns = NS if not fractional.any() else NS // 1000
        damaged = self._sector_count - len(self._numbers)
        if damaged:
            notes.append(
                Note(
                    "unread", f"{source}: {damaged} damaged, empty or repeated sectors are left out"
                )
            )
        if (path.stat().st_size - _HEADER_BYTES) % _SECTOR_BYTES:
            notes.append(
                Note("unread", f"{source}: the file is cut within a sector; later ones are missing")
            )
        if not fractional.any():
            notes.append(f"{source}: the clock of the device has whole seconds only")

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the samples of sectors in g; see `AccelerometerBlocks.read`."""
        numbers = self._numbers[first:stop]
        begin, end = int(numbers.min()), int(numbers.max()) + 1
        with self._path.open("rb") as file:
            file.seek(_HEADER_BYTES + begin * _SECTOR_BYTES)
            sectors = np.fromfile(file, _SECTOR, end - begin)[numbers - begin]
        if self._packed:
            words = np.ascontiguousarray(sectors["data"]).view("<u4")
            shifts = (words >> 30).astype(np.int32)
            axes = [((words << (22 - 10 * i)).view(np.int32) >> 22) << shifts for i in range(3)]
            values = np.stack(axes, axis=-1)
        else:
            row = np.ascontiguousarray(sectors["data"]).view("<i2")
            per_row = row.shape[1] // self._axes * self._axes
            values = row[:, :per_row].reshape(len(row), -1, self._axes)
            # a gyroscope comes before the accelerometer, a magnetometer after it
            values = values[..., :3] if self._axes == 3 else values[..., 3:6]
        used = np.arange(values.shape[1]) < self.counts[first:stop, None]
        return (values[used] / np.float32(self._units_per_g)).astype(np.float32)

    def locate_block(self, block: int) -> str:
        """Return the number of a sector, counted from one, such as ``sector 17``."""
        return f"sector {int(self._numbers[block]) + 1}"

    def _sectors(self) -> Iterator[tuple[int, Sectors]]:
        """Yield the number of the first sector, and sectors."""
        with self._path.open("rb") as file:
            file.seek(_HEADER_BYTES)
            first = 0
            while len(sectors := np.fromfile(file, _SECTOR, _SECTORS_AT_ONCE)):
                yield first, sectors
                first += len(sectors)
        self._sector_count = first

    def _parse(self, sectors: Sectors, first: int) -> tuple[NDArray[Any], ...]:
        """Return number, start, count, setting and fraction flag of each undamaged sector."""
        sums = sectors["all"].sum(axis=1, dtype=np.uint32) & 0xFFFF
        good = (sectors["id"] == _DATA_ID) & (sectors["length"] == _SECTOR_BYTES - 4) & (sums == 0)
        good &= (sectors["count"] > 0) & (sectors["rate"] & 0x0F >= 6)
        seconds, in_range = _to_seconds(sectors["timestamp"])
        good &= in_range
        kept = sectors[good]
        fractional = (kept["fraction"] & _HAS_FRACTION) != 0
        fraction = np.where(fractional, (kept["fraction"].astype(np.int64) & 0x7FFF) << 1, 0)
        fs = 3200 / (1 << (15 - (kept["rate"] & 0x0F).astype(np.int64)))
        # firmware with fractions has put the fraction into the offset, for older programs
        offset = kept["offset"] + ((fraction * fs.astype(np.int64)) >> 16)
        starts = seconds[good] * NS + np.rint((fraction / 65536 - offset / fs) * NS).astype(
            np.int64
        )
        setting = (
            kept["rate"].astype(np.int64) << 16
            | kept["packing"].astype(np.int64) << 8
            | kept["light"] >> 13
        )
        numbers = np.flatnonzero(good) + first
        counts, sequence = kept["count"].astype(np.int64), kept["sequence"].astype(np.int64)
        return numbers, starts, counts, setting, fractional, sequence

    def _check_settings(self, source: str, settings: NDArray[np.int64]) -> None:
        """Set rate, packing and scale, which must not change."""
        changed = np.flatnonzero(settings != settings[0])
        if len(changed):
            raise InputError(
                source,
                "the rate or range of the sensor changes",
                "export the parts before and after as two files",
                self.locate_block(int(changed[0])),
            )
        rate, packing, scale = (
            int(settings[0]) >> 16,
            int(settings[0]) >> 8 & 0xFF,
            int(settings[0]) & 7,
        )
        self.nominal_fs = 3200 / (1 << (15 - (rate & 0x0F)))
        self._axes, self._packed = packing >> 4, packing & 0x0F == 0
        if (packing & 0x0F, self._axes) not in _PACKINGS:
            raise InputError(
                source, f"packing {packing:#04x} is not known", "convert it to CSV with OmGui"
            )
        self._units_per_g = 256 if self._packed else 1 << (8 + scale)
        longest = 120 if self._packed else 240 // self._axes
        self.counts = np.minimum(self.counts, longest)


def _in_order(columns: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return sectors in the order of their times, each once, if their sequence agrees."""
    starts, sequence = columns[1], columns[-1]
    order = np.lexsort((sequence, starts))
    new = np.diff(starts[order], prepend=-1) != 0
    new |= np.diff(sequence[order], prepend=-1) != 0
    order = order[new]
    return [c[order] for c in columns] if (np.diff(sequence[order]) > 0).all() else columns


def _lost_samples(
    sequence: NDArray[np.int64], starts_ns: NDArray[np.int64], counts: NDArray[np.int64], fs: float
) -> NDArray[np.int64]:
    """Return the samples of the sectors missing before each sector, by the sequence number.

    It restarts with the device, so the time has to allow for the loss.
    """
    before = np.concatenate([[0], counts[:-1]])
    lost = (np.diff(sequence, prepend=sequence[0] - 1) - 1) * before
    spare_ns = np.diff(starts_ns, prepend=starts_ns[0]) + 2 * NS - (before + lost) * (NS / fs)
    return np.where((lost > 0) & (spare_ns > 0), lost, 0)


def _to_seconds(packed: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return seconds since 1970 of packed clock times, and whether each is a clock time."""
    year, month, day, hour, minute, second = (
        (packed >> shift & (1 << bits) - 1).astype(np.int64) for shift, bits in _CLOCK_BITS
    )
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    months = (year + 30) * 12 + np.where(valid, month, 1) - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second, valid
