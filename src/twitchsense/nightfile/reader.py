"""Reads a night file: frames decoded, and the clock that their arrivals tell."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.framing import PacketError
from twitchsense.devices.v1_frames import (
    FLAG_REPLAY,
    MARKER_TYPE,
    DeviceInfo,
    StreamInfo,
    decode_info,
)
from twitchsense.errors import InputError
from twitchsense.model.sample_file import SampleFile
from twitchsense.nightfile.device_clock import Arrivals, TickClock
from twitchsense.nightfile.frames import Damage, FrameDecoder, Frames
from twitchsense.nightfile.schema import connect, damaged

#: Packets decoded, and samples given to their tracks, at once.
_BATCH: Final = 4000
_ROWS: Final = 1 << 17
#: Notes of the link log at which the wearable was there.
_HEARD: Final = ("connected", "take_over")


@dataclass(frozen=True)
class Source:
    """One boot of one device: its frames are on one clock.

    Attributes
    ----------
    id : int
        Row of the boot.
    device : str
    count : int
        Boot count.
    info : Info
    columns : mapping of int to tuple of str
        Column names of each stream's values.
    """

    id: int
    device: str
    count: int
    info: DeviceInfo
    columns: Mapping[int, tuple[str, ...]]


@dataclass
class Run:
    """Samples of a stream without a gap: index since boot of the first, and how many."""

    first: int
    count: int


class StreamSamples:
    """Samples of one stream of a boot, kept on disk until their clock is known.

    Parameters
    ----------
    stream : Stream
    """

    def __init__(self, stream: StreamInfo) -> None:
        self.stream = stream
        self._counts = SampleFile(stream.width, np.int16)
        self._runs: list[Run] = []

    def add(self, frames: Frames) -> None:
        """Add the samples of this stream's frames."""
        mine = frames.type == self.stream.id
        first, count = frames.first[mine], frames.count[mine]
        if not len(first):
            return
        self._counts.append(frames.samples(self.stream))
        ends = first + count
        heads = np.flatnonzero(np.append(True, first[1:] != ends[:-1]))
        sums = np.add.reduceat(count, heads)
        for start, n in zip(first[heads].tolist(), sums.tolist(), strict=True):
            last = self._runs[-1] if self._runs else None
            if last is not None and last.first + last.count == start:
                last.count += n
            else:
                self._runs.append(Run(start, n))

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int16]]]:
        """Yield indices since boot and samples ``(n, values)``, some at a time."""
        done = 0
        for run in self._runs:
            for start in range(0, run.count, _ROWS):
                stop = min(start + _ROWS, run.count)
                index = np.arange(run.first + start, run.first + stop)
                yield index, self._counts.read(done + start, done + stop)
            done += run.count


@dataclass
class BootSamples:
    """All of one boot that can be used.

    Attributes
    ----------
    source : Source
    clock : TickClock or None
        None without a frame.
    first_ticks : int
        Of the first frame.
    streams : list of StreamSamples
        Those that have columns.
    damage : Damage
    presses : list of int
        Ticks at which the wearer pressed the button.
    """

    source: Source
    clock: TickClock | None
    first_ticks: int
    streams: list[StreamSamples]
    damage: Damage
    presses: list[int]


