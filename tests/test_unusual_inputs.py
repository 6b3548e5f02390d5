"""Inputs that are no regular files, are too large, or that a parser of another project refuses.

Each is refused in one line with exit status 2, at once, in little memory.
"""

from __future__ import annotations

import datetime
import os
import socket

import numpy as np
import pytest
from click.testing import CliRunner

from tests.io.edf_builder import EdfFile, digital
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.io.capture_export import export
from twitchsense.io.input_files import hash_capture
from twitchsense.io.read import read
from twitchsense.regular_file import MAX_TABLE_BYTES, read_limited
from twitchsense.settings import load_settings
from twitchsense.trend.diary import read_diary

KINDS = ("pipe", "device", "socket", "folder", "loop")
HEADER = b"time_s,emg1_uv\n0,1\n0.002,2\n"


@pytest.fixture
def unusual(tmp_path, monkeypatch):
    """Make a file of a kind under the given name."""
    monkeypatch.chdir(tmp_path)  # the name of a socket is short

    def make(kind, name):
        path = tmp_path / name
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(name)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to(path)
        return path

    return make


def refused(*args):
    done = CliRunner().invoke(main, [str(a) for a in args])
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return done.output


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["csv", "txt.gz", "parquet", "edf", "json", "h5", "xdf", "cwa",
                                 "bin", "gt3x", "night"])  # fmt: skip
def test_capture_that_is_no_regular_file_is_refused(unusual, kind, end):
    with pytest.raises(InputError):
        read(unusual(kind, f"capture.{end}"))


@pytest.mark.parametrize("kind", KINDS)
def test_other_inputs_that_are_no_regular_files_are_refused(unusual, kind, tmp_path):
    (tmp_path / "good.csv").write_bytes(HEADER)
    path = unusual(kind, "other.csv")
    for option in ("--hypnogram", "--respiratory", "--settings"):
        refused("analyze", tmp_path / "good.csv", "--out", tmp_path / "out", option, path)
    refused("agree", path, path)
    refused("cohort", path, "--out", tmp_path / "set")
    for end in ("csv", "toml", "yaml"):
        with pytest.raises(InputError):
            read_diary(unusual(kind, f"diary.{end}"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_raw_log_that_is_no_regular_file_is_refused(unusual, kind, tmp_path):
    log = unusual(kind, "log.csv")
    refused("decode", log, "--device", "twitchsense", "--out", tmp_path / "out")


def test_paths_that_no_system_opens_are_refused(unusual, tmp_path):
    (tmp_path / "good.csv").write_bytes(HEADER)
    good, out = tmp_path / "good.csv", tmp_path / "out"
    for path in (unusual("loop", "loop.csv"), tmp_path / ("x" * 300), tmp_path / ("x/" * 3000)):
        for arguments in (
            ("analyze", path, "--out", out),
            ("analyze", good, "--out", path),
            ("analyze", good, "--out", out, "--settings", path),
            ("report", path),
            ("trend", path, "--out", out),
            ("cohort", good, "--out", path),
            ("decode", good, "--device", "twitchsense", "--out", path),
            ("export", path, "--to", "csv", "--out", out),
            ("repair", good, "--out", path),
            ("agree", path, good),
            ("score-limb", path),
            ("record", "--device", "sim", "--out", path),
            ("demo", "--out", path),
        ):
            assert "internal" not in refused(*arguments)
    assert not out.exists()


def test_a_pipe_in_a_result_directory_is_refused(tmp_path):
    os.mkfifo(tmp_path / "summary.json")
    assert "is a named pipe" in refused("report", tmp_path)


@pytest.mark.parametrize("command", ["hypnogram", "settings", "agree", "diary.toml", "diary.yaml"])
def test_a_sparse_file_of_3_gb_is_not_read(tmp_path, command):
    path = tmp_path / f"sparse.{command.partition('.')[2] or 'csv'}"
    path.write_bytes(HEADER)
    os.truncate(path, 3 << 30)
    if command.startswith("diary"):
        with pytest.raises(InputError, match="is too large"):
            read_diary(path)
        return
    (tmp_path / "good.csv").write_bytes(b"time_s,emg1_uv\n" + b"".join(
        b"%.3f,%d\n" % (i / 500, i % 7) for i in range(2000)
    ))  # fmt: skip
    args = ["agree", path, path]
    if command != "agree":
        args = ["analyze", tmp_path / "good.csv", "--out", tmp_path / "o", f"--{command}", path]
    assert "is too large (3221 MB" in refused(*args)


def test_a_file_at_the_limit_is_read(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"")
    os.truncate(path, MAX_TABLE_BYTES)
    assert len(read_limited(path, "table.csv")) == MAX_TABLE_BYTES


def test_an_edf_record_larger_than_memory_is_refused(tmp_path):
    EdfFile(digital(8)).write(tmp_path / "e.edf")
    raw = (tmp_path / "e.edf").read_bytes()
    at = 256 + int(raw[252:256]) * 216  # samples in a record of the first signal
    (tmp_path / "e.edf").write_bytes(raw[:at] + b"90000000" + raw[at + 8 :])
    os.truncate(tmp_path / "e.edf", 3 << 30)
    with pytest.raises(InputError, match="a data record has 180 MB"):
        read(tmp_path / "e.edf")


@pytest.mark.parametrize("column", ["time_s", "emg1_uv"])
def test_a_parquet_cell_of_long_text_is_refused_unread(tmp_path, column):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"time_s": [0.0], "emg1_uv": [1.0]} | {column: ["x" * 20_000_000]}
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="holds texts of up to 20 MB"):
        read(tmp_path / "t.parquet")


