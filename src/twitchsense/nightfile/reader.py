"""Reads a night file: decodes its frames and fits the clock of each boot."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1.v1_frames import (
    FLAG_REPLAY,
    MARKER_TYPE,
    DeviceInfo,
    decode_info,
)
from twitchsense.errors import InputError
from twitchsense.nightfile.column_layout import v1_columns
from twitchsense.nightfile.device_clock import ArrivalTimes, DeviceClock
from twitchsense.nightfile.frames import DamageCounts, FrameBatch, FrameDecoder
from twitchsense.nightfile.lock import is_being_written
from twitchsense.nightfile.log_check import count_unread_frames
from twitchsense.nightfile.records import HostClockReading
from twitchsense.nightfile.row_format import RECEIVED, TABLES, WITHOUT_ID, is_sound
from twitchsense.nightfile.schema import DATABASE_ERRORS, connect, damaged_error
from twitchsense.nightfile.stream_samples import StreamSamples

#: Packets that are decoded at once.
_BATCH_PACKETS: Final = 4000
#: Events of the link log at which the wearable was connected.
_CONNECTED_EVENTS: Final = ("connected", "take_over")
#: Tables without which packets cannot be decoded, or would be decoded wrongly.
_REQUIRED: Final = frozenset({"device", "boot", "connection", "characteristic", "device_setting"})
#: Schema with which a table came.
_SINCE: Final = {
    "battery": 2,
    "connection": 3,
    "characteristic": 3,
    "device_setting": 3,
    "host_clock": 5,
}
#: Ticks at the first connection to a boot of which no clock reading is stored.
_DEFAULT_TICKS: Final = 1 << 30
#: Maximum number of ticks that is accepted from a clock reading.
_MAX_TICKS: Final = 1 << 61


@dataclass(frozen=True)
class StoredBoot:
    """One boot of one device in a night file; its frames share one clock.

    Attributes
    ----------
    id : int
        Row in table ``boot``.
    device : str
        Key of the device.
    count : int
        Boot count.
    info : DeviceInfo
        Description of the device.
    columns : mapping to tuple of str
        Column names of the values of each stream, by stream id.
    """

    id: int
    device: str
    count: int
    info: DeviceInfo
    columns: Mapping[Hashable, tuple[str, ...]]


@dataclass
class BootSamples:
    """The valid samples of one boot, and its clock.

    Attributes
    ----------
    boot : StoredBoot
    clock : DeviceClock or None
        None if there is no frame.
    first_ticks : int
        Tick of the first frame, since boot.
    streams : list of StreamSamples
        Streams whose kind is known.
    damage : DamageCounts
        Packets left out.
    button_ticks : list of int
        Ticks at which the button of the wearable was pressed.
    """

    boot: StoredBoot
    clock: DeviceClock | None
    first_ticks: int
    streams: list[StreamSamples]
    damage: DamageCounts
    button_ticks: list[int]


class NightFileReader:
    """Reads a night file, in one snapshot of what is committed when it is opened.

    The file may be written at the same time.

    Parameters
    ----------
    path : Path
    check : bool
        Check the structure of the database: a page or an index that is damaged may hide rows.
        It takes 0.25 s for a night of 8 h.

    Attributes
    ----------
    boots : tuple of StoredBoot
        In the order in which they were recorded.
    meta : dict of str to str
        Contents of table ``meta``.
    schema : int
        Version of the schema of the file.
    damaged_rows : dict of str to int
        Rows left out because their types or checksums are wrong, by table.

    Raises
    ------
    InputError
        If the file is damaged or not a night file.
    """

    def __init__(self, path: Path, *, check: bool = True) -> None:
        self.path = path
        self.damaged_rows: dict[str, int] = {}
        self._db = connect(path, write=False)
        try:
            # one snapshot until the file is closed
            self._db.execute("BEGIN")
            self.schema = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if check:
                self._check_structure()
            self.meta = {str(key): str(value) for _, key, value in self.rows("meta")}
            self._devices = {row_id: row for row_id, *row in self.rows("device")}
            self.boots = self._read_boots()
        except DATABASE_ERRORS as error:
            self._db.close()
            raise damaged_error(path, error) from error
        except InputError:
            self._db.close()
            raise

    def _check_structure(self) -> None:
        """Raise `InputError` if a page, an index or the log is damaged."""
        if not is_being_written(self.path) and (unread := count_unread_frames(self.path)):
            raise damaged_error(self.path, f"{unread} pages of its log cannot be read")
        (found,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise damaged_error(self.path, " ".join(str(found).split()))
        (orphans,) = self._db.execute(
            "SELECT count(*) FROM (SELECT DISTINCT boot FROM packet) "
            "WHERE boot NOT IN (SELECT id FROM boot)"
        ).fetchone()
        if orphans:
            raise damaged_error(self.path, "packets of an unknown boot")

    def _read_boots(self) -> tuple[StoredBoot, ...]:
        """Return the boots, with the description of their devices."""
        infos: dict[str, DeviceInfo] = {}
        boots = []
        for row_id, device, count in self.rows("boot"):
            if device not in self._devices:
                raise damaged_error(self.path, f"the description of device {device} is missing")
            key, *_, info = self._devices[device]
            if key not in infos:
                infos[str(key)] = self._decode_info(str(key), info)
            boots.append((row_id, str(key), count))
        columns = v1_columns(infos)
        return tuple(StoredBoot(i, k, c, infos[k], columns[k]) for i, k, c in boots)

    def device_names(self) -> dict[int, tuple[str, str]]:
        """Return key and name of each device, by its row."""
        return {row_id: (str(row[0]), str(row[2])) for row_id, row in self._devices.items()}

    def device_addresses(self) -> dict[str, tuple[str, str]]:
        """Return address and name of each device, by its key."""
        return {str(row[0]): (str(row[1]), str(row[2])) for row in self._devices.values()}

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def query(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Execute a query.

        Parameters
        ----------
        sql : str
        *arguments
            Values of its placeholders.

        Returns
        -------
        list of tuple

        Raises
        ------
        InputError
            If the file is damaged.
        """
        try:
            return self._db.execute(sql, arguments).fetchall()
        except DATABASE_ERRORS as error:
            raise damaged_error(self.path, error) from error

    def rows(self, table: str, after: int = 0, limit: int = -1) -> list[tuple[Any, ...]]:
        """Return the sound rows of a table, in the order of recording.

        Rows whose types or checksums are wrong are left out and counted. A damaged row of a
        table without which packets would be decoded wrongly is an error.

        Parameters
        ----------
        table : str
        after : int
            Row number after which to begin.
        limit : int
            Maximum number of rows that are read; -1 for all.

        Returns
        -------
        list of tuple
            Row number, and the columns of the table (`tables.TABLES`).

        Raises
        ------
        InputError
            If the file is damaged.
        """
        rows, _ = self.rows_read(table, after, limit)
        return rows

    def rows_read(
        self, table: str, after: int = 0, limit: int = -1
    ) -> tuple[list[tuple[Any, ...]], int]:
        """Return sound rows as `rows` does, and the number of the last row that was read."""
        if self.schema < _SINCE.get(table, 1):
            return [], after
        has_crc = self.schema >= 4 or table in RECEIVED
        columns = ", ".join([*TABLES[table], "crc" if has_crc else "NULL"])
        # without an index, because an index may be damaged
        found = self.query(
            f"SELECT rowid, {columns} FROM {table} NOT INDEXED WHERE rowid > ? "
            "ORDER BY rowid LIMIT ?",
            after,
            limit,
        )
        sound = []
        for row_id, *cells, crc in found:
            stated_id = None if table in WITHOUT_ID else row_id
            if is_sound(table, stated_id, tuple(cells), crc):
                sound.append((row_id, *cells))
                continue
            if table in _REQUIRED:
                raise damaged_error(self.path, f"row {row_id} of table {table} is damaged")
            self.damaged_rows[table] = self.damaged_rows.get(table, 0) + 1
        return sound, found[-1][0] if found else after

    def battery_readings(self, after: int = 0) -> list[tuple[int, str, int]]:
        """Return the battery readings.

        Parameters
        ----------
        after : int
            Row number after which to begin.

        Returns
        -------
        list of (int, str, int)
            Row number, key of the device, and percent.
        """
        return [(row_id, key, percent) for row_id, key, _, percent in self.rows("battery", after)]

    def host_clock_readings(self) -> list[HostClockReading]:
        """Return the readings of the computer's clock, in their order."""
        return [HostClockReading(*cells) for _, *cells in self.rows("host_clock")]

    def last_host_clock(self) -> HostClockReading | None:
        """Return the last reading of the computer's clock, or None."""
        if self.schema < _SINCE["host_clock"]:
            return None
        found = self.query("SELECT max(id) FROM host_clock")[0][0]
        rows = self.rows("host_clock", found - 1) if isinstance(found, int) else []
        return HostClockReading(*rows[0][1:]) if rows else None

    def disconnected_ends(self) -> tuple[int | None, int | None]:
        """Return the ends of the recording at which no wearable was connected.

        The link log holds every attempt to connect, also before the first connection and
        after the last.

        Returns
        -------
        first_attempt_ns, last_attempt_ns : int or None
            UTC of the first and the last attempt; None if the wearable was connected then.
        """
        log = [
            (t, event in _CONNECTED_EVENTS or (event, detail) == ("stopped", ""))
            for _, _, t, event, detail in self.rows("link")
            if t > 0
        ]
        if not log:
            return None, None
        (first, connected_first), (last, connected_last) = log[0], log[-1]
        return None if connected_first else first, None if connected_last else last

    def frames(self, boot: StoredBoot, damage: DamageCounts | None = None) -> Iterator[FrameBatch]:
        """Yield the valid frames of a boot in batches, in order of their sequence number.

        Parameters
        ----------
        boot : StoredBoot
        damage : DamageCounts, optional
            Counts, which are increased by the packets left out.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        decoder = FrameDecoder(
            boot.info, self._start_ticks(boot), damage or DamageCounts(), boot.id, boot.count
        )
        try:
            cursor = self._db.execute(
                "SELECT seq, arrival_ns, data, crc FROM packet WHERE boot = ? ORDER BY seq",
                (boot.id,),
            )
            while rows := cursor.fetchmany(_BATCH_PACKETS):
                yield decoder.push(rows)
        except DATABASE_ERRORS as error:
            raise damaged_error(self.path, error) from error

    def load(self, boot: StoredBoot) -> BootSamples:
        """Read the samples of a boot, and fit its clock to the arrivals of its frames.

        Parameters
        ----------
        boot : StoredBoot

        Returns
        -------
        BootSamples

        Raises
        ------
        InputError
            If the file is damaged.
        """
        hz = boot.info.tick_hz
        live, replayed = ArrivalTimes(hz), ArrivalTimes(hz)
        streams = [StreamSamples(s) for s in boot.info.streams if s.id in boot.columns]
        damage, first_ticks = DamageCounts(), 0
        button_ticks: list[int] = []
        for frames in self.frames(boot, damage):
            if not len(live) + len(replayed) and len(frames):
                first_ticks = int(frames.ticks[0])
            last, is_replay = (
                frames.last_ticks(boot.info),
                (frames.flags & FLAG_REPLAY).astype(bool),
            )
            live.push(last[~is_replay], frames.arrival_ns[~is_replay])
            replayed.push(last[is_replay], frames.arrival_ns[is_replay])
            button_ticks += frames.ticks[frames.type == MARKER_TYPE].tolist()
            for stream in streams:
                stream.append(frames)
        # retransmitted frames arrive late; they are used only if there are no others
        arrivals = live if len(live) else replayed
        clock = arrivals.fit() if len(arrivals) else None
        return BootSamples(boot, clock, first_ticks, streams, damage, button_ticks)

    def _start_ticks(self, boot: StoredBoot) -> int:
        """Return the full ticks at the first connection, of which frames hold 32 bits."""
        readings = [ticks for _, row, ticks, *_ in self.rows("clock") if row == boot.id]
        return min(readings[0], _MAX_TICKS) if readings else _DEFAULT_TICKS

    def _decode_info(self, key: str, data: bytes) -> DeviceInfo:
        try:
            return decode_info(data)
        except PacketError as error:
            problem = f"the device {key} can't be read ({error})"
            if self.schema < 4:  # descriptions have no checksum
                raise damaged_error(self.path, problem) from error
            raise InputError(str(self.path), problem, "update twitchsense") from error
