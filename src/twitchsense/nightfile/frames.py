"""Checks and decodes the stored packets of one boot, thousands at a time.

A night has about a million packets, and usually all of them are valid. Such a batch is
decoded as a whole, with one array for each header field. If a packet of a batch is invalid,
the batch is decoded packet by packet, by the same decoder as frames on reception.
"""

from __future__ import annotations

import zlib
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import PacketError
from twitchsense.devices.framing import MAX_FRAME_BYTES
from twitchsense.devices.v1.v1_frames import (
    CHECKSUM_SIZE,
    FLAG_REPLAY,
    HEADER,
    MARKER_TYPE,
    DeviceInfo,
    StreamInfo,
    decode_frame,
    unwrap_ticks,
)
from twitchsense.nightfile.row_format import Cell, is_sound

Ints = NDArray[np.int64]
#: A row of table ``packet``: ``seq, arrival_ns, data, crc``; a damaged one may hold anything.
PacketRow = tuple[Cell, Cell, Cell, Cell]

#: Header of a frame (docs/protocol.md).
_HEADER_DTYPE: Final = np.dtype(
    [("type", "u1"), ("flags", "u1"), ("count", "u1"), ("boot", "u1"), ("seq", "<u4"),
     ("ticks", "<u4")]
)  # fmt: skip
#: Maximum product that is computed in int64; larger ones are computed in Python integers.
_MAX_PRODUCT: Final = 1 << 62


@dataclass
class DamageCounts:
    """Number of stored packets that cannot be used.

    Attributes
    ----------
    corrupt : int
        Packets whose checksum in the file is wrong.
    undecodable : int
        Packets that are stored as received but are not valid frames of the boot.
    """

    corrupt: int = 0
    undecodable: int = 0


