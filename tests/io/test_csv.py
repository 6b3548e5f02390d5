"""Valid CSV captures: the recording holds what was written."""

import gzip
import hashlib
import os
import tempfile
import threading

import numpy as np
import pytest

from tests.io.builders import (
    assert_same,
    content,
    emg,
    lengths,
    recording_of_columns,
    starts,
    write,
    write_wide,
)
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.table_capture import TableCapture
from twitchsense.io.text.csv import CsvTable
from twitchsense.model import sample_file
from twitchsense.model.recording import Recording


def test_a_wide_file_equals_the_arrays(tmp_path):
    path, columns = write_wide(tmp_path / "night.csv")
    recording = read(path)
    assert_same(recording, recording_of_columns(columns))
    assert recording.source == "night.csv"
    assert recording.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert recording.start_utc_ns is None
    assert recording.notes == ()


def test_gaps_in_a_wide_file_equal_gaps_in_arrays(tmp_path):
    _, columns = write_wide(tmp_path / "night.csv", 5000)
    columns["emg1_uv"][1000:1200] = np.nan
    columns["emg2_uv"][[17, 2500]] = np.inf
    columns["acc_y_g"][3000:3500] = np.nan
    recording = read(write(tmp_path / "gaps.csv", columns))
    assert_same(recording, recording_of_columns(columns))
    assert lengths(recording, "emg1") == [1000, 3800]
    assert recording.notes[0] == "emg1: 1 gap, 0.200 s in all, longest 0.200 s"


@pytest.mark.parametrize("fs", [200, 256, 512, 1000, 1024, 1111.0, 2000, 2048, 4000])
@pytest.mark.parametrize("decimals", [6, 9])
def test_every_rate_is_found_exactly_from_fine_stamps(tmp_path, fs, decimals):
    x = emg(4000)
    x[1001:1013] = np.nan
    t = np.round(np.arange(4000) / fs, decimals)
    got = read(write(tmp_path / "a.csv", {"time_s": t, "emg1_uv": x}))
    want = Recording.from_arrays({"emg1_uv": (x, fs)})
    assert got.channels == want.channels
    assert np.abs(np.subtract(starts(got, "emg1"), starts(want, "emg1"))).max() <= 1


def test_several_files_are_one_recording_in_any_order(tmp_path):
    path, columns = write_wide(tmp_path / "night.csv")
    one = write(tmp_path / "emg.csv", {k: columns[k] for k in ("time_s", "emg1_uv", "emg2_uv")})
    axes = {k: columns[k][::10] for k in ("time_s", "acc_x_g", "acc_y_g", "acc_z_g")}
    two = write(tmp_path / "acc.csv", axes)
    together = read(one, two)
    assert_same(together, read(path))
    other = read(two, one)
    assert_same(together, other)
    assert (together.sha256, together.source) == (other.sha256, "acc.csv, emg.csv")


def test_a_night_cut_into_parts_by_time_is_joined(tmp_path):
    _, columns = write_wide(tmp_path / "night.csv", 6000)
    cuts = [(0, 2000), (2000, 4000), (4500, 6000)]
    parts = [
        write(tmp_path / f"{9 - i}.csv", {k: v[a:b] for k, v in columns.items()})
        for i, (a, b) in enumerate(cuts)
    ]
    for name in columns:
        if name != "time_s":
            columns[name][4000:4500] = np.nan
    assert_same(read(*parts), recording_of_columns(columns))


def test_a_continued_channel_may_have_another_unit(tmp_path):
    t, x = np.arange(500) / 1000, emg(500)
    one = write(tmp_path / "1.csv", {"time_s": t, "emg1_uv": x})
    two = write(tmp_path / "2.csv", {"time_s": t + 0.5, "emg1_mv": x / 1000})
    recording = read(one, two)
    assert lengths(recording, "emg1") == [1000]
    whole = content(recording)["emg1"][0][1][:, 0]
    np.testing.assert_allclose(whole[:500], whole[500:], rtol=1e-6)


def test_time_axis_of_the_file_is_kept(tmp_path):
    path, _ = write_wide(tmp_path / "late.csv", offset=7200)
    recording = read(path)
    assert recording.start_ns == 7200 * 10**9
    assert starts(recording, "acc") == [7200 * 10**9]


