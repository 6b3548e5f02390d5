"""Recovery of the sound packets of damaged night files."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.wearable.firmware import DeviceModel
from tests.nightfile.builders import (
    KEY,
    MODEL,
    STREAMS,
    T0,
    device,
    downgrade,
    make_frames,
    write_night,
)
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.nightfile import recovery
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import Boot, DeviceSetting, LinkEvent, Loss, Marker, Packet
from twitchsense.nightfile.recovery import recover
from twitchsense.nightfile.writer import NightFileWriter

PAGE = 4096


def contents(path):
    """Return the rows of all tables, without checksums and without the note of a repair."""
    reader = NightFileReader(path)
    tables = ("device", "boot", "start", "packet", "clock", "loss", "link", "marker", "battery")
    rows = {table: {row[1:] for row in reader.rows(table)} for table in tables}
    rows["meta"] = {row[1:] for row in reader.rows("meta") if row[1] != "repaired"}
    reader.close()
    return rows


def root_pages(path):
    with sqlite3.connect(path) as db:
        roots = dict(db.execute("SELECT name, rootpage FROM sqlite_master"))
    db.close()
    return roots


def zero(path, *pages):
    data = bytearray(path.read_bytes())
    for page in pages:
        data[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
    path.write_bytes(data)


def page_of(path, seq):
    """Return the page of a packet of the first boot."""
    frame = next(row[3] for row in contents(path)["packet"] if row[:2] == (1, seq))
    return path.read_bytes().index(frame) // PAGE + 1


@pytest.fixture
def night(tmp_path):
    """Two boots with everything that a night holds."""
    path = write_night(tmp_path / "a.night", 20, boots=(1, 2))
    file = NightFileWriter(path)
    file.write([DeviceSetting(KEY, T0, "leg", "right"), Marker(T0, "x" * 9000)])
    file.write([LinkEvent(KEY, T0, "connected"), Loss(Boot(KEY, 1), 5000, None, "reboot", T0)])
    file.close()
    return path


def test_an_intact_file_is_recovered_whole(night, tmp_path):
    report = recover(night, tmp_path / "new.night")
    assert (report.n_missing, report.remarks) == (0, ())
    assert contents(tmp_path / "new.night") == contents(night)
    assert any("this night was repaired" in note for note in ts.read(tmp_path / "new.night").notes)


def test_of_two_repairs_to_one_name_the_first_that_ends_stays(night, tmp_path, monkeypatch):
    out, find = tmp_path / "new.night", recovery.find_rows

    def find_later(path):
        monkeypatch.setattr(recovery, "find_rows", find)
        recover(night, out)  # by another command
        yield from find(path)

    monkeypatch.setattr(recovery, "find_rows", find_later)
    with pytest.raises(InputError, match="already exists"):
        recover(night, out)
    assert contents(out) == contents(night)
    assert {p.name for p in tmp_path.iterdir()} == {night.name, out.name}


def test_a_recorder_continues_a_night_that_has_lost_its_session(night):
    with sqlite3.connect(night) as db:
        db.execute("DELETE FROM meta WHERE key = 'session'")
    db.close()
    for session in ("9", "8"):
        writer = NightFileWriter(night, {"session": session})
        assert writer.meta()["session"] == "9"
        writer.close()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_of_earlier_schemas_are_recovered_whole(night, tmp_path, version):
    downgrade(night, version)
    recover(night, tmp_path / "new.night")
    assert contents(tmp_path / "new.night") == contents(night)


@pytest.mark.parametrize("name", ["device", "boot", "device_setting", "meta", "sqlite_schema"])
def test_a_lost_page_of_a_description_is_recovered_from_its_copy(night, tmp_path, name):
    before = contents(night)
    zero(night, {"sqlite_schema": 1, **root_pages(night)}[name])
    recover(night, tmp_path / "new.night")
    assert contents(tmp_path / "new.night") == before
    assert {c.leg for c in ts.read(tmp_path / "new.night").channels} == {"right"}


def test_a_lost_page_of_packets_costs_its_packets_only(night, tmp_path):
    before = contents(night)["packet"]
    seqs = {row[1] for row in before if row[0] == 1}
    zero(night, page_of(night, 60))
    with pytest.raises(InputError, match=r"twitchsense repair a\.night --out a-repaired\.night"):
        ts.read(night)
    report = recover(night, tmp_path / "new.night")
    after = contents(tmp_path / "new.night")["packet"]
    assert after < before
    assert 10 <= len(before - after) == report.n_missing < 20
    (gap,) = report.missing
    missing = [row for row in before - after if row[0] == 1]
    assert gap.after_ns < min(row[2] for row in missing)
    assert gap.before_ns > max(row[2] for row in missing)
    assert 60 in seqs - {row[1] for row in after if row[0] == 1}
    ts.read(tmp_path / "new.night")


def test_a_wrong_byte_in_the_index_costs_nothing(night, tmp_path):
    before = contents(night)
    zero(night, root_pages(night)["sqlite_autoindex_packet_1"])
    assert recover(night, tmp_path / "new.night").n_missing == 0
    assert contents(tmp_path / "new.night") == before


def test_damaged_packets_are_not_recovered_and_not_counted_as_others(night, tmp_path):
    before = contents(night)["packet"]
    data = night.read_bytes()
    for seq in (40, 41, 80):
        frame = next(row[3] for row in before if row[:2] == (1, seq))
        data = data.replace(frame, frame[:30] + bytes([frame[30] ^ 1]) + frame[31:])
    night.write_bytes(data)
    report = recover(night, tmp_path / "new.night")
    assert [gap.count for gap in report.missing] == [2, 1]
    lost = before - contents(tmp_path / "new.night")["packet"]
    assert {row[:2] for row in lost} == {(1, 40), (1, 41), (1, 80)}


def test_packets_in_the_log_are_recovered_and_nothing_beside_the_file_changes(tmp_path):
    path = tmp_path / "a.night"
    file = NightFileWriter(path)
    frames = make_frames(20)
    packets = [Packet(Boot(KEY, 1), seq, T0 + round(at * 1e9), data) for seq, at, data in frames]
    file.write([device()])
    for start in range(0, len(packets), 20):
        file.write(packets[start : start + 20])
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("a.night", "a.night-wal"):
        shutil.copy(tmp_path / name, folder)
    file.close()
    log = bytearray((folder / "a.night-wal").read_bytes())
    log[:32] = bytes(32)  # SQLite would ignore the whole log
    (folder / "a.night-wal").write_bytes(log)
    before = {p.name: hashlib.sha256(p.read_bytes()).digest() for p in folder.iterdir()}
    report = recover(folder / "a.night", tmp_path / "new.night")
    assert (report.n_received, report.n_missing) == (len(frames), 0)
    assert {p.name: hashlib.sha256(p.read_bytes()).digest() for p in folder.iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.night", "copy", "new.night"]


def test_values_of_driver_devices_keep_their_order(tmp_path):
    path = write_values(
        tmp_path / "a.night",
        npg_values([0.0] * 3000),
        npg_values([50.0] * 3000, start_s=20),
    )
    before = ts.read(path)
    roots = root_pages(path)
    zero(path, 1, roots["connection"], roots["characteristic"])
    assert recover(path, tmp_path / "new.night").n_missing == 0
    after = ts.read(tmp_path / "new.night")
    samples = [
        np.concatenate([s.samples.read(0, len(s.samples)) for s in r.segments])
        for r in (before, after)
    ]
    np.testing.assert_array_equal(*samples)


def test_a_lost_description_is_taken_from_another_night(night, tmp_path):
    other = write_night(tmp_path / "b.night", 1)
    roots = root_pages(night)
    before = contents(night)
    zero(night, roots["device"], roots["device_copy"])
    out = tmp_path / "new.night"
    with pytest.raises(InputError, match="give another night of the same wearable with --like"):
        recover(night, out)
    assert not out.exists()
    report = recover(night, out, other)
    assert len(report.remarks) == 1
    assert contents(out) == before


@pytest.mark.parametrize("change", [("info", 0, 9), ("info", 11, 0xFF), ("key", 3, ord("7"))])
def test_a_description_without_checksum_that_cannot_be_right_is_lost(night, tmp_path, change):
    """It was written to the repaired night, which then could not be read."""
    column, at, byte = change
    other = write_night(tmp_path / "b.night", 1)
    before = contents(night)
    downgrade(night, 3)
    with sqlite3.connect(night) as db:
        (cell,) = db.execute(f"SELECT {column} FROM device").fetchone()
        damaged = bytearray(cell.encode() if column == "key" else cell)
        damaged[at] = byte
        value = damaged.decode() if column == "key" else bytes(damaged)
        db.execute(f"UPDATE device SET {column} = ?", (value,))
    db.close()
    if at == 0:
        with pytest.raises(InputError, match="twitchsense repair"):
            ts.read(night)
    out = tmp_path / "new.night"
    with pytest.raises(InputError, match="give another night of the same wearable with --like"):
        recover(night, out)
    recover(night, out, other)
    assert contents(out) == before


def test_a_boot_without_checksum_that_no_packet_belongs_to_is_lost(night, tmp_path):
    """All of its packets were left out as those of another boot."""
    before = contents(night)
    downgrade(night, 3)
    with sqlite3.connect(night) as db:
        db.execute("UPDATE boot SET count = 77 WHERE count = 2")
    db.close()
    report = recover(night, tmp_path / "new.night")
    assert report.remarks == ("the count of a boot is lost, and taken to be 2",)
    assert contents(tmp_path / "new.night") == before


def test_the_description_of_one_of_two_wearables_is_taken_from_another_night(tmp_path):
    models = [MODEL, DeviceModel(0x11, STREAMS, "right")]
    path = write_night(tmp_path / "a.night", 3)
    file = NightFileWriter(path)
    file.write([device(models[1])])
    file.write(
        Packet(Boot(models[1].serial, 1), seq, T0 + round(at * 1e9), data)
        for seq, at, data in make_frames(3, model=models[1])
    )
    file.close()
    before = contents(path)
    others = [write_night(tmp_path / f"{m.leg}.night", 1, model=m) for m in models]
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM device WHERE id = 2")
    db.close()
    report = recover(path, tmp_path / "one.night")
    assert "another night of the wearable, given with --like, describes it" in report.remarks[0]
    with pytest.raises(InputError, match=rf"is of the wearable {KEY}, whose description is not"):
        recover(path, tmp_path / "two.night", others[0])
    recover(path, tmp_path / "two.night", others[1])
    assert contents(tmp_path / "two.night") == before


def test_a_lost_boot_of_the_only_device_is_taken_from_its_frames(night, tmp_path):
    roots = root_pages(night)
    before = contents(night)
    zero(night, roots["boot"], roots["boot_copy"])
    report = recover(night, tmp_path / "new.night")
    assert [text[:26] for text in report.remarks] == ["the count of a boot is los"] * 2
    assert contents(tmp_path / "new.night") == before


def test_what_can_not_be_repaired_is_refused_and_nothing_is_left(night, tmp_path):
    out = tmp_path / "new.night"
    noise = tmp_path / "noise.night"
    noise.write_bytes(bytes(range(256)) * 400)
    empty = tmp_path / "empty.night"
    empty.write_bytes(b"")
    for path in (noise, empty):
        with pytest.raises(InputError, match="holds no packet that can be recovered"):
            recover(path, out)
    with pytest.raises(InputError, match="is not a file"):
        recover(tmp_path / "none.night", out)
    with pytest.raises(InputError, match=r"a\.night: exists"):
        recover(noise, night)
    file = NightFileWriter(night)
    with pytest.raises(InputError, match="is being recorded"):
        recover(night, out)
    file.close()
    assert {p.name for p in tmp_path.iterdir()} == {"a.night", "noise.night", "empty.night"}


def test_the_command_lists_what_is_missing(night, tmp_path, capsys):
    zero(night, 1, page_of(night, 60))
    with pytest.raises(SystemExit) as left:
        main(["repair", str(night), "--out", str(tmp_path / "new.night"), "--quiet"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "packets recovered, " in text
    assert " UTC and " in text
    with pytest.raises(SystemExit) as left:
        main(["repair", str(night), "--out", str(tmp_path / "json.night"), "--json"])
    assert left.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["n_missing"] == sum(gap["count"] for gap in report["missing"]) > 0
    with pytest.raises(SystemExit) as left:
        main(["repair", str(night), "--out", str(tmp_path / "new.csv")])
    assert left.value.code == 2
