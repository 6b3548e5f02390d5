"""Hypnograms with clock times: offsets, zones, midnight, daylight saving time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sleep.builders import (
    BERLIN,
    night_clock,
    refusal,
    write_text,
)
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.read import read_hypnogram


def test_clock_times_with_offset_are_converted_to_the_axis_of_the_recording(tmp_path):
    text = "time_utc,duration,stage\n2026-03-01T22:00:00Z,30,W\n2026-03-01T23:00:30+01:00,30,N1\n"
    got = read_hypnogram(write_text(tmp_path, text), night_clock("2026-03-01T22:50:00+01:00"))
    assert got.onset_s.tolist() == [600, 630]
    assert got.stage.tolist() == ["W", "N1"]


def test_times_of_day_pass_midnight_and_get_the_date_of_the_night(tmp_path):
    text = "start,duration,stage\n23:59:30,30,W\n00:00:00,30,N1\n00:00:30,9000,N2\n"
    got = read_hypnogram(write_text(tmp_path, text), night_clock("2026-03-01T23:00:00+01:00"))
    assert got.onset_s.tolist() == [3570, 3600, 3630]
    # a night that starts after midnight: the hypnogram began on the day before
    late = read_hypnogram(write_text(tmp_path, text), night_clock("2026-03-02T00:40:00+01:00"))
    assert late.onset_s.tolist() == [-2430, -2400, -2370]


def test_am_and_pm_are_read(tmp_path):
    text = "start,duration,stage\n11:59:30 PM,30,W\n12:00:00 AM,30,N1\n"
    got = read_hypnogram(write_text(tmp_path, text), night_clock("2026-03-01T23:00:00+01:00"))
    assert got.onset_s.tolist() == [3570, 3600]


def test_durations_come_from_end_or_from_equal_steps(tmp_path):
    when = night_clock("2026-03-01T23:00:00+01:00")
    text = "start,end,stage\n23:30:00,23:59:00,W\n23:59:00,00:10:00,N1\n"
    assert read_hypnogram(write_text(tmp_path, text), when).duration_s.tolist() == [1740, 660]
    text = "time,stage\n23:30:00,W\n23:30:20,N1\n23:30:40,N1\n"
    assert read_hypnogram(write_text(tmp_path, text), when).duration_s.tolist() == [20, 20, 20]
    text = "onset,end,stage\n0,30,W\n30,90,N2\n"
    assert read_hypnogram(write_text(tmp_path, text)).duration_s.tolist() == [30, 60]


def test_repeated_hour_in_autumn_is_resolved_by_the_epochs(tmp_path):
    # 25 October 2026: at 03:00 summer time it is 02:00 again
    zone = ZoneInfo(BERLIN)
    utc = [datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=10 * k) for k in range(12)]
    local = [t.astimezone(zone).strftime("%H:%M:%S") for t in utc]
    assert local.count("02:00:00") == 2
    rows = "".join(f"{t},600,N2\n" for t in local)
    got = read_hypnogram(
        write_text(tmp_path, "start,duration,stage\n" + rows),
        night_clock("2026-10-25T01:30:00+02:00"),
    )
    assert got.onset_s.tolist() == [1800 + 600 * k for k in range(12)]


@pytest.mark.parametrize(("first", "lands"), [("02:10:00", 3000), ("02:10:00 again", 6600)])
def test_start_in_the_repeated_hour_is_resolved_by_the_following_epochs(tmp_path, first, lands):
    # epochs up to 02:50, then either 02:00 again or 03:00
    follow = ["02:00:00", "02:10:00"] if "again" not in first else ["03:00:00", "03:10:00"]
    times = [f"02:{m}0:00" for m in range(1, 6)] + follow
    rows = "".join(f"{t},600,N2\n" for t in times)
    got = read_hypnogram(
        write_text(tmp_path, "start,duration,stage\n" + rows),
        night_clock("2026-10-25T01:20:00+02:00"),
    )
    assert got.onset_s.tolist() == [lands + 600 * k for k in range(len(times))]


def test_skipped_hour_in_spring_leaves_no_gap_and_its_times_are_refused(tmp_path):
    # 29 March 2026: after 01:59:59 comes 03:00:00
    text = "start,duration,stage\n01:30:00,1800,N2\n03:00:00,1800,N3\n"
    when = night_clock("2026-03-29T00:30:00+01:00")
    assert read_hypnogram(write_text(tmp_path, text), when).onset_s.tolist() == [3600, 5400]
    path = write_text(tmp_path, "start,duration,stage\n02:30:00,1800,N2\n")
    assert "line 2: the local time 2026-03-29 02:30:00 does not exist" in refusal(path, when)


def test_each_recording_of_a_trip_has_its_own_time_zone():
    texts = ["2026-05-01T23:30:00"]
    berlin = night_clock("2026-05-01T23:00:00+02:00")
    tokyo = night_clock("2026-05-03T23:00:00+09:00", zone="Asia/Tokyo")
    there = read_clock_times(["2026-05-03T23:30:00"], tokyo, "x", str).utc_us
    assert read_clock_times(texts, berlin, "x", str).utc_us[0] - berlin.zero_us == 1800e6
    assert there[0] - tokyo.zero_us == 1800e6


def test_clock_times_need_a_clock_and_local_ones_a_zone(tmp_path):
    path = write_text(tmp_path, "start,duration,stage\n23:30:00,30,W\n")
    assert "the recording has none" in refusal(path, NightClock(0, 1))
    assert "local times without a zone; name the wearer's time zone" in refusal(
        path, night_clock("2026-03-01T23:00:00+01:00", zone=None)
    )
    mixed = write_text(
        tmp_path,
        "start,duration,stage\n2026-03-01T23:30:00,30,W\n2026-03-01T23:30:30+01:00,30,W\n",
    )
    assert "line 3: mixes times with and without offset" in refusal(
        mixed, night_clock("2026-03-01T23:00:00+01:00")
    )
    for bad in ("25:00:00", "23:60:00", "13:00 PM", "2026-13-01T00:00:00", "soon"):
        rows = f"start,duration,stage\n23:30:00,30,W\n{bad},30,W\n"
        said = refusal(write_text(tmp_path, rows), night_clock("2026-03-01T23:00:00+01:00"))
        assert "line 3" in said
        assert "is not a clock time" in said


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("03/01/2026 10:30:00 PM", "03/01/2026 10:30:30 PM"),  # month first: of that night
        ("01/03/2026 22:30:00", "01/03/2026 22:30:30"),
        ("1/3/2026 22:30", "1/3/2026 22:31"),
        ("01.03.2026 22:30:00", "01.03.2026 22:30:30"),
    ],
)
def test_the_recording_decides_on_a_date_with_two_readings(tmp_path, first, second):
    text = f"time,stage\n{first},W\n{second},N2\n"
    got = read_hypnogram(write_text(tmp_path, text), night_clock("2026-03-01T22:20:00+01:00"))
    assert got.onset_s[0] == 600
    other = night_clock("2026-05-01T22:20:00+02:00")
    if "." not in first:
        said = refusal(write_text(tmp_path, text), other)
        assert "two readings" in said


def test_tables_of_programs_in_german_are_read(tmp_path):
    text = "Startzeit;Ereignis;Dauer\n01.03.2026 22:30:00;Wach;30,0\n01.03.2026 22:30:30;N2;30,0\n"
    got = read_hypnogram(write_text(tmp_path, text), night_clock("2026-03-01T22:20:00+01:00"))
    assert (got.onset_s.tolist(), got.stage.tolist()) == ([600, 630], ["W", "N2"])
    got = read_hypnogram(write_text(tmp_path, "Epoche;Stadium\n1;Wach\n2;N1\n"))
    assert got.stage.tolist() == ["W", "N1"]


def test_words_of_apple_health_in_a_table_are_read(tmp_path):
    words = ("Awake", "AsleepCore", "AsleepDeep", "AsleepREM", "AsleepUnspecified")
    rows = "".join(f"{30 * k},30,HKCategoryValueSleepAnalysis{w}\n" for k, w in enumerate(words))
    got = read_hypnogram(write_text(tmp_path, "onset,duration,value\n" + rows))
    assert got.stage.tolist() == ["W", "N2", "N3", "R", "S"]
