"""Stored packets of one boot, checked and decoded thousands at a time.

A night has a million packets and nearly always all of them are sound: then a batch is
decoded as a whole, and its numbers are columns. Where one packet of a batch is not, the
batch is read packet by packet, by the decoder that says what is wrong with bytes from
the air.
"""

from __future__ import annotations

import zlib
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.framing import MAX_FRAME_BYTES, PacketError
from twitchsense.devices.v1_frames import (
    CHECKSUM_SIZE,
    FLAG_REPLAY,
    HEADER,
    MARKER_TYPE,
    DeviceInfo,
    StreamInfo,
    decode_frame,
    unwrap_ticks,
)
from twitchsense.nightfile.schema import packet_crc

Ints = NDArray[np.int64]
#: ``seq, arrival_ns, data, crc`` of a stored packet.
Row = tuple[int, int, bytes, int]

_HEAD: Final = np.dtype(
    [("type", "u1"), ("flags", "u1"), ("count", "u1"), ("boot", "u1"), ("seq", "<u4"),
     ("ticks", "<u4")]
)  # fmt: skip
#: Products beyond this might not fit: left to Python's whole numbers.
_MOST: Final = 1 << 62


@dataclass
class Damage:
    """How many stored packets could not be used."""

    rotten: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Frames:
    """Sound frames of one boot, in order.

    Attributes
    ----------
    type, flags, seq, arrival_ns : ndarray of int64, shape (n,)
    ticks : ndarray of int64, shape (n,)
        Of the first sample, since boot.
    first, count : ndarray of int64, shape (n,)
        Index since boot of the first sample, and how many there are; 0 for markers.
    bodies : sequence of bytes
        Samples of each, as sent.
    """

    type: Ints
    flags: Ints
    seq: Ints
    arrival_ns: Ints
    ticks: Ints
    first: Ints
    count: Ints
    bodies: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.bodies)

    def samples(self, stream: StreamInfo) -> NDArray[np.int16]:
        """Return the samples of all frames of a stream, shape ``(sum of counts, values)``."""
        mine = np.flatnonzero(self.type == stream.id).tolist()
        joined = b"".join([self.bodies[i] for i in mine])
        return np.frombuffer(joined, "<i2").reshape(-1, stream.width)

    def last_ticks(self, info: DeviceInfo) -> Ints:
        """Return the tick of each frame's last sample; of a marker, its own."""
        last = self.ticks.copy()
        for stream in info.streams:
            mine = self.type == stream.id
            k = self.first[mine] + self.count[mine] - 1
            last[mine] = _scaled(k, 1000 * info.tick_hz, stream.rate_mhz)
        return last


