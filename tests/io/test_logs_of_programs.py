"""Text files as programs and boards write them: marks between rows, indices, month names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.io.builders import emg, lengths
from twitchsense.errors import InputError
from twitchsense.io import read

N, FS = 2000, 250
X = emg(N)
START = datetime(2026, 3, 1, 22, 15, tzinfo=UTC)


def write(tmp_path, *lines):
    path = tmp_path / "night.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def rows(form, fs=FS):
    return [form(START + timedelta(seconds=i / fs), i, f"{x:.1f}") for i, x in enumerate(X)]


def check(got, fs=FS, n=N, name="emg1"):
    assert got.channels[0].fs == pytest.approx(fs, rel=1e-6)
    assert lengths(got, name) == [n]


@pytest.mark.parametrize("zone", ["", "+00:00"])
def test_an_index_of_pandas_without_a_name_is_the_time(tmp_path, zone):
    got = read(
        write(tmp_path, ",emg1_uv", *rows(lambda t, i, x: f"{t:%Y-%m-%d %H:%M:%S.%f}{zone},{x}"))
    )
    check(got)
    assert (got.start_utc_ns is not None) == bool(zone)


def test_a_running_number_without_a_name_is_left_out(tmp_path):
    check(read(write(tmp_path, ",time_s,emg1_uv", *rows(lambda t, i, x: f"{i},{i / FS:.3f},{x}"))))


def test_month_names_of_matlab(tmp_path):
    form = rows(lambda t, i, x: f"{t:%d-%b-%Y %H:%M:%S}.{t.microsecond // 1000:03d},{x}")
    got = read(write(tmp_path, "time,emg1_uv", *form), zone="UTC")
    check(got)
    assert got.start_utc_ns == int(START.timestamp()) * 10**9


def test_times_of_day_with_a_colon_before_the_fraction(tmp_path):
    form = rows(lambda t, i, x: f"{t:%H:%M:%S}:{t.microsecond // 1000:03d},{x}")
    check(read(write(tmp_path, "time,emg1_uv", *form)))


@pytest.mark.parametrize(
    ("header", "unit"), [("millis,emg1_mv", 1e3), ("timestamp_us,emg1_uv", 1e6)]
)
def test_counters_of_boards(tmp_path, header, unit):
    check(read(write(tmp_path, header, *rows(lambda t, i, x: f"{i * unit / FS:.0f},{x}"))))


@pytest.mark.parametrize("after", [False, True])
def test_marks_in_rows_without_a_sample_are_no_samples(tmp_path, after):
    lines = rows(lambda t, i, x: f"{i / FS:.3f},{x},")
    lines.insert(500 + after, f"{500 / FS:.3f},,blink")
    check(read(write(tmp_path, "time_s,emg1_uv,mark", *lines)))


@pytest.mark.parametrize("end", ["7", "7,", "79", "8000", "8000,"])
def test_a_last_row_that_was_cut_is_no_sample(tmp_path, end):
    got = read(write(tmp_path, "time_ms,emg1_uv", *rows(lambda t, i, x: f"{i * 4},{x}"), end))
    check(got)


def test_a_row_out_of_order_with_a_sample_is_refused(tmp_path):
    with pytest.raises(InputError, match="runs backwards"):
        read(write(tmp_path, "time_ms,emg1_uv", *rows(lambda t, i, x: f"{i * 4},{x}"), "7,1.5"))


def test_comments_of_labchart_are_no_columns(tmp_path):
    head = ["Interval=\t0.004 s", "ExcelDateTime=\t4.6e+004", "TimeFormat=\tStartOfBlock"]
    head += ["DateFormat=\t", "ChannelTitle=\tEMG", "Range=\t2.000 mV"]
    lines = rows(lambda t, i, x: f"{i / FS:.3f}\t{x}")
    lines[700] += "\t#* lights off"
    path = write(tmp_path, *head, *lines)
    with pytest.raises(InputError, match="LabChart text file"):
        read(path)
    check(read(path, skip_rows=6, names=["time_s", "emg1_mv"]))


def test_acceleration_of_sensorlog(tmp_path):
    header = (
        "loggingTime(txt),loggingSample(N),accelerometerTimestamp_sinceReboot(s),"
        "accelerometerAccelerationX(G),accelerometerAccelerationY(G),accelerometerAccelerationZ(G)"
    )
    form = rows(
        lambda t, i, x: (
            f"{t.isoformat('T', 'milliseconds')[:-6]}+0000,{i},{9e3 + i / 100},0.01,0,1.0{i % 7}"
        ),
        100,
    )
    got = read(write(tmp_path, header, *form))
    check(got, 100, name="acc")
    assert got.start_utc_ns == int(START.timestamp()) * 10**9
    assert np.isclose(got.segments[0].samples.read(0, 1)[0, 2], 1.0, atol=0.1)