@dataclass(frozen=True)
class FrameBatch:
    """Valid frames of one boot, in order of their sequence number.

    Attributes
    ----------
    type, flags, seq, arrival_ns : ndarray of int64, shape (n,)
    ticks : ndarray of int64, shape (n,)
        Tick of the first sample, since boot.
    first, count : ndarray of int64, shape (n,)
        Index of the first sample since boot, and number of samples; 0 for markers.
    payloads : sequence of bytes
        Samples of each frame, as sent.
    """

    type: Ints
    flags: Ints
    seq: Ints
    arrival_ns: Ints
    ticks: Ints
    first: Ints
    count: Ints
    payloads: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.payloads)

    def samples(self, stream: StreamInfo) -> NDArray[np.int16]:
        """Return the samples of all frames of a stream.

        Returns
        -------
        ndarray of int16, shape (samples, values)
            In counts.
        """
        indices = np.flatnonzero(self.type == stream.id).tolist()
        joined = b"".join([self.payloads[i] for i in indices])
        return np.frombuffer(joined, "<i2").reshape(-1, stream.width)

    def last_ticks(self, info: DeviceInfo) -> Ints:
        """Return the tick of the last sample of each frame, and that of each marker.

        Parameters
        ----------
        info : DeviceInfo
            Description of the device.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        last = self.ticks.copy()
        for stream in info.streams:
            of_stream = self.type == stream.id
            k = self.first[of_stream] + self.count[of_stream] - 1
            last[of_stream] = _multiply_divide(k, 1000 * info.tick_hz, stream.rate_mhz)
        return last


def _multiply_divide(x: Ints, factor: int, divisor: int) -> Ints:
    """Return ``x * factor // divisor``, without overflow."""
    if int(x.max(initial=0)) < _MAX_PRODUCT // factor:
        return x * factor // divisor
    return np.array([k * factor // divisor for k in x.tolist()], np.int64)


class FrameDecoder:
    """Decodes the packets of one boot, in order of their sequence number.

    Parameters
    ----------
    info : DeviceInfo
        Description of the device.
    start_ticks : int
        Ticks of the device, in full, near the first packet. Frames hold the low 32 bits.
    damage : DamageCounts
        Counts, which are increased by the packets left out.
    boot_row, boot_count : int, optional
        Row of the boot in the file, and its count, of which frames hold the low 8 bits.
    """

    def __init__(
        self,
        info: DeviceInfo,
        start_ticks: int,
        damage: DamageCounts,
        boot_row: int = 1,
        boot_count: int = 1,
    ) -> None:
        self.damage = damage
        self._info = info
        self._boot_row = boot_row
        self._boot_byte = boot_count & 0xFF
        self._last_ticks = start_ticks
        #: Smallest index of the next sample of each stream.
        self._next_index = {s.id: 0 for s in info.streams}
        self._widths = np.full(256, -1)
        self._widths[MARKER_TYPE] = 0
        for stream in info.streams:
            self._widths[stream.id] = stream.width

    def push(self, rows: Sequence[PacketRow]) -> FrameBatch:
        """Decode the next packets.

        Parameters
        ----------
        rows : sequence of (seq, arrival_ns, data, crc)
            At least one.

        Returns
        -------
        FrameBatch
            The valid frames.
        """
        try:
            frames = self._decode_batch(rows)
        except (TypeError, ValueError, OverflowError):  # a cell that no recorder writes
            frames = None
        if frames is None:
            return self._decode_singly(rows)
        if len(frames):
            self._last_ticks = int(frames.ticks[-1])
        for stream in self._info.streams:
            indices = np.flatnonzero(frames.type == stream.id)
            if len(indices):
                last = indices[-1]
                self._next_index[stream.id] = int(frames.first[last] + frames.count[last])
        return frames

    def _decode_batch(self, rows: Sequence[PacketRow]) -> FrameBatch | None:
        """Return the frames of all rows, or None if one of them may be invalid."""
        cells: tuple[tuple[Any, ...], ...] = tuple(zip(*rows, strict=True))
        seqs, arrivals, data, crcs = cells
        seq, arrival = np.array(seqs, np.int64), np.array(arrivals, np.int64)
        boot = np.full(len(seq), self._boot_row)
        if not _have_crcs(crcs, data, seq, arrival, boot) and not _have_crcs(
            crcs, data, seq, arrival
        ):
            return None
        size = np.fromiter(map(len, data), np.int64, len(data))
        if int(size.min()) < HEADER.size + CHECKSUM_SIZE or int(size.max()) > MAX_FRAME_BYTES:
            return None
        headers = np.frombuffer(b"".join([d[: HEADER.size] for d in data]), _HEADER_DTYPE)
        kind, count = headers["type"].astype(np.int64), headers["count"].astype(np.int64)
        width = self._widths[kind]
        valid = (width >= 0) & ((count == 0) == (kind == MARKER_TYPE)) & (headers["seq"] == seq)
        valid &= headers["boot"] == self._boot_byte
        valid &= size == HEADER.size + 2 * count * width + CHECKSUM_SIZE
        if not valid.all() or not _checksums_are_valid(data, headers["flags"]):
            return None
        # unwrap the 32-bit counter
        low = np.append(self._last_ticks, headers["ticks"].astype(np.int64))
        steps = low[1:] - low[:-1]
        ticks = self._last_ticks + np.cumsum((steps + (1 << 31)) % (1 << 32) - (1 << 31))
        first = self._sample_indices(kind, ticks, count)
        if first is None:
            return None
        payloads = [d[HEADER.size : -CHECKSUM_SIZE] for d in data]
        flags = headers["flags"].astype(np.int64)
        return FrameBatch(kind, flags, seq, arrival, ticks, first, count, payloads)

    def _sample_indices(self, kind: Ints, ticks: Ints, count: Ints) -> Ints | None:
        """Return the index of the first sample of each frame, or None if one is invalid."""
        if int(ticks.min()) < 0:
            return None
        first = np.zeros(len(kind), np.int64)
        period = 1000 * self._info.tick_hz
        for stream in self._info.streams:
            of_stream = kind == stream.id
            stream_ticks = ticks[of_stream]
            if not len(stream_ticks):
                continue
            if int(stream_ticks.max()) >= _MAX_PRODUCT // stream.rate_mhz:
                return None
            k = -(-stream_ticks * stream.rate_mhz // period)
            ends = np.append(self._next_index[stream.id], (k + count[of_stream])[:-1])
            if (k * period // stream.rate_mhz != stream_ticks).any() or (k < ends).any():
                return None
            first[of_stream] = k
        return first

    def _decode_singly(self, rows: Sequence[PacketRow]) -> FrameBatch:
        """Return the valid frames of rows, and count the others."""
        table, payloads = [], []
        for seq, arrival, data, crc in rows:
            if not (
                is_sound("packet", None, (self._boot_row, seq, arrival, data), crc)
                and isinstance(seq, int)
                and isinstance(data, bytes)
            ):
                self.damage.corrupt += 1
                continue
            fields = self._decode_packet(seq, data)
            if fields is None:
                self.damage.undecodable += 1
                continue
            kind, flag, self._last_ticks, first, count = fields
            if kind != MARKER_TYPE:
                self._next_index[kind] = first + count
            table.append((kind, flag, seq, arrival, self._last_ticks, first, count))
            payloads.append(data[HEADER.size : -CHECKSUM_SIZE])
        columns = np.array(table, np.int64).reshape(-1, 7)
        kinds, flags, seqs, arrivals, ticks, firsts, counts = columns.T
        return FrameBatch(kinds, flags, seqs, arrivals, ticks, firsts, counts, payloads)

    def _decode_packet(self, seq: int, data: bytes) -> tuple[int, int, int, int, int] | None:
        """Return type, flags, ticks, first and count of a frame, or None if it is invalid."""
        try:
            frame = decode_frame(data, self._info)
            ticks, first = unwrap_ticks(frame.ticks, self._last_ticks), 0
            if frame.type != MARKER_TYPE:
                first = self._info.sample_index(self._info.stream_by_id[frame.type], ticks)
        except PacketError:
            return None
        if frame.boot != self._boot_byte:
            return None
        if frame.seq != seq or first < self._next_index.get(frame.type, 0):
            return None
        return frame.type, frame.flags, ticks, first, len(frame.samples)


def _have_crcs(crcs: Sequence[object], data: Sequence[bytes], *numbers: NDArray[np.int64]) -> bool:
    """Return whether the checksums of packets are those of `tables.packet_crc`."""
    heads = np.column_stack(numbers).astype("<i8").view(f"V{8 * len(numbers)}")[:, 0].tolist()
    return tuple(map(zlib.crc32, data, map(zlib.crc32, heads))) == crcs


def _checksums_are_valid(data: Sequence[bytes], flags: NDArray[np.uint8]) -> bool:
    """Return whether the CRC-16 of every frame is right."""
    content = [d[:-CHECKSUM_SIZE] for d in data]
    # the checksum is computed with the replay flag cleared
    for i in np.flatnonzero(flags & FLAG_REPLAY).tolist():
        content[i] = content[i][:1] + bytes([content[i][1] & ~FLAG_REPLAY]) + content[i][2:]
    stored = np.frombuffer(b"".join([d[-CHECKSUM_SIZE:] for d in data]), "<u2")
    computed = np.fromiter(map(crc_hqx, content, repeat(0xFFFF)), np.int64, len(content))
    return bool((computed == stored).all())
