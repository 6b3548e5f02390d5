"""Night files that are locked, damaged, or in a place that cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.wearable.encoder import Encoder, crc16
from tests.nightfile.builders import (
    KEY,
    T0,
    capture_connections,
    device,
    info_bytes,
    make_frames,
    write_night,
)
from twitchsense.cli.app import main
from twitchsense.devices.v1.v1_frames import decode_info
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.nightfile import lock
from twitchsense.nightfile.column_layout import v1_columns
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import Boot, LinkEvent, Marker, Packet
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFileWriter

BOOT = Boot(KEY, 1)


def packets(seconds, change=lambda seq, data: data):
    return [
        Packet(BOOT, seq, T0 + round(at * 1e9), change(seq, data))
        for seq, at, data in make_frames(seconds)
    ]


# -- two recorders --------------------------------------------------------------------------------


def test_a_night_file_has_one_writer(tmp_path):
    path = tmp_path / "a.night"
    first = NightFileWriter(path)
    with pytest.raises(InputError, match=rf"a\.night: is being recorded by process {os.getpid()};"):
        NightFileWriter(path)
    first.write([Marker(T0, "the first one is not disturbed")])
    first.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.night"]
    NightFileWriter(path).close()


def test_record_names_the_process_that_holds_the_lock(tmp_path, capsys):
    path = tmp_path / "a.night"
    night = NightFileWriter(path, {"session": "1"})
    with pytest.raises(SystemExit) as left:
        main(["record", "--device", "sim", "--out", str(path), "--duration", "1"])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert str(path) in err
    assert "stop it first, or choose another file" in err
    night.close()


def test_a_killed_writer_leaves_no_lock(tmp_path):
    path = tmp_path / "a.night"
    script = "import os, sys; from pathlib import Path; from twitchsense.nightfile.writer import NightFileWriter; NightFileWriter(Path(sys.argv[1])); os.kill(os.getpid(), 9)"  # noqa: E501
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert (tmp_path / "a.night.lock").exists()
    NightFileWriter(path).close()
    assert not (tmp_path / "a.night.lock").exists()


def test_a_lock_file_deleted_while_waiting_is_created_again(tmp_path, monkeypatch):
    """Another writer ends, and deletes its lock file, between our opening and our locking it."""
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "a.night"
    flock, calls = fcntl.flock, []

    def late(file, operation):
        if not calls:
            (tmp_path / "a.night.lock").unlink()
        calls.append(file)
        return flock(file, operation)

    monkeypatch.setattr("fcntl.flock", late)
    held = lock.WriterLock(path)
    assert len(calls) == 2
    with pytest.raises(InputError):
        lock.WriterLock(path)
    held.release()


@pytest.mark.skipif(sys.platform == "win32", reason="locks of another kind")
def test_a_file_system_without_locks_still_records(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    NightFileWriter(tmp_path / "a.night").close()
    assert "start only one recorder" in caplog.text


def test_a_failed_open_releases_the_lock(tmp_path):
    path = tmp_path / "a.night"
    path.write_text("precious")
    for _ in range(2):
        with pytest.raises(InputError, match="not a night file"):
            NightFileWriter(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.night"]


# -- places ---------------------------------------------------------------------------------------


def _as_if_read_only(path):
    """Keep SQLite from creating its index beside the file, as in a read-only folder."""
    path.with_name(path.name + "-shm").symlink_to(path.parent / "missing" / "x")


def _in_log_mode(tmp_path, monkeypatch, *, with_log):
    """Copy a night file while its writer has it open."""
    connections = capture_connections(monkeypatch)
    night = NightFileWriter(tmp_path / "a.night")
    night.write([device(), *packets(10)])
    if not with_log:
        connections[0].execute("PRAGMA wal_checkpoint(TRUNCATE)")
    place = tmp_path / "copy"
    place.mkdir()
    for file in tmp_path.glob("a.night*"):
        if not file.name.endswith(("-shm", ".lock")):
            shutil.copy(file, place)
    night.close()
    _as_if_read_only(place / "a.night")
    return place / "a.night"


def test_a_file_without_a_log_is_read_from_a_read_only_folder(tmp_path, monkeypatch):
    (report,) = read_loss_reports(_in_log_mode(tmp_path, monkeypatch, with_log=False))
    assert report.received == len(packets(10))


def test_a_log_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"last minutes are in a\.night-wal.*copy both"):
        read_loss_reports(_in_log_mode(tmp_path, monkeypatch, with_log=True))


def test_writing_in_a_read_only_folder_raises(tmp_path, monkeypatch):
    path = _in_log_mode(tmp_path, monkeypatch, with_log=False)
    with pytest.raises(StorageError, match="cannot be written"):
        NightFileWriter(path)
    assert not path.with_name("a.night.lock").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_raises(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(StorageError, match="cannot be written"):
        NightFileWriter(tmp_path / "a.night")
    tmp_path.chmod(0o755)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(StorageError, match=r"its folder does not exist\); create it or"):
        NightFileWriter(tmp_path / "none" / "a.night")


def test_a_file_that_cannot_be_created_raises(tmp_path):
    (tmp_path / "a.night.new").mkdir()
    with pytest.raises(StorageError, match="free disk space or choose another"):
        NightFileWriter(tmp_path / "a.night")
    assert not (tmp_path / "a.night").exists()


def test_a_file_locked_by_another_program_raises(tmp_path, monkeypatch):
    monkeypatch.setattr("twitchsense.nightfile.schema.BUSY_TIMEOUT_S", 0.1)
    path = write_night(tmp_path / "a.night", 2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        NightFileWriter(path)
    other.close()
    NightFileWriter(path).close()


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        NightFileReader(tmp_path / "none.night")


# -- batches --------------------------------------------------------------------------------------


def test_a_failed_transaction_leaves_no_records_and_allows_the_next(tmp_path):
    night = NightFileWriter(tmp_path / "a.night")
    unknown = Packet(Boot("FFFF", 1), 0, T0, b"x")
    with pytest.raises(TwitchsenseError, match="unknown device"):
        night.write([device(), Marker(T0, "with it"), unknown])
    night.write([device(), LinkEvent(KEY, T0, "connected"), Marker(T0, "after it")])
    night.close()
    reader = NightFileReader(tmp_path / "a.night")
    assert reader.query("SELECT text FROM marker") == [("after it",)]
    assert reader.query("SELECT event, detail FROM link") == [("connected", "")]
    reader.close()


# -- damage found while reading -------------------------------------------------------------------


def _overwrite_pages(path, share):
    """Overwrite the end of the file; the tables that are read first stay intact."""
    data = bytearray(path.read_bytes())
    at = round(len(data) * share) // 4096 * 4096
    data[at:] = b"\xff" * (len(data) - at)
    path.write_bytes(data)


def test_damaged_pages_after_the_first_tables_are_refused(tmp_path):
    path = write_night(tmp_path / "a.night", 60)
    _overwrite_pages(path, 0.6)
    NightFileReader(path, check=False).close()  # the first tables are intact
    for read in (ts.read, read_loss_reports):
        with pytest.raises(InputError, match=r"a\.night: is not a night file, or is damaged"):
            read(path)


def test_an_invalid_device_description_is_refused(tmp_path):
    path = write_night(tmp_path / "a.night", 2)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE device SET info = x'0200', crc = NULL")
    db.close()
    with pytest.raises(InputError, match=rf"device {KEY} can't be read .*update twitchsense"):
        ts.read(path)


def _write(path, records):
    night = NightFileWriter(path)
    night.write([device(), *records])
    night.close()
    return path


def test_frames_with_a_wrong_sequence_number_are_left_out_with_a_note(tmp_path):
    frames = make_frames(10)

    def change(seq, data):
        return {30: frames[31][2], 40: b"no frame"}.get(seq, data)

    recording = ts.read(_write(tmp_path / "a.night", packets(10, change)))
    assert any("2 that are not frames, left out" in n for n in recording.notes)
    whole = ts.read(write_night(tmp_path / "b.night", 10))
    total = [sum(len(s.samples) for s in r.segments) for r in (recording, whole)]
    lost = sum({1: 57 * 2, 2: 38}[frames[n][2][0]] for n in (30, 40))
    assert total[0] == total[1] - lost


def test_repeated_samples_are_left_out(tmp_path):
    """A device repeats samples under new sequence numbers, which none should."""
    frames = make_frames(10)
    again = [n for n, _, data in frames if data[0] == 1][20]
    twin = bytearray(frames[again][2])
    twin[4:8] = len(frames).to_bytes(4, "little")
    twin[-2:] = crc16(bytes(twin[:-2])).to_bytes(2, "little")
    extra = Packet(BOOT, len(frames), T0 + 10**10, bytes(twin))
    recording = ts.read(_write(tmp_path / "a.night", [*packets(10), extra]))
    assert any("1 that are not frames" in n for n in recording.notes)
    (segment,) = recording.segments_of("emg1_left")
    assert len(segment.samples) == 57 * sum(data[0] == 1 for _, _, data in frames)


def test_marker_frames_hold_no_samples(tmp_path):
    frames = make_frames(10)
    press = Encoder().frame(64, 0, 1, len(frames), 200_000, np.empty((0, 0), np.int32))
    extra = Packet(BOOT, len(frames), T0 + 10**10, press)
    recording = ts.read(_write(tmp_path / "a.night", [*packets(10), extra]))
    assert not any("no frames" in n for n in recording.notes)
    plain = ts.read(write_night(tmp_path / "b.night", 10))
    assert [len(s.samples) for s in recording.segments] == [len(s.samples) for s in plain.segments]


def test_a_boot_with_retransmitted_frames_only_has_a_clock(tmp_path):
    path = _write(tmp_path / "a.night", packets(10, lambda _, d: bytes([d[0], d[1] | 1]) + d[2:]))
    recording = ts.read(path)
    assert abs(recording.start_utc_ns - T0) < 50e6
    assert {len(recording.segments_of(c.name)) for c in recording.channels} == {1}


def test_time_increases_across_boots_between_which_the_clock_was_set_back(tmp_path):
    """The frames of the second boot arrive from a second before the end of the first."""

    def second_boot(data):
        body = data[:3] + b"\x02" + data[4:-2]
        return body + crc16(body).to_bytes(2, "little")

    late = [
        Packet(Boot(KEY, 2), p.seq, p.arrival_ns + 19 * 10**9, second_boot(p.data))
        for p in packets(20)
    ]
    recording = ts.read(_write(tmp_path / "a.night", [*packets(20), *late]))
    segments = recording.segments_of("emg1_left")
    assert sum(len(s.samples) for s in segments) == pytest.approx(39_950, abs=70)
    assert any("clock was set back" in note for note in recording.notes)
    ends = [s.start_ns + len(s.samples) * 10**6 for s in segments]
    assert all(b.start_ns >= a for a, b in zip(ends, segments[1:], strict=False))


def test_a_loss_report_with_a_huge_gap_needs_little_memory(tmp_path):
    """A set of numbers instead of ranges would need hundreds of gigabytes."""
    extra = Packet(BOOT, 2**32 - 1, T0, b"no frame")
    (report,) = read_loss_reports(_write(tmp_path / "a.night", [*packets(2), extra]))
    assert report.end == 2**32
    assert report.unresolved == ((len(packets(2)), 2**32 - 2),)


def test_columns_of_devices_without_a_leg_are_numbered_through():
    raw = info_bytes()
    plain = decode_info(raw[:2] + b"\x00" + raw[3:])
    strange = raw[:2] + b"\x00" + raw[3:17] + b"\x09" + raw[18:]  # a kind of a later version
    named = v1_columns({"a": plain, "b": plain, "c": decode_info(strange)})
    assert named["a"] == {1: ("emg1_uv", "emg2_uv"), 2: ("acc1_x_g", "acc1_y_g", "acc1_z_g")}
    assert named["b"] == {1: ("emg3_uv", "emg4_uv"), 2: ("acc2_x_g", "acc2_y_g", "acc2_z_g")}
    assert named["c"] == {2: ("acc3_x_g", "acc3_y_g", "acc3_z_g")}