def _scaled(x: Ints, by: int, over: int) -> Ints:
    """Return ``x * by // over`` exactly."""
    if int(x.max(initial=0)) < _MOST // by:
        return x * by // over
    return np.array([k * by // over for k in x.tolist()], np.int64)


class FrameDecoder:
    """Decodes the packets of one boot, in order of their sequence.

    Parameters
    ----------
    info : Info
    near : int
        All the ticks of the boot when we met it: frames tell 32 bits of them.
    damage : Damage
        Told how many packets were left out.
    """

    def __init__(self, info: DeviceInfo, near: int, damage: Damage) -> None:
        self.damage = damage
        self._info, self._near = info, near
        self._expected = {s.id: 0 for s in info.streams}
        self._widths = np.full(256, -1)
        self._widths[MARKER_TYPE] = 0
        for stream in info.streams:
            self._widths[stream.id] = stream.width

    def push(self, rows: Sequence[Row]) -> Frames:
        """Return the sound frames of some rows."""
        try:
            frames = self._all_of_them(rows)
        except (TypeError, ValueError):  # a cell holds what no recorder writes
            frames = None
        if frames is None:
            return self._one_by_one(rows)
        if len(frames):
            self._near = int(frames.ticks[-1])
        for stream in self._info.streams:
            mine = np.flatnonzero(frames.type == stream.id)
            if len(mine):
                self._expected[stream.id] = int(frames.first[mine[-1]] + frames.count[mine[-1]])
        return frames

    def _all_of_them(self, rows: Sequence[Row]) -> Frames | None:
        """Return the frames of all rows, or None if one is not sound or not ordinary."""
        seqs, arrivals, data, crcs = zip(*rows, strict=True)
        seq, arrival = np.array(seqs, np.int64), np.array(arrivals, np.int64)
        places = np.column_stack([seq, arrival]).astype("<i8").view("V16")[:, 0].tolist()
        if tuple(map(zlib.crc32, data, map(zlib.crc32, places))) != crcs:
            return None
        size = np.fromiter(map(len, data), np.int64, len(data))
        if int(size.min()) < HEADER.size + CHECKSUM_SIZE or int(size.max()) > MAX_FRAME_BYTES:
            return None
        head = np.frombuffer(b"".join([d[: HEADER.size] for d in data]), _HEAD)
        kind, count = head["type"].astype(np.int64), head["count"].astype(np.int64)
        width = self._widths[kind]
        sound = (width >= 0) & ((count == 0) == (kind == MARKER_TYPE)) & (head["seq"] == seq)
        sound &= size == HEADER.size + 2 * count * width + CHECKSUM_SIZE
        if not sound.all() or not _checksums_hold(data, head["flags"]):
            return None
        # signed steps of the counter's 32 bits
        low = np.append(self._near, head["ticks"].astype(np.int64))
        steps = low[1:] - low[:-1]
        ticks = self._near + np.cumsum((steps + (1 << 31)) % (1 << 32) - (1 << 31))
        first = self._place(kind, ticks, count)
        if first is None:
            return None
        bodies = [d[HEADER.size : -CHECKSUM_SIZE] for d in data]
        flags = head["flags"].astype(np.int64)
        return Frames(kind, flags, seq, arrival, ticks, first, count, bodies)

    def _place(self, kind: Ints, ticks: Ints, count: Ints) -> Ints | None:
        """Return the index of each frame's first sample, None if one has no place."""
        if int(ticks.min()) < 0:
            return None
        first = np.zeros(len(kind), np.int64)
        period = 1000 * self._info.tick_hz
        for stream in self._info.streams:
            mine = kind == stream.id
            at = ticks[mine]
            if not len(at):
                continue
            if int(at.max()) >= _MOST // stream.rate_mhz:
                return None
            k = -(-at * stream.rate_mhz // period)
            ends = np.append(self._expected[stream.id], (k + count[mine])[:-1])
            if (k * period // stream.rate_mhz != at).any() or (k < ends).any():
                return None
            first[mine] = k
        return first

    def _one_by_one(self, rows: Sequence[Row]) -> Frames:
        table, bodies = [], []
        for seq, arrival, data, crc in rows:
            as_written = isinstance(arrival, int) and isinstance(data, bytes)
            if not as_written or packet_crc(seq, arrival, data) != crc:
                self.damage.rotten += 1
                continue
            found = self._read(seq, data)
            if found is None:
                self.damage.unreadable += 1
                continue
            kind, flag, self._near, first, count = found
            if kind != MARKER_TYPE:
                self._expected[kind] = first + count
            table.append((kind, flag, seq, arrival, self._near, first, count))
            bodies.append(data[HEADER.size : -CHECKSUM_SIZE])
        columns = np.array(table, np.int64).reshape(-1, 7)
        kinds, flags, seqs, arrivals, ticks, firsts, counts = columns.T
        return Frames(kinds, flags, seqs, arrivals, ticks, firsts, counts, bodies)

    def _read(self, seq: int, data: bytes) -> tuple[int, int, int, int, int] | None:
        """Return type, flags, ticks, first and count of a frame, None if it can't be used."""
        try:
            frame = decode_frame(data, self._info)
            ticks, first = unwrap_ticks(frame.ticks, self._near), 0
            if frame.type != MARKER_TYPE:
                first = self._info.sample_index(self._info.stream_by_id[frame.type], ticks)
        except PacketError:
            return None
        if frame.seq != seq or first < self._expected.get(frame.type, 0):
            return None
        return frame.type, frame.flags, ticks, first, len(frame.samples)


def _checksums_hold(data: Sequence[bytes], flags: NDArray[np.uint8]) -> bool:
    """Tell whether each frame's own checksum is right."""
    plain = [d[:-CHECKSUM_SIZE] for d in data]
    for i in np.flatnonzero(flags & FLAG_REPLAY).tolist():  # the checksum takes REPLAY for 0
        plain[i] = plain[i][:1] + bytes([plain[i][1] & ~FLAG_REPLAY]) + plain[i][2:]
    said = np.frombuffer(b"".join([d[-CHECKSUM_SIZE:] for d in data]), "<u2")
    found = np.fromiter(map(crc_hqx, plain, repeat(0xFFFF)), np.int64, len(plain))
    return bool((found == said).all())
