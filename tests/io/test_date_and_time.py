"""Dates, times of day and milliseconds in columns of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.io.builders import emg, lengths
from twitchsense.errors import InputError
from twitchsense.io import read

N, FS = 2400, 200
X = emg(N)
#: Ten seconds before midnight of a day whose number may be a month, and of one that may not.
FIRST = datetime(2026, 3, 1, 22, 59, 55, tzinfo=UTC)  # 23:59:55 in Berlin
LATER = datetime(2026, 3, 15, 22, 59, 55, tzinfo=UTC)


def night(tmp_path, header, row, first=FIRST):
    lines = [header]
    for i, value in enumerate(X):
        local = first + timedelta(hours=1, seconds=i / FS)
        lines.append(row(local, f"{value:.1f}"))
    path = tmp_path / "night.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ms(time):
    return f"{time.microsecond // 1000:03d}"


FORMS = {
    "Date;Time;EMG (uV)": lambda t, x: f"{t:%d.%m.%Y};{t:%H:%M:%S}.{ms(t)};{x}",
    "Datum;Uhrzeit;EMG [µV]": (
        lambda t, x: f"{t:%d.%m.%Y};{t:%H:%M:%S},{ms(t)};{x.replace('.', ',')}"
    ),
    "Date,Time,emg1_uv": lambda t, x: f"{t:%Y-%m-%d},{t:%H:%M:%S}.{ms(t)},{x}",
    "Date;Heure;emg1_uv": lambda t, x: f"{t:%Y/%m/%d};{t:%H:%M:%S}.{ms(t)};{x}",
    "Date;Time;Milliseconds;emg1_uv": (
        lambda t, x: f"{t:%Y-%m-%d};{t:%H:%M:%S};{t.microsecond // 1000};{x}"
    ),
    "Date;Time;emg1_uv": lambda t, x: f"{t:%Y-%m-%d};{t:%I:%M:%S}.{ms(t)} {t:%p};{x}",
}


@pytest.mark.parametrize("header", FORMS)
def test_date_and_time_are_one_time(tmp_path, header):
    got = read(night(tmp_path, header, FORMS[header]), zone="Europe/Berlin")
    assert got.start_utc_ns == int(FIRST.timestamp()) * 10**9
    assert got.channels[0].fs == FS
    assert lengths(got, got.channels[0].name) == [N]
    assert any("are read as one time" in note for note in got.notes)
    assert not any("left out" in note for note in got.notes)


def test_the_first_days_decide_whether_the_month_comes_first(tmp_path):
    path = night(
        tmp_path, "Date,Time,emg1_uv", lambda t, x: f"{t:%m/%d/%Y},{t:%H:%M:%S}.{ms(t)},{x}", LATER
    )
    got = read(path, zone="Europe/Berlin")
    assert got.start_utc_ns == int(LATER.timestamp()) * 10**9


def test_a_date_with_two_readings_is_refused_and_the_cure_works(tmp_path):
    path = night(
        tmp_path, "Date,Time,emg1_uv", lambda t, x: f"{t:%m/%d/%Y},{t:%H:%M:%S}.{ms(t)},{x}"
    )
    with pytest.raises(InputError, match="column Date: Date '03/01/2026' has two readings"):
        read(path)
    got = read(path, columns={"Date": "ignore"})
    assert got.channels[0].fs == FS


@pytest.mark.parametrize("half", ["%p", "a.m./p.m."])
def test_times_of_day_with_am_and_pm_go_on_after_midnight(tmp_path, half):
    def row(t, x):
        word = f"{t:%p}" if half == "%p" else f"{t:%p}".lower()[0] + ".m."
        return f"{t:%I:%M:%S}.{ms(t)} {word},{x}"

    got = read(night(tmp_path, "Time,emg1_uv", row))
    assert lengths(got, "emg1") == [N]
    assert any("begins again at midnight" in note for note in got.notes)


def test_a_date_beside_seconds_is_left_out_with_a_note(tmp_path):
    path = night(
        tmp_path,
        "Date,time_s,emg1_uv",
        lambda t, x: f"{t:%Y-%m-%d},{(t - FIRST).total_seconds():.3f},{x}",
    )
    assert any("left out: Date" in note for note in read(path).notes)
