"""Writing and reading a night file, also after a kill and while it is written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.wearable.encoder import Encoder
from firmware_sim.wearable.firmware import Firmware
from tests.nightfile.builders import (
    KEY,
    MODEL,
    T0,
    Noise,
    capture_connections,
    device,
    downgrade,
    make_frames,
    write_night,
)
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import (
    BatteryReading,
    Boot,
    ClockReading,
    DamagedFrame,
    Loss,
    Packet,
)
from twitchsense.nightfile.schema import APPLICATION_ID, SCHEMA, StorageError
from twitchsense.nightfile.writer import NightFileWriter


def counts_of(recording, name, step):
    blocks = [s.samples.read(0, len(s.samples)) for s in recording.segments_of(name)]
    return np.rint(np.concatenate(blocks)[:, 0].astype(float) / step).astype(int)


def test_samples_come_back_bit_exact_with_their_time(tmp_path):
    recording = ts.read(write_night(tmp_path / "a.night", 60, drift=80e-6))
    assert [c.name for c in recording.channels] == ["emg1_left", "emg2_left", "acc_left"]
    assert {c.leg for c in recording.channels} == {"left"}
    whole = 57 * (60 * 1000 // 57)
    emg = Noise().read(1, 0, whole)
    for i in (0, 1):
        got = counts_of(recording, f"emg{i + 1}_left", 0.2)
        assert np.array_equal(got, emg[: len(got), i])
        assert len(got) > whole - 3 * 57
    acc = Noise().read(2, 0, 6000)
    got = np.concatenate([s.samples.read(0, 9999) for s in recording.segments_of("acc_left")])
    assert np.array_equal(got, (acc[: len(got)] / 4096).astype(np.float32))
    # 4 ms is the least latency, which no clock fit can see
    assert abs(recording.start_utc_ns - T0 - 4e6) < 5e6
    assert len(recording.segments) == 3


def test_a_lost_frame_is_a_gap_in_its_stream_alone(tmp_path):
    emg = [s for s, _, data in make_frames(20) if data[0] == 1]
    lost = emg[100:103]
    recording = ts.read(write_night(tmp_path / "a.night", 20, keep=lambda _, s: s not in lost))
    assert next(len(s.samples) for s in recording.segments_of("emg1_left")) == 100 * 57
    assert len(recording.segments_of("emg2_left")) == 2
    assert len(recording.segments_of("acc_left")) == 1
    first, second = recording.segments_of("emg1_left")
    assert second.start_ns - first.start_ns == pytest.approx(103 * 57e6, abs=1e6)


def test_each_boot_has_its_own_clock(tmp_path):
    recording = ts.read(write_night(tmp_path / "a.night", 30, boots=(7, 8)))
    first, second = recording.segments_of("emg1_left")
    assert second.start_ns - first.start_ns == pytest.approx(35e9, abs=20e6)


def test_boots_with_the_same_low_byte_are_distinct(tmp_path):
    reports = read_loss_reports(write_night(tmp_path / "a.night", 5, boots=(1, 257)))
    assert [b.count for b in reports] == [1, 257]
    assert all(b.received == b.end for b in reports)


@pytest.mark.parametrize("days", [0.8, 1.51, 2.3])
def test_ticks_beyond_32_bits_are_unwrapped(days, tmp_path):
    """Frames hold 32 bits of the ticks; the rest comes from the clock reading."""
    before = round(days * 86400) * 32768
    if days == 1.51:
        before = 2**32 - 5 * 32768  # wraps in the middle
    firmware = Firmware(MODEL, Noise(), Encoder())
    firmware.advance(before)
    firmware.control(bytes.fromhex("01 01 01000000 00"))
    night = NightFileWriter(tmp_path / "a.night")
    boot = Boot(KEY, 1)
    night.write([device(), ClockReading(boot, before, T0, T0 + 10**6)])
    firmware.advance(before + 10 * 32768)
    night.write(
        Packet(boot, seq, T0 + round(seq / 20.2 * 1e9), firmware.ring.get(seq))
        for seq in range(firmware.ring.next)
    )
    night.close()
    recording = ts.read(tmp_path / "a.night")
    (segment,) = recording.segments_of("emg1_left")
    assert len(segment.samples) == 57 * (10000 // 57)
    first = before * 1000 // 32768
    got = counts_of(recording, "emg1_left", 0.2)
    assert np.array_equal(got, Noise().read(1, first, len(got))[:, 0])


def test_loss_report_counts_each_lost_frame_once(tmp_path):
    path = write_night(tmp_path / "a.night", 10, keep=lambda _, s: s not in (3, 4, 5, 9))
    night = NightFileWriter(path)
    night.write([Loss(Boot(KEY, 1), 3, 4, "ring_overflow", T0), Loss(Boot(KEY, 1), 4, 5, "x", T0)])
    night.close()
    (report,) = read_loss_reports(path)
    assert report.lost == {"ring_overflow": 2, "x": 1}
    assert report.unresolved == ((9, 9),)
    assert report.received == report.end - 4


def test_a_frame_written_twice_is_stored_once(tmp_path):
    night = NightFileWriter(tmp_path / "a.night")
    (seq, _, data), *_ = make_frames(1)
    night.write([device(), Packet(Boot(KEY, 1), seq, 5, data), Packet(Boot(KEY, 1), seq, 9, data)])
    night.write([Packet(Boot(KEY, 1), seq, 9, data)])
    assert night.stored_seqs(Boot(KEY, 1)) == [seq]
    night.close()
    reader = NightFileReader(tmp_path / "a.night")
    assert reader.query("SELECT arrival_ns FROM packet") == [(5,)]
    reader.close()


def test_a_file_is_readable_while_it_is_written(tmp_path):
    path = write_night(tmp_path / "a.night", 10)
    before = ts.read(path)
    night = NightFileWriter(path)
    assert night.resumed
    frames = make_frames(20)[sum(b.received for b in read_loss_reports(path)) :]
    night.write([Packet(Boot(KEY, 1), s, T0 + round(at * 1e9), d) for s, at, d in frames])
    during = ts.read(path)  # the writer still holds the file and its log
    night.close()
    assert during.end_ns - before.end_ns == pytest.approx(10e9, abs=1e9)


def test_corrupt_packets_are_left_out_with_a_note(tmp_path):
    path = write_night(tmp_path / "a.night", 10)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE packet SET data = zeroblob(242) WHERE seq = 20")
    db.close()
    recording = ts.read(path)
    assert any("1 packets damaged on the disk" in n for n in recording.notes)
    assert len(recording.segments) in (4, 5)


def test_stored_damaged_frames_are_limited(tmp_path):
    night = NightFileWriter(tmp_path / "a.night")
    night.write(DamagedFrame(KEY, i, "checksum", b"x" * 600) for i in range(1500))
    night.close()
    reader = NightFileReader(tmp_path / "a.night")
    assert reader.query("SELECT count(*), max(length(data)) FROM damaged") == [(1000, 512)]
    reader.close()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_file_of_an_earlier_schema_is_read_and_migrated(tmp_path, version):
    path = write_night(tmp_path / "a.night", 4)
    downgrade(path, version)
    reader = NightFileReader(path)
    assert reader.battery_readings() == []
    reader.close()
    before = ts.read(path)
    night = NightFileWriter(path)
    night.write([BatteryReading(KEY, T0, 87), BatteryReading(KEY, T0 + 1, 86)])
    night.close()
    reader = NightFileReader(path)
    assert reader.battery_readings() == [(1, KEY, 87), (2, KEY, 86)]
    assert reader.battery_readings(1) == [(2, KEY, 86)]
    reader.close()
    after = ts.read(path)
    assert any("battery 87 % to 86 %" in note for note in after.notes)
    assert [len(s.samples) for s in after.segments] == [len(s.samples) for s in before.segments]


# -- files that are none -------------------------------------------------------------------------


def _foreign(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()


def _later(path):
    write_night(path, 2)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()


def _missing_table(path):
    write_night(path, 2)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE loss")
    db.close()


def _torn(path):
    write_night(path, 20)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


BAD = {
    "garbage": (lambda p: p.write_bytes(bytes(range(256)) * 40), "is damaged"),
    "text": (lambda p: p.write_text("time_s,emg1_uv\n0,1\n"), "is damaged"),
    "foreign": (_foreign, "is not a night file"),
    "later": (_later, "later version"),
    "missing_table": (_missing_table, "tables are missing"),
    "torn": (_torn, "is damaged"),
    "empty": (lambda p: p.write_bytes(b""), "is not a night file"),
    "no_samples": (lambda p: NightFileWriter(p).close(), "holds no samples yet"),
    "foreign_application": (
        lambda p: sqlite3.connect(p).execute(f"PRAGMA application_id = {APPLICATION_ID + 1}"),
        "is not a night file",
    ),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", BAD)
def test_files_that_are_no_night_give_one_clear_error(kind, tmp_path, capsys):
    path = tmp_path / "x.night"
    make, message = BAD[kind]
    make(path)
    with pytest.raises(InputError, match=message):
        ts.read(path)
    with pytest.raises(SystemExit) as left:
        main(["analyze", str(path), "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "x.night" in err
    assert not (tmp_path / "out").exists()


def test_a_foreign_file_is_not_changed(tmp_path):
    path = tmp_path / "x.night"
    path.write_text("precious")
    with pytest.raises(InputError, match="not a night file"):
        NightFileWriter(path)
    assert path.read_text() == "precious"


def test_a_missing_folder_raises(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        NightFileWriter(tmp_path / "missing" / "x.night")


def test_a_full_disk_stores_no_record_of_the_batch_and_recovers(tmp_path, monkeypatch):
    connections = capture_connections(monkeypatch)
    night = NightFileWriter(tmp_path / "a.night")
    (db,) = connections
    frames = make_frames(60)
    boot = Boot(KEY, 1)
    packets = [Packet(boot, s, T0 + round(at * 1e9), d) for s, at, d in frames]
    night.write([device(), *packets[:10]])
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own full disk
    with pytest.raises(StorageError, match="full"):
        night.write(packets[10:1000])
    assert night.stored_seqs(boot) == list(range(10))
    db.execute("PRAGMA max_page_count = 1000000")
    night.write(packets[10:1000])
    assert night.stored_seqs(boot) == list(range(1000))
    night.close()


@pytest.mark.slow  # kills a process in real time
def test_a_killed_writer_loses_no_committed_frame(tmp_path):
    """A writer prints the frames it has committed; they are in the file after a kill."""
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from tests.nightfile.builders import KEY, T0, device, make_frames
        from twitchsense.nightfile import open_file, writer
        from twitchsense.nightfile.records import Boot, Packet
        open_file.CHECKPOINT_PAGES = 4  # so that some kills hit a checkpoint
        night = writer.NightFileWriter(Path(sys.argv[1]))
        boot = Boot({KEY!r}, 1)
        night.write([device()])
        have = len(night.stored_seqs(boot))
        for n, (seq, at, data) in enumerate(make_frames(150)[have:]):
            night.write([Packet(boot, seq, T0 + round(at * 1e9), data)])
            print(seq, flush=True)
        """
    )
    path = tmp_path / "a.night"
    rng = np.random.default_rng(5)
    done = -1
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(int(rng.integers(1, 400))):
            done = int(child.stdout.readline())
        child.kill()
        rest = child.communicate()[0].splitlines()
        done = max([done, *(int(line) for line in rest if line.isdigit())])
        (report,) = read_loss_reports(path)
        assert report.end > done
        assert report.received == report.end
    assert MODEL.serial == KEY
