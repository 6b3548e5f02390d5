"""A night file as a capture: frames decoded, placed in UTC, given to the tracks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twitchsense.columns import ChannelPlan, plan_channels
from twitchsense.devices.packet import PacketError
from twitchsense.devices.twitch import (
    MARKER,
    Frame,
    Info,
    Stream,
    decode_frame,
    decode_info,
    unwrap,
)
from twitchsense.errors import InputError
from twitchsense.recording import NS
from twitchsense.store.mapping import HeaderMap
from twitchsense.store.nightdb import connect, damaged, packet_crc
from twitchsense.store.tickclock import TickClock, fit_tick_clock
from twitchsense.store.track import Track

_BATCH: Final = 2000
#: Markers that are told; a night has a handful.
_MOST_MARKERS: Final = 50


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
    info: Info
    columns: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Placed:
    """A frame and where its first sample stands on the device's clock."""

    frame: Frame
    arrival_ns: int
    ticks: int
    first: int


@dataclass
class Damage:
    """How many stored packets could not be used."""

    rotten: int = 0
    unreadable: int = 0


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
        self.damage = Damage()
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
        infos: dict[str, Info] = {}
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

    def frames(self, source: Source) -> Iterator[list[Placed]]:
        """Yield the sound frames of a boot, by sequence, some at a time."""
        near = self._first_ticks(source)
        expected = {s.id: 0 for s in source.info.streams}
        try:
            cursor = self._db.execute(
                "SELECT seq, arrival_ns, data, crc FROM packet WHERE boot = ? ORDER BY seq",
                (source.id,),
            )
            while rows := cursor.fetchmany(_BATCH):
                batch = []
                for seq, arrival, data, crc in rows:
                    if packet_crc(seq, arrival, data) != crc:
                        self.damage.rotten += 1
                        continue
                    placed = _place(source.info, seq, arrival, data, near)
                    if placed is None or placed.first < expected.get(placed.frame.type, 0):
                        self.damage.unreadable += 1
                        continue
                    near = placed.ticks
                    if placed.frame.type != MARKER:
                        expected[placed.frame.type] = placed.first + len(placed.frame.samples)
                    batch.append(placed)
                yield batch
        except sqlite3.Error as error:
            raise damaged(self.path, error) from error

    def clock(self, source: Source) -> TickClock | None:
        """Fit the clock of a boot, or return None if it has no frame."""
        live: list[tuple[int, int]] = []
        late: list[tuple[int, int]] = []
        for batch in self.frames(source):
            for placed in batch:
                frame = placed.frame
                last = placed.ticks
                if frame.type != MARKER:
                    stream = source.info.by_id[frame.type]
                    k = placed.first + len(frame.samples) - 1
                    last = k * 1000 * source.info.tick_hz // stream.rate_mhz
                (late if frame.replayed else live).append((last, placed.arrival_ns))
        # with nothing but frames sent again, their arrival is all there is
        points = np.array(live or late, np.int64).reshape(-1, 2)
        if not len(points):
            return None
        return fit_tick_clock(points[:, 0], points[:, 1], source.info.tick_hz)

    def _first_ticks(self, source: Source) -> int:
        """Return all the ticks of a boot when we met it: frames tell 32 bits of them."""
        rows = self.query("SELECT ticks FROM clock WHERE boot = ? ORDER BY id LIMIT 1", source.id)
        return int(str(rows[0][0])) if rows else 1 << 30

    def _info(self, key: str, data: bytes) -> Info:
        try:
            return decode_info(data)
        except PacketError as error:
            raise InputError(
                str(self.path), f"the device {key} can't be read ({error})", "update twitchsense"
            ) from error


def _place(info: Info, seq: int, arrival: int, data: bytes, near: int) -> Placed | None:
    try:
        frame = decode_frame(data, info)
        ticks = unwrap(frame.ticks, near)
        if frame.seq != seq:
            return None
        if frame.type == MARKER:
            return Placed(frame, arrival, ticks, 0)
        return Placed(frame, arrival, ticks, info.sample_index(info.by_id[frame.type], ticks))
    except PacketError:
        return None


def name_columns(infos: Mapping[str, Info]) -> dict[str, dict[int, tuple[str, ...]]]:
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


