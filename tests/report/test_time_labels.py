"""Times as text."""

from __future__ import annotations

from tests.recordings import make_recording
from twitchsense.report.time_labels import (
    WallClock,
    format_duration,
    format_event_duration,
    format_hours_minutes,
    format_minutes_from_onset,
)


def test_durations_and_positions_as_text():
    assert format_duration(40) == "40 s"
    assert format_duration(3600) == "1 h"
    assert format_duration(25_500) == "7 h 5 min"
    assert format_hours_minutes(25_500) == "7:05"
    assert format_event_duration(0.0844) == "84 ms"
    assert format_event_duration(2.41) == "2.4 s"
    assert format_event_duration(float("nan")) == "–"
    assert format_minutes_from_onset(-3.21) == "3.2 min before sleep onset"
    assert format_minutes_from_onset(float("nan")) == ""
    assert format_minutes_from_onset(120) == "2 h after sleep onset"


def test_clock_shows_local_time_across_a_change_to_summer_time():
    # 2026-03-29 00:30 UTC; clocks in Berlin go from 2 to 3 at 01:00 UTC
    recording = make_recording(1, gap=False)
    start = 1_774_744_200 * 10**9
    from dataclasses import replace

    clock = WallClock.of(replace(recording, start_utc_ns=start))
    assert (clock.format_minute(0), clock.format_minute(3600)) == ("01:30", "03:30")
    nowhere = WallClock.of(replace(recording, zone=None))
    assert nowhere.zone_name == "UTC"
    assert WallClock().format_second(3725) == "1:02:05"
