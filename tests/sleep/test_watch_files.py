"""One night as Oura, Garmin, Withings and Fitbit write it; files that hold only totals."""

from __future__ import annotations

import json
import re

import pytest

from tests.sleep.builders import (
    APPLE_NIGHT,
    FITBIT_STAGES,
    fitbit_log,
    night_clock,
    refusal,
    write_text,
)
from tests.sleep.watch_builders import FILES, STATES
from twitchsense.scoring.leg_movements.sleep_files import movements_clock
from twitchsense.sleep.hypnogram.read import read_hypnogram

WHEN = night_clock("2026-03-01T22:30:00+01:00")


@pytest.mark.parametrize("name", FILES)
def test_every_device_gives_the_same_stages(tmp_path, name):
    got = read_hypnogram(write_text(tmp_path, FILES[name], "sleep"), WHEN)
    at = [1800 + t for t in (-1, 0, 599, 600, 1199, 1200, 1799, 1800, 2399, 2400)]
    assert got.stage_at(at).tolist() == ["", "W", "W", "N2", "N2", "N3", "N3", "R", "R", ""]


APPLE = f"<HealthData>{''.join(APPLE_NIGHT)}</HealthData>"
MANY_NIGHTS = {name: text for name, text in FILES.items() if name != "Fitbit, table"} | {
    "Fitbit, log": fitbit_log(*FITBIT_STAGES), "Apple": APPLE
}  # fmt: skip


@pytest.mark.parametrize("name", MANY_NIGHTS)
@pytest.mark.parametrize("start", [None, "22:30:00"])
def test_a_file_of_many_nights_asks_for_the_date_of_marks_and_its_example_works(
    tmp_path, name, start
):
    path = write_text(tmp_path, MANY_NIGHTS[name], "sleep")
    said = refusal(path, movements_clock(start, None, [path])[0])
    example = re.search(r"--start needs a date here.* such as --start (\S+)$", said)
    assert example is not None, said
    assert example[1].startswith("2026-03-01T2")
    clock, _ = movements_clock(example[1], None, [path])
    assert read_hypnogram(path, clock).onset_s[0] == 0


@pytest.mark.parametrize("name", [n for n in [*FILES, "Apple"] if n != "Fitbit, log"])
def test_a_start_without_offset_is_not_taken_for_utc(tmp_path, name):
    path = write_text(tmp_path, MANY_NIGHTS.get(name) or FILES[name], "sleep")
    said = refusal(path, movements_clock("2026-03-01T22:30:00", None, [path])[0])
    example = re.search(r"--start has no offset; .* such as --start (\S+),", said)
    assert example is not None, said
    assert example[1] == "2026-03-01T22:30:00+01:00" or "Fitbit" in name  # GMT in that file
    got = read_hypnogram(path, movements_clock("2026-03-01T22:30:00+01:00", None, [path])[0])
    stated = movements_clock("2026-03-01T22:30:00", "Europe/Berlin", [path])[0]
    assert got.onset_s.tolist() == read_hypnogram(path, stated).onset_s.tolist()


def test_the_example_has_the_offset_of_the_phone(tmp_path):
    said = refusal(write_text(tmp_path, APPLE, "x.xml"))
    assert said.endswith("--start 2026-03-01T22:50:00+01:00")


def test_states_of_a_mat_that_knows_only_sleep_are_sleep_without_a_stage(tmp_path):
    got = read_hypnogram(write_text(tmp_path, STATES.replace("[2,3]", "[1,0]"), "s.csv"), WHEN)
    assert got.stage.tolist() == ["W", "S", "S", "W"]
    assert "asleep, without stages" in got.notes[0]


def test_of_two_apps_the_one_with_most_stages_counts(tmp_path):
    data = json.loads(FILES["Health Auto Export"])
    rows = data["data"]["metrics"][0]["data"]
    other = {"startDate": "2026-03-01 23:00:00 +0100", "endDate": "2026-03-01 23:40:00 +0100"}
    rows.append(other | {"value": "Asleep", "source": "mat"})
    got = read_hypnogram(write_text(tmp_path, json.dumps(data), "a.json"), WHEN)
    assert got.stage.tolist() == ["W", "N2", "N3", "R"]
    assert "stages of 'watch' are used, not those of mat" in got.notes
    rows[0]["value"] = "Dozing"
    assert "unknown stage 'Dozing'" in refusal(
        write_text(tmp_path, json.dumps(data), "a.json"), WHEN
    )