@pytest.mark.parametrize("day", [1, 1600, 2300, 9999])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_parquet_dates_beyond_nanoseconds_are_refused(tmp_path, day, zone):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    since = datetime.datetime(day, 1, 1) - datetime.datetime(1970, 1, 1)
    ms = round(since.total_seconds()) * 1000 + 2 * np.arange(2000)
    times = arrow.array(ms).cast(arrow.timestamp("ms", zone))
    table = arrow.table({"time_utc": times, "emg1_uv": np.zeros(2000)})
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(InputError):
        read(tmp_path / "t.parquet", zone="Europe/Berlin")


@pytest.mark.parametrize("year", [40_000, 200_000_000])
def test_parquet_years_that_python_cannot_show_are_refused(tmp_path, year):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    ms = 1_772_403_300_000 + 2 * np.arange(2000)
    ms[50] = (year - 1970) * 31_556_952_000
    times = arrow.array(ms).cast(arrow.timestamp("ms", "UTC"))
    table = arrow.table({"time_utc": times, "emg1_uv": np.zeros(2000)})
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(InputError, match="row 51"):
        read(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{a=" * 3000 + "1" + "}" * 3000,
        "a" + ".a" * 5000 + " = 1",
        "a = " + "9" * 5000,
        "[emg]\nopen_k = 1" + "0" * 400,
        "[emg]\nopen_k = nan",
        "[emg]\nopen_k = inf",
        "\0",
    ],
)
def test_settings_that_no_parser_takes_are_refused(tmp_path, text):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(InputError):
        load_settings(path)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bomb.yaml", BOMB + "days:\n - {date: 2026-03-01, alcohol_g: *i}\n"),
        ("date.yaml", BOMB + "days:\n - {date: *i}\n"),
        ("list.yaml", "days:\n - {date: 2026-03-01, x: [1, 2]}\n"),
        ("deep.yaml", "x: " + "[" * 50_000 + "]" * 50_000),
        ("days.yaml", "days:\n - date: 2026-99-99\n"),
        ("large.yaml", "days:\n" + " - date: 2026-03-01\n" * 100_000),
        ("float.yaml", "days:\n - {date: 2026-03-01, x: 1" + "0" * 400 + "}\n"),
        ("digits.yaml", "days:\n - {date: 2026-03-01, x: 1" + "0" * 5000 + "}\n"),
        ("float.toml", "[[day]]\ndate = 2026-03-01\nx = 1" + "0" * 400),
        ("digits.toml", "[[day]]\ndate = 2026-03-01\nx = 1" + "0" * 5000),
        ("deep.toml", "x = " + "[" * 50_000 + "]" * 50_000),
        ("text.csv", "date,x\n2026-03-01,1e400\n"),
    ],
)
def test_diaries_that_grow_or_overflow_are_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError):
        read_diary(tmp_path / name)


