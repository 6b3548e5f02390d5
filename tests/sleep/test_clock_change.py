"""Stages of the night on which the clocks are changed: one clock, or the civil time.

In Europe/Berlin 25 October 2026 is put back at 03:00, 29 March 2026 put forward at 02:00.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sleep.builders import BERLIN, edf_file, fitbit_log, night_clock, refusal, write_text
from twitchsense.sleep.hypnogram.read import read_hypnogram

AUTUMN = night_clock("2026-10-24T23:00:00+02:00")
SPRING = night_clock("2026-03-28T23:00:00+01:00")
#: Night, its first minute of stages and the stages with their minutes.
NIGHTS = {
    "autumn": (AUTUMN, datetime(2026, 10, 24, 23, 30)),
    "spring": (SPRING, datetime(2026, 3, 28, 23, 30)),
}
STAGES = (("N2", 30), ("N3", 30), ("N2", 60), ("R", 30), ("N2", 60), ("N3", 30), ("R", 150),
          ("W", 10))  # fmt: skip
FITBIT = {"N2": "light", "N3": "deep", "R": "rem", "W": "wake"}


def one_clock_rows(start):
    """Stages whose local times go on as if the clock were not changed."""
    for stage, minutes in STAGES:
        yield start, stage, minutes
        start += timedelta(minutes=minutes)


def civil_rows(start):
    """The same stages with the civil time of Berlin."""
    zone = ZoneInfo(BERLIN)
    utc = start.replace(tzinfo=zone).astimezone(UTC)
    for stage, minutes in STAGES:
        yield utc.astimezone(zone).replace(tzinfo=None), stage, minutes
        utc += timedelta(minutes=minutes)


def expected_onsets():
    onset, out = 1800.0, []
    for _, minutes in STAGES:
        out.append(onset)
        onset += 60 * minutes
    return out


def as_fitbit(rows):
    levels = [(t.isoformat(timespec="milliseconds"), FITBIT[s], 60 * m) for t, s, m in rows]
    return fitbit_log(*levels), "sleep.json"


def as_durations(rows):
    lines = [f"{t:%H:%M:%S},{60 * m},{s}" for t, s, m in rows]
    return "start,duration,stage\n" + "\n".join(lines) + "\n", "stages.csv"


def as_dated(rows):
    lines = [f"{t.isoformat()},{60 * m},{s}" for t, s, m in rows]
    return "start,duration,stage\n" + "\n".join(lines) + "\n", "stages.csv"


def as_epochs(rows):
    lines = [f"{t + timedelta(minutes=k):%H:%M:%S},{s}" for t, s, m in rows for k in range(m)]
    return "time,stage\n" + "\n".join(lines) + "\n", "stages.csv"


FORMS = {"fitbit": as_fitbit, "durations": as_durations, "dated": as_dated, "epochs": as_epochs}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("night", NIGHTS)
def test_rows_that_follow_each_other_across_the_change_are_one_clock(tmp_path, form, night):
    when, start = NIGHTS[night]
    got = read_hypnogram(write_text(tmp_path, *FORMS[form](one_clock_rows(start))), when)
    assert got.onset_s[0] == 1800
    assert got.stage_at([t + 1 for t in expected_onsets()]).tolist() == [s for s, _ in STAGES]
    assert any("ignore the clock change" in note for note in got.notes)


@pytest.mark.parametrize("form", ["fitbit", "durations", "dated"])
@pytest.mark.parametrize("night", NIGHTS)
def test_rows_that_follow_each_other_in_civil_time_are_read_so(tmp_path, form, night):
    when, start = NIGHTS[night]
    got = read_hypnogram(write_text(tmp_path, *FORMS[form](civil_rows(start))), when)
    assert got.onset_s.tolist() == expected_onsets()
    assert not any("clock change" in note for note in got.notes)


def test_short_wakes_have_the_clock_of_the_stages_around_them(tmp_path):
    when, start = NIGHTS["autumn"]
    data = [(t.isoformat(), FITBIT[s], 60 * m) for t, s, m in one_clock_rows(start)]
    short = [("2026-10-25T03:40:00.000", "wake", 60), ("2026-10-25T04:10:00.000", "wake", 60)]
    got = read_hypnogram(write_text(tmp_path, fitbit_log(*data, short=short), "s.json"), when)
    assert got.stage_at([17 * 1000, 16799, 16801, 16861, 18601]).tolist() == [
        "R", "R", "W", "R", "W",
    ]  # fmt: skip


def test_a_row_in_the_skipped_hour_shows_one_clock(tmp_path):
    text = fitbit_log(
        ("2026-03-29T01:30:00.000", "light", 3600), ("2026-03-29T02:30:00.000", "rem", 1800)
    )
    got = read_hypnogram(write_text(tmp_path, text, "s.json"), SPRING)
    assert got.onset_s.tolist() == [9000, 12600]


def test_times_that_go_back_an_hour_are_civil_time(tmp_path):
    text = "time,stage\n02:58:00,N2\n02:59:00,N2\n02:00:00,R\n02:01:00,R\n"
    got = read_hypnogram(write_text(tmp_path, text), AUTUMN)
    assert (got.onset_s / 60).tolist() == [238, 239, 240, 241]


@pytest.mark.parametrize(
    "rows", ["00:30:00,600,N2\n04:30:00,600,R\n", "01:30:00,600,W\n03:00:00,600,N2\n"]
)
def test_a_change_in_a_hole_is_refused_and_offsets_cure_it(tmp_path, rows):
    head = "start,duration,stage\n"
    said = refusal(write_text(tmp_path, head + rows), AUTUMN)
    assert "line 3: the clocks of Europe/Berlin change here" in said
    assert "write the times with their offset from UTC (2026-10-25T02:30:00+02:00)" in said
    cured = head
    for line, offset in zip(rows.splitlines(), ("+02:00", "+01:00"), strict=True):
        time, rest = line.split(",", 1)
        cured += f"2026-10-25T{time}{offset},{rest}\n"
    read_hypnogram(write_text(tmp_path, cured), AUTUMN)


@pytest.mark.parametrize(
    "rows",
    [
        "01:50:00,N2\n03:20:00,R\n",
        "01:00:00,W\n02:00:00,N2\n03:00:00,R\n",
        "00:10:00,W\n03:10:00,N2\n",
    ],
)
def test_a_few_rows_without_durations_show_no_clock(tmp_path, rows):
    said = refusal(write_text(tmp_path, "time,stage\n" + rows), AUTUMN)
    assert "the clocks of Europe/Berlin change here" in said


def test_the_clock_of_a_laboratory_goes_on_through_a_hole(tmp_path):
    text = (
        "RemLogic Event Export\n\nSleep Stage\tTime [hh:mm:ss]\tEvent\tDuration[s]\n"
        "S0\t01:30:00\tSLEEP-S0\t30\nS2\t04:00:00\tSLEEP-S2\t30\n"
    )
    got = read_hypnogram(write_text(tmp_path, text, "r.txt"), AUTUMN)
    assert got.onset_s.tolist() == [9000, 18000]


def test_edf_annotations_count_from_the_start_on_the_night_of_the_change(tmp_path):
    rows = [(0, 14400, "Sleep stage W"), (14400, 30, "Sleep stage N2")]
    file = edf_file(tmp_path, rows, "2026-10-24 23:00:00")
    assert read_hypnogram(file, AUTUMN).onset_s.tolist() == [0, 14400]


def test_a_night_elsewhere_has_the_change_of_its_own_zone(tmp_path):
    # New York puts the clock back at 02:00 on 1 November 2026
    when = night_clock("2026-10-31T23:00:00-04:00", zone="America/New_York")
    rows = [("2026-11-01T00:00:00.000", "light", 3600), ("2026-11-01T01:00:00.000", "deep", 5400),
            ("2026-11-01T02:30:00.000", "rem", 600)]  # fmt: skip
    got = read_hypnogram(write_text(tmp_path, fitbit_log(*rows), "s.json"), when)
    assert got.onset_s.tolist() == [3600, 7200, 12600]


def test_logs_of_other_nights_say_nothing_about_the_clock(tmp_path):
    nights = [
        json.loads(fitbit_log(*[(t.isoformat(), "light", 60 * m) for t, _, m in rows], wrap=False))
        for rows in (
            list(one_clock_rows(datetime(2026, 10, 24, 23, 30))),
            list(civil_rows(datetime(2026, 10, 26, 23, 30))),
        )
    ]
    path = write_text(tmp_path, json.dumps(nights[1] + nights[0]), "s.json")
    got = read_hypnogram(path, night_clock("2026-10-26T23:00:00+01:00"))
    assert got.onset_s[0] == 1800
    assert not any("clock change" in note for note in got.notes)
