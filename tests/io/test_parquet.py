"""Parquet captures: the same recording as from CSV."""

import os
import sys

import numpy as np
import pandas as pd
import pytest

from tests.io.builders import assert_same, emg, lengths, recording_of_columns, write, write_wide
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.capture_export import export
from twitchsense.model.recording import Recording

pytest.importorskip("pyarrow")


def test_parquet_equals_csv_and_arrays(tmp_path):
    path, columns = write_wide(tmp_path / "night.csv", 5000)
    columns["emg1_uv"][700:800] = np.nan
    write(path, columns)
    pd.DataFrame(columns).to_parquet(tmp_path / "night.parquet", index=False, row_group_size=777)
    recording = read(tmp_path / "night.parquet")
    assert_same(recording, read(path))
    assert_same(recording, recording_of_columns(columns))


def test_datetime_columns_are_utc(tmp_path):
    start = pd.Timestamp("2026-03-01T23:00:00+01:00")
    times = start + pd.to_timedelta(np.arange(300), unit="ms")
    frame = pd.DataFrame({"time_utc": times, "emg1_uv": emg(300)})
    frame.to_parquet(tmp_path / "a.parquet")
    recording = read(tmp_path / "a.parquet", zone="Europe/Berlin")
    assert recording.start_utc_ns == 1_772_402_400_000_000_000
    assert_same(recording, Recording.from_arrays({"emg1_uv": (emg(300), 1000)}))
    frame["time_utc"] = frame["time_utc"].dt.tz_localize(None)
    frame.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet, row 1: .* has no time zone"):
        read(tmp_path / "b.parquet")


def test_whole_numbers_null_and_spaces_in_names(tmp_path):
    x = pd.array(range(300), dtype="Int32")
    x[100] = None
    frame = pd.DataFrame({" Time ": np.arange(300) / 1000, "emg1_uv": x, "who": "me"})
    frame.to_parquet(tmp_path / "a.parquet")
    recording = read(tmp_path / "a.parquet", columns={"Time": "time_s"})
    assert lengths(recording, "emg1") == [100, 199]
    assert "left out: who" in recording.notes[0]


def test_errors_name_the_row(tmp_path):
    t = np.arange(300) / 1000
    t[200] = 0.1
    pd.DataFrame({"time_s": t, "emg1_uv": emg(300)}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="row 201: time runs backwards"):
        read(tmp_path / "a.parquet")


def test_damaged_files_are_refused(tmp_path):
    pd.DataFrame({"time_s": np.arange(9) / 1e3, "emg1_uv": emg(9)}).to_parquet(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    for damaged in (b"", b"time_s,emg1_uv\n", whole[:-20], whole[: len(whole) // 2]):
        path = tmp_path / "cut.parquet"
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"cut\.parquet.*damaged or cut short"):
            read(path)


def test_damaged_data_pages_are_refused(tmp_path):
    n = 5000
    path = tmp_path / "bad.parquet"
    frame = pd.DataFrame({"time_s": np.arange(n) / 1e3, "emg1_uv": emg(n)})
    frame.to_parquet(path, compression="zstd")
    whole = bytearray(path.read_bytes())
    whole[4:3000] = bytes(2996)
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"bad\.parquet"):
        read(path)


def test_a_stated_rate_replaces_a_time_column(tmp_path):
    pd.DataFrame({"emg1_uv": emg(300)}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no time column"):
        read(tmp_path / "a.parquet")
    recording = read(tmp_path / "a.parquet", fs=500)
    assert_same(recording, Recording.from_arrays({"emg1_uv": (emg(300), 500)}))
    assert "have a sampling rate, 500 Hz" in recording.notes[0]


def test_several_files_may_be_given_as_a_list_and_notes_name_files_without_folders(tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    pd.DataFrame({"emg1_uv": emg(300)}).to_parquet(paths[0])
    pd.DataFrame({"emg2_uv": emg(200)}).to_parquet(paths[1])
    recording = read(paths, fs=500)
    assert_same(recording, read(*paths, fs=500))
    assert [note.partition(":")[0] for note in recording.notes[:2]] == ["a.parquet", "b.parquet"]
    with pytest.raises(InputError, match="no file given"):
        read([])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such name")
def test_a_folder_whose_name_is_no_utf8_makes_no_difference(tmp_path):
    (tmp_path / "a.csv").write_text("time_s,emg1_uv\n0,1\n0.002,2\n0.004,4\n")
    odd = tmp_path / os.fsdecode(b"\xff\xfe")
    (path,) = export(read(tmp_path / "a.csv"), "parquet", odd)
    assert_same(read(path), read(tmp_path / "a.csv"))


def test_text_that_is_no_utf8_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    rows = [f"{i / 500:.3f}" for i in range(1000)]
    frame = pd.DataFrame({"time_s": rows, "emg1_uv": range(1000)})
    frame.to_parquet(path, compression=None)
    path.write_bytes(path.read_bytes().replace(b"0.514", b"0.5\xff4"))
    with pytest.raises(InputError, match="damaged or cut short"):
        read(path)
