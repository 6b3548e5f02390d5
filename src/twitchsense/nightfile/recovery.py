"""Recovers the sound rows of a damaged night file into a new one."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1.v1_frames import decode_info
from twitchsense.errors import InputError
from twitchsense.nightfile.lock import beside, is_being_written
from twitchsense.nightfile.page_scan import FoundRow, find_rows
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.recovery_report import RecoveryReport, missing_ranges
from twitchsense.nightfile.row_format import (
    RECEIVED,
    REPAIR_NOTE,
    TABLES,
    WITHOUT_ID,
    Cell,
    Row,
    packet_crc,
    row_crc,
)
from twitchsense.nightfile.schema import StorageError, connect, create, insert, write_error
from twitchsense.output_files import staged
from twitchsense.regular_file import unreadable

#: Packets and values are collected here and sorted; a row that is found twice counts once.
_STAGE: Final = """
ATTACH '' AS stage;
CREATE TABLE stage.packet (boot, seq, arrival_ns, data, PRIMARY KEY (boot, seq)) WITHOUT ROWID;
CREATE TABLE stage.value (connection, number, characteristic, direction, arrival_ns, data,
    PRIMARY KEY (connection, number)) WITHOUT ROWID;
"""
#: Position of the low 8 bits of the boot count in a frame (docs/protocol.md), from 1.
_BOOT_BYTE: Final = 4


def recover(path: Path, out: Path, like: Path | None = None) -> RecoveryReport:
    """Recover all sound rows of a night file and of its log into a new night file.

    Parameters
    ----------
    path : Path
        It is only read, and need not be readable by SQLite.
    out : Path
        It must not exist. It appears whole or not at all.
    like : Path, optional
        Another night of the same wearable, whose description is used if that in `path` is lost.

    Returns
    -------
    RecoveryReport

    Raises
    ------
    InputError
        If nothing can be recovered, `out` exists, or `path` is being recorded.
    StorageError
        If `out` cannot be written.
    """
    if out.exists():
        raise InputError(str(out), "exists", "choose another name")
    if not path.is_file():
        raise InputError(str(path), "is not a file", "give a night file")
    if is_being_written(path):
        raise InputError(str(path), "is being recorded", "end the recording first")
    with staged(out.parent, replace=False) as folder:
        draft = folder / out.name
        try:
            create(draft, {})
            db = connect(draft, write=True)
            try:
                report = _Recovery(path, db, like).run(find_rows(path))
            finally:
                db.close()
        except StorageError as error:
            raise StorageError(str(error).replace(str(draft), str(out))) from error
        except sqlite3.Error as error:
            raise write_error(out, error) from error
        except OSError as error:
            if error.filename in (str(path.resolve()), str(beside(path, "-wal"))):
                raise unreadable(str(path), error) from error
            raise write_error(out, error) from error
    return report


def recover_log(path: Path, out: Path, known: Iterable[FoundRow]) -> None:
    """Recover the rows of the log of a night file, whose file itself is lost.

    Parameters
    ----------
    path : Path
        Of the night file; only its log is read, which may be missing.
    out : Path
        It must not exist.
    known : iterable of FoundRow
        Descriptions, which are written too.

    Raises
    ------
    StorageError
        If `out` cannot be written.
    """
    try:
        create(out, {})
        db = connect(out, write=True)
        try:
            rows = chain(known, find_rows(path, log_only=True))
            _Recovery(path, db, None).run(rows, may_be_empty=True)
        finally:
            db.close()
    except (sqlite3.Error, OSError) as error:
        raise write_error(out, error) from error


class _Recovery:
    """One recovery, in a transaction of a new file."""

    def __init__(self, path: Path, db: sqlite3.Connection, like: Path | None) -> None:
        self._path = path
        self._db = db
        self._like = like
        self._remarks: list[str] = []
        #: Rows with and without a checksum, by table and row number (of meta: by key).
        self._sound: dict[str, dict[Cell, Row]] = {table: {} for table in TABLES}
        self._unchecked: dict[str, dict[Cell, Row]] = {table: {} for table in TABLES}

    def run(self, found: Iterable[FoundRow], *, may_be_empty: bool = False) -> RecoveryReport:
        self._db.execute("PRAGMA synchronous = OFF")  # synchronised at the end
        self._db.executescript(_STAGE)
        self._db.execute("BEGIN IMMEDIATE")
        for row in found:
            self._collect(row)
        rows = self._merge()
        n_staged = sum(self._count(f"stage.{table}") for table in RECEIVED)
        if not n_staged and not may_be_empty:
            raise InputError(
                str(self._path), "holds no packet that can be recovered", "restore it from a copy"
            )
        self._drop_damaged(rows)
        self._complete_boots(rows)
        self._leave_out_unknown(rows)
        self._write(rows)
        recovered = {table: self._count(table) for table in TABLES}
        if not may_be_empty and not sum(recovered[table] for table in RECEIVED):
            raise InputError(
                str(self._path),
                "holds packets, but no description of their wearable",
                "give another night of the same wearable with --like",
            )
        report = RecoveryReport(
            {table: n for table, n in recovered.items() if n},
            missing_ranges(self._db),
            tuple(self._remarks),
        )
        text = f"this night was repaired: {report.n_received} packets were recovered, "
        insert(self._db, "meta", (REPAIR_NOTE, f"{text}{report.n_missing} are missing"))
        self._db.execute("COMMIT")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.execute("PRAGMA journal_mode = DELETE")
        return report

    def _collect(self, row: FoundRow) -> None:
        if row.table in RECEIVED:
            slots = ", ".join("?" * len(row.cells))
            self._db.execute(f"INSERT OR IGNORE INTO stage.{row.table} VALUES ({slots})", row.cells)
            return
        found = self._sound if row.has_crc else self._unchecked
        key = row.cells[0] if row.table in WITHOUT_ID else row.row_id
        found[row.table].setdefault(key, row.cells)

    def _merge(self) -> dict[str, dict[Cell, Row]]:
        """Return the rows to be written, by table and row number.

        In a file that was begun with checksums, a row without one is a damaged row.
        """
        began_with_crc = "created_ns" in self._sound["meta"]
        merged = {}
        for table, rows in self._sound.items():
            unchecked = {} if began_with_crc else self._unchecked[table]
            if table == "characteristic":  # found by its form
                unchecked = self._unchecked[table]
            merged[table] = {**unchecked, **rows}
        return merged

    def _drop_damaged(self, rows: dict[str, dict[Cell, Row]]) -> None:
        """Drop the rows without a checksum that cannot be right; they then count as lost."""
        devices, boots = rows["device"], rows["boot"]
        for row_id in devices.keys() - self._sound["device"].keys():
            key, *_, info = devices[row_id]
            if info and not _describes(key, info):
                del devices[row_id]
        for boot, counts in self._boot_bytes().items():
            is_unchecked = boot in boots and boot not in self._sound["boot"]
            if is_unchecked and (int(boots[boot][1] or 0) & 0xFF) not in counts:
                del boots[boot]

    def _boot_bytes(self) -> dict[int, Counter[int]]:
        """Return how often each low byte of the boot count is in the packets of each boot."""
        found = self._db.execute(
            f"SELECT boot, substr(data, {_BOOT_BYTE}, 1), count(*) FROM stage.packet GROUP BY 1, 2"
        )
        bytes_of: dict[int, Counter[int]] = {}
        for boot, byte, count in found:
            bytes_of.setdefault(boot, Counter())[byte[0] if byte else -1] = count
        return bytes_of

    def _complete_boots(self, rows: dict[str, dict[Cell, Row]]) -> None:
        """Add the boots and the device whose rows are lost, where there is no doubt of them."""
        devices, boots = rows["device"], rows["boot"]
        lost = {cells[0] for cells in boots.values()} - devices.keys()
        if not devices:
            lost = lost or {1}
        if self._like is not None and len(lost) == 1:
            devices[lost.pop()] = self._described_like(self._like, devices)
        for boot, counts in self._boot_bytes().items():
            if boot in boots or len(devices) != 1:
                continue
            (device,) = devices
            count = counts.most_common(1)[0][0]
            if count >= 0 and (device, count) not in boots.values():
                boots[boot] = (device, count)
                self._remarks.append(f"the count of a boot is lost, and taken to be {count}")

    def _described_like(self, path: Path, devices: dict[Cell, Row]) -> Row:
        """Return the description of the wearable of another night, which is not in `devices`."""
        reader = NightFileReader(path)
        try:
            known = reader.rows("device")
        finally:
            reader.close()
        if len(known) != 1:
            raise InputError(str(path), f"holds {len(known)} wearables", "give a night of one")
        row = tuple(known[0][1:])
        if row[0] in {cells[0] for cells in devices.values()}:
            raise InputError(
                str(path),
                f"is of the wearable {row[0]}, whose description is not lost",
                "give a night of the other one",
            )
        self._remarks.append(f"the description of the wearable is that of {path}")
        return row

    def _leave_out_unknown(self, rows: dict[str, dict[Cell, Row]]) -> None:
        """Leave out what refers to a row that is lost, and packets of another boot."""
        devices = rows["device"]
        lost = {cells[0] for cells in rows["boot"].values()} - devices.keys()
        for table in ("boot", "connection", "device_setting"):
            rows[table] = {i: c for i, c in rows[table].items() if c[0] in devices}
        boots = rows["boot"]
        for table in ("start", "clock", "loss"):
            rows[table] = {i: c for i, c in rows[table].items() if c[0] in boots}
        n_left_out = 0
        for (boot,) in self._db.execute("SELECT DISTINCT boot FROM stage.packet").fetchall():
            byte = bytes([int(boots[boot][1] or 0) & 0xFF]) if boot in boots else b""
            n_left_out += self._db.execute(
                f"DELETE FROM stage.packet WHERE boot = ? AND substr(data, {_BOOT_BYTE}, 1) <> ?",
                (boot, byte),
            ).rowcount
        if n_left_out:
            text = f"{n_left_out} packets of unknown wearables are left out"
            if lost and self._like is None:
                text += "; another night of the wearable, given with --like, describes it"
            self._remarks.append(text)
        known = ", ".join(str(row_id) for row_id in rows["connection"])
        uuids = ", ".join(str(row_id) for row_id in rows["characteristic"])
        n_left_out = self._db.execute(
            f"DELETE FROM stage.value WHERE connection NOT IN ({known}) "
            f"OR characteristic NOT IN ({uuids})"
        ).rowcount
        if n_left_out:
            self._remarks.append(f"{n_left_out} values of unknown devices are left out")

    def _write(self, rows: dict[str, dict[Cell, Row]]) -> None:
        """Write the rows with their numbers, and the packets in order."""
        execute = self._db.execute
        execute("DELETE FROM meta")
        for table in TABLES:
            if table in RECEIVED:
                continue
            for row_id in sorted(rows[table], key=_row_order):
                if (table, row_id) == ("meta", REPAIR_NOTE):
                    continue
                cells = rows[table][row_id]
                stated_id = row_id if isinstance(row_id, int) else None
                columns = [*([] if stated_id is None else ["id"]), *TABLES[table], "crc"]
                row = [*([] if stated_id is None else [stated_id]), *cells]
                execute(
                    f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) "
                    f"VALUES ({', '.join('?' * len(columns))})",
                    (*row, row_crc(table, stated_id, cells)),
                )
        self._db.create_function("packet_crc", 4, packet_crc, deterministic=True)
        execute(
            "INSERT INTO packet (boot, seq, arrival_ns, data, crc) SELECT boot, seq, arrival_ns, "
            "data, packet_crc(seq, arrival_ns, data, boot) FROM stage.packet "
            "ORDER BY arrival_ns, boot, seq"
        )
        self._db.create_function("value_crc", 6, _value_crc, deterministic=True)
        names = ", ".join(TABLES["value"])
        execute(
            f"INSERT INTO value ({names}, crc) SELECT {names}, value_crc({names}) "
            "FROM stage.value ORDER BY connection, number"
        )

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _describes(key: Cell, info: Cell) -> bool:
    """Return whether a description can be read and is that of the wearable with this key."""
    try:
        return isinstance(info, bytes) and f"{decode_info(info).device:016X}" == key
    except PacketError:
        return False


def _value_crc(*cells: Cell) -> int:
    return row_crc("value", None, cells)


def _row_order(row_id: Cell) -> tuple[int, str]:
    return (row_id if isinstance(row_id, int) else 0, str(row_id))
