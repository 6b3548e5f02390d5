"""Damage that SQLite does not report by itself: in an index, in a description, in one cell."""

from __future__ import annotations

import shutil
import sqlite3

import pytest

import twitchsense as ts
from tests.nightfile.builders import KEY, T0, device, downgrade, write_night
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.errors import InputError
from twitchsense.live.follower import NightFollower
from twitchsense.nightfile.log_check import count_unread_frames
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import BatteryReading, Boot, FirstFrame, LinkEvent, Loss, Marker
from twitchsense.nightfile.writer import NightFileWriter

REPAIR = r"a\.night: is not a night file, or is damaged .*twitchsense repair a\.night --out"
#: Cells that no recorder writes.
ODD_CELLS = ("NULL", "'x'", "CAST(x'ff8a' AS TEXT)", "x'00'", "-1", "9223372036854775807", "1e300")


def _root_page(path, name):
    with sqlite3.connect(path) as db:
        row = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    return row[0], size


def test_a_wrong_byte_in_the_index_is_refused(tmp_path):
    """The index then ends early: without the check 60 s became 0.1 s, without a note."""
    path = write_night(tmp_path / "a.night", 60)
    root, size = _root_page(path, "sqlite_autoindex_packet_1")
    data = bytearray(path.read_bytes())
    page = (root - 1) * size
    first_cell = page + int.from_bytes(data[page + 12 : page + 14], "big")
    # child page, size of the record, size of its header, three types; then the boot
    data[first_cell + 4 + 2 : first_cell + 4 + 3] = b"\x01"
    path.write_bytes(data)
    for read in (ts.read, read_loss_reports, lambda p: NightFollower(p).poll()):
        with pytest.raises(InputError, match=REPAIR):
            read(path)


@pytest.mark.parametrize("offset", [2, 20])
def test_a_wrong_byte_in_the_description_of_the_device_is_refused(tmp_path, offset):
    """Byte 2 of the description is the leg; a byte of the scale multiplied EMG by 3.6."""
    path = write_night(tmp_path / "a.night", 4)
    info = device().info
    data = path.read_bytes()
    at = data.index(info) + offset
    wrong = data[:at] + bytes([data[at] ^ 3]) + data[at + 1 :]
    path.write_bytes(wrong)
    with pytest.raises(InputError, match=REPAIR):
        ts.read(path)
    with pytest.raises(InputError, match=REPAIR):
        NightFileReader(path, check=False)  # by its checksum


@pytest.mark.parametrize("table", ["connection", "characteristic", "device_setting"])
def test_damaged_descriptions_of_driver_devices_are_refused(tmp_path, table):
    path = write_values(tmp_path / "a.night", npg_values([0.0] * 3000))
    column = {"connection": "version", "characteristic": "uuid", "device_setting": "value"}[table]
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE {table} SET {column} = '900' WHERE id = 1")
    db.close()
    with pytest.raises(InputError, match=REPAIR):
        ts.read(path)


def test_a_value_of_another_characteristic_is_damaged(tmp_path):
    path = write_values(tmp_path / "a.night", npg_values([0.0] * 3000))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE value SET characteristic = 1 WHERE number = 20")
        db.execute("UPDATE value SET direction = 'write' WHERE number = 40")
    db.close()
    assert any("2 values damaged" in note for note in ts.read(path).notes)


def test_a_packet_of_another_boot_is_damaged(tmp_path):
    path = write_night(tmp_path / "a.night", 6, boots=(1, 2))
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM packet WHERE boot = 2 AND seq = 30")
        db.execute("UPDATE packet SET boot = 2 WHERE boot = 1 AND seq = 30")
    db.close()
    assert any("1 packets damaged" in note for note in ts.read(path).notes)


@pytest.mark.slow
def test_an_odd_cell_is_refused_or_left_out(tmp_path):
    """One cell of each column in turn, without checksums; none may end in a traceback."""
    path = write_values(tmp_path / "a.night", npg_values([0.0] * 1000))
    night = NightFileWriter(path)
    boot = Boot(KEY, 1)
    night.write([device(), FirstFrame(boot, 0, T0), Loss(boot, 0, 3, "reboot", T0)])
    night.write([LinkEvent(KEY, T0, "lost"), Marker(T0, "x"), BatteryReading(KEY, T0, 50)])
    night.close()
    other = write_night(tmp_path / "b.night", 1)
    with sqlite3.connect(path) as db:
        db.execute("ATTACH ? AS other", (str(other),))
        db.execute("INSERT INTO packet SELECT * FROM other.packet")
    db.close()
    downgrade(path, 3)
    with sqlite3.connect(path) as db:
        tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [(t, r[1], r[3]) for t in tables for r in db.execute(f"PRAGMA table_info({t})")]
        # a damaged cell may be NULL in spite of the schema
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '')")
    db.close()
    pristine = path.read_bytes()
    refused = read = 0
    for number, (table, column, _) in enumerate(columns):
        if column == "id":
            continue
        path.write_bytes(pristine)
        db = sqlite3.connect(path)
        cell = ODD_CELLS[number % len(ODD_CELLS)]
        db.execute(f"UPDATE {table} SET {column} = {cell} WHERE rowid = 1")
        db.commit()
        db.close()
        for use in (ts.read, read_loss_reports, lambda p: NightFollower(p).poll()):
            try:
                use(path)
                read += 1
            except InputError:
                refused += 1
    assert refused
    assert read


def _copy_while_open(tmp_path):
    """Return a night with a log, as a killed recorder leaves it."""
    live = tmp_path / "live.night"
    night = NightFileWriter(live)
    night.write([device()])
    for number in range(40):
        night.write([Marker(T0 + number, f"marker {number}")])
    path = tmp_path / "a.night"
    for suffix in ("", "-wal"):
        shutil.copy(f"{live}{suffix}", f"{path}{suffix}")
    night.close()
    return path


def test_a_wrong_byte_in_the_log_is_refused_and_repaired(tmp_path):
    """SQLite ends the log there: the minutes behind it were missing without a note."""
    path = _copy_while_open(tmp_path)
    assert count_unread_frames(path) == 0
    reader = NightFileReader(path)
    assert len(reader.rows("marker")) == 40
    reader.close()
    log = path.with_name("a.night-wal")
    sound = log.read_bytes()
    n_frames = (len(sound) - 32) // (24 + 4096)
    for at in (5, 32 + 10 * 4120 + 900, 32 + 10 * 4120 + 18):
        log.write_bytes(sound[:at] + bytes([sound[at] ^ 64]) + sound[at + 1 :])
        with pytest.raises(InputError, match=r"pages of its log cannot be read.*repair a\.night"):
            NightFileReader(path)
        with pytest.raises(InputError, match="pages of its log cannot be read"):
            NightFileWriter(path)
        assert count_unread_frames(path) == (n_frames if at < 32 else n_frames - 10)
    for end in (len(sound) - 100, len(sound) - 4120):  # an incomplete end is usual
        log.write_bytes(sound[:end])
        assert count_unread_frames(path) == 0


def test_a_message_of_sqlite_that_is_no_text_is_a_refusal(tmp_path):
    path = write_night(tmp_path / "a.night", 1)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"CREATE TABLE clock", b"CREATE TABLE \xb4lock"))
    with pytest.raises(InputError):
        ts.read(path)