def test_text_in_every_other_cell_is_no_other_sampling_rate(tmp_path):
    rows = (f"{i / 500:.3f},{'OVR' if i % 2 else i % 7}\n" for i in range(2000))
    (tmp_path / "t.csv").write_text("time_s,emg1_uv\n" + "".join(rows))
    with pytest.raises(InputError, match=r"line 3: .*1000 of 2000 rows, first 'OVR'"):
        read(tmp_path / "t.csv")


def test_text_for_a_while_stays_a_gap(tmp_path):
    rows = (f"{i / 500:.3f},{'off' if 500 <= i < 1500 else i % 7}\n" for i in range(2000))
    (tmp_path / "t.csv").write_text("time_s,emg1_uv\n" + "".join(rows))
    recording = read(tmp_path / "t.csv")
    assert len(recording.segments_of("emg1")) == 2
    assert any("1000 cells are not numbers" in note for note in recording.notes)


def test_edf_keeps_the_times_of_a_capture_that_does_not_start_at_zero(tmp_path):
    time_s = 3600.25 + np.arange(20_000) / 500
    signals = {"emg1_uv": (np.sin(np.arange(20_000)), 500.0)}
    rows = "".join(f"{t:.3f},{v:.4f}\n" for t, v in zip(time_s, signals["emg1_uv"][0], strict=True))
    (tmp_path / "c.csv").write_text("time_s,emg1_uv\n" + rows)
    recording = read(tmp_path / "c.csv")
    (path,) = export(recording, "edf", tmp_path / "out")
    back = read(path)
    assert back.segments_of("emg1")[0].start_ns == recording.segments_of("emg1")[0].start_ns
    assert back.start_utc_ns is None


def test_channels_of_different_starts_stay_aligned_in_edf(tmp_path):
    for name, start in (("emg1_uv", 100.0), ("emg2_uv", 103.5)):
        rows = "".join(f"{start + i / 500:.3f},{i % 9}\n" for i in range(20_000))
        (tmp_path / f"{name}.csv").write_text(f"time_s,{name}\n" + rows)
    recording = read(tmp_path / "emg1_uv.csv", tmp_path / "emg2_uv.csv")
    back = read(*export(recording, "edf", tmp_path / "out"))
    starts = [[s.start_ns for s in r.segments] for r in (recording, back)]
    assert starts[0] == starts[1]


def test_a_growing_write_ahead_log_changes_the_hash_of_a_night(tmp_path):
    path, log = tmp_path / "a.night", tmp_path / "a.night-wal"
    path.write_bytes(b"night")
    log.write_bytes(b"")
    alone = hash_capture(path)
    log.write_bytes(b"packets")
    grown = hash_capture(path)
    log.write_bytes(b"packets and more")
    assert len({alone, grown, hash_capture(path)}) == 3
    log.unlink()
    assert hash_capture(path) == alone


def test_hash_of_a_night_behind_a_link_counts_the_log_beside_its_target(tmp_path):
    path = tmp_path / "a.night"
    path.write_bytes(b"night")
    path.with_name("a.night-wal").write_bytes(b"log")
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "b.night"
    link.symlink_to(path)
    assert hash_capture(link) == hash_capture(path)


def test_a_settings_key_of_very_many_parts_is_refused(tmp_path):
    (tmp_path / "s.toml").write_text("a\n" + "a." * 100_000 + "a = 1\n")
    with pytest.raises(InputError, match="line 2: has too many dots"):
        load_settings(tmp_path / "s.toml")