class NightReader:
    """Reads a night file, also while it is being written: what is committed by now.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If it is no sound night file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = connect(path, write=False)
        try:
            # one snapshot for the whole reading, whatever is written meanwhile
            self._db.execute("BEGIN")
            rows = self._db.execute(
                "SELECT boot.id, device.key, boot.count, device.info FROM boot "
                "JOIN device ON device.id = boot.device ORDER BY boot.id"
            ).fetchall()
            self.meta = dict(self._db.execute("SELECT key, value FROM meta"))
            self._schema = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error as error:
            raise damaged(path, error) from error
        infos: dict[str, DeviceInfo] = {}
        for _, key, _, info in rows:
            if key not in infos:
                infos[key] = self._info(key, info)
        columns = name_columns(infos)
        self.sources = tuple(Source(i, k, c, infos[k], columns[k]) for i, k, c, _ in rows)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def query(self, sql: str, *arguments: object) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        try:
            return self._db.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise damaged(self.path, error) from error

    def batteries(self, after: int = 0) -> list[tuple[int, str, int]]:
        """Return what the devices said of their batteries, from the row after one on.

        Each is a row's number, a device's key, and percent.
        """
        if self._schema < 2:
            return []
        sql = "SELECT id, device, percent FROM battery WHERE id > ? ORDER BY id"
        return [(int(str(i)), str(d), int(str(p))) for i, d, p in self.query(sql, after)]

    def silence(self) -> tuple[int | None, int | None]:
        """Return since when it was tried to record, and until when, if in vain (UTC, ns).

        The link log tells: a recorder that meets no wearable at first, or has lost it
        when it ends, notes each attempt.
        """
        rows = self.query("SELECT time_ns, event, detail FROM link ORDER BY id")
        notes = [
            (t, event in _HEARD or (event, detail) == ("stopped", ""))
            for t, event, detail in rows
            if isinstance(t, int) and 0 < t < 2**62
        ]
        if not notes:
            return None, None
        (first, heard), (last, heard_last) = notes[0], notes[-1]
        return None if heard else first, None if heard_last else last

    def frames(self, source: Source, damage: Damage | None = None) -> Iterator[Frames]:
        """Yield the sound frames of a boot, by sequence, some at a time.

        Parameters
        ----------
        source : Source
        damage : Damage, optional
            Told how many packets were left out.
        """
        decoder = FrameDecoder(source.info, self._first_ticks(source), damage or Damage())
        try:
            cursor = self._db.execute(
                "SELECT seq, arrival_ns, data, crc FROM packet WHERE boot = ? ORDER BY seq",
                (source.id,),
            )
            while rows := cursor.fetchmany(_BATCH):
                yield decoder.push(rows)
        except sqlite3.Error as error:
            raise damaged(self.path, error) from error

    def load(self, source: Source) -> BootSamples:
        """Read a boot: its samples, and the clock that its frames' arrivals tell."""
        hz = source.info.tick_hz
        live, replayed = Arrivals(hz), Arrivals(hz)
        streams = [StreamSamples(s) for s in source.info.streams if s.id in source.columns]
        damage, first_ticks = Damage(), 0
        presses: list[int] = []
        for frames in self.frames(source, damage):
            if not len(live) + len(replayed) and len(frames):
                first_ticks = int(frames.ticks[0])
            last, again = frames.last_ticks(source.info), (frames.flags & FLAG_REPLAY).astype(bool)
            live.push(last[~again], frames.arrival_ns[~again])
            replayed.push(last[again], frames.arrival_ns[again])
            presses += frames.ticks[frames.type == MARKER_TYPE].tolist()
            for stream in streams:
                stream.add(frames)
        # with nothing but frames sent again, their arrival is all there is
        points = live if len(live) else replayed
        clock = points.fit() if len(points) else None
        return BootSamples(source, clock, first_ticks, streams, damage, presses)

    def _first_ticks(self, source: Source) -> int:
        """Return all the ticks of a boot when we met it: frames tell 32 bits of them."""
        rows = self.query("SELECT ticks FROM clock WHERE boot = ? ORDER BY id LIMIT 1", source.id)
        return min(int(str(rows[0][0])), 1 << 61) if rows else 1 << 30

    def _info(self, key: str, data: bytes) -> DeviceInfo:
        try:
            return decode_info(data)
        except PacketError as error:
            raise InputError(
                str(self.path), f"the device {key} can't be read ({error})", "update twitchsense"
            ) from error


def name_columns(infos: Mapping[str, DeviceInfo]) -> dict[str, dict[int, tuple[str, ...]]]:
    """Name the columns of each device's streams.

    A device on a named leg gets ``emg1_left``; where that does not tell devices apart,
    channels are numbered through.
    """
    legs = [info.leg for info in infos.values()]
    distinct = None not in legs and len(set(legs)) == len(legs)
    named: dict[str, dict[int, tuple[str, ...]]] = {}
    emg = acc = 0
    many_acc = sum(s.kind == "acc" for i in infos.values() for s in i.streams) > 1
    for key, info in infos.items():
        side = f"_{info.leg}" if info.leg else ""
        if distinct:
            emg = acc = 0
            many_acc = sum(s.kind == "acc" for s in info.streams) > 1
        columns: dict[int, tuple[str, ...]] = {}
        for stream in info.streams:
            if stream.kind == "emg":
                columns[stream.id] = tuple(
                    f"emg{emg + i + 1}{side}_uv" for i in range(stream.width)
                )
                emg += stream.width
            elif stream.kind == "acc":
                acc += 1
                number = str(acc) if many_acc else ""
                columns[stream.id] = tuple(f"acc{number}{side}_{axis}_g" for axis in "xyz")
        named[key] = columns
    return named