class NightCapture:
    """A night file as `store.merge` takes it.

    Parameters
    ----------
    path : Path
    source : str
        How messages call the file.
    mapping : HeaderMap
    zone : str, optional
        IANA zone in which times of markers are told; UTC without it.
    """

    clock = "time_utc"

    def __init__(
        self, path: Path, source: str, mapping: HeaderMap, zone: str | None = None
    ) -> None:
        self.source = source
        self._reader = NightReader(path)
        names = [n for s in self._reader.sources for c in s.columns.values() for n in c]
        self.headers: Sequence[str] = tuple(dict.fromkeys(names))
        self.plans: tuple[ChannelPlan, ...] = plan_channels(self.headers, source)
        clocks = [(s, self._reader.clock(s)) for s in self._reader.sources]
        self._clocks = sorted(
            [(s, c) for s, c in clocks if c is not None], key=lambda pair: pair[1].origin_ns
        )
        self._batteries: dict[str, list[int]] = {}
        for _, device, percent in self._reader.batteries():
            self._batteries.setdefault(device, []).append(percent)
        if not self._clocks or not self.plans:
            raise InputError(source, "holds no samples yet", "record for a while first")
        self._markers = _tell_markers(self._reader, zone)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of clocks, losses and damage, and the markers stored."""
        notes = list(self._markers)
        for source, clock in self._clocks:
            notes.append(
                f"device {source.device[-4:]}, boot {source.count}: clock "
                f"{clock.drift_ppm:+.2f} ± {clock.drift_error_ppm:.2f} ppm"
            )
        for device, percents in self._batteries.items():
            notes.append(f"device {device[-4:]}: battery {percents[0]} % to {percents[-1]} %")
        damage = self._reader.damage
        if damage.rotten or damage.unreadable:
            notes.append(
                f"{self.source}: {damage.rotten} packets spoiled on the disk and "
                f"{damage.unreadable} that are no frames, left out"
            )
        return tuple(notes)

    def first_stamp(self) -> int:
        """Return the time of the first sample in ns."""
        source, clock = self._clocks[0]
        for batch in self._reader.frames(source):
            for placed in batch:
                return int(clock.to_utc(np.array([placed.ticks]))[0])
        raise InputError(self.source, "holds no samples yet", "record for a while first")

    def feed(self, tracks: Mapping[str, Track]) -> None:
        """Give all samples to the tracks of their channels.

        Raises
        ------
        UnsteadyRateError
        """
        self._reader.damage = Damage()
        last: dict[str, int] = {}
        for source, clock in self._clocks:
            for batch in self._reader.frames(source):
                for stream in source.info.streams:
                    if stream.id not in source.columns:
                        continue
                    frames = [p for p in batch if p.frame.type == stream.id]
                    if frames:
                        self._feed(source, stream, frames, clock, tracks, last)
        self._reader.close()

    def place(self, time_ns: int) -> str | None:
        """Return where a time is."""
        return f"UTC {time_ns / NS:.3f} s"

    def _feed(
        self,
        source: Source,
        stream: Stream,
        frames: Sequence[Placed],
        clock: TickClock,
        tracks: Mapping[str, Track],
        last: dict[str, int],
    ) -> None:
        samples = stream.to_physical(np.concatenate([p.frame.samples for p in frames]))
        stamps = clock.to_utc(sample_ticks(source.info, stream, frames))
        by_name = dict(zip(source.columns[stream.id], samples.T, strict=True))
        for plan in self.plans:
            if not set(plan.names) <= by_name.keys():
                continue
            # two boots whose clocks overlap by a hair must not run backwards
            fresh = stamps > last.get(plan.name, np.iinfo(np.int64).min)
            tracks[plan.name].add(stamps[fresh], [by_name[n][fresh] for n in plan.names])
            last[plan.name] = max(last.get(plan.name, 0), int(stamps[-1]))


def sample_ticks(info: Info, stream: Stream, frames: Sequence[Placed]) -> NDArray[np.float64]:
    """Return the exact tick of every sample, fractions included."""
    counts = np.array([len(p.frame.samples) for p in frames])
    first = np.array([p.first for p in frames], np.int64)
    starts = np.cumsum(counts) - counts
    index = np.repeat(first - starts, counts) + np.arange(counts.sum())
    ticks: NDArray[np.float64] = index * (1000 * info.tick_hz / stream.rate_mhz)
    return ticks


def _tell_markers(reader: NightReader, zone: str | None) -> list[str]:
    """Return what was marked in the night, as notes: a few, short and printable."""
    rows = reader.query("SELECT time_ns, substr(text, 1, 200) FROM marker ORDER BY time_ns, id")
    notes = []
    for at, text in rows[:_MOST_MARKERS]:
        if not isinstance(at, int) or not 0 <= at < 2**62:
            continue  # whatever wrote that, it was no recorder
        when = datetime.fromtimestamp(at // NS, ZoneInfo(zone) if zone else UTC)
        words = "".join(c if c.isprintable() else " " for c in str(text))
        notes.append(f"marker at {when:%H:%M:%S}{'' if zone else ' UTC'}: {words}")
    if len(rows) > _MOST_MARKERS:
        notes.append(f"{len(rows) - _MOST_MARKERS} more markers are in the night file")
    return notes