MINUTES = "Id,date,value,logId\n" + "".join(
    f"15,3/1/2026 11:{m:02}:30 PM,{3 if m < 10 else 2 if m == 30 else 1},1138\n" for m in range(40)
)


def test_minutes_of_fitabase_are_sleep_without_a_stage(tmp_path):
    path = write_text(tmp_path, MINUTES, "minuteSleep_merged.csv")
    clock = night_clock("2026-03-01T22:30:00+01:00", zone="Europe/Berlin")
    got = read_hypnogram(path, clock)
    at = [1830 + t for t in (-1, 0, 599, 600, 1799, 1800, 1859, 1860, 2399, 2400)]
    assert got.stage_at(at).tolist() == ["", "W", "W", "S", "S", "W", "W", "S", "S", ""]
    for text, problem in (
        (MINUTES.replace("15,3/1/2026 11:00", "16,3/1/2026 11:00"), "of several persons"),
        (MINUTES.replace("PM,1,", "PM,7,"), "line 12: unknown stage '7'"),
        (MINUTES.replace("3/1/2026", "5/1/2026"), "none within 12 h"),
    ):
        assert problem in refusal(write_text(tmp_path, text, "minutes.csv"), clock)


def changed(name, *pairs):
    text = FILES[name]
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (changed("Oura, one", ("44221133", "44229133")), "unknown stage '9' in sleep_phase_5_min"),
        (
            changed("Oura, one", ("sleep_phase_5_min", "score")),
            "without stages (sleep_phase_30_sec",
        ),
        (changed("Oura, one", ("2026-03-01T23", "2026-01-01T23")), "none within 12 h"),
        (changed("Oura, one", ("2026-03-01T23:00:00+01:00", "late")), "is not a clock time"),
        (changed("Garmin", ("3.0", "7")), "log 1, level 1: unknown stage 7 (activityLevel)"),
        (changed("Garmin", ("startGMT", "begin")), "lacks startGMT or endGMT"),
        (changed("Garmin, map", ('"rem"', '"dream"')), "unknown stage 'dream'"),
        (changed("Garmin, map", ("startTimeInSeconds", "start")), "lacks startTimeInSeconds"),
        (changed("Withings, API", ('"state": 3', '"state": 9')), "unknown stage 9 (state)"),
        (changed("Withings, API", ('"state": 3', '"state": "a"')), "state is not a number"),
        (changed("Withings, export", ('"[2,3]"', '"[2]"')), "has not as many durations as states"),
        (changed("Withings, export", ('"[2,3]"', '"[2,8]"')), "line 3: unknown stage 8.0 (state)"),
        (changed("Withings, export", ('"[2,3]"', "x")), "line 3: 'x' is not a list of numbers"),
        (
            json.dumps({"dailySleepDTO": {"deepSleepSeconds": 3600}}),
            "Garmin's totals of each night",
        ),
        ("Sleep\nStart Time,End Time,Minutes Asleep\n", "only Fitbit's totals of each night"),
        ("from,to,light (s),deep (s),rem (s)\n", "only Withings's totals of each night"),
        ("Id,Tz,From,To,Sched,Hours\n", "an export of Sleep as Android, which is not read"),
        ("com.samsung.health.sleep_stage,6230016,5\nstart_time,stage\n", "of Samsung Health"),
        ('{"a": 1}', "is JSON without sleep stages of a known device; give the sleep data of"),
    ],
)
def test_what_is_not_stages_is_refused_by_name(tmp_path, text, says):
    assert says in refusal(write_text(tmp_path, text, "sleep"), WHEN)


def test_night_of_the_clock_change_follows_the_offsets(tmp_path):
    when = night_clock("2026-10-25T00:00:00+02:00")
    oura = {"bedtime_start": "2026-10-25T00:00:00+02:00", "sleep_phase_5_min": "2" * 60 + "4"}
    got = read_hypnogram(write_text(tmp_path, json.dumps(oura), "s.json"), when)
    assert got.onset_s[-1] == 18000
    rows = 'start,duration,value\n2026-10-25T02:30:00+02:00,"[60]","[2]"\n'
    rows += '2026-10-25T02:30:00+01:00,"[60]","[3]"\n'
    got = read_hypnogram(write_text(tmp_path, rows, "s.csv"), when)
    assert got.onset_s.tolist() == [9000, 12600]