def test_a_shift_by_hours_shifts_starts_exactly(tmp_path):
    rng = np.random.default_rng(0)
    t = np.arange(5000) / 1000 + rng.uniform(-0.0002, 0.0002, 5000)
    keep = rng.random(5000) > 0.01
    x = emg(5000)
    at = []
    for shift in (0, 3600, 8 * 3600):
        times = np.round(t[keep] + 1 + shift, 6)
        recording = read(write(tmp_path / "a.csv", {"time_s": times, "emg1_uv": x[keep]}))
        at.append(np.array(starts(recording, "emg1")) - shift * 10**9)
    np.testing.assert_array_equal(at[0], at[1])
    np.testing.assert_array_equal(at[0], at[2])


@pytest.mark.slow  # reads a file in blocks of many sizes
def test_block_size_does_not_change_the_recording(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    n = 150_000  # more than two blocks of the segmenter
    t = np.round(np.arange(n) / 1000 + rng.uniform(-0.0002, 0.0002, n), 6)
    x = emg(n)
    x[rng.random(n) < 0.001] = np.nan
    keep = rng.random(n) > 0.001
    keep[65530:65550] = False
    columns = {"time_s": t[keep], "emg1_uv": x[keep]}
    path = write(tmp_path / "a.csv", columns)
    want = read(path)
    assert len(want.segments) > 200
    blocks = CsvTable.blocks
    for rows in (97, 1000, 65536):
        monkeypatch.setattr(CsvTable, "blocks", lambda self, _=0, rows=rows: blocks(self, rows))
        got = read(path)
        assert_same(got, want)
        assert got.notes == want.notes


@pytest.mark.parametrize(
    "times",
    [
        [f"2026-03-01T22:00:00.{i:03d}Z" for i in range(300)],
        [f"2026-03-02T00:00:00.{i:03d}+02:00" for i in range(300)],
        [f"2026-03-01 17:00:00.{i:03d}000-0500" for i in range(300)],
        # summer time begins in the middle of the file
        [
            *(f"2026-03-01T23:00:00.{i:03d}+01:00" for i in range(150)),
            *(f"2026-03-02T00:00:00.{i:03d}+02:00" for i in range(150, 300)),
        ],
    ],
)
def test_clock_time_ties_the_axis_to_utc(tmp_path, times):
    x = emg(300)
    x[0] = np.nan  # zero is the first row: silence at the start belongs to the recording
    recording = read(write(tmp_path / "a.csv", {"time_utc": times, "emg1_uv": x}), zone="UTC")
    assert recording.start_utc_ns == 1_772_402_400_000_000_000
    assert recording.zone == "UTC"
    assert starts(recording, "emg1") == [1_000_000]
    assert lengths(recording, "emg1") == [299]


def test_clock_time_over_several_files(tmp_path):
    def stamps(second):
        return [f"2026-03-01T22:00:{second:02d}.{i * 10:03d}Z" for i in range(100)]

    one = write(tmp_path / "1.csv", {"time_utc": stamps(5), "acc_left_x_g": np.ones(100)})
    two = write(tmp_path / "2.csv", {"time_utc": stamps(2), "acc_right_x_g": np.ones(100)})
    recording = read(one, two)
    assert starts(recording, "acc_right") == [0]
    assert starts(recording, "acc_left") == [3 * 10**9]
    assert recording.start_utc_ns % (60 * 10**9) == 2 * 10**9


def test_gzip_is_recognised_by_content_not_by_name(tmp_path):
    path, columns = write_wide(tmp_path / "night.csv")
    packed = gzip.compress(path.read_bytes())
    for name in ("night.csv.gz", "really.csv"):
        (tmp_path / name).write_bytes(packed)
        assert_same(read(tmp_path / name), recording_of_columns(columns))


def test_foreign_headers_are_mapped(tmp_path):
    t = np.arange(300) / 1000
    path = write(tmp_path / "a.csv", {"Time": t, "EMG(uV)": emg(300), "acc_status": t, "note": t})
    mapping = {"time": "time_s", "EMG(uV)": "emg_left_uv", "acc_status": "ignore"}
    recording = read(path, columns=mapping)
    assert recording.channels[0].name == "emg_left"
    assert recording.channels[0].leg == "left"
    assert any("left out: acc_status, note" in note for note in recording.notes)


def test_legs_of_channels_without_a_leg_in_the_name(tmp_path):
    path, _ = write_wide(tmp_path / "a.csv")
    recording = read(path, legs={"emg1": "left", "emg7": "right"})
    assert [c.leg for c in recording.channels] == ["left", None, None]
    assert "legs: no channel emg7 in this recording" in recording.notes
    with pytest.raises(InputError, match="is not a leg"):
        read(path, legs={"emg1": "middle"})
    named = write(tmp_path / "b.csv", {"time_s": np.arange(9) / 1e3, "emg_left_uv": emg(9)})
    with pytest.raises(InputError, match="says right"):
        read(named, legs={"emg_left": "right"})
    assert read(named, legs={"emg_left": "left"}).channels[0].leg == "left"


def test_an_empty_column_is_left_out_with_a_note(tmp_path):
    t = np.arange(300) / 1000
    path = write(
        tmp_path / "a.csv", {"time_s": t, "emg1_uv": emg(300), "emg2_uv": np.full(300, np.nan)}
    )
    recording = read(path)
    assert [c.name for c in recording.channels] == ["emg1"]
    assert "no numbers in emg2_uv" in recording.notes[0]


def test_odd_values_are_noted(tmp_path):
    t = np.arange(3000) / 1000
    x = emg(3000)
    x[1000] = 1e9
    columns = {"time_s": t, "emg1_uv": x, "emg2_uv": x[::-1] / 1e6, "acc_z_g": np.full(3000, 9.8)}
    columns |= {"acc2_x_g": t * 0, "acc2_y_g": t * 0, "acc2_z_g": t * 0 + 0.1}
    columns["emg2_uv"][1999] = 0
    recording = read(write(tmp_path / "a.csv", columns))
    notes = " | ".join(recording.notes)
    assert "emg1: 1 impossible value is treated as missing" in notes
    assert "never beyond" in notes
    assert "acc_ms2" not in notes
    assert "if these are m/s2" in notes
    assert "0.1 g at rest" in notes
    assert lengths(recording, "emg1") == [1000, 1999]


def test_samples_outlive_the_recording_and_may_be_shared_by_threads(tmp_path):
    path, columns = write_wide(tmp_path / "a.csv")
    samples = read(path).segments[0].samples
    want = columns["emg1_uv"].astype(np.float32)
    wrong = []

    def compare(seed):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            a, b = sorted(rng.integers(0, 3001, 2).tolist())
            if not np.array_equal(samples.read(a, b)[:, 0], want[a:b]):
                wrong.append((a, b))

    threads = [threading.Thread(target=compare, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert samples.read(5, 5).shape == (0, 1)
    assert samples.read(2990, 9999).shape == (10, 1)


def test_temporary_files_are_closed_with_the_last_reader(tmp_path):
    path, _ = write_wide(tmp_path / "a.csv")
    recording = read(path)
    file = recording.segments[0].samples.handle.file
    assert not file.closed
    del recording
    assert file.closed


def test_a_full_disk_raises_with_the_cure(tmp_path, monkeypatch):
    path, _ = write_wide(tmp_path / "a.csv")

    class Full:
        closed = False

        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(sample_file.SampleFileError, match=r"No space left .* TMPDIR"):
        read(path)

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(sample_file.SampleFileError, match="TMPDIR"):
        read(path)


def test_a_truncated_temporary_file_raises(tmp_path):
    path, _ = write_wide(tmp_path / "a.csv")
    samples = read(path).segments[0].samples
    os.truncate(samples.handle.file.fileno(), 100)
    with pytest.raises(sample_file.SampleFileError, match="cut short"):
        samples.read(0, 3000)


def test_short_writes_to_the_temporary_file_are_completed(tmp_path, monkeypatch):
    class Slow:
        def __init__(self):
            self.data = b""

        def write(self, data):
            self.data += bytes(data[:7])
            return min(7, len(data))

        def close(self):
            pass

    slow = Slow()
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: slow)
    sample_file.SampleFile(1).append(np.arange(5, dtype=np.float32)[:, None])
    assert np.frombuffer(slow.data, np.float32).tolist() == [0, 1, 2, 3, 4]


def test_locate_returns_none_for_a_time_not_in_the_table(tmp_path):
    path, _ = write_wide(tmp_path / "a.csv", 50)
    table = CsvTable(path, "a.csv", ColumnMapping())
    assert TableCapture(table).locate(123) is None
