"""Malformed captures given to `read` and to `analyze`: one line with file, place and cure."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.io import read

HEADER = "time_s,emg1_uv"


def rows(n=3000, fs=1000.0, start=0.0, fmt="{:.3f},{:.2f}", sep_lines="\n"):
    x = np.random.default_rng(0).normal(0, 3, n)
    return sep_lines.join(fmt.format(start + i / fs, v) for i, v in enumerate(x)) + sep_lines


def capture(header=HEADER, **options):
    return (header + "\n" + rows(**options)).encode()


def with_line(number, line):
    lines = capture().decode().split("\n")
    lines[number - 1] = line
    return "\n".join(lines).encode()


GOOD = capture()
UTC = "time_utc,emg1_uv"


def utc(stamp):
    lines = [f"{stamp.format(i // 1000 % 60, i % 1000)},{i % 7}.5" for i in range(3000)]
    return (UTC + "\n" + "\n".join(lines) + "\n").encode()


def filled(cell):
    return (HEADER + "\n" + "".join(f"{i / 1000:.3f},{cell}\n" for i in range(3000))).encode()


#: name: content, and a word that the message must hold besides file and cure.
REFUSED = {
    "empty": (b"", "empty"),
    "only_newlines": (b"\n\n\n", ""),
    "header_only": (b"time_s,emg1_uv\n", ""),
    "one_row": (b"time_s,emg1_uv\n0.0,1.5\n", ""),
    "no_header": (rows().encode(), ""),
    "no_time_column": (b"t,emg1_uv\n0,1\n1,2\n", "time"),
    "both_time_columns": (b"time_s,time_utc,emg1_uv\n0,2026-01-01T00:00:00Z,1\n", "time"),
    "no_signal_column": (b"time_s,temperature_c\n0,1\n1,2\n", "signal"),
    "unit_missing": (capture("time_s,emg1"), "unit"),
    "unit_unknown": (capture("time_s,emg1_counts"), "counts"),
    "acc_unit_unknown": (capture("time_s,acc_x_bananas"), "bananas"),
    "acc_axis_missing": (capture("time_s,acc_g"), "axis"),
    "duplicate_columns": (b"time_s,emg1_uv,emg1_uv\n0,1,2\n0.001,1,2\n", "emg1_uv"),
    "same_signal_twice": (b"time_s,emg1_uv,EMG1_mv\n0,1,2\n0.001,1,2\n", "emg1"),
    "duplicate_time": (b"time_s,time_s,emg1_uv\n0,0,1\n", "time_s"),
    "time_backwards": (with_line(1500, "0.5,1.0"), "line 1500"),
    "time_repeated": (with_line(1500, "1.497,1.0"), "line 1500"),
    "time_all_equal": (b"time_s,emg1_uv\n" + b"1.0,2.0\n" * 3000, "line"),
    "time_is_text": (with_line(1500, "yesterday,1.0"), "line 1500"),
    "time_is_nan": (with_line(1500, "nan,1.0"), "line 1500"),
    "time_is_infinite": (with_line(1500, "inf,1.0"), "line 1500"),
    "time_of_days": (capture(start=1.7e7), "not in seconds"),
    "rate_too_low": (capture(fs=50.0), "50"),
    "rate_too_high": (capture(fs=10_000.0, fmt="{:.5f},{:.2f}"), "10000"),
    "acc_rate_too_low": (capture("time_s,acc_x_g", fs=10.0), "10"),
    "utc_without_zone": (utc("2026-01-01T00:00:{:02d}.{:03d}"), "zone"),
    "utc_is_text": (UTC.encode() + b"\nlast night,1\nlater,2\n", ""),
    "ragged_row": (with_line(1500, "1.498,1.0,7,8,9"), "1500"),
    "binary": (bytes(range(256)) * 400, ""),
    "nul_bytes": (GOOD.replace(b"0.5", b"0\x00.5"), ""),
    "zip": (b"PK\x03\x04" + b"\x00" * 500, ""),
    "parquet_called_csv": (b"PAR1" + b"\x00" * 500, "Parquet"),
    "unclosed_quote": (with_line(1500, '"1.498,1.0'), ""),
    "values_in_volts_called_uv": (capture(fmt="{:.3f},{:.2f}e9"), ""),
    "all_values_missing": (
        filled(""),
        "",
    ),
    "all_values_text": (
        filled("low"),
        "",
    ),
    "two_rates": ((HEADER + "\n" + rows() + rows(n=2000, fs=500.0, start=3.0)).encode(), "line"),
}

#: name: content that is read as it is meant.
READ = {
    "good": GOOD,
    "gzip_called_csv": gzip.compress(GOOD),
    "byte_order_mark": b"\xef\xbb\xbf" + GOOD,
    "windows_line_ends": GOOD.replace(b"\n", b"\r\n"),
    "trailing_empty_lines": GOOD + b"\n\n\n",
    "quoted_header": GOOD.replace(b"time_s,emg1_uv", b'"time_s","emg1_uv"', 1),
    "spaces_in_header": GOOD.replace(b"time_s,emg1_uv", b" time_s , emg1_uv ", 1),
    "upper_case_header": GOOD.replace(b"emg1_uv", b"EMG1_uV", 1),
    "no_newline_at_the_end": GOOD.rstrip(b"\n"),
    "other_columns": b"\n".join(
        line + (b",note" if i == 0 else b",9") for i, line in enumerate(GOOD.split(b"\n")) if line
    ),
}  # fmt: skip


def put(folder, name, content):
    path = folder / f"{name}.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_malformed_captures_are_refused_with_file_place_and_cure(name, tmp_path):
    content, word = REFUSED[name]
    path = put(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        read(path)
    text = str(caught.value)
    assert path.name in text
    assert word in text
    assert "\n" not in text
    assert caught.value.cure


@pytest.mark.parametrize("name", REFUSED)
def test_command_ends_with_status_2_and_one_line(name, tmp_path):
    path = put(tmp_path, name, REFUSED[name][0])
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["analyze", str(path), "--out", str(out)])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize("name", READ)
def test_accepted_variants_are_read_correctly(name, tmp_path):
    recording = read(put(tmp_path, name, READ[name]))
    (segment,) = recording.segments
    want = np.array([float(v.split(",")[1]) for v in rows().split()])
    np.testing.assert_array_equal(segment.samples.read(0, 3000)[:, 0], want.astype(np.float32))
    assert recording.channels[0].fs == 1000.0


@pytest.mark.parametrize("cell", ["nan", "", "x", "inf", "#N/A"])
def test_a_cell_without_a_number_is_a_gap(cell, tmp_path):
    recording = read(put(tmp_path, "gap", with_line(1500, f"1.498,{cell}")))
    assert [len(s.samples) for s in recording.segments] == [1498, 1501]


def test_truncated_gzip_is_refused(tmp_path):
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(GOOD)[:-500])
    with pytest.raises(InputError, match=r"cut\.csv\.gz"):
        read(path)


def test_damaged_gzip_is_refused(tmp_path):
    whole = bytearray(gzip.compress(GOOD))
    whole[-6] ^= 0xFF
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(bytes(whole))
    with pytest.raises(InputError, match=r"bad\.csv\.gz"):
        read(path)


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="nothing"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(InputError):
        read(tmp_path)


def test_a_huge_field_gives_a_short_message(tmp_path):
    path = put(tmp_path, "huge", with_line(1500, "1.498," + "9" * 2_000_000))
    result = CliRunner().invoke(main, ["analyze", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code in (0, 2)
    assert len(result.stderr) < 3000
